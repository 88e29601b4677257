#include "pipeline/read/spec.h"

#include <algorithm>

#include "pipeline/rules/pattern.h"

namespace slipway::pipeline::read {
namespace {

constexpr std::size_t kMostOptions = 50;
constexpr std::size_t kLongestDescription = 1024;

const std::vector<std::string> kFactsOfComponent{"name", "sha", "version", "reference"};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::optional<InputType> parse_type(std::string_view text) {
  for (const InputType type :
       {InputType::String, InputType::Number, InputType::Boolean, InputType::Array})
    if (to_string(type) == text) return type;
  return std::nullopt;
}

class SpecReader {
 public:
  SpecReader(const std::string& prefix, Diagnostics& findings)
      : prefix_(prefix), findings_(findings) {}

  Spec header(const Node& header) {
    Spec spec;
    check_keys(header, {"spec"}, "header config");
    const NodePtr& node = *header.find("spec");
    spec.at = node->at;
    if (node->kind == Kind::Null) return spec;
    if (!is_mapping(*node, "header:spec config")) return spec;
    check_keys(*node, {"inputs", "include", "component"}, "header:spec config");
    if (const NodePtr* facts = node->find("component")) spec.component = component(**facts);
    if (const NodePtr* include = node->find("include"); include && (*include)->kind != Kind::Null)
      spec.include = *include;
    if (const NodePtr* declared = node->find("inputs")) inputs(**declared, spec.inputs);
    return spec;
  }

  void inputs(const Node& node, std::vector<DeclaredInput>& declared) {
    if (node.kind == Kind::Null || !is_mapping(node, "header:spec:inputs config")) return;
    for (const Entry& entry : node.entries) declared.push_back(input(entry));
  }

  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void refuse(const std::string& message, const SourceSpan& at, std::string hint = {}) {
    failed_ = true;
    findings_.push_back({Severity::Error, "spec", prefix_ + message, at, std::move(hint)});
  }

  bool is_mapping(const Node& node, const std::string& what) {
    if (node.kind == Kind::Mapping) return true;
    refuse(what + " should be a hash", node.at);
    return false;
  }

  void check_keys(const Node& node, const std::vector<std::string>& allowed,
                  const std::string& what) {
    for (const Entry& entry : node.entries) {
      if (std::find(allowed.begin(), allowed.end(), entry.key) != allowed.end()) continue;
      const std::string near = nearest(entry.key, allowed);
      refuse(what + " contains unknown keys: " + entry.key, entry.at,
             near.empty() ? "known are " + joined(allowed) : "did you mean '" + near + "'?");
    }
  }

  std::vector<std::string> component(const Node& node) {
    const std::string what = "header:spec:component config";
    if (node.kind != Kind::Sequence) {
      refuse(what + " should be an array of strings", node.at);
      return {};
    }
    std::vector<std::string> facts;
    for (const NodePtr& item : node.items) {
      if (std::find(kFactsOfComponent.begin(), kFactsOfComponent.end(), item->text) ==
          kFactsOfComponent.end())
        refuse(what + " contains unknown values: " + item->text, item->at,
               "known are " + joined(kFactsOfComponent));
      else
        facts.push_back(item->text);
    }
    return facts;
  }

  DeclaredInput input(const Entry& entry) {
    DeclaredInput input;
    input.name = entry.key;
    input.at = entry.at;
    const std::string path = "header:spec:inputs:" + entry.key;
    const Node& node = *entry.value;
    if (node.kind == Kind::Null || !is_mapping(node, path + " config")) return input;
    check_keys(node, {"default", "description", "options", "regex", "rules", "type"},
               path + " config");
    read_type(node, path, input);
    read_description(node, path);
    if (const NodePtr* value = node.find("default")) input.default_value = *value;
    if (const NodePtr* options = node.find("options"))
      input.options = read_options(**options, path + " input options", path + " config");
    read_regex(node, path, input);
    if (const NodePtr* rules = node.find("rules")) read_rules(**rules, path, input);
    check_restrictions(input);
    return input;
  }

  void read_type(const Node& node, const std::string& path, DeclaredInput& input) {
    const NodePtr* word = node.find("type");
    if (word == nullptr || (*word)->kind == Kind::Null) return;
    if (const auto type = (*word)->is_scalar() ? parse_type((*word)->text) : std::nullopt)
      input.type = *type;
    else
      refuse(path + " input type unknown value: " + (*word)->text, (*word)->at,
             "a type is string, number, boolean or array");
  }

  void read_description(const Node& node, const std::string& path) {
    const NodePtr* text = node.find("description");
    if (text == nullptr || (*text)->kind == Kind::Null) return;
    if (!(*text)->is_scalar())
      refuse(path + " input description should be a string", (*text)->at);
    else if ((*text)->text.size() > kLongestDescription)
      refuse(path + " input description is too long (maximum is " +
                 std::to_string(kLongestDescription) + " characters)",
             (*text)->at);
  }

  void read_regex(const Node& node, const std::string& path, DeclaredInput& input) {
    const NodePtr* regex = node.find("regex");
    if (regex == nullptr || (*regex)->kind == Kind::Null) return;
    if ((*regex)->kind != Kind::String) {
      refuse(path + " input regex should be a string", (*regex)->at);
      return;
    }
    if (const auto pattern = rules::Pattern::of((*regex)->text); !pattern)
      refuse("`" + input.name + "` input: invalid regular expression", (*regex)->at,
             pattern.error().kind == ErrorKind::TooLarge
                 ? pattern.error().message
                 : "write it as RE2 has it, without slashes around it");
    input.regex = (*regex)->text;
  }

  std::optional<std::vector<NodePtr>> read_options(const Node& node, const std::string& path,
                                                   const std::string& config) {
    if (node.kind == Kind::Null) return std::nullopt;
    if (node.kind != Kind::Sequence)
      refuse(path + " should be a array", node.at);
    else if (node.items.size() > kMostOptions)
      refuse(config + " cannot define more than " + std::to_string(kMostOptions) + " options",
             node.at);
    return node.items;
  }

  void read_rules(const Node& node, const std::string& path, DeclaredInput& input) {
    if (node.kind == Kind::Null) return;
    if (node.kind != Kind::Sequence) {
      refuse(path + ":rules config should be a array", node.at);
      return;
    }
    for (const NodePtr& item : node.items) {
      const std::string at = path + ":rules:rule config";
      if (!is_mapping(*item, at)) continue;
      check_keys(*item, {"if", "options", "default"}, at);
      InputRule rule;
      rule.at = item->at;
      if (const NodePtr* condition = item->find("if")) {
        if ((*condition)->kind != Kind::String)
          refuse(path + ":rules:rule if should be a string", (*condition)->at);
        rule.condition = (*condition)->text;
      }
      if (const NodePtr* options = item->find("options"))
        rule.options = read_options(**options, path + ":rules:rule options", at);
      if (const NodePtr* value = item->find("default")) rule.default_value = *value;
      if (!rule.condition.empty() && !rule.options && !rule.default_value)
        refuse(at + " rule with 'if' must define 'options' or 'default'", item->at);
      if (rule.condition.empty() && !rule.options && !rule.default_value)
        refuse(at + " fallback rule must define 'options'", item->at);
      input.rules.push_back(std::move(rule));
    }
  }

  void check_restrictions(const DeclaredInput& input) {
    const std::string name = "`" + input.name + "` input: ";
    const bool lists = input.type == InputType::String || input.type == InputType::Number;
    if (input.options && !lists)
      refuse(name + "Options can only be used with string and number inputs", input.at);
    if (input.regex && input.type != InputType::String)
      refuse(name + "RegEx validation can only be used with string inputs", input.at);
  }

  const std::string& prefix_;
  Diagnostics& findings_;
  bool failed_ = false;
};

}  // namespace

std::string_view to_string(InputType type) {
  switch (type) {
    case InputType::String: return "string";
    case InputType::Number: return "number";
    case InputType::Boolean: return "boolean";
    case InputType::Array: return "array";
  }
  return {};
}

std::optional<Spec> read_spec(const Node& header, const std::string& prefix,
                              Diagnostics& findings) {
  SpecReader reader{prefix, findings};
  Spec spec = reader.header(header);
  if (reader.failed()) return std::nullopt;
  return spec;
}

bool read_declared_inputs(const Node& node, const std::string& prefix,
                          std::vector<DeclaredInput>& inputs, Diagnostics& findings) {
  SpecReader reader{prefix, findings};
  reader.inputs(node, inputs);
  return !reader.failed();
}

}  // namespace slipway::pipeline::read
