// A planned pipeline led through events, told in a line: "b fails 3; a succeeds; c is played".

#include <spdlog/fmt/fmt.h>

#include <sstream>
#include <stdexcept>

#include "pipeline/job_payload.h"
#include "pipeline/lifecycle.h"
#include "tests/pipeline/golden/case_file.h"

namespace slipway::pipeline::golden {
namespace {

class Story {
 public:
  explicit Story(const Plan& plan) {
    for (const PlannedJob& planned : plan.jobs) {
      state_.jobs.push_back(job_node(planned));
      state_.jobs.back().id = ++last_id_;
    }
    state_.cancel_on_failure = plan.auto_cancel_on_job_failure == "all";
    happen({EventKind::Begin});
  }

  // "a succeeds", "a fails 3", "a fails runner_system_failure", "cancel", …
  void tell(const std::string& step) {
    std::istringstream words{step};
    std::string name;
    std::string verb;
    std::string detail;
    words >> name >> verb >> detail;
    if (verb == "is") std::swap(verb, detail);
    Event event;
    if (name == "cancel") {
      event.kind = EventKind::CancelPipeline;
    } else {
      event.kind = kind_of(verb);
      event.job = newest(name).id;
      if (ends(event.kind) && newest(name).status == Status::Pending)
        happen({EventKind::Start, event.job});
    }
    if (event.kind == EventKind::Fail) {
      event.failure_reason = "script_failure";
      event.exit_code = 1;
      if (!detail.empty() && detail.find_first_not_of("0123456789") == std::string::npos)
        event.exit_code = std::stoi(detail);
      else if (!detail.empty())
        event.failure_reason = detail;
    }
    happen(event);
  }

  [[nodiscard]] std::string end() const {
    std::string text = refused_;
    for (const JobNode& job : state_.jobs)
      if (!job.retried) text += fmt::format("{} {}\n", job.name, to_string(job.status));
    const CompositeStatus whole = pipeline_status(state_);
    return text +
           fmt::format("pipeline {}{}\n", to_string(whole.status),
                       whole.status == Status::Success && whole.warnings ? " with warnings" : "");
  }

 private:
  static EventKind kind_of(const std::string& verb) {
    const std::map<std::string, EventKind> verbs{
        {"starts", EventKind::Start},       {"succeeds", EventKind::Succeed},
        {"fails", EventKind::Fail},         {"played", EventKind::Play},
        {"canceled", EventKind::CancelJob}, {"retried", EventKind::RetryJob},
        {"due", EventKind::ElapseDelay},    {"lost", EventKind::LoseRunner},
        {"cut", EventKind::ForceCancel},    {"requeued", EventKind::Requeue}};
    const auto at = verbs.find(verb);
    if (at == verbs.end()) throw std::invalid_argument("unknown verb " + verb);
    return at->second;
  }
  static bool ends(EventKind kind) { return kind == EventKind::Succeed || kind == EventKind::Fail; }

  const JobNode& newest(const std::string& name) const {
    for (const JobNode& job : state_.jobs)
      if (job.name == name && !job.retried) return job;
    throw std::invalid_argument("no job " + name);
  }

  void happen(const Event& event) {
    const auto transitions = apply(state_, event);
    if (!transitions) {
      refused_ += "refused: " + transitions.error().message + "\n";
      return;
    }
    for (const Transition& transition : *transitions)
      if (transition.job < 0 && transition.retry_of != 0)
        renumber(state_, transition.job, ++last_id_);
  }

  PipelineState state_;
  std::int64_t last_id_ = 0;
  std::string refused_;
};

}  // namespace

std::string story_of(const Plan& plan, const std::string& steps) {
  Story story{plan};
  std::istringstream in{steps};
  for (std::string step; std::getline(in, step, ';');) story.tell(step);
  return story.end();
}

}  // namespace slipway::pipeline::golden
