// Whether a job (or a whole pipeline) is let in by its rules, `only` and `except`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/configuration.h"
#include "pipeline/job.h"
#include "pipeline/plan.h"
#include "pipeline/reason.h"

namespace slipway::pipeline::rules {

struct Verdict {
  bool let_in = true;
  const Rule* rule = nullptr;  // the rule that matched
  SourceSpan at;               // what decided, for the page
  Reason reason;               // why not, when it is not let in
};

// `rules`, in order, the first that matches decides. `variables` are the operands of `if`.
Verdict evaluate_rules(const std::vector<Rule>& rules, const SourceSpan& job_at,
                       const Variables& variables, const Trigger& trigger);

// `only` and `except`; with `default_only` a job without either needs a branch or a tag.
Verdict evaluate_refs(const Job& job, const Variables& variables, const Trigger& trigger,
                      bool default_only);

}  // namespace slipway::pipeline::rules
