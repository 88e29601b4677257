// Hides secrets in a stream of bytes, whatever the pieces in which they come.
//
// Masks the values of masked variables (8 bytes and longer) in the forms of secret_forms.h, broken
// into lines anywhere, and whatever follows a known prefix of tokens. No such form gets through, at
// the price of holding back bytes that may be the beginning of one until that is decided. Masking
// is a help against accidents: a job that wants to print a secret in another form can. Used by one
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::runner {

class Masker {
 public:
  Masker(const std::vector<std::string>& values, const std::vector<std::string>& token_prefixes);

  // What can be shown of what came so far.
  std::string feed(std::string_view bytes);
  // What was held back; call at the end.
  std::string flush();

  static constexpr std::size_t kShortest = 8;

 private:
  struct Phrase {
    std::string text;
    bool is_prefix = false;  // of a token: what follows is the secret
  };

  void add(std::string_view text);
  struct Match {
    const Phrase* phrase = nullptr;
    std::size_t length = 0;  // in the text, with line breaks
    bool undecided = false;  // a longer one may still turn out
  };

  void scan(bool at_end, std::string& out);
  void release_line(std::string& out);
  void make_tables();
  [[nodiscard]] std::size_t next_beginning(std::string_view text, std::size_t at) const;
  [[nodiscard]] bool may_begin(std::string_view rest) const;
  [[nodiscard]] Match longest_at(std::string_view rest, bool at_end) const;

  std::vector<Phrase> phrases_;  // longest first
  std::array<std::vector<const Phrase*>, 256> by_first_byte_;
  // By three bytes (hashed): how far no phrase can begin when they stand where the third to last
  // bytes of the shortest phrase would, and whether a phrase begins with them. Most of a log is
  // passed over by these alone (Wu and Manber's search for many words).
  std::vector<std::uint8_t> skip_;
  std::vector<bool> beginnings_;
  std::size_t shortest_ = 0;
  std::string held_;
  std::size_t released_ = 0;  // how much of it is shown already
  std::size_t covered_ = 0;   // bytes from here that belong to a secret
  std::size_t token_in_ = 0;  // bytes until the prefix of a token has ended
  bool in_token_ = false;
};

}  // namespace slipway::runner
