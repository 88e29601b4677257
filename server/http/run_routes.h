// `slipway run --server`: which commits of a work tree are known here already, the rest of them as
// a git bundle, and the pipeline of one.
#pragma once

#include <filesystem>

#include "base/clock.h"
#include "server/http/given_variables.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

struct RunRequest {
  std::string sha;
  std::string branch;  // that the work tree was on
  std::string before;  // what `changes` compares with; "" when that is not known
  std::vector<GivenVariable> variables;
  std::vector<std::pair<std::string, std::string>> inputs;
  UserId user;
};

// What the handlers need of git and intake. Called on workers; may block.
class WorkTreeRuns {
 public:
  virtual ~WorkTreeRuns() = default;
  virtual Result<std::vector<std::string>> known(const ProjectRow& project,
                                                 const std::vector<std::string>& commits) = 0;
  // Where an upload may be written; take() removes it.
  virtual Result<std::filesystem::path> make_file() = 0;
  virtual Result<void> take(const ProjectRow& project, const std::filesystem::path& bundle,
                            const std::string& sha) = 0;
  virtual Result<PipelineId> start(const ProjectRow& project, const RunRequest& request) = 0;
};

class RunRoutes {
 public:
  RunRoutes(Database& database, WorkTreeRuns& runs, const Clock& clock, std::string external_url)
      : database_(database), runs_(runs), clock_(clock), url_(std::move(external_url)) {}

  Result<Response> known(const Call& call);
  Reception upload(const SharedCall& call);
  Result<Response> create(const Call& call);

 private:
  Database& database_;
  WorkTreeRuns& runs_;
  const Clock& clock_;
  std::string url_;
};

}  // namespace slipway::server::http
