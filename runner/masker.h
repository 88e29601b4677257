// Hides secrets in a stream of bytes, whatever the pieces in which they come.
//
// Masks the exact values of masked variables (8 bytes and longer), each line of values that have
// several, their base64 at each of the three alignments, and whatever follows a known prefix of
// tokens. No secret gets through, at the price of holding back bytes that may be the beginning of
// one until that is decided. Masking is a help against accidents: a job that wants to print a
// secret in another form can. Used by one thread.
#pragma once

#include <array>
#include <bitset>
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
  void scan(bool at_end, std::string& out);
  void note_beginning(std::string_view text);
  [[nodiscard]] std::size_t next_beginning(std::string_view text, std::size_t at) const;
  [[nodiscard]] const Phrase* longest_at(std::string_view rest, bool at_end, bool& undecided) const;

  std::vector<Phrase> phrases_;  // longest first
  std::array<std::vector<const Phrase*>, 256> by_first_byte_;
  // Which pairs of bytes a phrase begins with: most of a log is passed over by this alone.
  std::bitset<65536> beginnings_;
  std::string held_;
  std::size_t covered_ = 0;   // bytes from here that belong to a secret
  std::size_t token_in_ = 0;  // bytes until the prefix of a token has ended
  bool in_token_ = false;
};

}  // namespace slipway::runner
