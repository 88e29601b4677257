// Merge requests from forks. What a stranger wrote is planned only once its very commit was
// approved, and never with the trust of a branch.
#include <nlohmann/json.hpp>

#include "base/logging.h"
#include "server/intake/fork_trust.h"
#include "server/intake/intake.h"
#include "server/store/run_refs.h"

namespace slipway::server {
namespace {

constexpr std::size_t kFewestDigits = 7;

bool are_digits_of_commit(std::string_view text) {
  return text.size() >= kFewestDigits && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string name_of(const MergeRequestEvent& event) {
  const std::string from =
      event.fork.repository.empty() ? "a fork that is gone" : "the fork " + event.fork.repository;
  return "merge request " + std::to_string(event.number) + " from " + from;
}

std::string short_sha(const std::string& sha) {
  return sha.substr(0, 8);
}

ForkRequestRow row_of(const MergeRequestEvent& event, const CommitInfo& commit,
                      const DeliveryRow& delivery) {
  ForkRequestRow row;
  row.project_id = delivery.project_id;
  row.number = event.number;
  row.sha = commit.sha;
  row.source_repository = event.fork.repository;
  row.source_branch = event.source_branch;
  row.target_branch = event.target_branch;
  row.title = event.title;
  row.commit_title = commit.message.substr(0, commit.message.find('\n'));
  const ForgePerson& author = event.opener.login.empty() ? event.actor : event.opener;
  row.author = author.login;
  row.author_id = event.opener.id.empty() ? author.id : event.opener.id;
  row.delivery_id = delivery.id;
  return row;
}

// An audit entry of nobody's request: the project's settings have decided.
AuditRow trusted_entry(const ForkRequestRow& row, UnixMillis now) {
  AuditRow entry;
  entry.at = now;
  entry.actor = "system";
  entry.action = "fork_request.trusted";
  entry.object = "fork_request/" + std::to_string(row.id.value);
  entry.result = "ok";
  entry.detail = nlohmann::json{{"sha", row.sha}, {"author", row.author}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  return entry;
}

}  // namespace

// The state of the commit's row, which is made when there is none, and the delivery's verdict in
// the same transaction: whoever decides afterwards has the last word.
Result<ForkRequestRow> Intake::note_fork_request(const ForkRequestRow& fresh, bool trusted,
                                                 const std::string& waits) {
  return coordinator_.write<ForkRequestRow>([&](WriteTransaction& write) -> Result<ForkRequestRow> {
    Stores& stores = write.stores;
    auto known = stores.fork_requests.find(fresh.project_id, fresh.number, fresh.sha);
    ForkRequestRow row = known.value_or(fresh);
    row.delivery_id = fresh.delivery_id;
    stores.fork_requests.end_undecided(fresh.project_id, fresh.number, fresh.sha, "superseded",
                                       "commit " + short_sha(fresh.sha) + " was pushed");
    if (!known) {
      row.created_at = write.now;
      row.id = stores.fork_requests.insert(row);
    }
    if (row.state == "superseded" || row.state == "closed") row.state = "waiting";
    if (row.state == "waiting" && trusted) {
      row.state = "approved";
      row.reason = "its author is trusted by the project's settings";
      row.decided_at = write.now;
      stores.audit.append(trusted_entry(row, write.now));
    } else if (row.state == "waiting") {
      row.reason = waits;
    }
    stores.fork_requests.update(row);
    write.changes.projects.push_back(row.project_id);
    if (row.state == "waiting")
      stores.deliveries.set_verdict(row.delivery_id, "waiting", row.reason, std::nullopt);
    else if (row.state != "approved")
      stores.deliveries.set_verdict(row.delivery_id, "ignored", row.reason, std::nullopt);
    return row;
  });
}

Result<std::string> Intake::fetch_fork(const MergeRequestEvent& event, const ProjectRow& project) {
  const std::int64_t id = project.id.value;
  // What `changes` and the merge base are counted from.
  if (auto fetched = mirrors_.fetch(id, project.repository_url, event.target_branch, {}); !fetched)
    return fetched.error();
  std::string url = project.repository_url;
  if (event.fork.in_fork) {
    auto of_fork = fork_url(url, event.fork.target_repository, event.fork.repository);
    if (!of_fork) return of_fork;
    url = std::move(*of_fork);
  }
  return mirrors_.fetch_head(id, url, event.fork.ref, fork_ref(event.number, event.source_branch));
}

Result<void> Intake::close_fork_request(const MergeRequestEvent& event, const DeliveryRow& delivery,
                                        const ProjectRow& project) {
  const auto closed = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    write.stores.fork_requests.end_undecided(project.id, event.number, "", "closed",
                                             "the merge request was closed");
    write.changes.projects.push_back(project.id);
    write.stores.deliveries.set_verdict(delivery.id, "ignored", name_of(event) + " was closed",
                                        std::nullopt);
    return {};
  });
  if (!closed) return closed;
  // Commits that pipelines were made of are kept under another name.
  static_cast<void>(
      mirrors_.drop_ref(project.id.value, fork_ref(event.number, event.source_branch)));
  return {};
}

// nullopt when the delivery is settled: this commit makes no pipeline now.
Result<std::optional<std::string>> Intake::approved_commit(const MergeRequestEvent& event,
                                                           const DeliveryRow& delivery,
                                                           const ProjectRow& project) {
  using Settled = std::optional<std::string>;
  const auto known =
      database_.read()->fork_requests.find(project.id, event.number, event.sha_digits);
  if (known && known->state == "approved") return Settled{known->sha};
  const auto head = fetch_fork(event, project);
  if (!head) return fail(head.error().kind, "the fork's commit: " + head.error().message);
  if (!head->starts_with(event.sha_digits)) {
    settle(delivery.id, "ignored",
           name_of(event) + " has gone on to commit " + short_sha(*head) +
               ", which another call tells of");
    return Settled{};
  }
  const auto commit = mirrors_.commit(project.id.value, *head);
  if (!commit) return commit.error();
  const bool trusted =
      project.fork_pipelines == "trusted" && are_trusted(project.fork_trusted_authors, event);
  const auto row =
      note_fork_request(row_of(event, *commit, delivery), trusted,
                        name_of(event) + ": commit " + short_sha(*head) + " waits for an approval");
  if (!row) return row.error();
  if (row->state != "approved") return Settled{};
  return Settled{row->sha};
}

Result<void> Intake::process_fork(const MergeRequestEvent& event, const DeliveryRow& delivery,
                                  const ProjectRow& project) {
  if (event.action == MergeRequestEvent::Action::Closed)
    return close_fork_request(event, delivery, project);
  if (project.fork_pipelines == "never") {
    settle(delivery.id, "ignored",
           name_of(event) + ": the project builds none of forks (fork_pipelines)");
    return {};
  }
  if (!are_digits_of_commit(event.sha_digits))
    return fail(ErrorKind::InvalidInput, "the call does not tell the commit of " + name_of(event));
  const auto sha = approved_commit(event, delivery, project);
  if (!sha) return sha.error();
  if (!*sha) return {};
  PlanRequest request = merge_request_plan(event, project);
  request.ref = fork_ref(event.number, event.source_branch);
  request.sha = **sha;
  request.merge_request->source_project_path = event.fork.repository;
  return make_once(event, request, delivery);
}

}  // namespace slipway::server
