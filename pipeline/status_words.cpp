// The words of the life cycle, and what each status means for those who only look at it.
#include <array>

#include "pipeline/lifecycle.h"

namespace slipway::pipeline {
namespace {

using enum Status;

constexpr std::array kStatuses{Created, WaitingForResource, Preparing, Pending, Running, Success,
                               Failed,  Canceling,          Canceled,  Skipped, Manual,  Scheduled};
constexpr std::array kEvents{
    EventKind::Begin,         EventKind::Start,          EventKind::Succeed,
    EventKind::Fail,          EventKind::LoseRunner,     EventKind::Requeue,
    EventKind::CancelJob,     EventKind::CancelPipeline, EventKind::ForceCancel,
    EventKind::Supersede,     EventKind::Play,           EventKind::RetryJob,
    EventKind::RetryPipeline, EventKind::ElapseDelay,    EventKind::GrantResource,
    EventKind::Triggered,     EventKind::DownstreamIs,   EventKind::DownstreamResumes};

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Created: return "created";
    case WaitingForResource: return "waiting_for_resource";
    case Preparing: return "preparing";
    case Pending: return "pending";
    case Running: return "running";
    case Success: return "success";
    case Failed: return "failed";
    case Canceling: return "canceling";
    case Canceled: return "canceled";
    case Skipped: return "skipped";
    case Manual: return "manual";
    case Scheduled: return "scheduled";
  }
  return "created";
}

Result<Status> parse_status(std::string_view text) {
  for (const Status status : kStatuses)
    if (to_string(status) == text) return status;
  return fail(ErrorKind::InvalidInput, "'" + std::string{text} + "' is no status");
}

std::span<const Status> all_statuses() {
  return kStatuses;
}

bool is_final(Status status) {
  return status == Success || status == Failed || status == Canceled || status == Skipped;
}

bool is_active(Status status) {
  return status == WaitingForResource || status == Preparing || status == Pending ||
         status == Running || status == Canceling;
}

bool is_cancelable(Status status) {
  return !is_final(status) && status != Canceling;
}

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::Begin: return "begin";
    case EventKind::Start: return "start";
    case EventKind::Succeed: return "succeed";
    case EventKind::Fail: return "fail";
    case EventKind::LoseRunner: return "lose the runner of";
    case EventKind::Requeue: return "requeue";
    case EventKind::CancelJob: return "cancel";
    case EventKind::CancelPipeline: return "cancel the pipeline of";
    case EventKind::ForceCancel: return "force the cancellation of";
    case EventKind::Supersede: return "supersede the pipeline of";
    case EventKind::Play: return "play";
    case EventKind::RetryJob: return "retry";
    case EventKind::RetryPipeline: return "retry the pipeline of";
    case EventKind::ElapseDelay: return "end the delay of";
    case EventKind::GrantResource: return "grant its resource group to";
    case EventKind::Triggered: return "note the downstream pipeline of";
    case EventKind::DownstreamIs: return "pass the downstream status on to";
    case EventKind::DownstreamResumes: return "resume";
  }
  return "begin";
}

std::span<const EventKind> all_event_kinds() {
  return kEvents;
}

std::string_view to_string(OnNewCommit choice) {
  switch (choice) {
    case OnNewCommit::Conservative: return "conservative";
    case OnNewCommit::Interruptible: return "interruptible";
    case OnNewCommit::None: return "none";
  }
  return "conservative";
}

Result<OnNewCommit> parse_on_new_commit(std::string_view text) {
  for (const OnNewCommit choice :
       {OnNewCommit::Conservative, OnNewCommit::Interruptible, OnNewCommit::None})
    if (to_string(choice) == text) return choice;
  return fail(ErrorKind::InvalidInput, "'" + std::string{text} + "' is no word of on_new_commit");
}

}  // namespace slipway::pipeline
