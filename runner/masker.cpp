#include "runner/masker.h"

#include <algorithm>
#include <set>

#include "runner/secret_forms.h"

namespace slipway::runner {
namespace {

constexpr std::string_view kMask = "[MASKED]";

bool is_token_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '=';
}

bool is_break(char c) {
  return c == '\n' || c == '\r';
}

constexpr std::size_t kBlock = 3;
constexpr unsigned kTableBits = 15;  // 32 KiB: what the nearest cache of a processor holds

std::size_t block_at(const char* text) {
  const auto byte = [&](int i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  return ((byte(0) | byte(1) << 8U | byte(2) << 16U) * 0x9e3779b1U) >> (32U - kTableBits);
}

// How much of `rest` is `phrase`, line breaks passed over; 0 when it is not. `partial` when `rest`
// ends too early to tell.
std::size_t length_of(std::string_view phrase, std::string_view rest, bool& partial) {
  std::size_t at = 0;
  for (const char wanted : phrase) {
    while (at > 0 && at < rest.size() && is_break(rest[at])) ++at;
    if (at == rest.size()) {
      partial = true;
      return 0;
    }
    if (rest[at] != wanted) return 0;
    ++at;
  }
  return at;
}

}  // namespace

Masker::Masker(const std::vector<std::string>& values,
               const std::vector<std::string>& token_prefixes) {
  std::set<std::string> texts;
  for (const std::string& value : values) {
    if (value.size() < kShortest) continue;
    for (std::string& form : forms_of_secret(value))
      if (form.size() >= kShortest) texts.insert(std::move(form));
  }
  for (const std::string& text : texts) phrases_.push_back({text, false});
  for (const std::string& prefix : token_prefixes)
    if (!prefix.empty()) phrases_.push_back({prefix, true});
  std::stable_sort(phrases_.begin(), phrases_.end(),
                   [](const Phrase& a, const Phrase& b) { return a.text.size() > b.text.size(); });
  for (const Phrase& phrase : phrases_)
    by_first_byte_[static_cast<unsigned char>(phrase.text.front())].push_back(&phrase);
  if (!phrases_.empty()) make_tables();
}

void Masker::make_tables() {
  shortest_ = phrases_.back().text.size();
  if (shortest_ < kBlock) return;
  const std::size_t farthest = std::min<std::size_t>(shortest_ - kBlock + 1, 255);
  skip_.assign(std::size_t{1} << kTableBits, static_cast<std::uint8_t>(farthest));
  beginnings_.assign(std::size_t{1} << kTableBits, false);
  for (const Phrase& phrase : phrases_) {
    for (std::size_t i = 0; i + kBlock <= shortest_; ++i) {
      std::uint8_t& skip = skip_[block_at(phrase.text.data() + i)];
      skip = static_cast<std::uint8_t>(std::min<std::size_t>(skip, shortest_ - kBlock - i));
    }
    beginnings_[block_at(phrase.text.data())] = true;
  }
}

bool Masker::may_begin(std::string_view rest) const {
  std::array<char, kBlock> block{};
  std::size_t count = 0;
  for (std::size_t at = 0; at < rest.size() && count < kBlock; ++at)
    if (!is_break(rest[at])) block[count++] = rest[at];
  return count < kBlock || beginnings_[block_at(block.data())];
}

// The first place from `at` on where a phrase may begin. Within a line whole stretches are passed
// over; close to its end, where a phrase may be broken, and to that of the text, each byte is
// looked at.
std::size_t Masker::next_beginning(std::string_view text, std::size_t at) const {
  if (shortest_ < kBlock) return at;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    // A break may be of two bytes.
    const auto whole = end > at && text[end - 1] == '\r' ? end - 1 : end;
    while (at + shortest_ <= whole) {
      const std::size_t skip = skip_[block_at(text.data() + at + shortest_ - kBlock)];
      if (skip == 0 && beginnings_[block_at(text.data() + at)]) return at;
      at += std::max<std::size_t>(skip, 1);
    }
    for (; at < end; ++at)
      if (may_begin(text.substr(at))) return at;
    if (at < text.size()) ++at;
  }
  return at;
}

Masker::Match Masker::longest_at(std::string_view rest, bool at_end) const {
  for (const Phrase* phrase : by_first_byte_[static_cast<unsigned char>(rest.front())]) {
    bool partial = false;
    const std::size_t length = length_of(phrase->text, rest, partial);
    if (length > 0) return {phrase, length, false};
    if (partial && !at_end) return {nullptr, 0, true};
  }
  return {};
}

// Byte by byte: a secret may begin within another one and end behind it, so what is hidden is
// scanned like the rest, and one mask stands for all that hangs together.
void Masker::scan(bool at_end, std::string& out) {
  const std::string_view text = held_;
  std::size_t at = 0;
  std::size_t shown = released_;  // up to here it is in `out`, or hidden
  const auto show_up_to = [&](std::size_t end) {
    if (end > shown) out.append(text.substr(shown, end - shown));
    shown = std::max(shown, end);
  };
  while (at < text.size()) {
    if (covered_ == 0 && token_in_ == 0 && !in_token_) at = next_beginning(text, at);
    if (at == text.size()) break;
    const char byte = text[at];
    if (!by_first_byte_[static_cast<unsigned char>(byte)].empty()) {
      const auto [phrase, length, undecided] = longest_at(text.substr(at), at_end);
      if (undecided) break;
      if (phrase != nullptr) {
        const bool is_hidden = covered_ > 0 || (in_token_ && is_token_byte(byte));
        if (!is_hidden) {
          show_up_to(at + (phrase->is_prefix ? length : 0));
          out += kMask;
        }
        covered_ = std::max(covered_, length);
        if (phrase->is_prefix) token_in_ = length;
      }
    }
    if (token_in_ > 0 && --token_in_ == 0) in_token_ = true;
    if (!is_token_byte(byte)) in_token_ = false;
    const bool hidden = covered_ > 0 || in_token_;
    if (covered_ > 0) --covered_;
    ++at;
    if (hidden) shown = std::max(shown, at);
  }
  show_up_to(at);
  held_.erase(0, at);
  released_ = shown - at;
  if (!at_end) release_line(out);
}

// A line that ends is not kept back for a few bytes that could begin a secret broken just there: of
// such a one those bytes are seen, and no more.
void Masker::release_line(std::string& out) {
  constexpr std::size_t kFew = 4;
  if (held_.empty() || !is_break(held_.back()) || covered_ > 0 || in_token_ || token_in_ > 0)
    return;
  const auto breaks = std::count_if(held_.begin(), held_.end(), is_break);
  if (held_.size() - static_cast<std::size_t>(breaks) >= kFew) return;
  out.append(held_, std::min(released_, held_.size()));
  released_ = held_.size();
}

std::string Masker::feed(std::string_view bytes) {
  std::string out;
  if (phrases_.empty()) return std::string{bytes};
  held_ += bytes;
  scan(false, out);
  return out;
}

std::string Masker::flush() {
  std::string out;
  scan(true, out);
  return out;
}

}  // namespace slipway::runner
