// Whether a job (or a whole pipeline) is let in by its rules, `only` and `except`.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/configuration.h"
#include "pipeline/job.h"
#include "pipeline/plan.h"
#include "pipeline/reason.h"
#include "pipeline/rules/expression.h"
#include "pipeline/rules/glob.h"

namespace slipway::pipeline::rules {

struct Verdict {
  bool let_in = true;
  const Rule* rule = nullptr;  // the rule that matched
  SourceSpan at;               // what decided, for the page
  Reason reason;               // why not, when it is not let in
};

// The rules of one pipeline. What many jobs share is worked out once: expressions and globs.
//
// All globs together may take so much work; beyond it they match nothing, and too_many_globs() says
// so. `trigger` must stay.
class Evaluator {
 public:
  explicit Evaluator(const Trigger& trigger) : trigger_(trigger) {}

  // `rules`, in order, the first that matches decides. `variables` are the operands of `if`.
  Verdict evaluate_rules(const std::vector<Rule>& rules, const SourceSpan& job_at,
                         const Variables& variables);

  // `only` and `except`; with `default_only` a job without either needs a branch or a tag.
  Verdict evaluate_refs(const Job& job, const Variables& variables, bool default_only);

  [[nodiscard]] bool too_many_globs() const { return work_.left <= 0; }

 private:
  struct Paths {
    const std::optional<std::vector<std::string>>& all;  // nullopt: not known
    std::unordered_map<std::string, bool> matched;       // by glob
    std::unordered_map<std::string, bool> found;         // by regular expression
  };

  const Expression* condition(const std::string& text);
  bool holds(const std::string& text, const Variables& variables);
  bool any_holds(const std::vector<std::string>& expressions, const Variables& variables);
  bool matches(const Rule& rule, const Variables& variables);
  bool glob_is_found(const std::string& pattern, Paths& paths, bool directories);
  bool globs_hold(const std::vector<std::string>& patterns, const Variables& variables,
                  Paths& paths, bool directories);
  bool regexp_holds(const std::string& regexp, Paths& paths);
  bool changes_hold(const Changes& changes, const Variables& variables);
  bool exists_holds(const Exists& asked, const Variables& variables);
  std::string describe(const Rule& rule, const Variables& variables);
  Verdict evaluate_only(const Job& job, const Variables& variables);

  const Trigger& trigger_;
  std::unordered_map<std::string, std::optional<Expression>> conditions_;  // nullopt: not valid
  Paths changed_{trigger_.changed_paths, {}, {}};
  Paths present_{trigger_.paths, {}, {}};
  GlobWork work_;
};

}  // namespace slipway::pipeline::rules
