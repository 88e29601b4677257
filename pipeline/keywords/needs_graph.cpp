#include "pipeline/keywords/needs_graph.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>
#include <unordered_map>

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostNeeds = 50;
constexpr std::size_t kMostJobs = 10'000;

class Expander {
 public:
  Expander(std::vector<WrittenJob> written, const std::vector<std::string>& stages,
           Diagnostics& findings)
      : written_(std::move(written)), stages_(stages), findings_(findings) {}

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
    for (WrittenJob& job : written_) add_instances(job, jobs);
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
    by_name_.reserve(written_.size());
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
      for (const Instance& instance : written.instances)
        if (!instance.suffix.empty())
          stage_of_instance_[written.job.name + instance.suffix] = index;
      by_name_[written.job.name] = {index, &written.instances};
    }
  }

  void add_instances(WrittenJob& written, std::vector<Job>& jobs) {
    Job& job = written.job;
    job.stage_index = by_name_[job.name].stage;
    if (written.needs) job.needs = resolved_needs(job, *written.needs);
    if (written.rules) job.rules = resolved_rules(job, *written.rules);
    if (job.dependencies) resolve_dependencies(job, written.dependencies_at);
    const int total = static_cast<int>(written.instances.size());
    const bool parallel = total > 1 || !written.instances.front().suffix.empty();
    for (int i = 0; i < total; ++i) {
      const Instance& instance = written.instances[static_cast<std::size_t>(i)];
      if (i + 1 < total)
        jobs.push_back(job);  // NOLINT(bugprone-use-after-move): only the last is moved
      else
        jobs.push_back(std::move(job));
      Job& made = jobs.back();
      made.name += instance.suffix;
      set_variables(made.variables, instance.variables);
      if (!parallel) continue;
      made.node_index = i + 1;
      made.node_total = total;
    }
  }

  std::string hint_for(const std::string& name) const {
    if (findings_.size() >= kMostFindings) return {};
    std::vector<std::string> names;
    for (const auto& [known, stage] : stage_of_instance_) names.push_back(known);
    for (const auto& [known, job] : by_name_)
      if (job.is_single()) names.push_back(known);
    std::sort(names.begin(), names.end());
    const std::string near = nearest(name, names);
    return near.empty() ? "" : "did you mean '" + near + "'?";
  }

  // The instances that a written name means: itself, or all of a parallel job.
  std::vector<std::string> instances_of(const std::string& name) const {
    const auto at = by_name_.find(name);
    const bool single = at != by_name_.end() && at->second.is_single();
    if (single || stage_of_instance_.contains(name)) return {name};
    std::vector<std::string> names;
    if (at != by_name_.end())
      for (const Instance& instance : *at->second.instances)
        names.push_back(name + instance.suffix);
    return names;
  }

  // Of the name of an instance.
  int stage_of(const std::string& name) const {
    if (const auto at = by_name_.find(name); at != by_name_.end() && at->second.is_single())
      return at->second.stage;
    const auto at = stage_of_instance_.find(name);
    return at == stage_of_instance_.end() ? 0 : at->second;
  }

  std::vector<std::string> selected(const WrittenNeed& written) const {
    if (written.matrix.empty()) return instances_of(written.need.job);
    std::vector<std::string> names;
    const auto at = by_name_.find(written.need.job);
    if (at == by_name_.end()) return names;
    for (const Instance& instance : *at->second.instances)
      for (const Variables& wanted : written.matrix)
        if (instance.variables == wanted) names.push_back(written.need.job + instance.suffix);
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
        if (stage_of(instance) > job.stage_index)
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

  // Rules without needs are the same for all jobs that share them.
  Shared<std::vector<Rule>> resolved_rules(const Job& job,
                                           const std::vector<WrittenRule>& written) {
    const auto known = plain_rules_.find(&written);
    if (known != plain_rules_.end()) return known->second;
    bool plain = true;
    std::vector<Rule> rules;
    rules.reserve(written.size());
    for (const WrittenRule& rule : written) {
      rules.push_back(rule.rule);
      plain = plain && !rule.needs;
      if (rule.needs) rules.back().needs = resolved_needs(job, *rule.needs);
    }
    Shared<std::vector<Rule>> shared{std::move(rules)};
    if (plain) plain_rules_.emplace(&written, shared);
    return shared;
  }

  void resolve_dependencies(Job& job, const SourceSpan& at) {
    std::vector<std::string> names;
    for (const std::string& name : *job.dependencies) {
      const auto found = instances_of(name);
      if (found.empty())
        error(at, fmt::format("{} job: undefined dependency: {}", job.name, name), hint_for(name));
      for (const std::string& instance : found) {
        if (stage_of(instance) > job.stage_index)
          error(at, fmt::format("{} job: dependency {} is not defined in current or prior stages",
                                job.name, instance));
        names.push_back(instance);
      }
    }
    if (job.needs)
      for (const std::string& name : names)
        if (std::none_of(job.needs->begin(), job.needs->end(),
                         [&](const Need& need) { return need.job == name; }))
          error(at,
                fmt::format("jobs:{} dependencies the {} should be part of needs", job.name, name));
    job.dependencies = std::move(names);
  }

  // Needs may only point to the same or an earlier stage, so a cycle lies within one stage.
  void check_cycles(const std::vector<Job>& jobs) {
    const bool any = std::any_of(jobs.begin(), jobs.end(),
                                 [](const Job& job) { return job.needs && !job.needs->empty(); });
    if (!any) return;
    Marks marks;
    marks.reserve(jobs.size());
    for (const Job& job : jobs) marks[job.name] = {&job};
    for (const Job& job : jobs)
      if (marks[job.name].state == 0 && finds_cycle(job, marks)) return;
  }

  struct Mark {
    const Job* job = nullptr;
    int state = 0;  // 1 while on the path, 2 when done
  };
  using Marks = std::unordered_map<std::string_view, Mark>;

  bool finds_cycle(const Job& start, Marks& marks) {
    // An explicit stack: a chain of needs can be as long as there are jobs.
    struct Step {
      const Job* job;
      std::size_t next = 0;
    };
    std::vector<Step> stack{{&start}};
    marks[start.name].state = 1;
    while (!stack.empty()) {
      Step& top = stack.back();
      const std::size_t count = top.job->needs ? top.job->needs->size() : 0;
      if (top.next == count) {
        marks[top.job->name].state = 2;
        stack.pop_back();
        continue;
      }
      const auto at = marks.find((*top.job->needs)[top.next++].job);
      if (at == marks.end()) continue;
      Mark& mark = at->second;
      if (mark.state == 2) continue;
      if (mark.state == 1) {
        std::vector<std::string> path;
        for (const Step& step : stack)
          if (!path.empty() || step.job == mark.job) path.push_back("\"" + step.job->name + "\"");
        error(mark.job->at,
              path.size() == 1
                  ? "The pipeline has circular dependencies: self-dependency: " + mark.job->name
                  : fmt::format(
                        "The pipeline has circular dependencies: topological sort failed: [{}]",
                        fmt::join(path, ", ")),
              {}, "circular_needs");
        return true;
      }
      mark.state = 1;
      stack.push_back({mark.job});
    }
    return false;
  }

  struct Known {
    int stage = 0;
    const std::vector<Instance>* instances = nullptr;

    // Not parallel: its only instance has its name.
    [[nodiscard]] bool is_single() const { return instances->front().suffix.empty(); }
  };

  std::vector<WrittenJob> written_;
  const std::vector<std::string>& stages_;
  Diagnostics& findings_;
  std::unordered_map<std::string, Known> by_name_;          // as written
  std::unordered_map<std::string, int> stage_of_instance_;  // of parallel jobs
  std::unordered_map<const std::vector<WrittenRule>*, Shared<std::vector<Rule>>> plain_rules_;
};

}  // namespace

std::vector<Job> expand_jobs(std::vector<WrittenJob> written,
                             const std::vector<std::string>& stages, Diagnostics& findings) {
  return Expander{std::move(written), stages, findings}.jobs();
}

}  // namespace slipway::pipeline::keywords
