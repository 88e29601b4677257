// The words of a `rules: if` expression.
//
// Each is recognized as GitLab recognizes it (Gitlab::Ci::Pipeline::Expression::Lexer), which cuts
// the text into words before it looks at their order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::pipeline::rules {

enum class Token : std::uint8_t {
  Variable,
  String,
  Pattern,
  Null,
  True,
  False,
  Equal,
  NotEqual,
  Match,
  NoMatch,
  And,
  Or,
  Not,
  Open,
  Close,
  End,
};

struct Lexeme {
  Token token = Token::End;
  std::string text;  // name, content, or the pattern with its slashes
};

// The last is End. InvalidInput: "invalid expression syntax", with what is wrong as the hint.
Result<std::vector<Lexeme>> lexemes_of(std::string_view text);

// That error.
Error syntax_error(std::string why);

}  // namespace slipway::pipeline::rules
