// Names of branches that no branch can have, and texts in conditions that were meant as something
// else: "$NAME" in quotes, a plain text where a pattern belongs.

#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "pipeline/lint/warnings.h"
#include "pipeline/rules/expression.h"
#include "pipeline/rules/pattern.h"

namespace slipway::pipeline::lint {
namespace {

class Checker {
 public:
  explicit Checker(Diagnostics& findings) : findings_(findings) {}

  void check(const std::string& condition, const SourceSpan& at) {
    const auto expression = rules::Expression::parse(condition);
    if (!expression) return;
    for (const rules::Literal& literal : expression->literals()) check(literal, at);
  }

  void check(const RefPolicy& policy, const char* keyword) {
    for (const std::string& condition : policy.variables) check(condition, policy.at);
    if (policy.refs) check_refs(*policy.refs, keyword, policy.at);
  }

 private:
  void check(const rules::Literal& literal, const SourceSpan& at) {
    static const re2::RE2 variable{R"(\$\{?([A-Za-z_]\w*)\}?)"};
    std::string name;
    if (re2::RE2::FullMatch(literal.text, variable, &name))
      add("quoted_variable",
          "'" + literal.text + "' in quotes is this text, never the value of the variable", at,
          "write $" + name + " without quotes");
    else if (literal.is_pattern && !rules::Pattern::looks_like(literal.text))
      add("text_as_pattern",
          "`=~` with a text looks for the left side in '" + literal.text + "', not the other way",
          at, "write /" + literal.text + "/, or == for the whole text");
  }

  void check_refs(const std::vector<std::string>& refs, const std::string& keyword,
                  const SourceSpan& at) {
    std::string with_variables;
    std::string impossible;
    for (const std::string& item : refs) {
      const std::string ref = item.substr(0, item.find('@'));
      if (rules::Pattern::looks_like(ref)) continue;
      const bool variable = ref.find('$') != std::string::npos;
      if (!variable && is_possible_ref(ref)) continue;
      std::string& names = variable ? with_variables : impossible;
      names += (names.empty() ? "'" : ", '") + ref + "'";
    }
    if (!with_variables.empty())
      add("ref_never_matches",
          "variables are not expanded in `" + keyword + "`: no branch is called " + with_variables,
          at, "compare it in `rules: if`");
    if (!impossible.empty())
      add("ref_never_matches",
          "no branch or tag can be called " + impossible + ": `" + keyword + "` knows no wildcards",
          at, "write a pattern between slashes, as /^release-.*/");
  }

  void add(const char* code, std::string message, const SourceSpan& at, std::string hint) {
    findings_.push_back({Severity::Warning, code, std::move(message), at, std::move(hint)});
  }

  Diagnostics& findings_;
};

}  // namespace

bool is_possible_ref(std::string_view ref) {
  constexpr std::string_view kForbidden = " ~^:?*[\\\t\n";
  return ref.find_first_of(kForbidden) == std::string_view::npos &&
         ref.find("..") == std::string_view::npos && !ref.starts_with('/') && !ref.ends_with('/');
}

void warn_of_conditions(const Configuration& configuration, Diagnostics& findings) {
  Checker checker{findings};
  const auto check_rules = [&](const std::vector<Rule>& rules) {
    for (const Rule& rule : rules)
      if (rule.condition) checker.check(*rule.condition, rule.at);
  };
  if (configuration.workflow.rules) check_rules(*configuration.workflow.rules);
  std::set<std::string_view> checked;  // instances of a parallel job have the same rules
  for (const Job& job : configuration.jobs) {
    if (!checked.insert(job.base_name).second) continue;
    if (job.rules) check_rules(*job.rules);
    if (job.only) checker.check(*job.only, "only");
    if (job.except) checker.check(*job.except, "except");
  }
}

}  // namespace slipway::pipeline::lint
