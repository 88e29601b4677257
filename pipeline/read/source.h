// The text of one YAML file as a tree in which every value knows its line and column.
//
// Read the way GitLab reads it, which is Ruby's Psych over libyaml: YAML 1.1 typing of plain
// scalars,
// `<<` merged at its position, the last of duplicate keys wins, unknown tags ignored. Values are
// immutable and shared, so an alias costs nothing; limits on size, depth and expanded nodes hold
// while parsing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/diagnostic.h"
#include "pipeline/limits.h"

namespace slipway::pipeline::read {

enum class Kind : std::uint8_t { Null, Bool, Integer, Float, String, Sequence, Mapping };

// Where a node stands: a SourceSpan whose file name all nodes of a file share, since each has one.
struct Spot {
  std::shared_ptr<const std::string> name;  // of the file; null where there is none
  int line = 0;
  int column = 0;

  Spot() = default;
  Spot(std::shared_ptr<const std::string> file, int at_line, int at_column)
      : name(std::move(file)), line(at_line), column(at_column) {}
  explicit Spot(const SourceSpan& span)
      : Spot(std::make_shared<const std::string>(span.file), span.line, span.column) {}

  [[nodiscard]] std::string file() const { return name ? *name : std::string{}; }
  operator SourceSpan() const { return {file(), line, column}; }
};

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
  std::string key;
  Kind key_kind = Kind::String;
  Spot at;  // of the key
  NodePtr value;
};

struct Node {
  Kind kind = Kind::Null;
  std::string text;        // of a scalar, as Ruby would print its value: 010 is "8", yes is "true"
  bool reference = false;  // has the tag !reference, which only a sequence of strings may have
  bool holds_reference = false;  // it is one, or there is one below
  std::vector<NodePtr> items;
  std::vector<Entry> entries;  // in order, keys unique
  Spot at;
  std::size_t weight = 1;  // nodes below, aliases counted as often as they stand
  std::size_t bytes = 0;   // of the texts and keys below, likewise

  // Takes `below` into weight, bytes and holds_reference.
  void count(const Node& below) {
    weight += below.weight;
    bytes += below.bytes + below.text.size();
    holds_reference = holds_reference || below.holds_reference;
  }
  [[nodiscard]] bool is_scalar() const { return kind < Kind::Sequence && kind != Kind::Null; }
  // The entry's value, or null.
  [[nodiscard]] const NodePtr* find(std::string_view key) const;
  [[nodiscard]] const Entry* find_entry(std::string_view key) const;
};

// What is said of more values than may be, in one file or in all together.
enum class Values : bool { OfOneFile, OfAllFiles };
std::string too_many_values(const Limits& limits, Values values);

struct Documents {
  NodePtr header;  // a mapping with `spec`, or nullptr
  NodePtr body;    // null for an empty file
};

// nullopt with an error among `findings`. The files that were read already have so many values.
std::optional<Documents> parse_documents(std::string_view text, const std::string& file,
                                         Diagnostics& findings, const Limits& limits = {},
                                         std::size_t values_before = 0);

// The body of the file's documents, or nullptr with an error among `findings`.
NodePtr parse(std::string_view text, const std::string& file, Diagnostics& findings,
              const Limits& limits = {}, std::size_t values_before = 0);

// What a plain scalar means, by YAML 1.1 as Ruby has it. An error text for a date or a time, which
// GitLab refuses.
struct Typed {
  Kind kind = Kind::String;
  std::string text;
  std::string error;
};
Typed type_plain_scalar(std::string_view text);

// A value as compact JSON; bytes that are not UTF-8 stay as they are.
std::string as_json(const Node& value);

// For building trees: what `node` would be at another place, or with other entries.
NodePtr make_string(std::string text, Spot at);
NodePtr make_sequence(std::vector<NodePtr> items, Spot at);
NodePtr make_mapping(std::vector<Entry> entries, Spot at);

}  // namespace slipway::pipeline::read
