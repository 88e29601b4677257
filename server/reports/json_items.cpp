#include "server/reports/json_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace slipway::server {

using nlohmann::json;

namespace {

constexpr std::size_t kMostArrays = 100;

// Called by nlohmann's parser, which keeps no stack of ours: depth is counted here.
class ItemSax final : public nlohmann::json_sax<json> {
 public:
  ItemSax(std::string_view text, const std::vector<JsonPick>& picks, const JsonItemLimits& limits)
      : text_(text), picks_(picks), limits_(limits) {}

  JsonOutcome take() { return std::move(outcome_); }

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(number_integer_t value) override { return scalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return scalar(value);
  }
  bool string(string_t& value) override { return scalar(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*size*/) override { return start(json::object()); }
  bool start_array(std::size_t /*size*/) override {
    if (frames_.empty()) outcome_.array = true;
    if (frames_.size() == 1 && !frames_[0].array && outcome_.arrays.size() < kMostArrays)
      outcome_.arrays.push_back(frames_[0].key);
    return start(json::array());
  }
  bool key(string_t& value) override {
    frames_.back().key = std::move(value);
    return true;
  }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const json::exception& /*error*/) override {
    const auto before = text_.substr(0, std::min(position, text_.size()));
    outcome_.fault = fmt::format("line {}: it is no valid JSON",
                                 1 + std::count(before.begin(), before.end(), '\n'));
    return false;
  }

 private:
  struct Frame {
    bool array = false;
    std::string key;
    std::size_t place = 0;  // of the element that comes next
  };

  [[nodiscard]] bool leads_to(const JsonPath& path) const {
    return std::equal(path.begin(), path.end(), frames_.begin(), frames_.end(),
                      [](std::string_view step, const Frame& frame) {
                        return frame.array ? step == "*" : step == frame.key;
                      });
  }

  // Which pick wants the value that begins here.
  [[nodiscard]] const JsonPick* wanted() const {
    if (open_ != nullptr) return nullptr;
    const auto at = std::find_if(picks_.begin(), picks_.end(),
                                 [&](const JsonPick& pick) { return leads_to(pick.path); });
    return at == picks_.end() ? nullptr : &*at;
  }

  void open(const JsonPick& pick) {
    open_ = &pick;
    depth_ = frames_.size();
    values_ = 0;
    overflow_ = false;
  }

  // Puts a value where the part that is open is being built.
  void put(json value, bool holds_more) {
    if (++values_ > limits_.values) overflow_ = true;
    if (overflow_) return;
    json* put = &item_;
    if (building_.empty())
      item_ = std::move(value);
    else if (building_.back()->is_array())
      put = &building_.back()->emplace_back(std::move(value));
    else
      put = &((*building_.back())[frames_.back().key] = std::move(value));
    if (holds_more) building_.push_back(put);
  }

  bool scalar(json value) {
    if (const JsonPick* pick = wanted()) open(*pick);
    if (open_ != nullptr) put(std::move(value), false);
    return ended();
  }

  bool start(json value) {
    if (static_cast<int>(frames_.size()) >= limits_.depth) {
      outcome_.fault = fmt::format("it is nested deeper than {} levels", limits_.depth);
      return false;
    }
    const bool array = value.is_array();
    if (const JsonPick* pick = wanted()) open(*pick);
    if (open_ != nullptr) put(std::move(value), true);
    frames_.push_back({array, {}, 0});
    return true;
  }

  bool end() {
    frames_.pop_back();
    if (open_ != nullptr && !overflow_) building_.pop_back();
    return ended();
  }

  // A value has ended: hands out the part that it ends.
  bool ended() {
    const bool more = open_ == nullptr || frames_.size() != depth_ || hand_out();
    if (!frames_.empty() && frames_.back().array) ++frames_.back().place;
    return more;
  }

  bool hand_out() {
    const JsonPick& pick = *std::exchange(open_, nullptr);
    building_.clear();
    json item = std::exchange(item_, nullptr);
    if (overflow_) {
      ++outcome_.too_large;
      return true;
    }
    std::vector<std::size_t> places;
    for (const Frame& frame : frames_)
      if (frame.array) places.push_back(frame.place);
    return pick.take(places, std::move(item));
  }

  std::string_view text_;
  const std::vector<JsonPick>& picks_;
  const JsonItemLimits& limits_;
  JsonOutcome outcome_;
  std::vector<Frame> frames_;
  const JsonPick* open_ = nullptr;  // whose part is being built
  std::size_t depth_ = 0;           // of frames, where it stands
  std::size_t values_ = 0;
  bool overflow_ = false;
  json item_;
  std::vector<json*> building_;  // the arrays and objects of the part that are open
};

}  // namespace

JsonOutcome pick_items(std::string_view text, const std::vector<JsonPick>& picks,
                       const JsonItemLimits& limits) {
  ItemSax sax{text, picks, limits};
  json::sax_parse(text, &sax);
  return sax.take();
}

}  // namespace slipway::server
