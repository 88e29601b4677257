#include "pipeline/read/inputs.h"

#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <set>

#include "pipeline/rules/expression.h"
#include "pipeline/rules/pattern.h"
#include "pipeline/work.h"

namespace slipway::pipeline::read {
namespace {

constexpr std::size_t kDeepest = 100;  // each input that waits for another takes stack

bool has_type(const Node& value, InputType type) {
  switch (type) {
    case InputType::String: return value.kind == Kind::String;
    case InputType::Number: return value.kind == Kind::Integer || value.kind == Kind::Float;
    case InputType::Boolean: return value.kind == Kind::Bool;
    case InputType::Array: return value.kind == Kind::Sequence;
  }
  return false;
}

std::string a_type(InputType type) {
  return (type == InputType::Array ? "an " : "a ") + std::string{to_string(type)};
}

// Text from a command line or a form, as `type` wants it. A list is written as in YAML; what cannot
// be read stays text, and the type is then found fault with.
NodePtr from_text(const NodePtr& text, InputType type) {
  if (type == InputType::String) return text;
  Diagnostics ignored;
  const NodePtr read = parse(text->text, text->at.file(), ignored);
  if (!read || !has_type(*read, type)) return text;
  Node placed = *read;
  placed.at = text->at;
  return std::make_shared<const Node>(std::move(placed));
}

// The condition of a rule in the language of `rules: if`, with a variable for each input.
class Condition {
 public:
  using ValueOf = std::function<NodePtr(const std::string& name)>;

  // Translates `text`; `value_of` answers nullptr for an input without value.
  Condition(std::string_view text, const ValueOf& value_of) {
    static const re2::RE2 token{
        R"(("[^"]*"|'[^']*'|/(?:\\.|[^/])+/[a-zA-Z]*)|\$\[\[\s*inputs\.([^\s\]]+)\s*\]\]|(\btrue\b|\bfalse\b|\b\d+(?:\.\d+)?\b)|([\s\S]))"};
    re2::StringPiece rest{text.data(), text.size()};
    std::string literal;
    std::string name;
    std::string word;
    std::string other;
    while (re2::RE2::Consume(&rest, token, &literal, &name, &word, &other)) {
      if (!name.empty())
        input(value_of(name), {rest.data(), rest.size()});
      else if (!word.empty())
        text_ += '"' + word + '"';
      else
        text_ += literal + other;
    }
  }

  [[nodiscard]] Result<bool> holds() const {
    const auto expression = rules::Expression::parse(text_);
    if (!expression) return fail(ErrorKind::InvalidInput, expression.error().message);
    return expression->holds(variables_);
  }

 private:
  // A boolean that stands alone counts by its value; compared with something, by its text.
  void input(const NodePtr& value, std::string_view after) {
    const bool absent = !value || value->kind == Kind::Null;
    const bool no = !absent && value->kind == Kind::Bool && value->text == "false";
    const bool counts = !absent && (!no || ends_compared(text_) || begins_compared(after));
    const std::string variable = "INPUT_" + std::to_string(count_++);
    text_ += "$" + variable;
    if (counts) variables_.push_back({variable, value->text});
  }

  static bool is_comparison(std::string_view sign) {
    return sign == "==" || sign == "!=" || sign == "=~" || sign == "!~";
  }
  static bool begins_compared(std::string_view text) {
    const auto next = text.find_first_not_of(" \t\n");
    return next != std::string_view::npos && is_comparison(text.substr(next, 2));
  }
  static bool ends_compared(std::string_view text) {
    const auto last = text.find_last_not_of(" \t\n");
    return last != std::string_view::npos && last > 0 && is_comparison(text.substr(last - 1, 2));
  }

  std::string text_;
  Variables variables_;
  std::size_t count_ = 0;
};

class Inputs {
 public:
  Inputs(const std::vector<DeclaredInput>& declared, const std::vector<GivenInput>& given,
         const SourceSpan& at, const std::string& prefix, Diagnostics& findings)
      : given_(given), at_(at), prefix_(prefix), findings_(findings) {
    for (const DeclaredInput& input : declared) declared_.emplace(input.name, &input);
    for (const GivenInput& input : given) given_by_name_[input.name] = &input;
  }

  void check_known() {
    std::string unknown;
    for (const GivenInput& input : given_)
      if (!declared_.contains(input.name)) unknown += (unknown.empty() ? "" : ", ") + input.name;
    if (!unknown.empty()) refuse("unknown input arguments: " + unknown, at_);
  }

  // nullptr for an input that is not declared, that has no value or that was found fault with.
  NodePtr value(const std::string& name) {
    if (const auto known = values_.find(name); known != values_.end()) return known->second;
    const auto declared = declared_.find(name);
    if (declared == declared_.end()) return nullptr;
    const DeclaredInput* input = declared->second;
    if (under_way_.size() == kDeepest) {
      refuse("`" + name + "` input: rules refer to others more than 100 levels deep", input->at);
      return nullptr;
    }
    if (!under_way_.insert(name).second) {
      refuse("`" + name + "` input: its rules refer to itself in a circle", input->at);
      return nullptr;
    }
    NodePtr found = checked(*input);
    under_way_.erase(name);
    values_[name] = found;
    return found;
  }

  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void refuse(const std::string& message, const SourceSpan& at, std::string hint = {}) {
    failed_ = true;
    findings_.push_back({Severity::Error, "input", prefix_ + message, at, std::move(hint)});
  }

  // What holds for an input once its rules are looked at.
  struct Terms {
    const std::optional<std::vector<NodePtr>>* options;
    NodePtr default_value;
  };

  std::optional<Terms> terms(const DeclaredInput& input) {
    Terms terms{&input.options, input.default_value};
    for (const InputRule& rule : input.rules) {
      if (!rule.condition.empty()) {
        const Condition condition{rule.condition,
                                  [&](const std::string& name) { return value(name); }};
        const auto holds = condition.holds();
        if (!holds) {
          refuse("`" + input.name + "` input: rules:if " + holds.error().message, rule.at);
          return std::nullopt;
        }
        if (!*holds) continue;
      }
      if (rule.options) terms.options = &rule.options;
      if (rule.default_value) terms.default_value = rule.default_value;
      return terms;
    }
    return terms;
  }

  NodePtr checked(const DeclaredInput& input) {
    const auto holding = terms(input);
    if (!holding) return nullptr;
    const NodePtr given = given_value(input);
    if (!given && !holding->default_value) {
      refuse("`" + input.name + "` input: required value has not been provided", at_,
             "declared at " + input.at.file + ":" + std::to_string(input.at.line));
      return nullptr;
    }
    const bool default_fits =
        !holding->default_value || fits(input, *holding, *holding->default_value, true);
    if (given && !fits(input, *holding, *given, false)) return nullptr;
    if (!default_fits) return nullptr;
    return given ? given : holding->default_value;
  }

  // A null that was given counts as nothing given.
  NodePtr given_value(const DeclaredInput& input) const {
    const auto found = given_by_name_.find(input.name);
    if (found == given_by_name_.end()) return nullptr;
    const GivenInput& given = *found->second;
    NodePtr value = given.as_text ? from_text(given.value, input.type) : given.value;
    return value && value->kind == Kind::Null ? nullptr : value;
  }

  bool fits(const DeclaredInput& input, const Terms& terms, const Node& value, bool is_default) {
    if (value.kind == Kind::Null) return true;
    const SourceSpan& at = is_default ? input.at : at_;
    const std::string whose = is_default ? "default" : "provided";
    const std::string name = "`" + input.name + "` input: ";
    if (!has_type(value, input.type)) {
      refuse(name + whose + " value is not " + a_type(input.type), at,
             input.type == InputType::String && value.is_scalar()
                 ? "put it in quotes: \"" + value.text + "\""
                 : "");
      return false;
    }
    if (*terms.options && !is_option(**terms.options, value)) {
      refuse(name + "`" + value.text +
                 "` cannot be used because it is not in the list of allowed options",
             at, "allowed are " + listed(**terms.options));
      return false;
    }
    if (input.regex && !matches(*input.regex, value.text)) {
      refuse(name + whose + " value does not match required RegEx pattern", at,
             Work::exhausted() ? Work::too_much() : "the pattern is " + *input.regex);
      return false;
    }
    return true;
  }

  static bool matches(const std::string& regex, const std::string& text) {
    const auto pattern = rules::Pattern::of(regex);
    return pattern && pattern->found_in(text);
  }

  static bool is_option(const std::vector<NodePtr>& options, const Node& value) {
    return std::any_of(options.begin(), options.end(), [&](const NodePtr& option) {
      return option->kind == value.kind && option->text == value.text;
    });
  }

  static std::string listed(const std::vector<NodePtr>& options) {
    std::string text;
    for (const NodePtr& option : options) text += (text.empty() ? "" : ", ") + option->text;
    return text;
  }

  std::map<std::string_view, const DeclaredInput*> declared_;
  const std::vector<GivenInput>& given_;
  std::map<std::string_view, const GivenInput*> given_by_name_;  // of two the later one
  const SourceSpan& at_;
  const std::string& prefix_;
  Diagnostics& findings_;
  std::map<std::string, NodePtr> values_;
  std::set<std::string> under_way_;
  bool failed_ = false;
};

}  // namespace

std::optional<std::map<std::string, NodePtr>> input_values(
    const std::vector<DeclaredInput>& declared, const std::vector<GivenInput>& given,
    const SourceSpan& at, const std::string& prefix, Diagnostics& findings) {
  Inputs inputs{declared, given, at, prefix, findings};
  inputs.check_known();
  std::map<std::string, NodePtr> values;
  for (const DeclaredInput& input : declared) values[input.name] = inputs.value(input.name);
  if (inputs.failed()) return std::nullopt;
  return values;
}

}  // namespace slipway::pipeline::read
