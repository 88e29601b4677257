// Projects: list, make, show, change, remove; their coverage and lint.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/clock.h"
#include "server/coordinator/coordinator.h"
#include "server/http/ports.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class ProjectRoutes {
 public:
  ProjectRoutes(Database& database, Coordinator& coordinator, ProjectSetup& setup,
                PipelineIntake& intake, const Clock& clock, std::string external_url);

  Result<Response> list(const Call& call);
  Result<Response> create(const Call& call);
  // Repositories of a git host that projects could be made of.
  Result<Response> forge_repositories(const Call& call);
  Result<Response> show(const Call& call);
  Result<Response> update(const Call& call);
  Result<Response> remove(const Call& call);
  Result<Response> coverage(const Call& call);
  Result<Response> lint(const Call& call);  // of a text
  Result<Response> pipeline_file(const Call& call);
  Result<Response> lint_of_project(const Call& call);  // of the project's own file

 private:
  Response view(const ProjectRow& row, int status);
  Result<Response> lint_response(const Call& call, LintRequest request, bool with_jobs);
  // Takes over what the body gives and checks it.
  Result<void> read_fields(const nlohmann::json& body, ProjectRow& row);
  Result<void> read_forge(const ProjectRow& before, const std::optional<std::string>& token,
                          ProjectRow& row);

  Database& database_;
  Coordinator& coordinator_;
  ProjectSetup& setup_;
  PipelineIntake& intake_;
  const Clock& clock_;
  std::string url_;
};

// A group and a name, or more: what may stand in an address and in a file system.
Result<void> check_project_path(std::string_view path);

}  // namespace slipway::server::http
