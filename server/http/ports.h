// What the handlers need from rooms that they do not know by name, and nothing more.
//
// All are called on workers, several at once; they may block.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pipeline/plan.h"
#include "server/coordinator/coordinator.h"
#include "server/forge/repository_list.h"
#include "server/http/message.h"
#include "server/store/project_store.h"

namespace slipway::server::http {

// What a runner is handed for an assignment: the JSON of pipeline/job_spec.
class JobPayloads {
 public:
  virtual ~JobPayloads() = default;
  // NotFound, with the job's name, when artifacts that the job takes have expired; Unavailable for
  // what this server does not do.
  virtual Result<std::string> payload(const Assignment& assignment) = 0;
};

struct HookVerdict {
  DeliveryId delivery;
  std::string verdict;  // "accepted", "ignored" or "duplicate"
  std::string reason;
};

struct GivenVariable {
  std::string key;
  std::string value;
  bool file = false;  // the variable holds the path of a file with the value
};

struct TriggerRequest {
  std::string ref;
  std::vector<GivenVariable> variables;
  std::vector<std::pair<std::string, std::string>> inputs;  // name and value, this as JSON
  UserId user;
  bool by_page = false;           // by a person in the browser, not by a token
  bool by_trigger_token = false;  // by one that can do nothing else
};

struct LintRequest {
  std::optional<std::string> content;  // nullopt: the project's own file
  std::string file_ref;                // of the commit that files come from; "": the default branch
  std::string ref;                     // of the simulated event; "": the default branch
  bool simulate = false;               // only the jobs that the event would create
  pipeline::Source event = pipeline::Source::Push;  // a merge request's target: the default branch
  UserId user;                                      // who asks; 0: nobody who is known
};

struct LintedJob {
  std::string name;
  std::string stage;
  std::vector<std::string> script;
  std::vector<std::string> after_script;
  std::vector<std::string> tags;
  std::string environment;
  std::string when;
  bool allow_failure = false;
  std::vector<std::string> needs;
};

struct LintVerdict {
  bool valid = false;
  std::vector<FindingRow> findings;
  std::string merged_yaml;  // "" when the file cannot be expanded
  std::vector<LintedJob> jobs;
  std::vector<LeftOutRow> left_out;  // by the simulated event
};

struct PipelineFile {
  std::string path;
  std::string ref;
  std::string sha;  // of the commit that it is read at
  std::string content;
};

class PipelineIntake {
 public:
  virtual ~PipelineIntake() = default;
  // A webhook's delivery with its raw body. Denied when the signature is wrong.
  virtual Result<HookVerdict> receive_hook(const ProjectRow& project, const Headers& headers,
                                           std::string_view body) = 0;
  // Works on a stored delivery, which is set to accepted.
  virtual void take_up(const ProjectRow& project, DeliveryId delivery) = 0;
  // A pipeline by hand; what is wrong with the ref or the file comes as InvalidInput.
  virtual Result<PipelineId> trigger(const ProjectRow& project, const TriggerRequest& request) = 0;
  virtual Result<LintVerdict> lint(const ProjectRow& project, const LintRequest& request) = 0;
  // The project's pipeline file as a branch or tag has it. NotFound without that ref or file.
  virtual Result<PipelineFile> pipeline_file(const ProjectRow& project, const std::string& ref) = 0;
};

struct RepositoryQuery {
  ForgeKind forge = ForgeKind::GitHub;
  std::string api_url;  // "" for the host's own service
  std::string token;
  std::string search;
  int page = 1;
};

// What a project is, outside the database: its mirror and its secrets.
class ProjectSetup {
 public:
  virtual ~ProjectSetup() = default;
  // InvalidInput when git must not fetch from there.
  virtual Result<void> check_repository_url(std::string_view url) = 0;
  virtual std::string seal_webhook_secret(std::string_view secret) = 0;
  // Where its git host is told of pipelines; InvalidInput when that cannot be.
  virtual Result<std::string> forge_api_of(const ProjectRow& project) = 0;
  virtual std::string seal_forge_token(std::string_view token) = 0;
  // What somebody sees on a git host, by a token of theirs.
  virtual Result<RepositoryPage> forge_repositories(const RepositoryQuery& query) = 0;
  // The project is gone: so are its files.
  virtual void removed(ProjectId project) = 0;
};

// git's smart protocol, reading only.
class GitMirrors {
 public:
  virtual ~GitMirrors() = default;
  // What `git upload-pack --advertise-refs` says; `protocol` is the Git-Protocol header.
  virtual Result<std::unique_ptr<BodySource>> advertise(ProjectId project,
                                                        std::string_view protocol) = 0;
  virtual Result<std::unique_ptr<BodySource>> upload_pack(ProjectId project,
                                                          std::string_view protocol,
                                                          std::string request) = 0;
};

struct StaticFile {
  std::string_view bytes;
  std::string_view content_type;
  std::string_view gzip;  // empty when compressing does not pay
  std::string_view etag;  // quoted
};

// The browser application.
class StaticFiles {
 public:
  virtual ~StaticFiles() = default;
  // `path` as in the address: "/assets/index-3f2a.js". The views live as long as the program.
  [[nodiscard]] virtual std::optional<StaticFile> find(std::string_view path) const = 0;
};

}  // namespace slipway::server::http
