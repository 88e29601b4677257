#include "pipeline/rules/lexemes.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>

namespace slipway::pipeline::rules {
namespace {

constexpr std::size_t kMostTokens = 99;  // GitLab gives up at the hundredth

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) {}

  Result<std::vector<Lexeme>> all() {
    std::vector<Lexeme> lexemes;
    while (true) {
      while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0)
        rest_.remove_prefix(1);
      if (rest_.empty()) break;
      auto lexeme = next();
      if (!lexeme) return std::move(lexeme).error();
      lexemes.push_back(std::move(*lexeme));
      if (lexemes.size() > kMostTokens) return syntax_error("an expression has at most 99 parts");
    }
    lexemes.push_back({});
    return lexemes;
  }

 private:
  Result<Lexeme> next() {
    static constexpr std::pair<std::string_view, Token> kSigns[] = {
        {"==", Token::Equal},   {"!=", Token::NotEqual}, {"=~", Token::Match},
        {"!~", Token::NoMatch}, {"&&", Token::And},      {"||", Token::Or},
        {"(", Token::Open},     {")", Token::Close},     {"!", Token::Not}};
    if (rest_.front() == '$') return variable();
    if (rest_.front() == '"' || rest_.front() == '\'') return string();
    if (rest_.front() == '/') return pattern();
    for (const auto& [sign, token] : kSigns) {
      if (rest_.substr(0, sign.size()) != sign) continue;
      rest_.remove_prefix(sign.size());
      return Lexeme{token, {}};
    }
    return word();
  }

  Lexeme taken(Token token, std::size_t begin, std::size_t length, std::size_t whole) {
    Lexeme lexeme{token, std::string{rest_.substr(begin, length)}};
    rest_.remove_prefix(whole);
    return lexeme;
  }

  Result<Lexeme> variable() {
    std::size_t end = 1;
    while (end < rest_.size() && is_name(rest_[end])) ++end;
    if (end == 1) return syntax_error("a variable is written $NAME, without braces");
    return taken(Token::Variable, 1, end - 1, end);
  }

  Result<Lexeme> string() {
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos || rest_.substr(0, end).find('\n') != std::string_view::npos)
      return syntax_error("a string is not closed on its line");
    return taken(Token::String, 1, end - 1, end + 1);
  }

  // A slash behind a backslash never closes, not even where another backslash stands before that.
  Result<Lexeme> pattern() {
    static const re2::RE2 shape{R"((/(?:[^/]|\\/)+[^\\]/[ismU]*))", re2::RE2::Latin1};
    re2::StringPiece rest{rest_.data(), rest_.size()};
    re2::StringPiece found;
    if (re2::RE2::Consume(&rest, shape, &found))
      return taken(Token::Pattern, 0, found.size(), found.size());
    return syntax_error(rest_.find('/', 1) == std::string_view::npos
                            ? "a regular expression is not closed"
                            : "a regular expression needs at least two characters");
  }

  Result<Lexeme> word() {
    std::size_t end = 0;
    while (end < rest_.size() && is_name(rest_[end])) ++end;
    const std::string_view text = rest_.substr(0, end);
    Token token = Token::End;
    if (text == "null") token = Token::Null;
    if (text == "true") token = Token::True;
    if (text == "false") token = Token::False;
    if (token == Token::End)
      return syntax_error("'" + std::string{rest_.substr(0, std::max<std::size_t>(end, 1))} +
                          "' is not expected here; strings need quotes, variables a $");
    return taken(token, 0, 0, end);
  }

  std::string_view rest_;
};

}  // namespace

Error syntax_error(std::string why) {
  return fail(ErrorKind::InvalidInput, "invalid expression syntax").with_hint(std::move(why));
}

Result<std::vector<Lexeme>> lexemes_of(std::string_view text) {
  return Lexer{text}.all();
}

}  // namespace slipway::pipeline::rules
