#include "pipeline/rules/expression.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "base/text.h"
#include "pipeline/rules/lexemes.h"
#include "pipeline/rules/pattern.h"
#include "pipeline/work.h"

namespace slipway::pipeline::rules {
namespace {

// What an expression or a part of it comes to, in Ruby's terms.
struct Value {
  enum class Is : std::uint8_t { Null, False, True, Text };
  Is is = Is::Null;
  std::string text;

  static Value of(std::string text) { return {Is::Text, std::move(text)}; }
  static Value of(bool truth) { return {truth ? Is::True : Is::False, {}}; }
  bool operator==(const Value&) const = default;
};

bool is_blank(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isspace(c) != 0; });
}

// What decides in the end.
bool is_present(const Value& value) {
  return value.is == Value::Is::True || (value.is == Value::Is::Text && !is_blank(value.text));
}

// What decides within `&&` and `||`, where an empty text counts as true.
bool is_truthy(const Value& value) {
  return value.is == Value::Is::True || value.is == Value::Is::Text;
}

std::string as_text(const Value& value) {
  if (value.is == Value::Is::True) return "true";
  return value.is == Value::Is::False ? "false" : value.text;
}

// A value of which not all is known.
struct Weighed {
  enum class Is : std::uint8_t {
    Known,
    Other,    // a text that is not blank and that nothing names
    Unknown,  // true or false
  };
  Is is = Is::Known;
  Value value;
};

Likely likely(bool certain) {
  return certain ? Likely::Yes : Likely::No;
}

Weighed weighed(Likely likely) {
  if (likely == Likely::Maybe) return {Weighed::Is::Unknown, {}};
  return {Weighed::Is::Known, Value::of(likely == Likely::Yes)};
}

Likely opposite(Likely answer) {
  if (answer == Likely::Maybe) return answer;
  return likely(answer == Likely::No);
}

Likely presence_of(const Weighed& value) {
  switch (value.is) {
    case Weighed::Is::Known: return likely(is_present(value.value));
    case Weighed::Is::Other: return Likely::Yes;
    case Weighed::Is::Unknown: break;
  }
  return Likely::Maybe;
}

Likely truth_of(const Weighed& value) {
  return value.is == Weighed::Is::Known ? likely(is_truthy(value.value)) : presence_of(value);
}

Likely equal(const Weighed& a, const Weighed& b) {
  using Is = Weighed::Is;
  if (a.is == Is::Unknown || b.is == Is::Unknown) return Likely::Maybe;
  if (a.is == Is::Other && b.is == Is::Other) return Likely::Maybe;
  return likely(a.is == b.is && a.value == b.value);
}

}  // namespace

struct Expression::Node {
  Token token = Token::Null;
  std::string text;
  std::optional<Pattern> pattern;  // of a literal, compiled once
  std::unique_ptr<Node> left;
  std::unique_ptr<Node> right;

  [[nodiscard]] Value value(const Scope& variables) const {
    switch (token) {
      case Token::Variable: {
        const Variable* variable = variables.find(text);
        if (variable == nullptr || Work::exhausted()) return {};
        Work::spend(variable->value.size());
        return Value::of(variable->value);
      }
      case Token::String:
      case Token::Pattern: return Value::of(text);
      case Token::True: return Value::of(true);
      case Token::False: return Value::of(false);
      case Token::Equal: return Value::of(left->value(variables) == right->value(variables));
      case Token::NotEqual: return Value::of(left->value(variables) != right->value(variables));
      case Token::Match: return Value::of(matches(variables));
      case Token::NoMatch: return Value::of(!matches(variables));
      case Token::Not: return Value::of(!is_present(left->value(variables)));
      case Token::And: {
        Value first = left->value(variables);
        return is_truthy(first) ? right->value(variables) : first;
      }
      case Token::Or: {
        Value first = left->value(variables);
        return is_truthy(first) ? first : right->value(variables);
      }
      case Token::Null:
      case Token::Open:
      case Token::Close:
      case Token::End: break;
    }
    return {};
  }

  // As value(), of assumptions.
  [[nodiscard]] Weighed weigh(const Assumptions& assumptions) const {
    switch (token) {
      case Token::Variable: return assumed(assumptions);
      case Token::String:
      case Token::Pattern: return {Weighed::Is::Known, Value::of(text)};
      case Token::True: return weighed(Likely::Yes);
      case Token::False: return weighed(Likely::No);
      case Token::Equal: return weighed(equal(left->weigh(assumptions), right->weigh(assumptions)));
      case Token::NotEqual:
        return weighed(opposite(equal(left->weigh(assumptions), right->weigh(assumptions))));
      case Token::Match: return weighed(may_match(left->weigh(assumptions)));
      case Token::NoMatch: return weighed(opposite(may_match(left->weigh(assumptions))));
      case Token::Not: return weighed(opposite(presence_of(left->weigh(assumptions))));
      case Token::And: return junction(assumptions, Likely::No);
      case Token::Or: return junction(assumptions, Likely::Yes);
      case Token::Null:
      case Token::Open:
      case Token::Close:
      case Token::End: break;
    }
    return {};
  }

 private:
  [[nodiscard]] Weighed assumed(const Assumptions& assumptions) const {
    const auto found = assumptions.find(text);
    if (found == assumptions.end()) return {};
    switch (found->second.is) {
      case Assumed::Is::Unset: return {};
      case Assumed::Is::Text: return {Weighed::Is::Known, Value::of(found->second.text)};
      case Assumed::Is::Other: return {Weighed::Is::Other, {}};
    }
    return {};
  }

  // `decisive` is the truth of one side that decides without the other: No of an And, Yes of an Or.
  [[nodiscard]] Weighed junction(const Assumptions& assumptions, Likely decisive) const {
    Weighed first = left->weigh(assumptions);
    const Likely truth = truth_of(first);
    if (truth == decisive) return first;
    Weighed second = right->weigh(assumptions);
    if (truth != Likely::Maybe || presence_of(second) == decisive) return second;
    return weighed(Likely::Maybe);
  }

  [[nodiscard]] Likely may_match(const Weighed& subject) const {
    const bool known = subject.is == Weighed::Is::Known;
    return known && right->pattern ? likely(right->pattern->found_in(as_text(subject.value)))
                                   : Likely::Maybe;
  }

  // False when there is nothing to match against.
  [[nodiscard]] bool matches(const Scope& variables) const {
    const std::string text_to_search = as_text(left->value(variables));
    if (right->pattern) return right->pattern->found_in(text_to_search);
    const Value value = right->value(variables);
    if (!is_truthy(value)) return false;
    const std::string against = as_text(value);
    if (Pattern::looks_like(against))
      if (const auto compiled = Pattern::parse(against)) return compiled->found_in(text_to_search);
    // GitLab's documented quirk: a plain string on the right is searched in for the left.
    Work::spend(against.size() + text_to_search.size());
    return memmem(against.data(), against.size(), text_to_search.data(), text_to_search.size()) !=
           nullptr;  // in linear time, which find() does not promise
  }
};

namespace {

using NodeOwner = std::unique_ptr<Expression::Node>;

class Parser {
 public:
  explicit Parser(std::vector<Lexeme> lexemes) : lexemes_(std::move(lexemes)) {}

  Result<NodeOwner> whole() {
    auto root = disjunction(0);
    if (root && peek() != Token::End) return unexpected();
    return root;
  }
  std::vector<std::string> names() { return std::move(names_); }

 private:
  Token peek() const { return lexemes_[at_].token; }

  Error unexpected() const {
    return syntax_error(peek() == Token::End ? "the expression ends too early"
                                             : "something is missing between two values");
  }

  static NodeOwner join(Token token, NodeOwner left, NodeOwner right) {
    auto node = std::make_unique<Expression::Node>();
    node->token = token;
    node->left = std::move(left);
    node->right = std::move(right);
    return node;
  }

  // Left-associative chains of `tokens` between what `below` reads.
  template <typename Below>
  Result<NodeOwner> chain(std::initializer_list<Token> tokens, const Below& below) {
    auto left = below();
    while (left && std::find(tokens.begin(), tokens.end(), peek()) != tokens.end()) {
      const Token token = lexemes_[at_++].token;
      auto right = below();
      if (!right) return right;
      left = join(token, std::move(*left), std::move(*right));
    }
    return left;
  }

  // Nesting is bounded by the number of tokens.
  Result<NodeOwner> disjunction(int depth) {
    return chain({Token::Or}, [&] {
      return chain({Token::And}, [&] {
        return chain({Token::Equal, Token::NotEqual, Token::Match, Token::NoMatch},
                     [&] { return unary(depth); });
      });
    });
  }

  Result<NodeOwner> unary(int depth) {
    if (peek() != Token::Not) return primary(depth);
    ++at_;
    auto inner = unary(depth + 1);
    if (!inner) return inner;
    return join(Token::Not, std::move(*inner), nullptr);
  }

  Result<NodeOwner> primary(int depth) {
    const Lexeme& lexeme = lexemes_[at_];
    switch (lexeme.token) {
      case Token::Open: {
        ++at_;
        auto inner = disjunction(depth + 1);
        if (!inner) return inner;
        if (peek() != Token::Close) return syntax_error("a parenthesis is not closed");
        ++at_;
        return inner;
      }
      case Token::Variable:
        if (std::find(names_.begin(), names_.end(), lexeme.text) == names_.end())
          names_.push_back(lexeme.text);
        return leaf(lexeme);
      case Token::String:
      case Token::Null:
      case Token::True:
      case Token::False: return leaf(lexeme);
      case Token::Pattern: {
        auto pattern = Pattern::parse(lexeme.text);
        if (!pattern) return syntax_error(pattern.error().message);
        auto node = leaf(lexeme);
        (*node)->pattern = std::move(*pattern);
        return node;
      }
      case Token::Equal:
      case Token::NotEqual:
      case Token::Match:
      case Token::NoMatch:
      case Token::And:
      case Token::Or:
      case Token::Not:
      case Token::Close:
      case Token::End: break;
    }
    return unexpected();
  }

  Result<NodeOwner> leaf(const Lexeme& lexeme) {
    auto node = std::make_unique<Expression::Node>();
    node->token = lexeme.token;
    node->text = lexeme.text;
    ++at_;
    return node;
  }

  std::vector<Lexeme> lexemes_;
  std::vector<std::string> names_;
  std::size_t at_ = 0;
};

}  // namespace

Expression::Expression(std::unique_ptr<Node> root, std::vector<std::string> names)
    : root_(std::move(root)), names_(std::move(names)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Result<Expression> Expression::parse(std::string_view text) {
  constexpr std::size_t kForEach = 50;
  if (Work::exhausted()) return syntax_error(Work::too_much());
  Work::spend(kForEach * text.size());
  auto lexemes = lexemes_of(text);
  if (!lexemes) return std::move(lexemes).error();
  Parser parser{std::move(*lexemes)};
  auto root = parser.whole();
  if (!root) return std::move(root).error();
  return Expression{std::move(*root), parser.names()};
}

bool Expression::holds(const Scope& variables) const {
  return is_present(root_->value(variables));
}

Likely Expression::may_hold(const Assumptions& assumptions) const {
  return presence_of(root_->weigh(assumptions));
}

std::vector<std::pair<std::string, std::string>> Expression::comparisons() const {
  std::vector<std::pair<std::string, std::string>> found;
  std::vector<std::string> texts;
  bool direct = true;  // each with a text; else a text may reach any variable through another
  std::vector<const Node*> open{root_.get()};
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (node->token == Token::String) texts.push_back(node->text);
    if (node->left) open.push_back(node->left.get());
    if (!node->right) continue;
    open.push_back(node->right.get());
    if (node->token != Token::Equal && node->token != Token::NotEqual) continue;
    const bool forward = node->left->token == Token::Variable;
    const Node& variable = forward ? *node->left : *node->right;
    const Node& other = forward ? *node->right : *node->left;
    if (variable.token == Token::Variable && other.token == Token::String)
      found.emplace_back(variable.text, other.text);
    else if (other.token != Token::Null && other.token != Token::String)
      direct = false;
  }
  if (direct) return found;
  for (const std::string& name : names_)
    for (const std::string& text : texts) found.emplace_back(name, text);
  return found;
}

std::vector<Literal> Expression::literals() const {
  std::vector<Literal> found;
  std::vector<std::pair<const Node*, bool>> open{{root_.get(), false}};
  while (!open.empty()) {
    const auto [node, is_pattern] = open.back();
    open.pop_back();
    if (node->token == Token::String) found.push_back({node->text, is_pattern});
    const bool matches = node->token == Token::Match || node->token == Token::NoMatch;
    if (node->right) open.emplace_back(node->right.get(), matches);
    if (node->left) open.emplace_back(node->left.get(), false);
  }
  return found;
}

namespace {

// On one line; whoever reads a reason knows the rest of a long value.
std::string shortened(const std::string& value) {
  constexpr std::size_t kMost = 80;
  const std::string_view shown = utf8_prefix(value, std::min(value.find('\n'), kMost));
  return std::string{shown} + (shown.size() < value.size() ? "…" : "");
}

}  // namespace

std::string Expression::explain(const Scope& variables) const {
  std::string text;
  for (const std::string& name : names_) {
    const Variable* variable = variables.find(name);
    text += (text.empty() ? "$" : ", $") + name;
    if (variable == nullptr)
      text += " is not set";
    else
      text += " is \"" + (variable->masked ? std::string{"[MASKED]"} : shortened(variable->value)) +
              "\"";
  }
  return text;
}

}  // namespace slipway::pipeline::rules
