#include "pipeline/keywords/between_jobs.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace slipway::pipeline::keywords {
namespace {

class Checker {
 public:
  Checker(const std::vector<WrittenJob>& jobs, const std::vector<std::string>& stages,
          Diagnostics& findings)
      : jobs_(jobs), stages_(stages), findings_(findings) {}

  void check(bool has_workflow_rules) {
    for (const WrittenJob& job : jobs_) {
      if (job.job.environment && !job.job.environment->on_stop.empty()) stops(job);
      if (job.job.bridge)
        for (const ChildFile& file : job.job.bridge->files)
          if (!file.job.empty()) generated(job, file.job);
      if (!has_workflow_rules) may_run_twice(job);
    }
  }

 private:
  void error(const SourceSpan& at, std::string message, std::string hint, const char* code) {
    findings_.push_back({Severity::Error, code, std::move(message), at, std::move(hint)});
  }

  const WrittenJob* find(const std::string& name) {
    const auto at = by_name().find(name);
    return at == by_name_.end() ? nullptr : at->second;
  }

  // Made when a job names another; in most files none does.
  using Named = std::map<std::string_view, const WrittenJob*>;
  const Named& by_name() {
    if (by_name_.empty())
      for (const WrittenJob& job : jobs_) by_name_[job.job.base_name] = &job;
    return by_name_;
  }

  std::string near(const std::string& name) {
    if (findings_.size() >= kMostFindings) return {};
    std::vector<std::string> names;
    for (const auto& [known, job] : by_name()) names.emplace_back(known);
    const std::string nearest_name = nearest(name, names);
    return nearest_name.empty() ? "" : "did you mean '" + nearest_name + "'?";
  }

  // `on_stop` names the job that takes the same environment down.
  void stops(const WrittenJob& written) {
    const Environment& environment = *written.job.environment;
    const WrittenJob* stopper = find(environment.on_stop);
    const std::string begin =
        fmt::format("{} job: on_stop job {} ", written.job.name, environment.on_stop);
    const auto fault = [&](const char* what, std::string hint) {
      error(environment.on_stop_at, begin + what, std::move(hint), "invalid_on_stop");
    };
    if (stopper == nullptr)
      fault("is not defined", near(environment.on_stop));
    else if (!stopper->job.environment)
      fault("does not have environment defined",
            fmt::format("give it `environment: {{name: {}, action: stop}}`", environment.name));
    else if (stopper->job.environment->name != environment.name)
      fault("have different environment name",
            fmt::format("both must say `name: {}`", environment.name));
    else if (stopper->job.environment->action != "stop")
      fault("needs to have action stop defined", "add `action: stop` to its environment");
  }

  std::size_t stage_of(const WrittenJob& job) const {
    return static_cast<std::size_t>(std::find(stages_.begin(), stages_.end(), job.job.stage) -
                                    stages_.begin());
  }

  // The job whose artifact is the child pipeline's file.
  void generated(const WrittenJob& written, const std::string& name) {
    const WrittenJob* generator = find(name);
    if (generator == nullptr)
      error(written.trigger_at,
            fmt::format("{} job: undefined dependency: {}", written.job.name, name), near(name),
            "invalid_need");
    else if (stage_of(*generator) > stage_of(written))
      error(written.trigger_at,
            fmt::format("{} job: dependency {} is not defined in current or prior stages",
                        written.job.name, name),
            "", "invalid_need");
  }

  // With a last rule of only `when`, a push to the branch of a merge request runs the job in the
  // branch's pipeline and in that of the merge request.
  void may_run_twice(const WrittenJob& written) {
    if (!written.rules || written.rules->empty()) return;
    const WrittenRule& last = written.rules->back();
    if (!last.only_when || !last.rule.when) return;
    if (last.rule.when == When::Never || last.rule.when == When::Delayed) return;
    findings_.push_back(
        {Severity::Warning, "duplicate_pipelines",
         fmt::format("jobs:{} may allow multiple pipelines to run for a single action due to "
                     "`rules:when` clause with no `workflow:rules`",
                     written.job.name),
         last.rule.at, "say with `workflow: rules` which pipelines there are"});
  }

  const std::vector<WrittenJob>& jobs_;
  const std::vector<std::string>& stages_;
  Diagnostics& findings_;
  Named by_name_;
};

}  // namespace

void check_between_jobs(const std::vector<WrittenJob>& jobs, const std::vector<std::string>& stages,
                        bool has_workflow_rules, Diagnostics& findings) {
  Checker{jobs, stages, findings}.check(has_workflow_rules);
}

}  // namespace slipway::pipeline::keywords
