#include "tests/pipeline/golden/case_file.h"

#include <spdlog/fmt/fmt.h>

#include <sstream>
#include <stdexcept>

namespace slipway::pipeline::golden {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Words separated by blanks; a part between double quotes is kept together.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool quoted = false;
  bool inside = false;
  for (const char c : text) {
    if (c == ' ' && !quoted) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (c == '"')
      quoted = !quoted;
    else
      words.back() += c;
  }
  return words;
}

Variable assignment(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) throw std::invalid_argument("no NAME=VALUE: " + text);
  Variable variable;
  variable.name = text.substr(0, equals);
  variable.value = text.substr(equals + 1);
  return variable;
}

std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> items;
  std::istringstream in{text};
  for (std::string item; std::getline(in, item, ',');) items.push_back(item);
  return items;
}

void apply_option(Trigger& trigger, const std::string& option, const std::string& value) {
  if (option == "--changed")
    trigger.changed_paths = list_of(value);
  else if (option == "--paths")
    trigger.paths = list_of(value);
  else if (option == "--var")
    trigger.pipeline_variables.push_back(assignment(value));
  else if (option == "--project-var")
    trigger.project_variables.push_back(assignment(value));
  else if (option == "--message")
    trigger.commit_message = value;
  else if (option == "--input" || option == "--compare")
    return;  // of the file and of the repository, not of the trigger
  else if (option == "--target")
    trigger.merge_request =
        MergeRequestFacts{.iid = "12", .source_branch = trigger.branch, .target_branch = value};
  else if (option == "--tag-message")
    trigger.tag_message = value;
  else if (option == "--project")
    trigger.project.path = value;
  else
    throw std::invalid_argument("unknown option " + option);
}

Trigger first_trigger() {
  Trigger trigger;
  trigger.sha = "0123456789abcdef0123456789abcdef01234567";
  trigger.project.id = 7;
  trigger.project.path = "team/app";
  trigger.server = {"https://ci.example.com", "registry.example.com", "1.2.3"};
  return trigger;
}

}  // namespace

Case parse_case(std::string_view text) {
  Case one;
  std::string* target = &one.text;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (take_prefix(line, "--- file: "))
      target = &one.files[std::string{line}];
    else if (take_prefix(line, "== "))
      target = &one.expectations.emplace_back(Expectation{std::string{line}, {}}).expected;
    else
      target->append(line).push_back('\n');
  }
  return one;
}

Trigger parse_event(std::string_view marker) {
  Trigger trigger = first_trigger();
  const std::vector<std::string> words = words_of(marker);
  if (words.empty()) throw std::invalid_argument("no event");
  trigger.branch = "main";
  const bool is_check = words[0] == "lint" || words[0] == "warnings" || words[0] == "strict";
  std::size_t at = 1;
  if (at < words.size() && words[at].rfind("--", 0) != 0) {
    (words[0] == "tag" ? trigger.tag : trigger.branch) = words[at];
    ++at;
  }
  if (words[0] == "tag") {
    trigger.branch.clear();
  } else if (!is_check) {
    const auto source = parse_source(words[0]);
    if (!source) throw std::invalid_argument(source.error().message);
    trigger.source = *source;
  }
  for (; at < words.size(); at += 2) {
    if (words[at] == "--no-changes") {
      trigger.changed_paths.emplace();
      --at;
      continue;
    }
    if (at + 1 == words.size()) throw std::invalid_argument("no value for " + words[at]);
    apply_option(trigger, words[at], words[at + 1]);
  }
  return trigger;
}

}  // namespace slipway::pipeline::golden
