// The rooms behind the handlers' ports: git mirrors, intake and payloads, as they are.
#pragma once

#include <functional>

#include "server/blobs/blob_store.h"
#include "server/caches/cache_depot.h"
#include "server/git/mirror.h"
#include "server/http/ports.h"
#include "server/intake/intake.h"
#include "server/intake/job_payload.h"
#include "server/outbox/forge_status.h"

namespace slipway::server::http {

class PayloadRoom final : public JobPayloads {
 public:
  explicit PayloadRoom(const JobPayload& payload) : payload_(payload) {}
  Result<std::string> payload(const Assignment& assignment) override;

 private:
  const JobPayload& payload_;
};

class IntakeRoom final : public PipelineIntake {
 public:
  explicit IntakeRoom(Intake& intake) : intake_(intake) {}
  Result<HookVerdict> receive_hook(const ProjectRow& project, const Headers& headers,
                                   std::string_view body) override;
  void take_up(const ProjectRow& project, DeliveryId delivery) override;
  Result<PipelineId> trigger(const ProjectRow& project, const TriggerRequest& request) override;
  Result<LintVerdict> lint(const ProjectRow& project, const LintRequest& request) override;
  Result<PipelineFile> pipeline_file(const ProjectRow& project, const std::string& ref) override;

 private:
  Intake& intake_;
};

class ProjectRoom final : public ProjectSetup {
 public:
  ProjectRoom(Mirrors& mirrors, CacheDepot& caches, const Intake& intake,
              const ForgeStatusTarget& forge, LocalRepositories local)
      : mirrors_(mirrors), caches_(caches), intake_(intake), forge_(forge), local_(local) {}
  Result<void> check_repository_url(std::string_view url) override;
  std::string seal_webhook_secret(std::string_view secret) override;
  Result<std::string> forge_api_of(const ProjectRow& project) override;
  std::string seal_forge_token(std::string_view token) override;
  Result<RepositoryPage> forge_repositories(const RepositoryQuery& query) override;
  void removed(ProjectId project) override;

 private:
  Mirrors& mirrors_;
  CacheDepot& caches_;
  const Intake& intake_;
  const ForgeStatusTarget& forge_;
  LocalRepositories local_;
};

class GitRoom final : public GitMirrors {
 public:
  GitRoom(const Mirrors& mirrors, Database& database) : mirrors_(mirrors), database_(database) {}
  Result<std::unique_ptr<BodySource>> advertise(ProjectId project,
                                                std::string_view protocol) override;
  Result<std::unique_ptr<BodySource>> upload_pack(ProjectId project, std::string_view protocol,
                                                  std::string request) override;

 private:
  const Mirrors& mirrors_;
  Database& database_;
};

}  // namespace slipway::server::http
