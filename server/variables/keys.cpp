#include "server/variables/keys.h"

#include <string>
#include <vector>

#include "server/variables/vault.h"

namespace slipway::server {
namespace {

namespace fs = std::filesystem;

// A known value: whether a key is the database's shows before any secret is asked for.
constexpr const char* kCheck = "sealing_check";
constexpr std::string_view kCheckText = "slipway";
constexpr std::string_view kCheckContext = "sealing check";
constexpr int kBatch = 100;

// A transaction that is undone unless it is committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.begin(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (!done_) database_.rollback();
  }
  void commit() {
    database_.commit();
    done_ = true;
  }

 private:
  Database& database_;
  bool done_ = false;
};

// Counts what it seals anew; an old value that no key opens is left, and an error.
class Resealer {
 public:
  Resealer(Stores& stores, const Keyring& keys, std::size_t most)
      : stores_(stores), keys_(keys), most_(most) {}

  Result<std::size_t> some() {
    if (auto done = variables(); !done) return done.error();
    if (auto done = projects(); !done) return done.error();
    if (auto done = signing_keys(); !done) return done.error();
    if (count_ == 0)
      if (auto check = stores_.settings.get(kCheck); check && !keys_.is_current(*check)) {
        if (auto done = reseal(*check, kCheckContext, "the check value"); !done)
          return done.error();
        stores_.settings.put(kCheck, *check);
      }
    return count_;
  }

 private:
  [[nodiscard]] bool is_old(const std::string& sealed) const {
    return !sealed.empty() && !keys_.is_current(sealed);
  }

  Result<void> reseal(std::string& sealed, std::string_view context, const std::string& what) {
    const auto plain = keys_.open(sealed, context);
    if (!plain)
      return fail(ErrorKind::Internal, what + " cannot be opened with any key of the file")
          .with_hint("the old keys were kept; set that value anew and rotate again");
    sealed = keys_.seal(*plain, context);
    ++count_;
    return {};
  }

  Result<void> variables() {
    VariableId after;
    for (;;) {
      const auto rows = stores_.variables.next_after(after, kBatch);
      if (rows.empty()) return {};
      for (VariableRow row : rows) {
        after = row.id;
        if (!is_old(row.value)) continue;
        if (count_ >= most_) return {};
        auto done = reseal(row.value, seal_context(row),
                           "the variable " + row.key + " of " + to_string(row.owner()));
        if (!done) return done;
        stores_.variables.update(row);
      }
    }
  }

  Result<void> projects() {
    for (int page = 1;; ++page) {
      const auto rows = stores_.projects.list("", "", {page, kBatch}).rows;
      if (rows.empty()) return {};
      for (ProjectRow row : rows) {
        if (!is_old(row.webhook_secret) && !is_old(row.forge_token)) continue;
        if (count_ >= most_) return {};
        if (is_old(row.webhook_secret))
          if (auto done = reseal(row.webhook_secret, kWebhookSecretContext,
                                 "the webhook secret of " + row.path);
              !done)
            return done;
        if (is_old(row.forge_token))
          if (auto done = reseal(row.forge_token, kForgeTokenContext,
                                 "the git host's token of " + row.path);
              !done)
            return done;
        stores_.projects.update(row);
      }
    }
  }

  Result<void> signing_keys() {
    auto sealed = stores_.settings.get(kSigningKeys);
    if (!sealed || !is_old(*sealed) || count_ >= most_) return {};
    auto done = reseal(*sealed, kSigningKeysContext, "the keys of id_tokens");
    if (done) stores_.settings.put(kSigningKeys, *sealed);
    return done;
  }

  Stores& stores_;
  const Keyring& keys_;
  std::size_t most_;
  std::size_t count_ = 0;
};

Error other_file(const fs::path& file, const std::string& what) {
  return fail(ErrorKind::InvalidInput, "'" + file.string() + "' " + what)
      .with_hint(
          "put the key file of this database back from your backup; a new key would open "
          "none of its secrets");
}

}  // namespace

Result<Keyring> open_keys(const fs::path& file, Database& database) {
  Stores& stores = database.writer();
  const auto check = stores.settings.get(kCheck);
  auto keys = Keyring::load(file);
  if (!keys && keys.error().kind == ErrorKind::NotFound) {
    if (check || stores.projects.list("", "", {1, 1}).total > 0)
      return other_file(file, "is missing, and the database has values that it opens");
    keys = Keyring::make();
    if (auto saved = keys->save(file); !saved) return std::move(saved).error();
  }
  if (!keys) return std::move(keys).error();
  if (check) {
    const auto text = keys->open(*check, kCheckContext);
    if (!text || *text != kCheckText)
      return other_file(file, "is not the key file of this database");
    return keys;
  }
  Transaction transaction{database};
  stores.settings.put(kCheck, keys->seal(kCheckText, kCheckContext));
  transaction.commit();
  return keys;
}

Result<Keyring> begin_rotation(const fs::path& file) {
  auto keys = Keyring::load(file);
  if (!keys) return std::move(keys).error();
  if (keys->size() > 1) return keys;
  Keyring more = keys->with_new_key();
  if (auto saved = more.save(file); !saved) return std::move(saved).error();
  return more;
}

Result<std::size_t> reseal_some(Database& database, const Keyring& keys, int most) {
  Transaction transaction{database};
  auto count = Resealer{database.writer(), keys, static_cast<std::size_t>(most)}.some();
  if (count) transaction.commit();
  return count;
}

Result<void> end_rotation(const fs::path& file, const Keyring& keys) {
  return keys.newest_alone().save(file);
}

Result<Rotation> rotate_keys(const fs::path& file, Database& database) {
  // The file must be the database's, or the old key would be thrown away with its values unread.
  const auto before = open_keys(file, database);
  if (!before) return before.error();
  Rotation rotation;
  rotation.was_begun = before->size() > 1;
  const auto keys = begin_rotation(file);
  if (!keys) return keys.error();
  for (;;) {
    const auto count = reseal_some(database, *keys, kBatch);
    if (!count) return count.error();
    if (*count == 0) break;
    rotation.resealed += *count;
  }
  if (auto ended = end_rotation(file, *keys); !ended) return std::move(ended).error();
  return rotation;
}

}  // namespace slipway::server
