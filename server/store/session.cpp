#include "server/store/session.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <nlohmann/json.hpp>

#include <deque>
#include <functional>
#include <unordered_map>

#include "server/store/database.h"

namespace slipway::server {

namespace {

// SQLite's primary result codes, which soci-sqlite3.h keeps to itself.
constexpr int kBusy = 5;
constexpr int kReadOnly = 8;
constexpr int kIoError = 10;
constexpr int kFull = 13;
constexpr int kCannotOpen = 14;
constexpr int kConstraint = 19;

ErrorKind kind_of(int sqlite_result) {
  switch (sqlite_result & 0xff) {
    case kConstraint: return ErrorKind::Conflict;
    case kBusy:
    case kReadOnly:
    case kIoError:
    case kFull:
    case kCannotOpen: return ErrorKind::Unavailable;
    default: return ErrorKind::Internal;
  }
}

// Runs `act`, turning the library's exceptions into ours.
template <typename F>
decltype(auto) guarded(F&& act) {
  try {
    return act();
  } catch (const soci::sqlite3_soci_error& error) {
    throw StoreFailure{fail(kind_of(error.result()), std::string{"database: "} + error.what())};
  } catch (const soci::soci_error& error) {
    throw StoreFailure{fail(ErrorKind::Internal, std::string{"database: "} + error.what())};
  }
}

class SociStatement final : public Statement {
 public:
  SociStatement(soci::session& session, const std::string& sql,
                const std::vector<Slot::Kind>& inputs, const std::vector<Slot::Kind>& outputs)
      : statement_(session), inputs_(inputs.size()), outputs_(outputs.size()) {
    // The slots live in deques so that the addresses SOCI is given never move.
    for (std::size_t i = 0; i < inputs.size(); ++i) use(inputs_[i], inputs[i]);
    for (std::size_t i = 0; i < outputs.size(); ++i) into(outputs_[i], outputs[i]);
    statement_.alloc();
    statement_.prepare(sql);
    statement_.define_and_bind();
  }

  Slot& input(std::size_t index) override {
    Slot& slot = inputs_[index].slot;
    slot.null = false;
    return slot;
  }
  const Slot& output(std::size_t index) const override { return outputs_[index].slot; }

  bool execute() override {
    return guarded([&] {
      for (Bound& bound : inputs_) bound.indicator = bound.slot.null ? soci::i_null : soci::i_ok;
      const bool got = statement_.execute(true) && !outputs_.empty();
      if (got) note_nulls();
      return got;
    });
  }
  bool next() override {
    return guarded([&] {
      if (!statement_.fetch()) return false;
      note_nulls();
      return true;
    });
  }
  void reset() noexcept override {
    // Its result repeats the error of the last step, which was thrown already.
    sqlite_api::sqlite3_reset(
        static_cast<soci::sqlite3_statement_backend*>(statement_.get_backend())->stmt_);
  }

 private:
  struct Bound {
    Slot slot;
    soci::indicator indicator = soci::i_ok;
  };

  void use(Bound& bound, Slot::Kind kind) {
    switch (kind) {
      case Slot::Kind::Integer:
        statement_.exchange(soci::use(bound.slot.integer, bound.indicator));
        break;
      case Slot::Kind::Real:
        statement_.exchange(soci::use(bound.slot.real, bound.indicator));
        break;
      case Slot::Kind::Text:
        statement_.exchange(soci::use(bound.slot.text, bound.indicator));
        break;
    }
  }
  void into(Bound& bound, Slot::Kind kind) {
    switch (kind) {
      case Slot::Kind::Integer:
        statement_.exchange(soci::into(bound.slot.integer, bound.indicator));
        break;
      case Slot::Kind::Real:
        statement_.exchange(soci::into(bound.slot.real, bound.indicator));
        break;
      case Slot::Kind::Text:
        statement_.exchange(soci::into(bound.slot.text, bound.indicator));
        break;
    }
  }
  void note_nulls() {
    for (Bound& bound : outputs_) bound.slot.null = bound.indicator == soci::i_null;
  }

  soci::statement statement_;
  std::deque<Bound> inputs_;
  std::deque<Bound> outputs_;
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace

struct Session::State {
  soci::session soci;
  std::unordered_map<std::string, std::unique_ptr<Statement>, TextHash, std::equal_to<>> statements;
};

Session::Session(const std::filesystem::path& file, Mode mode) : state_(std::make_unique<State>()) {
  guarded([&] { state_->soci.open(soci::sqlite3, "dbname=\"" + file.string() + "\" timeout=5"); });
  // SOCI reports a PRAGMA that answers a row as done; none of these may fail silently, so the ones
  // that matter are read back by the tests.
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA foreign_keys = ON");
  run("PRAGMA wal_autocheckpoint = 0");
  if (mode == Mode::Writer) {
    run("PRAGMA synchronous = FULL");
    run("PRAGMA cache_size = -4000");
  } else {
    run("PRAGMA query_only = ON");
    run("PRAGMA cache_size = -500");
  }
}

Session::~Session() {
  // Statements go before the session that they belong to.
  state_->statements.clear();
}

Statement& Session::prepare(std::string_view sql, const std::vector<Slot::Kind>& inputs,
                            const std::vector<Slot::Kind>& outputs) {
  if (const auto found = state_->statements.find(sql); found != state_->statements.end())
    return *found->second;
  return guarded([&]() -> Statement& {
    auto made = std::make_unique<SociStatement>(state_->soci, std::string{sql}, inputs, outputs);
    return *state_->statements.emplace(std::string{sql}, std::move(made)).first->second;
  });
}

void Session::run(const std::string& sql) {
  guarded([&] { state_->soci << sql; });
}

long long Session::last_insert_id() {
  return guarded([&] {
    long long id = 0;
    state_->soci.get_last_insert_id("", id);
    return id;
  });
}

std::string json_of_strings(const std::vector<std::string>& values) {
  if (values.empty()) return "[]";
  return nlohmann::json(values).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> strings_of_json(const std::string& text) {
  if (text == "[]") return {};
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::string> values;
  if (!parsed.is_array()) return values;
  for (const auto& value : parsed)
    if (value.is_string()) values.push_back(value.get<std::string>());
  return values;
}

}  // namespace slipway::server
