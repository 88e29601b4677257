#include "pipeline/keywords/needs_graph.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostNeeds = 50;
constexpr std::size_t kMostJobs = 10'000;

class Expander {
 public:
  Expander(const std::vector<WrittenJob>& written, const std::vector<std::string>& stages,
           Diagnostics& findings)
      : written_(written), stages_(stages), findings_(findings) {}

  std::vector<Job> jobs() {
    std::vector<Job> jobs;
    std::size_t count = 0;
    for (const WrittenJob& job : written_) count += job.instances.size();
    if (count > kMostJobs) {
      error(written_.back().job.at,
            fmt::format("jobs config has {} jobs (maximum is {})", count, kMostJobs), {},
            "too_many_jobs");
      return jobs;
    }
    place_in_stages();
    jobs.reserve(count);
    for (const WrittenJob& job : written_) add_instances(job, jobs);
    check_cycles(jobs);
    return jobs;
  }

 private:
  void error(const SourceSpan& at, std::string message, std::string hint = {},
             const char* code = "invalid_need") {
    findings_.push_back({Severity::Error, code, std::move(message), at, std::move(hint)});
  }

  // All stages, or as many as anybody reads.
  std::string available_stages() const {
    constexpr std::size_t kMostNames = 100;
    const auto end =
        stages_.begin() + static_cast<std::ptrdiff_t>(std::min(stages_.size(), kMostNames));
    return fmt::format("{}{}", fmt::join(stages_.begin(), end, ", "),
                       end == stages_.end() ? "" : ", …");
  }

  void place_in_stages() {
    const std::string available = available_stages();
    std::unordered_map<std::string_view, int> indices;
    for (const std::string& stage : stages_)
      indices.emplace(stage, static_cast<int>(indices.size()));
    for (const WrittenJob& written : written_) {
      const auto at = indices.find(written.job.stage);
      const bool seeks = at == indices.end() && findings_.size() < kMostFindings;
      const std::string near = seeks ? nearest(written.job.stage, stages_) : "";
      if (at == indices.end())
        error(written.stage_at,
              fmt::format("{} job: chosen stage {} does not exist; available stages are {}",
                          written.job.name, written.job.stage, available),
              near.empty() ? "add it to `stages`, or choose one of those"
                           : "did you mean '" + near + "'?",
              "unknown_stage");
      const int index = at == indices.end() ? static_cast<int>(stages_.size()) : at->second;
      for (const Instance& instance : written.instances) {
        by_name_[written.job.name + instance.suffix] = index;
        instances_[written.job.name].push_back(&instance);
      }
      stage_of_[written.job.name] = index;
    }
  }

  void add_instances(const WrittenJob& written, std::vector<Job>& jobs) {
    Job job = written.job;
    job.stage_index = stage_of_[job.name];
    if (written.needs) job.needs = resolved_needs(job, *written.needs);
    if (written.rules) {
      job.rules.emplace();
      for (const WrittenRule& rule : *written.rules) {
        job.rules->push_back(rule.rule);
        if (rule.needs) job.rules->back().needs = resolved_needs(job, *rule.needs);
      }
    }
    if (job.dependencies) job.dependencies = resolved_dependencies(job, written);
    const int total = static_cast<int>(written.instances.size());
    const bool parallel = total > 1 || !written.instances.front().suffix.empty();
    for (int i = 0; i < total; ++i) {
      const Instance& instance = written.instances[static_cast<std::size_t>(i)];
      if (i + 1 == total)
        jobs.push_back(std::move(job));
      else
        jobs.push_back(job);  // NOLINT(bugprone-use-after-move): only the last is moved
      Job& made = jobs.back();
      made.name += instance.suffix;
      for (const Variable& variable : instance.variables) set_variable(made.variables, variable);
      if (!parallel) continue;
      made.node_index = i + 1;
      made.node_total = total;
    }
  }

  std::string hint_for(const std::string& name) const {
    if (findings_.size() >= kMostFindings) return {};
    std::vector<std::string> names;
    for (const auto& [known, stage] : by_name_) names.push_back(known);
    const std::string near = nearest(name, names);
    return near.empty() ? "" : "did you mean '" + near + "'?";
  }

  // The instances that a written name means: itself, or all of a parallel job.
  std::vector<std::string> instances_of(const std::string& name) const {
    if (by_name_.count(name) != 0) return {name};
    std::vector<std::string> names;
    const auto at = instances_.find(name);
    if (at != instances_.end())
      for (const Instance* instance : at->second) names.push_back(name + instance->suffix);
    return names;
  }

  std::vector<std::string> selected(const WrittenNeed& written) const {
    if (written.matrix.empty()) return instances_of(written.need.job);
    std::vector<std::string> names;
    const auto at = instances_.find(written.need.job);
    if (at == instances_.end()) return names;
    for (const Instance* instance : at->second)
      for (const Variables& wanted : written.matrix)
        if (instance->variables == wanted) names.push_back(written.need.job + instance->suffix);
    return names;
  }

  void too_many_needs(const Job& job, std::size_t count) {
    error(job.at, fmt::format("{}: one job can only need {} others, but you have listed {}. See "
                              "needs keyword documentation for more details",
                              job.name, kMostNeeds, count));
  }

  std::vector<Need> resolved_needs(const Job& job, const std::vector<WrittenNeed>& written) {
    std::vector<Need> needs;
    std::set<std::string> seen;
    if (written.size() > kMostNeeds) {
      too_many_needs(job, written.size());
      return needs;
    }
    for (const WrittenNeed& one : written) {
      const std::string& name = one.need.job;
      if (name.size() > 128)
        error(one.need.at,
              fmt::format("{} job: need `{}` name is too long (maximum is 128 characters)",
                          job.name, name));
      const auto names = selected(one);
      if (names.empty() && !one.need.optional)
        error(one.need.at, fmt::format("{} job: undefined need: {}", job.name, name),
              hint_for(name));
      for (const std::string& instance : names) {
        if (by_name_[instance] > stage_of_[job.name])
          error(one.need.at,
                fmt::format("{} job: need {} is not defined in current or prior stages", job.name,
                            instance));
        if (!seen.insert(instance).second)
          error(one.need.at,
                fmt::format("{} has the following needs duplicated: {}.", job.name, instance));
        needs.push_back(one.need);
        needs.back().job = instance;
      }
    }
    if (needs.size() > kMostNeeds) too_many_needs(job, needs.size());
    return needs;
  }

  std::vector<std::string> resolved_dependencies(const Job& job, const WrittenJob& written) {
    std::vector<std::string> names;
    for (const std::string& name : *written.job.dependencies) {
      const auto found = instances_of(name);
      if (found.empty())
        error(written.dependencies_at,
              fmt::format("{} job: undefined dependency: {}", job.name, name), hint_for(name));
      for (const std::string& instance : found) {
        if (by_name_[instance] > stage_of_[job.name])
          error(written.dependencies_at,
                fmt::format("{} job: dependency {} is not defined in current or prior stages",
                            job.name, instance));
        names.push_back(instance);
      }
    }
    if (job.needs)
      for (const std::string& name : names)
        if (std::none_of(job.needs->begin(), job.needs->end(),
                         [&](const Need& need) { return need.job == name; }))
          error(written.dependencies_at,
                fmt::format("jobs:{} dependencies the {} should be part of needs", job.name, name));
    return names;
  }

  // Needs may only point to the same or an earlier stage, so a cycle lies within one stage.
  void check_cycles(const std::vector<Job>& jobs) {
    std::map<std::string, const Job*> by_name;
    for (const Job& job : jobs) by_name[job.name] = &job;
    std::map<std::string, int> mark;  // 1 while on the path, 2 when done
    for (const Job& job : jobs) {
      std::vector<std::string> path;
      if (mark[job.name] == 0 && finds_cycle(job, by_name, mark, path)) return;
    }
  }

  bool finds_cycle(const Job& start, const std::map<std::string, const Job*>& by_name,
                   std::map<std::string, int>& mark, std::vector<std::string>& path) {
    // An explicit stack: a chain of needs can be as long as there are jobs.
    struct Step {
      const Job* job;
      std::size_t next = 0;
    };
    std::vector<Step> stack{{&start}};
    mark[start.name] = 1;
    while (!stack.empty()) {
      Step& top = stack.back();
      const std::size_t count = top.job->needs ? top.job->needs->size() : 0;
      if (top.next == count) {
        mark[top.job->name] = 2;
        stack.pop_back();
        continue;
      }
      const auto at = by_name.find((*top.job->needs)[top.next++].job);
      if (at == by_name.end()) continue;
      int& state = mark[at->first];
      if (state == 2) continue;
      if (state == 1) {
        for (const Step& step : stack)
          if (!path.empty() || step.job == at->second) path.push_back("\"" + step.job->name + "\"");
        error(at->second->at,
              path.size() == 1
                  ? "The pipeline has circular dependencies: self-dependency: " + at->first
                  : fmt::format(
                        "The pipeline has circular dependencies: topological sort failed: [{}]",
                        fmt::join(path, ", ")),
              {}, "circular_needs");
        return true;
      }
      state = 1;
      stack.push_back({at->second});
    }
    return false;
  }

  const std::vector<WrittenJob>& written_;
  const std::vector<std::string>& stages_;
  Diagnostics& findings_;
  std::map<std::string, int> by_name_;  // instance → stage
  std::map<std::string, int> stage_of_;
  std::map<std::string, std::vector<const Instance*>> instances_;
};

}  // namespace

std::vector<Job> expand_jobs(const std::vector<WrittenJob>& written,
                             const std::vector<std::string>& stages, Diagnostics& findings) {
  return Expander{written, stages, findings}.jobs();
}

}  // namespace slipway::pipeline::keywords
