#include "pipeline/read/source.h"

#include <re2/re2.h>
#include <spdlog/fmt/fmt.h>
#include <yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "pipeline/read/entries.h"

namespace slipway::pipeline::read {
namespace {

constexpr std::size_t kMostDocuments = 2;
constexpr std::size_t kUsualEntries = 4;  // of a mapping

std::string_view text_of(const yaml_char_t* value, std::size_t length) {
  return {reinterpret_cast<const char*>(value), length};
}
std::string_view text_of(const yaml_char_t* value) {
  return value == nullptr ? "" : reinterpret_cast<const char*>(value);
}

// Ends parsing; caught in parse().
struct Refused : std::runtime_error {
  explicit Refused(Diagnostic why) : std::runtime_error{why.message}, finding(std::move(why)) {}
  Diagnostic finding;
};

class Event {
 public:
  explicit Event(yaml_parser_t& parser) : ok_(yaml_parser_parse(&parser, &event_) != 0) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() {
    if (ok_) yaml_event_delete(&event_);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_{};
  bool ok_;
};

class Parser {
 public:
  Parser(std::string_view text, std::string file, Diagnostics& findings, const Limits& limits,
         std::size_t values_before)
      : file_(std::make_shared<const std::string>(std::move(file))),
        findings_(findings),
        limits_(limits),
        values_before_(values_before) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { yaml_parser_delete(&parser_); }

  // Documents without content are left out, as GitLab leaves them out.
  std::vector<NodePtr> documents() {
    std::vector<NodePtr> read;
    while (true) {
      const Event event{parser_};
      require_ok(event);
      if (event->type == YAML_STREAM_END_EVENT) return read;
      if (event->type != YAML_DOCUMENT_START_EVENT) continue;
      anchors_.clear();
      NodePtr root = value(0);
      if (root->kind == Kind::Null) continue;
      if (read.size() == kMostDocuments)
        throw Refused{finding(event->start_mark, "several_documents",
                              "The parsed YAML has too many documents",
                              "a header with `spec:` and one document below it are allowed")};
      read.push_back(std::move(root));
    }
  }

 private:
  Spot span(const yaml_mark_t& mark) const {
    return {file_, static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
  }
  Diagnostic finding(const yaml_mark_t& mark, std::string code, std::string message,
                     std::string hint = {}) const {
    return {Severity::Error, std::move(code), std::move(message), span(mark), std::move(hint)};
  }

  void require_ok(const Event& event) {
    if (event.ok()) return;
    const char* problem = parser_.problem == nullptr ? "not valid YAML" : parser_.problem;
    yaml_mark_t mark = parser_.problem_mark;
    if (parser_.error == YAML_READER_ERROR) mark = parser_.mark;
    throw Refused{finding(mark, "yaml_syntax", as_psych_says(problem), syntax_hint(problem))};
  }

  // Ruby's message for the same mistake, which is the one that people search for.
  std::string as_psych_says(std::string_view problem) const {
    const yaml_mark_t& mark = parser_.context_mark;
    return fmt::format(
        "(<unknown>): {}{}{} at line {} column {}", problem, parser_.context == nullptr ? "" : " ",
        parser_.context == nullptr ? "" : parser_.context, mark.line + 1, mark.column + 1);
  }

  static std::string syntax_hint(std::string_view problem) {
    if (problem.find("mapping values are not allowed") != std::string_view::npos)
      return "a ': ' inside a value needs quotes around the whole value";
    if (problem.find("cannot start any token") != std::string_view::npos)
      return "indent with spaces, not tabs; quote a value that begins with @, ` or %";
    if (problem.find("found undefined tag handle") != std::string_view::npos ||
        problem.find("tag") != std::string_view::npos)
      return "quote a value that begins with '!'";
    if (problem.find("did not find expected") != std::string_view::npos)
      return "look at the indentation of this line and the one before";
    return {};
  }

  NodePtr value(int depth) {
    const Event event{parser_};
    require_ok(event);
    return value_of(event, depth);
  }

  NodePtr value_of(const Event& event, int depth) {
    if (depth > limits_.depth)
      throw Refused{
          finding(event->start_mark, "too_deep",
                  too_big("nested deeper than " + std::to_string(limits_.depth) + " levels",
                          "pipeline_depth_limit"))};
    switch (event->type) {
      case YAML_ALIAS_EVENT: return alias(event);
      case YAML_SCALAR_EVENT: return count(scalar(event), event);
      case YAML_SEQUENCE_START_EVENT: return sequence(event, depth);
      case YAML_MAPPING_START_EVENT: return mapping(event, depth);
      default: throw Refused{finding(event->start_mark, "yaml_syntax", "a value is expected here")};
    }
  }

  // Keeps the node under its anchor, and the whole below its limit.
  void check_weight(const Node& node, const yaml_mark_t& mark) const {
    if (node.weight + values_before_ > static_cast<std::size_t>(limits_.values))
      throw Refused{finding(
          mark, "too_big",
          too_many_values(limits_, values_before_ > 0 ? Values::OfAllFiles : Values::OfOneFile))};
  }

  NodePtr keep(std::string_view anchor, Node&& node, const yaml_mark_t& mark) {
    check_weight(node, mark);
    auto kept = std::make_shared<const Node>(std::move(node));
    if (!anchor.empty()) anchors_[std::string{anchor}] = kept;
    return kept;
  }

  // A list or mapping takes its anchor where it begins: the same name inside it is the later one.
  NodePtr close(const std::string& anchor, Node&& node, const yaml_mark_t& mark) {
    if (anchor.empty()) return keep({}, std::move(node), mark);
    const auto open = anchors_.find(anchor);
    const bool mine = open != anchors_.end() && !open->second;
    return keep(mine ? anchor : "", std::move(node), mark);
  }

  NodePtr count(Node&& node, const Event& event) {
    return keep(text_of(event->data.scalar.anchor), std::move(node), event->start_mark);
  }

  NodePtr alias(const Event& event) {
    const std::string name{text_of(event->data.alias.anchor)};
    const auto at = anchors_.find(name);
    if (at == anchors_.end())
      throw Refused{
          finding(event->start_mark, "unknown_alias", "Unknown alias: " + name,
                  "anchors are valid only inside one file, and only after their definition")};
    if (!at->second)
      throw Refused{finding(event->start_mark, "recursive_alias",
                            "the alias '" + name + "' contains itself")};
    return at->second;
  }

  static void take_tag(Node& node, std::string_view tag) {
    node.reference = node.holds_reference = tag == "!reference";
  }

  Node scalar(const Event& event) {
    const auto& data = event->data.scalar;
    Node node;
    node.at = span(event->start_mark);
    const std::string_view text = text_of(data.value, data.length);
    const std::string_view tag = text_of(data.tag);
    take_tag(node, tag);
    // Psych looks through quotes that have a tag: `!x "010"` is 8.
    const bool is_quoted = data.style != YAML_PLAIN_SCALAR_STYLE && tag.empty();
    if (is_quoted || tag == "!str" || tag == YAML_STR_TAG) {
      node.kind = Kind::String;
      node.text = text;
      return node;
    }
    Typed typed = type_plain_scalar(text);
    if (!typed.error.empty())
      throw Refused{finding(event->start_mark, "yaml_type", typed.error,
                            "quote it: \"" + std::string{text} + "\"")};
    node.kind = typed.kind;
    node.text = std::move(typed.text);
    return node;
  }

  NodePtr sequence(const Event& start, int depth) {
    const std::string anchor{text_of(start->data.sequence_start.anchor)};
    if (!anchor.empty()) anchors_[anchor] = nullptr;
    Node node;
    node.kind = Kind::Sequence;
    node.at = span(start->start_mark);
    take_tag(node, text_of(start->data.sequence_start.tag));
    while (true) {
      const Event event{parser_};
      require_ok(event);
      if (event->type == YAML_SEQUENCE_END_EVENT) break;
      node.items.push_back(value_of(event, depth + 1));
      node.count(*node.items.back());
    }
    return close(anchor, std::move(node), start->start_mark);
  }

  NodePtr mapping(const Event& start, int depth) {
    const std::string anchor{text_of(start->data.mapping_start.anchor)};
    if (!anchor.empty()) anchors_[anchor] = nullptr;
    Node node;
    node.kind = Kind::Mapping;
    node.at = span(start->start_mark);
    take_tag(node, text_of(start->data.mapping_start.tag));
    Pairs pairs;
    pairs.entries.reserve(kUsualEntries);
    while (true) {
      const Event event{parser_};
      require_ok(event);
      if (event->type == YAML_MAPPING_END_EVENT) break;
      Node key = this->key(event, depth + 1);
      const bool symbol = event->type == YAML_SCALAR_EVENT && is_symbol(event->data.scalar);
      const Event content_event{parser_};
      require_ok(content_event);
      const bool by_alias = content_event->type == YAML_ALIAS_EVENT;
      NodePtr content = value_of(content_event, depth + 1);
      node.count(*content);
      ++node.weight;
      node.bytes += key.text.size();
      check_weight(node, start->start_mark);
      // Psych takes a list of mappings only where it stands, not through an alias.
      const bool may_merge = !symbol && (!by_alias || content->kind == Kind::Mapping);
      add(pairs, std::move(key), std::move(content), may_merge);
    }
    node.entries = pairs.entries.take();
    return close(anchor, std::move(node), start->start_mark);
  }

  // Most keys are plain and need no node of their own.
  Node key(const Event& event, int depth) {
    const bool plain = event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor == nullptr;
    return plain && depth <= limits_.depth ? scalar(event) : *value_of(event, depth);
  }

  // `:<<` is text like any other, and does not merge.
  static bool is_symbol(const decltype(yaml_event_t::data.scalar)& scalar) {
    return scalar.length > 1 && scalar.value[0] == ':';
  }

  struct Pairs {
    Entries entries;
    std::vector<bool> merged;  // by `<<`, and does not stand in the mapping itself
  };

  // Overriding a merged key is no mistake.
  void add(Pairs& pairs, Node key, NodePtr content, bool may_merge) {
    if (key.kind == Kind::Sequence || key.kind == Kind::Mapping)
      throw Refused{
          Diagnostic{Severity::Error, "yaml_key", "a key must be a plain value", key.at, {}}};
    const std::size_t known = pairs.entries.size();
    if (may_merge && key.text == "<<" && merge(pairs.entries, *content)) {
      pairs.merged.resize(known);
      pairs.merged.resize(pairs.entries.size(), true);
      return;
    }
    const std::size_t place = pairs.entries.put(
        Entry{std::move(key.text), key.kind, std::move(key.at), std::move(content)});
    if (place == known) return;
    if (place < pairs.merged.size() && pairs.merged[place]) {
      pairs.merged[place] = false;
      return;
    }
    const Entry& entry = pairs.entries[place];
    findings_.push_back({Severity::Warning, "duplicate_key",
                         "the key '" + entry.key + "' stands here again; the last one counts",
                         entry.at, "remove one of them"});
  }

  // Psych merges where `<<` stands: keys before it are overwritten, keys after it win. Of a list
  // the first mapping wins. Anything else stays an ordinary key.
  static bool merge(Entries& entries, const Node& content) {
    if (content.kind == Kind::Mapping) {
      for (const Entry& entry : content.entries) entries.put(entry);
      return true;
    }
    const auto is_mapping = [](const NodePtr& item) { return item->kind == Kind::Mapping; };
    if (content.kind != Kind::Sequence ||
        !std::all_of(content.items.begin(), content.items.end(), is_mapping))
      return false;
    for (auto item = content.items.rbegin(); item != content.items.rend(); ++item)
      for (const Entry& entry : (*item)->entries) entries.put(entry);
    return true;
  }

  yaml_parser_t parser_{};
  const std::shared_ptr<const std::string> file_;
  Diagnostics& findings_;
  const Limits& limits_;
  std::size_t values_before_;
  std::map<std::string, NodePtr> anchors_;  // null while the anchored value is being read
};

struct Attempt {
  std::vector<NodePtr> documents;
  std::optional<Diagnostic> refusal;
};

Attempt try_parse(std::string_view text, const std::string& file, Diagnostics& findings,
                  const Limits& limits, std::size_t values_before) {
  const std::size_t known = findings.size();
  try {
    return {Parser{text, file, findings, limits, values_before}.documents(), std::nullopt};
  } catch (const Refused& refused) {
    findings.resize(known);
    return {{}, refused.finding};
  }
}

// `coverage: /Total: \d+/` is refused by YAML because of its ': '. Where it is plainly a regular
// expression, the line is read as if it were quoted; columns before the value stay right. False
// when the line is another.
bool quote_coverage(std::string& text, const SourceSpan& at, Diagnostics& findings) {
  static const re2::RE2 shape{R"((\s*coverage:[ \t]+)(/.*/)[ \t]*\r?)"};
  std::size_t begin = 0;
  for (int line = 1; line < at.line; ++line) begin = text.find('\n', begin) + 1;
  const std::size_t end = std::min(text.find('\n', begin), text.size());
  std::string before;
  std::string expression;
  if (!re2::RE2::FullMatch(re2::StringPiece{text.data() + begin, end - begin}, shape, &before,
                           &expression))
    return false;
  std::string quoted = "'";
  for (const char c : expression) quoted += c == '\'' ? std::string{"''"} : std::string{c};
  quoted += "'";
  findings.push_back({Severity::Warning,
                      "coverage_quotes",
                      "a plain value with ': ' in it is not valid YAML and GitLab refuses it",
                      {at.file, at.line, static_cast<int>(before.size()) + 1},
                      "write it as coverage: " + quoted});
  text.replace(begin + before.size(), expression.size(), quoted);
  return true;
}

std::string_view line_at(std::string_view text, int number) {
  for (int line = 1; line < number; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

NodePtr nothing(const std::string& file) {
  return std::make_shared<const Node>(Node{.at = Spot{{file, 1, 1}}});
}

// The first of two documents is a header when it has `spec`; without a header the first counts.
Documents split_header(std::vector<NodePtr> documents, const std::string& file,
                       Diagnostics& findings) {
  if (documents.empty()) return {nullptr, nothing(file)};
  const NodePtr& first = documents.front();
  const bool has_header = first->kind == Kind::Mapping && first->find("spec") != nullptr;
  const bool header_alone = has_header && documents.size() == 1 && first->entries.size() == 1;
  if (header_alone) return {first, nothing(file)};
  if (documents.size() == 1) return {nullptr, first};
  if (has_header) return {first, documents.back()};
  findings.push_back({Severity::Warning, "several_documents",
                      "this second YAML document is not read", documents.back()->at,
                      "only a file whose first document has `spec:` may have two"});
  return {nullptr, first};
}

}  // namespace

const Entry* Node::find_entry(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

const NodePtr* Node::find(std::string_view key) const {
  const Entry* entry = find_entry(key);
  return entry == nullptr ? nullptr : &entry->value;
}

std::string too_many_values(const Limits& limits, Values values) {
  return too_big("more than " + std::to_string(limits.values) + " values" +
                     (values == Values::OfAllFiles ? " in all files together" : ""),
                 "pipeline_value_limit");
}

std::optional<Documents> parse_documents(std::string_view text, const std::string& file,
                                         Diagnostics& findings, const Limits& limits,
                                         std::size_t values_before) {
  if (text.size() > static_cast<std::size_t>(limits.file_bytes)) {
    findings.push_back({Severity::Error, "too_big", file_too_big(limits), {file, 0, 0}, {}});
    return std::nullopt;
  }
  std::string readable{text};
  while (true) {
    Attempt attempt = try_parse(readable, file, findings, limits, values_before);
    if (!attempt.refusal) return split_header(std::move(attempt.documents), file, findings);
    if (attempt.refusal->code == "yaml_syntax" &&
        quote_coverage(readable, attempt.refusal->span, findings))
      continue;
    if (attempt.refusal->code == "yaml_syntax" &&
        line_at(readable, attempt.refusal->span.line).find("$[[") != std::string_view::npos)
      attempt.refusal->hint = "put a value with $[[ ]] inside [] or {} in quotes";
    findings.push_back(std::move(*attempt.refusal));
    return std::nullopt;
  }
}

NodePtr parse(std::string_view text, const std::string& file, Diagnostics& findings,
              const Limits& limits, std::size_t values_before) {
  auto documents = parse_documents(text, file, findings, limits, values_before);
  return documents ? documents->body : nullptr;
}

namespace {

std::string quoted(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      result += c == '\n' ? "\\n" : std::string{"\\u00"} + kHex[byte >> 4U] + kHex[byte & 15U];
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

void append_json(const Node& value, std::string& json) {
  const auto list = [&json](char open, const auto& items, char close, const auto& append) {
    json += open;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) json += ',';
      append(items[i]);
    }
    json += close;
  };
  switch (value.kind) {
    case Kind::Null: json += "null"; break;
    case Kind::Bool:
    case Kind::Integer:
    case Kind::Float: json += value.text; break;
    case Kind::String: json += quoted(value.text); break;
    case Kind::Sequence:
      list('[', value.items, ']', [&](const NodePtr& item) { append_json(*item, json); });
      break;
    case Kind::Mapping:
      list('{', value.entries, '}', [&](const Entry& entry) {
        json += quoted(entry.key) + ":";
        append_json(*entry.value, json);
      });
      break;
  }
}

}  // namespace

std::string as_json(const Node& value) {
  std::string json;
  append_json(value, json);
  return json;
}

NodePtr make_string(std::string text, Spot at) {
  return std::make_shared<const Node>(
      Node{.kind = Kind::String, .text = std::move(text), .at = std::move(at)});
}

NodePtr make_sequence(std::vector<NodePtr> items, Spot at) {
  Node node{.kind = Kind::Sequence, .items = std::move(items), .at = std::move(at)};
  for (const NodePtr& item : node.items) node.count(*item);
  return std::make_shared<const Node>(std::move(node));
}

NodePtr make_mapping(std::vector<Entry> entries, Spot at) {
  Node node{.kind = Kind::Mapping, .entries = std::move(entries), .at = std::move(at)};
  node.weight += node.entries.size();
  for (const Entry& entry : node.entries) {
    node.count(*entry.value);
    node.bytes += entry.key.size();
  }
  return std::make_shared<const Node>(std::move(node));
}

}  // namespace slipway::pipeline::read
