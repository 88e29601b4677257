#include "tests/pipeline/golden/flow_text.h"

#include <nlohmann/json.hpp>

namespace slipway::pipeline::golden {
namespace {

using read::Kind;

std::string scalar_text(Kind kind, const std::string& text) {
  switch (kind) {
    case Kind::Null: return "~";
    // Ruby's words for these are not YAML's.
    case Kind::Float:
      if (text == "Infinity") return ".inf";
      if (text == "-Infinity") return "-.inf";
      if (text == "NaN") return ".nan";
      return text;
    case Kind::Bool:
    case Kind::Integer: return text;
    case Kind::String:
    case Kind::Sequence:
    case Kind::Mapping: break;
  }
  // JSON's escapes are YAML's too, but for those of letters beyond 16 bits.
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string flow_text(const read::Node& node) {
  if (node.kind == Kind::Sequence) {
    std::string text = node.reference ? "!reference [" : "[";
    for (const auto& item : node.items) text += flow_text(*item) + ", ";
    return text + "]";
  }
  if (node.kind == Kind::Mapping) {
    std::string text = "{";
    for (const auto& entry : node.entries)
      text +=
          "? " + scalar_text(entry.key_kind, entry.key) + " : " + flow_text(*entry.value) + ", ";
    return text + "}";
  }
  return scalar_text(node.kind, node.text);
}

}  // namespace slipway::pipeline::golden
