#include "tests/server/http/api_fixture.h"

#include "pipeline/configuration.h"
#include "pipeline/plan.h"
#include "server/store/run_refs.h"
#include "server/auth/sessions.h"
#include "server/blobs/blob_store.h"
#include "server/http/coordinator_writer.h"

namespace slipway::test {

using nlohmann::json;
using namespace server;
using namespace server::http;

namespace {

constexpr const char* kPipelineFile =
    "stages: [build, test]\n"
    "build: {stage: build, script: [make]}\n"
    "test: {stage: test, script: [make test], coverage: '/Coverage: (\\d+\\.\\d+)/'}\n";

class NoIncludes final : public pipeline::IncludeSource {
 public:
  Result<std::string> local_file(const std::string&) override {
    return fail(ErrorKind::NotFound, "no file");
  }
  Result<std::vector<std::string>> local_paths() override { return std::vector<std::string>{}; }
};

// One for all fixtures: making its key takes longer than most tests.
const TokenSigner& shared_signer() {
  static const TokenSigner signer = [] {
    const TempDirectory directory;
    const auto database =
        std::move(Database::open(DatabasePlace::at_file(directory / "slipway.db")).value());
    const Keyring keys = Keyring::make();
    auto made = TokenSigner::open(*database, keys).value();
    REQUIRE(made.make_first_key(keys, [](const std::string&) { return Result<void>{}; }));
    return made;
  }();
  return signer;
}

class Text final : public BodySource {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  Piece next() override { return {text_, State::End}; }

 private:
  std::string text_;
};

}  // namespace

Result<std::string> FakeOutside::payload(const Assignment& assignment) {
  if (payload_fails) return fail(ErrorKind::Internal, "the plan cannot be read");
  return json{{"id", assignment.job.id.value},
              {"token", assignment.token},
              {"job_info", {{"name", assignment.job.name}, {"stage", assignment.job.stage}}},
              {"git_info", json::object()},
              {"runner_info", {{"timeout", 3600}}},
              {"variables", json::array()},
              {"steps", json::array()}}
      .dump();
}

Result<HookVerdict> FakeOutside::receive_hook(const ProjectRow& project, const Headers& headers,
                                              std::string_view body) {
  asked.push_back("hook " + project.path + " " + std::string{body});
  if (headers.get("x-hub-signature-256") != "good")
    return fail(ErrorKind::Unauthenticated, "the signature is wrong");
  return HookVerdict{DeliveryId{7}, "accepted", ""};
}

void FakeOutside::take_up(const ProjectRow& project, DeliveryId delivery) {
  asked.push_back("take up " + project.path + " " + std::to_string(delivery.value));
}

Result<PipelineId> FakeOutside::trigger(const ProjectRow& project, const TriggerRequest& request) {
  std::string inputs;
  for (const auto& [name, value] : request.inputs)
    inputs += (inputs.empty() ? " with " : " ") + name + "=" + value;
  std::string variables;
  for (const GivenVariable& given : request.variables)
    variables += " " + given.key + "=" + given.value;
  asked.push_back("trigger " + request.ref + (request.by_trigger_token ? " by token" : "") +
                  variables + inputs);
  if (request.ref != "main")
    return fail(ErrorKind::InvalidInput, "there is no ref '" + request.ref + "'");
  return on_trigger(project);
}

Result<LintVerdict> FakeOutside::lint(const ProjectRow&, const LintRequest& request) {
  asked.push_back("lint " + request.content.value_or("the file of " + request.file_ref) +
                  (request.simulate ? ", simulated for " + request.ref : "") +
                  (request.event == pipeline::Source::Push
                       ? ""
                       : " by " + std::string{pipeline::to_string(request.event)}));
  if (!request.content)
    return LintVerdict{true,
                       {},
                       "a:\n  script: x\n",
                       {{"a", "test", {"x"}, {}, {}, {}, "manual", true, {"b"}}},
                       {{"b", "test", "left_out_by_rule", "its rules", ".gitlab-ci.yml", 7}}};
  return LintVerdict{
      false,
      {{"error", "unknown_keyword", "unknown key: scirpt", ".gitlab-ci.yml", 2, 3, "script"}},
      {},
      {},
      {}};
}

Result<PipelineFile> FakeOutside::pipeline_file(const ProjectRow& project, const std::string& ref) {
  if (ref == "gone") return fail(ErrorKind::NotFound, "there is no branch or tag 'gone'");
  return PipelineFile{project.ci_config_path, ref.empty() ? project.default_branch : ref,
                      std::string(40, 'a'), "a: {script: x}\n"};
}

Result<void> FakeOutside::check_repository_url(std::string_view url) {
  if (url.starts_with("https://")) return {};
  return fail(ErrorKind::InvalidInput, "field 'url' must begin with https://");
}

std::string FakeOutside::seal_webhook_secret(std::string_view secret) {
  return "sealed " + std::string{secret};
}

Result<std::string> FakeOutside::forge_api_of(const ProjectRow& project) {
  if (project.forge != "gitlab") return fail(ErrorKind::InvalidInput, "no such git host");
  return project.forge_api_url.empty() ? "https://git.test" : project.forge_api_url;
}

std::string FakeOutside::seal_forge_token(std::string_view token) {
  return "sealed " + std::string{token};
}

Result<RepositoryPage> FakeOutside::forge_repositories(const RepositoryQuery& query) {
  asked.push_back("list " + std::string{to_string(query.forge)} + " " + query.token + " page " +
                  std::to_string(query.page));
  if (query.token == "wrong")
    return fail(ErrorKind::Denied, "the git host does not take the token");
  return RepositoryPage{{{"team/app", "https://git.test/team/app.git", "main", true},
                         {"team/Library", "https://git.test/team/Library.git", "trunk", false}},
                        true};
}

void FakeOutside::removed(ProjectId project) {
  asked.push_back("removed " + std::to_string(project.value));
}

Result<std::unique_ptr<BodySource>> FakeOutside::advertise(ProjectId, std::string_view protocol) {
  return std::unique_ptr<BodySource>{std::make_unique<Text>("refs " + std::string{protocol})};
}

Result<std::unique_ptr<BodySource>> FakeOutside::upload_pack(ProjectId, std::string_view,
                                                             std::string request) {
  return std::unique_ptr<BodySource>{std::make_unique<Text>("pack for " + request)};
}

Result<std::vector<std::string>> FakeOutside::known(const ProjectRow&,
                                                    const std::vector<std::string>& commits) {
  return std::vector<std::string>{commits.back()};
}

Result<std::filesystem::path> FakeOutside::make_file() {
  return uploads / "bundle";
}

Result<void> FakeOutside::take(const ProjectRow&, const std::filesystem::path& bundle,
                               const std::string& sha) {
  asked.push_back("take " + sha.substr(0, 4) + " " + read_file(bundle).value());
  if (asked.back().ends_with("broken")) return fail(ErrorKind::InvalidInput, "it is no bundle");
  return {};
}

Result<PipelineId> FakeOutside::start(const ProjectRow& project, const RunRequest& request) {
  asked.push_back("run " + request.sha.substr(0, 4) + " on " + request.branch + " since " +
                  request.before.substr(0, 4) + " " + std::to_string(request.variables.size()) +
                  " " + std::to_string(request.inputs.size()));
  return on_trigger(project);
}

std::optional<StaticFile> FakeOutside::find(std::string_view path) const {
  if (path == "/index.html") return StaticFile{"<html>app", "text/html", "", "\"i\""};
  if (path == "/assets/a.js") return StaticFile{"code", "text/javascript", "zipped", "\"j\""};
  return std::nullopt;
}

ApiFixture::ApiFixture(std::chrono::milliseconds poll_hold)
    : ApiFixture({"site", "Site", login::ProviderKind::Oidc, "http://127.0.0.1:9", "", "slipway",
                  "s3cret", false},
                 poll_hold) {}

ApiFixture::ApiFixture(login::Provider site, std::chrono::milliseconds poll_hold)
    : database(std::move(Database::open(at.place()).value())),
      vault(std::make_unique<VariableVault>(*database, keys)),
      signer(shared_signer()),
      coordinator(std::make_unique<Coordinator>(*database, clock)),
      dispatch(std::make_unique<Dispatch>(*coordinator)),
      traces(std::move(TraceStore::open(directory / "traces", {1 << 20}).value())),
      blobs(std::make_unique<BlobStore>(BlobStore::open(directory / "blobs").value())),
      caches(std::move(CacheDepot::open(directory / "caches", {8 << 20, 0}).value())),
      feed(std::make_unique<EventFeed>(*database, clock, "http://ci.test")),
      writer(std::make_unique<CoordinatorWriter>(*coordinator)),
      accounts(std::make_unique<auth::Accounts>(*database, *writer, clock, directory.path())),
      logins(std::make_unique<login::RemoteLogin>(
          *writer, clock, std::vector<login::Provider>{std::move(site)}, "http://ci.test")) {
  coordinator->observe(*feed);
  coordinator->start();
  services = std::make_unique<HttpServices>(HttpServices{
      clock, *database, *coordinator, *dispatch, *traces, *blobs, *caches, *feed, *accounts,
      *logins, outside, outside, outside, outside, outside, *vault, signer, outside, metrics});
  HttpOptions options;
  options.external_url = "http://ci.test";
  options.poll_hold = poll_hold;
  options.artifact_limit = 1 << 20;
  options.build = {"1.0", "test"};
  auto started = HttpServer::start(options, *services);
  REQUIRE(started);
  http = std::move(*started);
  outside.on_trigger = [this](const ProjectRow& project) { return make_pipeline(project.id); };

  const auto file = accounts->prepare_setup();
  REQUIRE(file);
  auto token = read_file(*file).value();
  token.pop_back();
  const auto made = accounts->setup(token, {"ann", "correct horse"}, {});
  REQUIRE(made);
  admin = made->personal_token;
  session = made->session;
  csrf = auth::Sessions::csrf_token(session);
}

ApiFixture::~ApiFixture() {
  dispatch->stop();
  http->stop();
  coordinator->stop();
  feed->stop();
  http.reset();
}

Answer ApiFixture::call(std::string_view method, const std::string& target, const json& body) {
  return call_with("PRIVATE-TOKEN: " + admin + "\r\n", method, target, body);
}

Answer ApiFixture::call_with(const std::string& headers, std::string_view method,
                             const std::string& target, const json& body) {
  auto client = connect();
  Answer answer;
  answer.raw = client.request(method, target, headers + "Content-Type: application/json\r\n",
                              body.is_null() ? "" : body.dump());
  answer.status = answer.raw.status;
  answer.body = json::parse(answer.raw.body, nullptr, false);
  return answer;
}

ProjectId ApiFixture::make_project(const std::string& path, const std::string& visibility) {
  const auto made =
      call("POST", "/api/v4/projects",
           {{"path", path}, {"url", "https://git.test/x"}, {"visibility", visibility}});
  REQUIRE(made.status == 201);
  return ProjectId{made.body["id"].get<std::int64_t>()};
}

PipelineId ApiFixture::make_pipeline(ProjectId project, std::string_view file,
                                     const std::string& sha) {
  return create_pipeline(project, file.empty() ? kPipelineFile : file, sha, false);
}

PipelineId ApiFixture::make_protected_pipeline(ProjectId project, std::string_view file) {
  return create_pipeline(project, file, std::string(40, '0'), true);
}

PipelineId ApiFixture::make_fork_pipeline(ProjectId project, std::string_view file,
                                          std::int64_t number) {
  return create_pipeline(project, file, std::string(40, '0'), false, fork_ref(number, "main"));
}

PipelineId ApiFixture::create_pipeline(ProjectId project, std::string_view file,
                                       const std::string& sha, bool ref_protected,
                                       const std::string& ref) {
  NoIncludes no_includes;
  const auto read = pipeline::read_configuration(std::string{file}, ".gitlab-ci.yml", no_includes);
  REQUIRE(read.configuration);
  pipeline::Trigger trigger;
  trigger.branch = "main";
  trigger.sha = sha;
  NewPipeline pipeline;
  pipeline.plan =
      std::make_shared<const pipeline::Plan>(pipeline::make_plan(*read.configuration, trigger));
  pipeline.row.project_id = project;
  pipeline.row.source = "push";
  pipeline.row.ref = ref;
  pipeline.row.ref_protected = ref_protected;
  pipeline.row.sha = trigger.sha;
  std::promise<Result<PipelineId>> made;
  coordinator->create_pipeline(std::move(pipeline),
                               [&](Result<PipelineId> id) { made.set_value(std::move(id)); });
  const auto id = made.get_future().get();
  REQUIRE(id);
  return *id;
}

std::string ApiFixture::make_user(const std::string& name) {
  const auto made = call("POST", "/api/v4/users", {{"username", name}});
  REQUIRE(made.status == 201);
  const auto link = made.body["invitation_url"].get<std::string>();
  const auto accepted =
      call_with("", "POST", "/api/v4/invitation",
                {{"token", link.substr(link.find('#') + 1)}, {"password", "password of " + name}});
  REQUIRE(accepted.status == 201);
  const auto cookie = accepted.raw.header("set-cookie");
  const auto token =
      call_with("Cookie: " + cookie.substr(0, cookie.find(';')) +
                    "\r\nX-CSRF-Token: " + accepted.body["csrf_token"].get<std::string>() + "\r\n",
                "POST", "/api/v4/personal_access_tokens", {{"name", "t"}});
  REQUIRE(token.status == 201);
  return token.body["token"];
}

void ApiFixture::make_member(const std::string& place, const std::string& user, Level level) {
  const auto made = call("POST", "/api/v4/" + place + "/members",
                         {{"username", user}, {"access_level", static_cast<int>(level)}});
  REQUIRE(made.status == 201);
}

std::string ApiFixture::make_runner() {
  const auto made = call("POST", "/api/v4/user/runners",
                         {{"runner_type", "instance_type"}, {"description", "r"}});
  REQUIRE(made.status == 201);
  return made.body["token"];
}

ApiFixture::TakenJob ApiFixture::take_job(const std::string& runner_token) {
  const auto taken = call_with("", "POST", "/api/v4/jobs/request",
                               {{"token", runner_token}, {"system_id", "s_0123456789ab"}});
  REQUIRE(taken.status == 201);
  return {taken.body["id"], taken.body["token"]};
}

RawResponse ApiFixture::patch_trace(const TakenJob& job, long long offset,
                                    const std::string& text) {
  auto client = connect();
  return client.request("PATCH", job.path() + "/trace",
                        job.header() + "Content-Range: " + std::to_string(offset) + "-" +
                            std::to_string(offset + static_cast<long long>(text.size()) - 1) +
                            "\r\n",
                        text);
}

}  // namespace slipway::test
