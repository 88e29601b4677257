#include "runner/masker.h"

#include <algorithm>

#include "base/crypto.h"

namespace slipway::runner {
namespace {

constexpr std::string_view kMask = "[MASKED]";

bool is_token_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '=';
}

std::size_t pair_of(char first, char second) {
  return static_cast<std::size_t>(static_cast<unsigned char>(first)) << 8U |
         static_cast<unsigned char>(second);
}

// The part of `value`'s base64 that does not depend on what stands around it, when `before` bytes
// precede it in a group of three.
std::string base64_core(std::string_view value, std::size_t before) {
  const std::string encoded = base64_encode(std::string(before, '\0') + std::string{value});
  const std::size_t begin = (before * 8 + 5) / 6;
  const std::size_t end = (before + value.size()) * 8 / 6;
  return end > begin ? encoded.substr(begin, end - begin) : std::string{};
}

}  // namespace

Masker::Masker(const std::vector<std::string>& values,
               const std::vector<std::string>& token_prefixes) {
  for (const std::string& value : values) {
    add(value);
    for (std::size_t begin = 0; begin < value.size();) {
      const auto end = std::min(value.find_first_of("\r\n", begin), value.size());
      add(std::string_view{value}.substr(begin, end - begin));
      begin = end + 1;
    }
    if (value.size() < kShortest) continue;
    for (std::size_t before = 0; before < 3; ++before) add(base64_core(value, before));
  }
  for (const std::string& prefix : token_prefixes)
    if (!prefix.empty()) phrases_.push_back({prefix, true});
  std::stable_sort(phrases_.begin(), phrases_.end(),
                   [](const Phrase& a, const Phrase& b) { return a.text.size() > b.text.size(); });
  for (const Phrase& phrase : phrases_) {
    by_first_byte_[static_cast<unsigned char>(phrase.text.front())].push_back(&phrase);
    note_beginning(phrase.text);
  }
}

void Masker::note_beginning(std::string_view text) {
  if (text.size() > 1)
    beginnings_.set(pair_of(text[0], text[1]));
  else
    for (int second = 0; second < 256; ++second)
      beginnings_.set(pair_of(text[0], static_cast<char>(second)));
}

// The first place from `at` on where a phrase may begin; the last byte is such a place.
std::size_t Masker::next_beginning(std::string_view text, std::size_t at) const {
  while (at + 1 < text.size() && !beginnings_.test(pair_of(text[at], text[at + 1]))) ++at;
  return at;
}

void Masker::add(std::string_view text) {
  if (text.size() < kShortest) return;
  const auto known = std::find_if(phrases_.begin(), phrases_.end(),
                                  [&](const Phrase& phrase) { return phrase.text == text; });
  if (known == phrases_.end()) phrases_.push_back({std::string{text}, false});
}

// The longest phrase at the beginning of `rest`. `undecided` when a longer one may still turn out.
const Masker::Phrase* Masker::longest_at(std::string_view rest, bool at_end,
                                         bool& undecided) const {
  for (const Phrase* phrase : by_first_byte_[static_cast<unsigned char>(rest.front())]) {
    const std::string_view text = phrase->text;
    if (text.size() > rest.size()) {
      if (!at_end && text.substr(0, rest.size()) == rest) {
        undecided = true;
        return nullptr;
      }
      continue;
    }
    if (rest.substr(0, text.size()) == text) return phrase;
  }
  return nullptr;
}

// Byte by byte: a secret may begin within another one and end behind it, so what is hidden is
// scanned like the rest, and one mask stands for all that hangs together.
void Masker::scan(bool at_end, std::string& out) {
  const std::string_view text = held_;
  std::size_t at = 0;
  std::size_t shown = 0;  // up to here it is in `out`, or hidden
  while (at < text.size()) {
    if (covered_ == 0 && token_in_ == 0 && !in_token_) at = next_beginning(text, at);
    const char byte = text[at];
    if (!by_first_byte_[static_cast<unsigned char>(byte)].empty()) {
      bool undecided = false;
      const Phrase* const phrase = longest_at(text.substr(at), at_end, undecided);
      if (undecided) break;
      if (phrase != nullptr) {
        const std::size_t length = phrase->text.size();
        const bool is_hidden = covered_ > 0 || (in_token_ && is_token_byte(byte));
        if (!is_hidden) {
          out.append(text.substr(shown, at - shown + (phrase->is_prefix ? length : 0)));
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
    if (hidden) shown = at;
  }
  out.append(text.substr(shown, at - shown));
  held_.erase(0, at);
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
