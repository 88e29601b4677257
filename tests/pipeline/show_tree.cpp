// Reads YAML documents, separated by a line "%%%%", and prints each one's tree as one line of JSON,
// or "refused", for psych_test.py.
//
// Scalars are written as the text that Ruby gives them, with a letter for their type, so that both
// sides print the same and no JSON number is ever compared.

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "pipeline/read/source.h"

namespace {

using nlohmann::ordered_json;
using namespace slipway::pipeline;
using read::Kind;

const char* letter(Kind kind) {
  switch (kind) {
    case Kind::Null: return "n";
    case Kind::Bool: return "b";
    case Kind::Integer: return "i";
    case Kind::Float: return "f";
    case Kind::String:
    case Kind::Sequence:
    case Kind::Mapping: break;
  }
  return "s";
}

std::string word(Kind kind, const std::string& text) {
  return kind == Kind::Null ? "n" : letter(kind) + text;
}

ordered_json shown(const read::Node& node) {
  if (node.kind == Kind::Sequence) {
    ordered_json list = ordered_json::array();
    for (const auto& item : node.items) list.push_back(shown(*item));
    return list;
  }
  if (node.kind == Kind::Mapping) {
    // A list of pairs: the order of keys matters too.
    ordered_json pairs = ordered_json::array();
    for (const auto& entry : node.entries)
      pairs.push_back({word(entry.key_kind, entry.key), shown(*entry.value)});
    return {{"map", pairs}};
  }
  return word(node.kind, node.text);
}

}  // namespace

int main() {
  const std::string input{std::istreambuf_iterator<char>{std::cin}, {}};
  const std::string separator = "%%%%\n";
  for (std::size_t at = 0; at < input.size();) {
    const auto end = input.find(separator, at);
    const std::string text = input.substr(at, end - at);
    at = end == std::string::npos ? input.size() : end + separator.size();
    Diagnostics findings;
    const read::NodePtr root = read::parse(text, "x.yml", findings);
    if (root && !has_errors(findings))
      std::cout << shown(*root).dump() << "\n";
    else
      std::cout << "refused\n";
  }
}
