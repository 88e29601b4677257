// The whole server below HTTP, real and in a directory of its own, behind the real front; only what
// reaches outside (git, forges) is faked.
#pragma once

#include <future>
#include <nlohmann/json.hpp>

#include "server/auth/accounts.h"
#include "server/blobs/blob_store.h"
#include "server/caches/cache_depot.h"
#include "server/coordinator/coordinator.h"
#include "server/dispatch/dispatch.h"
#include "server/http/event_feed.h"
#include "server/http/ports.h"
#include "server/http/run_routes.h"
#include "server/http/server.h"
#include "server/identity/token_signer.h"
#include "server/login/remote_login.h"
#include "server/trace/trace_store.h"
#include "server/variables/vault.h"
#include "tests/server/http/raw_client.h"
#include "tests/server/store/test_place.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace slipway::test {

// Answers what it is told and keeps what it was asked.
class FakeOutside final : public server::http::JobPayloads,
                          public server::http::PipelineIntake,
                          public server::http::ProjectSetup,
                          public server::http::GitMirrors,
                          public server::http::WorkTreeRuns,
                          public server::http::StaticFiles {
 public:
  Result<std::string> payload(const server::Assignment& assignment) override;
  Result<server::http::HookVerdict> receive_hook(const server::ProjectRow& project,
                                                 const server::http::Headers& headers,
                                                 std::string_view body) override;
  void take_up(const server::ProjectRow& project, server::DeliveryId delivery) override;
  Result<server::PipelineId> trigger(const server::ProjectRow& project,
                                     const server::http::TriggerRequest& request) override;
  Result<server::http::LintVerdict> lint(const server::ProjectRow& project,
                                         const server::http::LintRequest& request) override;
  Result<server::http::PipelineFile> pipeline_file(const server::ProjectRow& project,
                                                   const std::string& ref) override;
  Result<void> check_repository_url(std::string_view url) override;
  std::string seal_webhook_secret(std::string_view secret) override;
  Result<std::string> forge_api_of(const server::ProjectRow& project) override;
  std::string seal_forge_token(std::string_view token) override;
  Result<server::RepositoryPage> forge_repositories(
      const server::http::RepositoryQuery& query) override;
  void removed(server::ProjectId project) override;
  Result<std::unique_ptr<server::http::BodySource>> advertise(server::ProjectId project,
                                                              std::string_view protocol) override;
  Result<std::unique_ptr<server::http::BodySource>> upload_pack(server::ProjectId project,
                                                                std::string_view protocol,
                                                                std::string request) override;
  Result<std::vector<std::string>> known(const server::ProjectRow& project,
                                         const std::vector<std::string>& commits) override;
  Result<std::filesystem::path> make_file() override;
  Result<void> take(const server::ProjectRow& project, const std::filesystem::path& bundle,
                    const std::string& sha) override;
  Result<server::PipelineId> start(const server::ProjectRow& project,
                                   const server::http::RunRequest& request) override;
  [[nodiscard]] std::optional<server::http::StaticFile> find(std::string_view path) const override;

  bool payload_fails = false;
  std::function<Result<server::PipelineId>(const server::ProjectRow&)> on_trigger;
  std::vector<std::string> asked;
  TempDirectory uploads;
};

struct Answer {
  int status = 0;
  nlohmann::json body;
  RawResponse raw;
};

class ApiFixture {
 public:
  explicit ApiFixture(std::chrono::milliseconds poll_hold = std::chrono::seconds{20});
  // With a site to log in through; by default one that does not answer.
  explicit ApiFixture(server::login::Provider site,
                      std::chrono::milliseconds poll_hold = std::chrono::seconds{20});
  ~ApiFixture();

  // One request with the administrator's token, or with `headers` of its own.
  Answer call(std::string_view method, const std::string& target, const nlohmann::json& body = {});
  Answer call_with(const std::string& headers, std::string_view method, const std::string& target,
                   const nlohmann::json& body = {});
  RawClient connect() { return RawClient{http->port()}; }

  server::ProjectId make_project(const std::string& path = "group/name",
                                 const std::string& visibility = "private");
  // One pipeline of the jobs "build" and, after it, "test", or of another file.
  server::PipelineId make_pipeline(server::ProjectId project, std::string_view file = {},
                                   const std::string& sha = std::string(40, '0'));
  // The same, of a merge request from a fork.
  server::PipelineId make_fork_pipeline(server::ProjectId project, std::string_view file,
                                        std::int64_t number);
  // The same, of a protected ref.
  server::PipelineId make_protected_pipeline(server::ProjectId project, std::string_view file);
  // A person with a password, "password of NAME"; answers a personal token of scope api.
  std::string make_user(const std::string& name);
  // `place` is like "projects/1" or "groups/team".
  void make_member(const std::string& place, const std::string& user, server::Level level);
  std::string make_runner();  // its token
  struct TakenJob {
    std::int64_t id = 0;
    std::string token;

    [[nodiscard]] std::string header() const { return "JOB-TOKEN: " + token + "\r\n"; }
    [[nodiscard]] std::string path() const { return "/api/v4/jobs/" + std::to_string(id); }
  };
  TakenJob take_job(const std::string& runner_token);
  RawResponse patch_trace(const TakenJob& job, long long offset, const std::string& text);

  TempDirectory directory;
  TestPlace at{directory / "slipway.db"};
  SystemClock clock;
  FakeOutside outside;
  std::unique_ptr<server::Database> database;
  Keyring keys = Keyring::make();
  std::unique_ptr<server::VariableVault> vault;
  const server::TokenSigner& signer;
  std::unique_ptr<server::Coordinator> coordinator;
  std::unique_ptr<server::Dispatch> dispatch;
  std::unique_ptr<server::TraceStore> traces;
  std::unique_ptr<server::BlobStore> blobs;
  std::unique_ptr<server::CacheDepot> caches;
  std::unique_ptr<server::http::EventFeed> feed;
  std::unique_ptr<server::auth::Writer> writer;
  std::unique_ptr<server::auth::Accounts> accounts;
  std::unique_ptr<server::login::RemoteLogin> logins;
  server::telemetry::Metrics metrics{"1.0", "test"};
  std::unique_ptr<server::http::HttpServices> services;
  std::unique_ptr<server::http::HttpServer> http;
  std::string admin;    // a personal token
  std::string session;  // a cookie
  std::string csrf;

 private:
  server::PipelineId create_pipeline(server::ProjectId project, std::string_view file,
                                     const std::string& sha, bool ref_protected,
                                     const std::string& ref = "main");
};

}  // namespace slipway::test
