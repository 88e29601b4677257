// Whether a job (or a whole pipeline) is let in by its rules, `only` and `except`.
#pragma once

#include <functional>
#include <memory>
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
#include "pipeline/scope.h"

namespace slipway::pipeline::rules {

struct Verdict {
  bool let_in = true;
  const Rule* rule = nullptr;  // the rule that matched
  SourceSpan at;               // what decided, for the page
  Reason reason;               // why not, when it is not let in
  // Set: a rule asks for what is not there, and the pipeline cannot be made. GitLab's words.
  std::string error = {};
  // Why a clause was taken to hold that could not be looked at, a sentence each.
  std::vector<std::string> assumed = {};
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
                         const Scope& variables);

  // `only` and `except`; with `default_only` a job without either needs a branch or a tag.
  Verdict evaluate_refs(const Job& job, const Scope& variables, bool default_only);

  [[nodiscard]] bool too_many_globs() const { return work_.left <= 0; }

 private:
  struct Paths {
    const std::optional<std::vector<std::string>>& all;  // nullopt: not known
    std::unordered_map<std::string, bool> matched;       // by glob
    std::unordered_map<std::string, bool> found;         // by regular expression
  };

  // What a rule has asked the repository for, once.
  struct Elsewhere {
    std::optional<std::vector<std::string>> paths;  // nullopt: not known
    std::string error;
    std::string assumed;
    Paths matched{paths, {}, {}};
  };

  const Expression* condition(const std::string& text);
  bool holds(const std::string& text, const Scope& variables);
  bool any_holds(const std::vector<std::string>& expressions, const Scope& variables);
  bool matches(const Rule& rule, const Scope& variables);
  // A text in which variables are expanded, and those in their values too.
  std::string expanded(const std::string& text, const Scope& variables);
  Elsewhere& elsewhere(const std::string& key, const std::string& what,
                       const std::function<Result<std::vector<std::string>>()>& ask,
                       const std::function<std::string(const Error&)>& refusal);
  Elsewhere& changed_since(const std::string& ref);
  Elsewhere& paths_of(const std::string& project, const std::string& ref);
  // Whether what is asked of it can be known and is not refused; notes what was assumed.
  bool is_known(const Elsewhere& other);
  bool glob_is_found(const std::string& pattern, Paths& paths, bool directories);
  bool globs_hold(const std::vector<std::string>& patterns, const Scope& variables, Paths& paths,
                  bool directories);
  bool regexp_holds(const std::string& regexp, Paths& paths);
  bool changes_hold(const Changes& changes, const Scope& variables);
  bool exists_holds(const Exists& asked, const Scope& variables);
  void begin_job();
  Verdict first_match(const std::vector<Rule>& rules, const SourceSpan& job_at,
                      const Scope& variables);
  std::string explained(const std::string& text, const Scope& variables);
  std::string explained_list(const std::vector<std::string>& texts, const Scope& variables);
  std::string describe(const Rule& rule, const Scope& variables);
  Verdict evaluate_only(const Job& job, const Scope& variables);

  const Trigger& trigger_;
  std::unordered_map<std::string, std::optional<Expression>> conditions_;  // nullopt: not valid
  Paths changed_{trigger_.changed_paths, {}, {}};
  Paths present_{trigger_.paths, {}, {}};
  std::unordered_map<std::string, std::unique_ptr<Elsewhere>> elsewhere_;
  GlobWork work_;
  // Of the job that is looked at.
  std::string error_;
  std::vector<std::string> assumed_;
};

}  // namespace slipway::pipeline::rules
