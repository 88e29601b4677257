#include "pipeline/lint/yaml_text.h"

#include <re2/re2.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string_view>

namespace slipway::pipeline::lint {
namespace {

using read::Entry;
using read::Kind;
using read::Node;
using read::NodePtr;

// Letters, digits and signs that mean nothing at the beginning, and inside nothing that ends a
// plain value: no ': ', no ' #'.
bool is_plain(std::string_view text) {
  static const re2::RE2 shape{
      R"([\pL\pN_./$(<+~-](?:[^\pC\pZ:#,\[\]{}"']|[ ][^\pC\pZ#:,\[\]{}"']|:[^\pC\pZ,\[\]{}"'])*)"};
  constexpr std::size_t kLongest = 400;
  return text.size() <= kLongest && text.back() != ':' && text != "-" && text != "<<" &&
         text.rfind("- ", 0) != 0 && text.rfind("---", 0) != 0 && text.rfind("...", 0) != 0 &&
         re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, shape);
}

// Whether the plain spelling of `text` reads as the same value.
bool reads_as(const std::string& text, Kind kind) {
  const read::Typed typed = read::type_plain_scalar(text);
  return typed.error.empty() && typed.kind == kind && typed.text == text;
}

// C1 controls, odd spaces, line separators and the byte order mark, which YAML would not leave
// alone, begin with one of these bytes: the whole letter is written as its number.
std::string numbered(std::string_view text, std::size_t& at) {
  const auto bits = [&](std::size_t i, unsigned mask) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[at + i])) & mask;
  };
  const bool two = bits(0, 0xFF) == 0xC2;
  const unsigned letter = two ? (bits(0, 0x1F) << 6U) | bits(1, 0x3F)
                              : (bits(0, 0x0F) << 12U) | (bits(1, 0x3F) << 6U) | bits(2, 0x3F);
  at += two ? 1 : 2;
  return fmt::format("\\u{:04X}", letter);
}

std::string double_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\')
      quoted += fmt::format("\\{}", static_cast<char>(c));
    else if (c == '\n')
      quoted += "\\n";
    else if (c < ' ' || c == 0x7F)
      quoted += fmt::format("\\x{:02X}", c);
    else if (c == 0xC2 || c == 0xE2 || c == 0xEF)
      quoted += numbered(text, i);
    else
      quoted += static_cast<char>(c);
  }
  return quoted + "\"";
}

// Several lines that can stand as they are below a `|`.
bool is_block(std::string_view text) {
  static const re2::RE2 shape{R"([^\pC\pZ](?:[^\pC\x{2028}\x{2029}]|[\n\t])*)"};
  return text.find('\n') != std::string_view::npos &&
         re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, shape);
}

class Writer {
 public:
  std::string text() && { return std::move(text_); }

  // `node` behind a key or a dash, which stand at `indent`.
  void value(const Node& node, std::size_t indent) {
    if (node.kind == Kind::Mapping && !node.entries.empty()) {
      text_ += "\n";
      mapping(node, indent + 2);
    } else if (node.kind == Kind::Sequence && !node.items.empty()) {
      text_ += "\n";
      sequence(node, indent + 2);
    } else {
      text_ += " ";
      scalar(node, indent + 2);
      text_ += "\n";
    }
  }

  void mapping(const Node& node, std::size_t indent) {
    for (const Entry& entry : node.entries) {
      text_.append(indent, ' ');
      key(entry, indent);
      value(*entry.value, indent);
    }
  }

 private:
  void sequence(const Node& node, std::size_t indent) {
    for (const NodePtr& item : node.items) {
      text_.append(indent, ' ');
      text_ += "-";
      value(*item, indent);
    }
  }

  void key(const Entry& entry, std::size_t indent) {
    // YAML wants the colon of a simple key within 1,024 characters.
    constexpr std::size_t kLongest = 1000;
    const bool as_is = entry.key_kind != Kind::String && reads_as(entry.key, entry.key_kind);
    const std::string written = entry.key_kind == Kind::Null ? "null"
                                : as_is                      ? entry.key
                                                             : string(entry.key);
    if (written.size() > kLongest)
      text_ += "? " + written + "\n" + std::string(indent, ' ') + ":";
    else
      text_ += written + ":";
  }

  void scalar(const Node& node, std::size_t indent) {
    switch (node.kind) {
      case Kind::Null: text_ += "null"; break;
      case Kind::Mapping: text_ += "{}"; break;
      case Kind::Sequence: text_ += "[]"; break;
      case Kind::String:
        if (is_block(node.text))
          block(node.text, indent);
        else
          text_ += string(node.text);
        break;
      case Kind::Bool:
      case Kind::Integer:
      case Kind::Float: text_ += number(node); break;
    }
  }

  // Ruby prints some floats in ways that YAML reads as strings.
  static std::string number(const Node& node) {
    if (reads_as(node.text, node.kind)) return node.text;
    if (node.text == "Infinity") return ".inf";
    if (node.text == "-Infinity") return "-.inf";
    if (node.text == "NaN") return ".nan";
    return string(node.text);
  }

  static std::string string(const std::string& text) {
    if (text.empty()) return "''";
    return is_plain(text) && reads_as(text, Kind::String) ? text : double_quoted(text);
  }

  void block(std::string_view content, std::size_t indent) {
    const std::size_t last = content.find_last_not_of('\n');
    const std::size_t breaks = content.size() - last - 1;
    text_ += breaks == 0 ? "|-" : breaks == 1 ? "|" : "|+";
    while (!content.empty()) {
      const std::size_t end = std::min(content.find('\n'), content.size());
      text_ += "\n";
      if (end > 0) text_.append(indent, ' ');
      text_ += content.substr(0, end);
      content.remove_prefix(std::min(end + 1, content.size()));
    }
  }

  std::string text_;
};

}  // namespace

std::string yaml_text(const Node& node) {
  Writer writer;
  if (node.kind == Kind::Mapping && !node.entries.empty()) {
    writer.mapping(node, 0);
    return std::move(writer).text();
  }
  writer.value(node, 0);
  return "---" + std::move(writer).text();
}

std::string merged_yaml(const Node& root) {
  std::vector<Entry> entries = root.entries;
  for (Entry& entry : entries) {
    if (entry.value->kind != Kind::Mapping || entry.value->find("extends") == nullptr) continue;
    std::vector<Entry> inner = entry.value->entries;
    std::erase_if(inner, [](const Entry& each) { return each.key == "extends"; });
    entry.value = read::make_mapping(std::move(inner), entry.value->at);
  }
  return yaml_text(*read::make_mapping(std::move(entries), root.at));
}

}  // namespace slipway::pipeline::lint
