// Work trees behind the handlers' port: the mirrors and the intake, as they are.
#pragma once

#include "server/git/mirror.h"
#include "server/http/run_routes.h"
#include "server/intake/intake.h"

namespace slipway::server::http {

class RunRoom final : public WorkTreeRuns {
 public:
  RunRoom(Mirrors& mirrors, Intake& intake) : mirrors_(mirrors), intake_(intake) {}
  Result<std::vector<std::string>> known(const ProjectRow& project,
                                         const std::vector<std::string>& commits) override;
  Result<std::filesystem::path> make_file() override;
  Result<void> take(const ProjectRow& project, const std::filesystem::path& bundle,
                    const std::string& sha) override;
  Result<PipelineId> start(const ProjectRow& project, const RunRequest& request) override;

 private:
  Mirrors& mirrors_;
  Intake& intake_;
};

}  // namespace slipway::server::http
