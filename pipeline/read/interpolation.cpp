#include "pipeline/read/interpolation.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pipeline/read/entries.h"
#include "pipeline/variables.h"

namespace slipway::pipeline::read {
namespace {

constexpr std::size_t kLongestAccess = 1024;
constexpr std::size_t kLongestScalar = std::size_t{1} << 20U;
constexpr std::size_t kMostBlocks = 10'000;
constexpr std::size_t kMostFunctions = 3;
constexpr std::size_t kMostKeysOfAccess = 5;
constexpr std::size_t kMostText = std::size_t{8} << 20U;   // that all blocks put in
constexpr std::size_t kMostWork = std::size_t{32} << 20U;  // bytes that all functions go through
constexpr std::size_t kWorkOfReference = 64;  // what looking a variable up costs, in such bytes

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\f\v";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// The last part keeps what is left, as Ruby's split with a limit does.
std::vector<std::string_view> split(std::string_view text, char at, std::size_t most) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const auto end = text.find(at);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

Error refusal(std::string message) {
  return fail(ErrorKind::InvalidInput, std::move(message));
}

Error function_error(std::string_view name, const std::string& message) {
  return refusal("error in `" + std::string{name} + "` function: " + message);
}

// As Ruby's Shellwords.shellescape.
std::string posix_escape(std::string_view text) {
  if (text.empty()) return "''";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') ||
                       std::string_view{"_-.,:+/@"}.find(c) != std::string_view::npos;
    if (c == '\n')
      escaped += "'\n'";
    else if (plain)
      escaped += c;
    else
      (escaped += '\\') += c;
  }
  return escaped;
}

// `length` characters from `offset`; characters are those of UTF-8.
std::string truncate(std::string_view text, std::size_t offset, std::size_t length) {
  std::string kept;
  std::size_t character = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (begins) ++character;
    if (character == 0) character = 1;
    if (character > offset && character - offset <= length) kept += c;
  }
  return kept;
}

std::size_t count_in(std::string_view digits) {
  std::size_t value = 0;
  for (const char digit : digits)
    if (value < kLongestScalar) value = value * 10 + static_cast<std::size_t>(digit - '0');
  return value;
}

// What expand_vars goes through for `text`: it looks each variable up, and puts its value in.
std::size_t work_of_expansion(std::string_view text, const Variables& variables) {
  const auto references = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return c == '$' || c == '%'; }));
  std::size_t longest = kWorkOfReference;
  for (const Variable& variable : variables) longest = std::max(longest, variable.value.size());
  return references * longest;
}

Result<std::string> expand_vars(std::string_view text, const Variables& variables) {
  Variables hidden;
  for (const Variable& variable : variables)
    if (variable.masked) hidden.push_back({variable.name, ""});
  if (!hidden.empty() && expand_text(text, hidden, false) != text)
    return function_error("expand_vars",
                          "variable expansion error: masked variables cannot be expanded");
  return expand_text(text, variables, false);
}

// Applies one function of a block to `value`.
Result<NodePtr> apply(std::string_view function, const NodePtr& value, const Variables& variables) {
  static const re2::RE2 truncation{R"(truncate\(\s*(\d+)\s*,\s*(\d+)\s*\)?)"};
  re2::StringPiece offset;
  re2::StringPiece length;
  const re2::StringPiece written{function.data(), function.size()};
  const bool truncates = re2::RE2::FullMatch(written, truncation, &offset, &length);
  if (!truncates && function != "expand_vars" && function != "posix_escape")
    return refusal("no function matching `" + std::string{function} +
                   "`: check that the function name, arguments, and types are correct");
  const std::string_view name = truncates ? "truncate" : function;
  if (value->kind != Kind::String)
    return function_error(
        name, "invalid input type: " + std::string{name} + " can only be used with string inputs");
  if (truncates)
    return make_string(truncate(value->text, count_in({offset.data(), offset.size()}),
                                count_in({length.data(), length.size()})),
                       value->at);
  if (name == "posix_escape") return make_string(posix_escape(value->text), value->at);
  auto expanded = expand_vars(value->text, variables);
  if (!expanded) return std::move(expanded).error();
  return make_string(std::move(*expanded), value->at);
}

// A value inside a longer text, or as a key.
std::string as_text(const Node& value) {
  if (value.kind == Kind::Null) return {};
  return value.is_scalar() ? value.text : as_json(value);
}

class Interpolator {
 public:
  Interpolator(const InterpolationValues& values, const Variables& variables,
               const std::string& prefix, Diagnostics& findings, const Limits& limits,
               std::size_t& text)
      : values_(values),
        variables_(variables),
        prefix_(prefix),
        findings_(findings),
        most_nodes_(static_cast<std::size_t>(limits.values)),
        text_(text) {}

  // What an alias stands for is interpolated once and shared as before.
  NodePtr node(const NodePtr& written) {
    if (const auto known = done_.find(written.get()); known != done_.end()) return known->second;
    NodePtr result = written;
    if (written->kind == Kind::String) {
      if (NodePtr value = scalar(written->text, written->at)) result = std::move(value);
    } else if (written->kind == Kind::Sequence) {
      result = sequence(written);
    } else if (written->kind == Kind::Mapping) {
      result = mapping(written);
    }
    if (result->weight > most_nodes_ && !failed_)
      refuse("config too large", written->at, "the setting is pipeline_value_limit");
    done_.emplace(written.get(), result);
    return result;
  }

  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void refuse(const std::string& message, const SourceSpan& at, std::string hint = {}) {
    failed_ = true;
    findings_.push_back({Severity::Error, "interpolation", prefix_ + message, at, std::move(hint)});
  }

  NodePtr sequence(const NodePtr& written) {
    std::vector<NodePtr> items;
    bool changed = false;
    std::size_t weight = 0;
    for (const NodePtr& item : written->items) {
      items.push_back(node(item));
      changed = changed || items.back() != item;
      weight += items.back()->weight;
      if (weight > most_nodes_) break;
    }
    if (!changed) return written;
    Node made{.kind = Kind::Sequence,
              .reference = written->reference,
              .holds_reference = written->reference,
              .items = std::move(items),
              .at = written->at};
    for (const NodePtr& item : made.items) made.count(*item);
    return std::make_shared<const Node>(std::move(made));
  }

  NodePtr mapping(const NodePtr& written) {
    Entries entries;
    bool changed = false;
    std::size_t weight = 0;
    for (const Entry& entry : written->entries) {
      Entry made = entry;
      if (entry.key_kind == Kind::String) {
        if (const NodePtr key = scalar(entry.key, entry.at)) {
          made.key = as_text(*key);
          made.key_kind = key->is_scalar() ? key->kind : Kind::String;
          changed = true;
        }
      }
      made.value = node(entry.value);
      changed = changed || made.value != entry.value;
      weight += made.value->weight + 1;
      if (weight > most_nodes_) break;
      entries.put(std::move(made));
    }
    return changed ? make_mapping(entries.take(), written->at) : written;
  }

  // nullptr when there is no block in it, or after an error.
  NodePtr scalar(const std::string& text, const Spot& at) {
    static const re2::RE2 block{R"((\$\[\[\s*(\S.*?\S)\s*\]\]))"};
    if (full_ || text.find("$[[") == std::string::npos) return nullptr;
    if (text.size() > kLongestScalar) {
      refuse("config node too large", at);
      return nullptr;
    }
    std::string result;
    re2::StringPiece rest{text};
    re2::StringPiece whole;
    re2::StringPiece inside;
    const char* begin = rest.data();
    while (re2::RE2::FindAndConsume(&rest, block, &whole, &inside)) {
      const auto value = evaluate({inside.data(), inside.size()});
      if (!value) {
        refuse(value.error().message, at);
        return nullptr;
      }
      if (*value && whole.size() == text.size()) return placed(**value, at);
      result.append(begin, static_cast<std::size_t>(whole.data() - begin));
      if (*value)
        result += as_text(**value);
      else
        result.append(whole.data(), whole.size());
      if (result.size() > kLongestScalar) {
        refuse("config node too large", at);
        full_ = true;
        return nullptr;
      }
      begin = rest.data();
    }
    if (begin == text.data()) return nullptr;
    result.append(rest.data(), rest.size());
    return within_limit(result.size(), at) ? make_string(std::move(result), at) : nullptr;
  }

  // Whether so much more text may be put in.
  bool within_limit(std::size_t text, const Spot& at) {
    text_ += text;
    if (text_ <= kMostText) return true;
    if (!full_) refuse("config too large", at);
    full_ = true;
    return false;
  }

  // Findings about the value belong to the place that it was put in.
  NodePtr placed(const Node& value, const Spot& at) {
    if (!within_limit(value.text.size(), at)) return nullptr;
    Node here = value;
    here.at = at;
    return std::make_shared<const Node>(std::move(here));
  }

  // nullptr for a block that stays as written.
  Result<NodePtr> evaluate(std::string_view inside) {
    if (++blocks_ > kMostBlocks) return gives_up("too many interpolation blocks");
    std::vector<std::string_view> parts = split(inside, '|', inside.size() + 1);
    for (std::string_view& part : parts) part = trimmed(part);
    auto value = access(parts.front());
    if (!value || !*value) return value;
    if (parts.size() - 1 > kMostFunctions)
      return refusal("too many functions in interpolation block");
    for (std::size_t i = 1; value && i < parts.size(); ++i) {
      const std::string_view text = (*value)->text;
      work_ += text.size();
      if (parts[i] == "expand_vars") work_ += work_of_expansion(text, variables_);
      if (work_ > kMostWork) return gives_up("interpolation functions have too much to do");
      value = apply(parts[i], *value, variables_);
    }
    return value;
  }

  // What ends the interpolation of the whole file.
  Error gives_up(std::string message) {
    full_ = true;
    return refusal(std::move(message));
  }

  Result<NodePtr> access(std::string_view path) const {
    const auto keys = split(path, '.', kMostKeysOfAccess);
    if (keys.front() == "matrix") return NodePtr{};
    if (keys.size() <= 1) return refusal("invalid interpolation access pattern");
    if (path.size() > kLongestAccess)
      return refusal("maximum interpolation expression size exceeded");
    const auto unknown = [](std::string_view key) {
      return refusal("unknown interpolation key: `" + std::string{key} + "`");
    };
    const auto group = values_.find(std::string{keys[0]});
    if (group == values_.end()) return unknown(keys[0]);
    const auto named = group->second.find(std::string{keys[1]});
    if (named == group->second.end()) return unknown(keys[1]);
    NodePtr value = named->second;
    for (std::size_t i = 2; i < keys.size(); ++i) {
      const NodePtr* inner = value->find(keys[i]);
      if (inner == nullptr) return unknown(keys[i]);
      value = *inner;
    }
    return value;
  }

  const InterpolationValues& values_;
  const Variables& variables_;
  const std::string& prefix_;
  Diagnostics& findings_;
  const std::size_t most_nodes_;
  std::unordered_map<const Node*, NodePtr> done_;
  std::size_t& text_;
  std::size_t blocks_ = 0;
  std::size_t work_ = 0;
  bool full_ = false;  // a limit is reached; nothing more is put in
  bool failed_ = false;
};

}  // namespace

NodePtr interpolate(const NodePtr& root, const InterpolationValues& values,
                    const Variables& variables, const std::string& prefix, Diagnostics& findings,
                    const Limits& limits, std::size_t* text) {
  std::size_t of_this = 0;
  Interpolator interpolator{values, variables, prefix, findings, limits, text ? *text : of_this};
  NodePtr result = interpolator.node(root);
  return interpolator.failed() ? nullptr : result;
}

}  // namespace slipway::pipeline::read
