// Reading one mapping of the pipeline file, keyword by keyword: type errors and unknown keys become
// findings with GitLab's words and their place, and reading goes on, so that all are found at once.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/diagnostic.h"
#include "pipeline/job.h"
#include "pipeline/read/source.h"

namespace slipway::pipeline::keywords {

using read::Entry;
using read::Kind;
using read::Node;
using read::NodePtr;

// Where something stands in the file's own terms ("jobs:test:artifacts"; "" is the top), and where
// findings go.
class Place {
 public:
  Place(std::string path, Diagnostics& findings) : path_(std::move(path)), findings_(&findings) {}
  [[nodiscard]] Place below(const std::string& key) const {
    return {path_.empty() ? key : path_ + ":" + key, *findings_};
  }
  // GitLab says "jobs:test:stage config …" of what is an entry of its own there, and
  // "jobs:test start in …" of a plain attribute.
  [[nodiscard]] Place entry(const std::string& key) const { return below(key).attribute("config"); }
  [[nodiscard]] Place attribute(const std::string& key) const;
  [[nodiscard]] const std::string& path() const { return path_; }
  // Whether a hint would still be shown: seeking one is dear.
  [[nodiscard]] bool wants_hints() const { return findings_->size() < kMostFindings; }
  // How many there are by now.
  [[nodiscard]] std::size_t findings() const { return findings_->size(); }

  // "<path> <what>", at `at`.
  void error(const SourceSpan& at, const std::string& what, std::string hint = {},
             std::string code = "invalid_value") const;
  // `what` as the whole message.
  void plain_error(const SourceSpan& at, std::string what, std::string hint = {},
                   std::string code = "invalid_value") const;
  void warning(const SourceSpan& at, std::string code, std::string what,
               std::string hint = {}) const;
  // "<path> <what>" as a warning, once for each place in a file: a keyword of `default:` is read
  // again for every job.
  void unsupported(const SourceSpan& at, const std::string& what, std::string hint = {}) const;

 private:
  std::string path_;
  Diagnostics* findings_;
};

// A finding for each key of `node` that is not among `known` and not `also`, with the nearest known
// one as a hint.
void check_keys(const Node& node, const std::vector<std::string>& known, const Place& place,
                std::string_view also = {});

// The same with the keywords of a family of vocabulary.h. False, after a finding, when `node` is no
// mapping.
bool check_family(const Node& node, std::string_view family, const Place& place);

// "config these keys cannot be used together: a, b" when both are there.
void check_exclusive(const Node& node, std::string_view a, std::string_view b, const Place& place);

// The value under `key`, or null when it is missing or null.
const Node* value_of(const Node& node, std::string_view key);

// "should be a string" and so on; nullopt after a finding.
std::optional<std::string> string_in(const Node& node, const Place& place);
// An attribute's text; "" when it is missing, or after a finding.
std::string text_under(const Node& node, std::string_view key, const Place& place);
// Also when it is there and empty: "can't be blank".
std::string required_text_under(const Node& node, std::string_view key, const Place& place);
std::optional<bool> bool_in(const Node& node, const Place& place);
std::optional<int> integer_in(const Node& node, const Place& place);
// A list of strings; with `one_is_enough` also a single string.
enum class Single : bool { refused, accepted };
std::optional<std::vector<std::string>> strings_in(const Node& node, const Place& place,
                                                   Single single = Single::refused);
// Nested lists flattened, up to ten levels deep.
std::optional<std::vector<std::string>> nested_strings_in(const Node& node, const Place& place,
                                                          Single single);
// "1 week 2 days", "3 mins 4 sec", "42", "1:30"; at most what fits.
std::optional<std::chrono::seconds> duration_in(const Node& node, const Place& place);
// As duration_in, and at most a week.
std::optional<std::chrono::seconds> delay_in(const Node& node, const Place& place);
// A duration as it was written, or "never".
std::optional<std::string> expiry_in(const Node& node, const Place& place);
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// One of `words`, or a finding that lists them.
std::optional<std::string> word_in(const Node& node, const std::vector<std::string>& words,
                                   const Place& place);

std::string joined(const std::vector<std::string>& words);  // "a, b"

}  // namespace slipway::pipeline::keywords
