// Variables of a job: what is predefined, and the two ways in which values are expanded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pipeline/job.h"
#include "pipeline/plan.h"
#include "pipeline/scope.h"

namespace slipway::pipeline {

// Lower case, everything but a-z and 0-9 becomes '-', at most 63 characters, no '-' at the ends.
std::string slug(std::string_view text);
// CI_ENVIRONMENT_SLUG: at most 24 characters, with a hash when the name had to change.
std::string environment_slug(std::string_view name);

// CI_ENVIRONMENT_TIER of an environment that does not say its own, guessed from its name.
std::string environment_tier(std::string_view name);
// Whether an environment may have this name, its variables expanded or not.
bool is_environment_name(std::string_view name);

// Those that rules, workflow and includes may see (GitLab's phase "pre-pipeline").
Variables predefined_variables(const Trigger& trigger);
// Those and the ones given from outside: all that an include may use.
Variables include_variables(const Trigger& trigger);
// Those among the predefined that cannot be had from the commit: of a merge request, and a tag's
// message.
Variables event_variables(const Trigger& trigger);
// Those that only a planned job has: CI_JOB_NAME, CI_JOB_STAGE, CI_NODE_*, CI_ENVIRONMENT_*.
Variables job_variables(const PlannedJob& planned);

// Server-side expansion of all values against each other, in order of dependency: `$NAME`,
// `${NAME}`, `%NAME%`; `$$` and `%%` stay; unknown, raw and file variables stay as written, raw
// values untouched. InvalidInput: "circular variable reference detected: ["A", "B"]". TooLarge: a
// value of more than 1 MiB, or more than 16 MiB of them together.
Result<Variables> expand_variables(const Scope& variables);

// One text expanded once, to at most 1 MiB; `unknown_is_empty` as for environment names.
std::string expand_text(std::string_view text, const Scope& variables, bool unknown_is_empty);
// The same with values that are expanded themselves, as they are written when that is not possible.
// The result is final: raw and file variables inside them stand as they are, too.
std::string expand_nested(std::string_view text, const Scope& variables, bool unknown_is_empty);

// The runner's expansion (Go's os.Expand): one pass, `$NAME` and `${NAME}`, unknown is empty, `$$`
// is
// `$`, and the shell's special parameters are empty.
std::string expand_on_runner(std::string_view text,
                             const std::map<std::string, std::string>& values);

// A dotenv report, as GitLab parses it: KEY=VALUE lines, nothing else. InvalidInput names the line.
Result<Variables> parse_dotenv(std::string_view text);

}  // namespace slipway::pipeline
