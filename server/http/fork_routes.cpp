#include "server/http/fork_routes.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

const std::vector<std::string> kStates{"waiting", "approved", "rejected", "superseded", "closed"};

json view(Stores& stores, const ForkRequestRow& row) {
  const auto delivery = stores.deliveries.find(row.delivery_id);
  const bool has_pipeline = row.state == "approved" && delivery && delivery->pipeline_id;
  return {{"id", row.id.value},
          {"iid", row.number},
          {"sha", row.sha},
          {"title", row.title},
          {"commit_title", row.commit_title},
          {"source_project", row.source_repository},
          {"source_branch", row.source_branch},
          {"target_branch", row.target_branch},
          {"author", row.author},
          {"state", row.state},
          {"reason", row.reason},
          {"decided_by", row.decided_by.empty() ? json(nullptr) : json(row.decided_by)},
          {"decided_at", time_or_null(row.decided_at)},
          {"created_at", to_rfc3339(row.created_at)},
          {"pipeline_id", has_pipeline ? json(delivery->pipeline_id->value) : json(nullptr)}};
}

Result<ForkRequestRow> request_of(Stores& stores, const Call& call) {
  const auto id = path_number(call.request, "request_id");
  if (!id) return not_found("Fork Request");
  auto row = stores.fork_requests.find(ForkRequestId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Fork Request");
  return *row;
}

bool same_name(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

// By name, or by the account of the git host that the user logs in with. A name may be another
// person's there; somebody else approves then.
bool is_own(Stores& stores, const Call& call, const ForkRequestRow& row) {
  if (!row.author.empty() && same_name(row.author, call.principal.username)) return true;
  if (row.author_id.empty()) return false;
  const auto identities = stores.identities.of_user(call.principal.user);
  return std::any_of(identities.begin(), identities.end(), [&](const IdentityRow& identity) {
    const auto host = identity.issuer.find("://");
    const std::string name =
        host == std::string::npos ? identity.issuer : identity.issuer.substr(host + 3);
    return identity.subject == row.author_id &&
           call.project->repository_url.find(name.substr(0, name.find('/'))) != std::string::npos;
  });
}

Result<void> check_may_decide(Stores& stores, const Call& call, const ForkRequestRow& row,
                              bool approves) {
  if (static_cast<int>(call.level) < call.project->fork_approval_level)
    return fail(ErrorKind::Denied, "only maintainers of this project decide on forks")
        .with_hint("fork_approval_level 30 lets developers decide");
  if (approves && is_own(stores, call, row))
    return fail(ErrorKind::Denied, "nobody approves a merge request of their own");
  return {};
}

}  // namespace

Result<Response> ForkRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto state = query_word(call.request, "state", kStates);
  if (!state) return state.error();
  auto read = database_.read();
  const auto rows = read->fork_requests.list(call.project->id, *state, *page);
  auto items = json::array();
  for (const ForkRequestRow& row : rows.rows) items.push_back(view(*read, row));
  return list_response(items, *page, rows.total);
}

Result<Response> ForkRoutes::show(const Call& call) {
  auto read = database_.read();
  const auto row = request_of(*read, call);
  if (!row) return row.error();
  return json_response(200, view(*read, *row));
}

Result<Response> ForkRoutes::approve(const Call& call) {
  return decide(call, Decision::Approve);
}

Result<Response> ForkRoutes::reject(const Call& call) {
  return decide(call, Decision::Reject);
}

Result<Response> ForkRoutes::decide(const Call& call, Decision decision) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto sha = fields.needed_text("sha");
  if (fields.error()) return *fields.error();
  const bool approves = decision == Decision::Approve;
  const auto decided =
      coordinator_.write<ForkRequestRow>([&](WriteTransaction& write) -> Result<ForkRequestRow> {
        auto row = request_of(write.stores, call);
        if (!row) return row;
        if (auto may = check_may_decide(write.stores, call, *row, approves); !may)
          return may.error();
        const bool open = row->state == "waiting" || (approves && row->state == "rejected");
        if (!open) return fail(ErrorKind::Conflict, "the request is " + row->state + " already");
        if (row->sha != sha)
          return fail(ErrorKind::Conflict, "commit " + sha + " is not the one that waits")
              .with_hint("what waits is commit " + row->sha);
        row->state = approves ? "approved" : "rejected";
        row->reason = row->state + " by " + call.principal.username;
        row->decided_by = call.principal.username;
        row->decided_at = write.now;
        write.stores.fork_requests.update(*row);
        // The delivery makes the pipeline, also after a restart.
        if (approves)
          write.stores.deliveries.begin_again(row->delivery_id);
        else
          write.stores.deliveries.set_verdict(row->delivery_id, "ignored", row->reason,
                                              std::nullopt);
        write.changes.projects.push_back(row->project_id);
        auth::audit(write.stores, write.now,
                    {call.principal.name(), "fork_request." + row->state,
                     "fork_request/" + std::to_string(row->id.value) + " commit " + row->sha, false,
                     call.request.remote});
        return row;
      });
  if (!decided) {
    if (decided.error().kind == ErrorKind::Denied)
      note_audit(coordinator_, {call.principal.name(),
                                approves ? "fork_request.approved" : "fork_request.rejected",
                                "fork_request/" + std::string{call.request.param("request_id")},
                                true, call.request.remote});
    return decided.error();
  }
  if (approves) intake_.take_up(*call.project, decided->delivery_id);
  return json_response(approves ? 202 : 200, view(*database_.read(), *decided));
}

}  // namespace slipway::server::http
