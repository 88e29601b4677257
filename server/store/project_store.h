// Projects: a repository somewhere, and how its pipelines are to be run.
//
// As all repositories: a view on one session, used by that session's thread only. Reading never
// fails but by StoreFailure (broken disk or schema); changes are made inside a transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

// What the sealed fields of a project are bound to.
inline constexpr std::string_view kWebhookSecretContext = "project webhook secret";
inline constexpr std::string_view kForgeTokenContext = "project forge token";

struct ProjectRow {
  ProjectId id;
  std::string path;            // "group/name"; compared without regard to case
  std::string repository_url;  // where the mirror fetches from; credentials stand in settings
  std::string default_branch = "main";
  std::string visibility = "private";  // "internal": whoever is signed in; or "public"
  std::string ci_config_path = ".gitlab-ci.yml";
  bool public_jobs = true;     // logs and artifacts are read by whoever sees the project
  std::string webhook_secret;  // sealed
  std::string forge;           // the git host that is told of pipelines: "github", …; "" for none
  std::string forge_api_url;   // "" for the one that follows from the repository's address
  std::string forge_token;     // sealed; "" for none
  bool keep_latest_artifact = true;  // see ArtifactStore::is_kept()
  // Merge requests from forks: "never" built, "approval" for each commit, or "trusted": those of
  // the authors below without one.
  std::string fork_pipelines = "approval";
  std::vector<std::string> fork_trusted_authors;  // logins on the git host, or "id:" and its number
  int fork_approval_level = 40;                   // the least Level that approves: 30 or 40
  // Jobs of other projects reach it only when they are allowed by name (JobTokenStore).
  bool job_token_limited = true;
  int poll_interval = 0;  // seconds between two looks at its branches and tags; 0: webhooks tell
  // New findings of at least this severity fail the gate of a pipeline: "critical", "high",
  // "medium" or "low"; "off" for no gate.
  std::string findings_gate = "off";
  UnixMillis created_at = 0;
};

// For whom projects are listed. The default sees all.
struct ProjectViewer {
  bool everything = true;
  bool internal = false;  // sees those for everybody who is signed in
  UserId user;
  int least_level = 0;  // more than 0: only those where the user is a member with that
  UnixMillis now = 0;
};

class ProjectStore {
 public:
  explicit ProjectStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<ProjectRow> find(ProjectId id) const;
  [[nodiscard]] std::optional<ProjectRow> find_by_path(std::string_view path) const;
  // By path; `search` is a part of the path, "" for all. Visibility "" means any.
  // `last_status` is that of the default branch's newest pipeline, "" for any.
  [[nodiscard]] Page<ProjectRow> list(std::string_view search, std::string_view visibility,
                                      PageRequest page, std::string_view last_status = "",
                                      const ProjectViewer& viewer = {}) const;

  // Its default branch is protected from the start. A path that is taken is StoreFailure with
  // ErrorKind::Conflict.
  ProjectId insert(const ProjectRow& row);
  void update(const ProjectRow& row);
  // Takes everything of the project with it; files are the caller's business.
  void remove(ProjectId id);

 private:
  Session& session_;
};

}  // namespace slipway::server
