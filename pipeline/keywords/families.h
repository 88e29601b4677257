// One reader for each family of keywords; each takes the keyword's value and says where it stands.
// nullopt means that a finding was made.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/job.h"
#include "pipeline/keywords/fields.h"

namespace slipway::pipeline::keywords {

// script, before_script, after_script: a string or nested lists of strings.
std::optional<std::vector<std::string>> read_script(const Node& node, const Place& place);

// image.cpp
std::optional<Image> read_image(const Node& node, const Place& place);
std::optional<std::vector<Service>> read_services(const Node& node, const Place& place);

// variables.cpp: `described` also allows description and options (global variables).
enum class Described : bool { no, yes };
std::optional<Variables> read_variables(const Node& node, const Place& place, Described described);

// artifacts.cpp
std::optional<Artifacts> read_artifacts(const Node& node, const Place& place);
std::optional<std::vector<Cache>> read_caches(const Node& node, const Place& place);

// control.cpp
std::optional<When> read_when(const Node& node, const Place& place);
std::optional<AllowFailure> read_allow_failure(const Node& node, const Place& place);
std::optional<Retry> read_retry(const Node& node, const Place& place);
std::optional<std::string> read_coverage(const Node& node, const Place& place);
std::optional<Environment> read_environment(const Node& node, const Place& place);

// needs.cpp: names are as written; see parallel.h for instances.
struct WrittenNeed {
  Need need;
  std::vector<Variables> matrix;  // selects instances; empty: all
};
std::optional<std::vector<WrittenNeed>> read_needs(const Node& node, const Place& place);

// parallel.cpp: what distinguishes each instance of a job.
struct Instance {
  std::string suffix;  // " 1/3" or ": [linux, x64]"
  Variables variables;
};
std::optional<std::vector<Instance>> read_parallel(const Node& node, const Place& place);

// rules.cpp
enum class RuleKind : std::uint8_t { Job, Workflow };
// Needs inside a rule are as written too, so they come beside it.
struct WrittenRule {
  Rule rule;
  std::optional<std::vector<WrittenNeed>> needs;
};
std::optional<std::vector<WrittenRule>> read_rules(const Node& node, const Place& place,
                                                   RuleKind kind);
std::optional<RefPolicy> read_ref_policy(const Node& node, const Place& place);

}  // namespace slipway::pipeline::keywords
