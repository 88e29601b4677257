#include "server/http/rooms.h"

#include <nlohmann/json.hpp>

#include "base/logging.h"
#include "server/git/upload_pack.h"
#include "server/http/json.h"

namespace slipway::server::http {

namespace {

constexpr std::size_t kPackPiece = std::size_t{64} << 10U;

class PackSource final : public BodySource {
 public:
  PackSource(UploadPack pack, std::string prefix)
      : pack_(std::move(pack)), prefix_(std::move(prefix)) {}

  Piece next() override {
    if (!prefix_.empty()) return {std::exchange(prefix_, {}), State::More};
    auto bytes = pack_.read(kPackPiece);
    // The response has begun: only cutting it tells git that this is not the whole pack.
    if (!bytes) throw std::runtime_error{bytes.error().message};
    const auto state = bytes->empty() ? State::End : State::More;
    return {std::move(*bytes), state};
  }

 private:
  UploadPack pack_;
  std::string prefix_;
};

bool speaks_version_2(std::string_view protocol) {
  return protocol.find("version=2") != std::string_view::npos;
}

}  // namespace

Result<std::string> PayloadRoom::payload(const Assignment& assignment) {
  const auto spec = payload_.make(assignment);
  if (!spec) return spec.error();
  return dump(pipeline::to_json(*spec));
}

Result<HookVerdict> IntakeRoom::receive_hook(const ProjectRow& project, const Headers& headers,
                                             std::string_view body) {
  const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
    if (headers.count(name) != 1) return std::nullopt;
    return std::string{headers.get(name)};
  };
  const auto received = intake_.receive_hook(project, lookup, body);
  if (!received) return received.error();
  return HookVerdict{received->delivery, received->verdict, received->reason};
}

void IntakeRoom::take_up(const ProjectRow& project, DeliveryId delivery) {
  intake_.take_up(project, delivery);
}

Result<PipelineId> IntakeRoom::trigger(const ProjectRow& project, const TriggerRequest& request) {
  ManualTrigger trigger;
  trigger.ref = request.ref;
  trigger.user = request.user;
  trigger.source = request.by_trigger_token ? pipeline::Source::Trigger
                   : request.by_page        ? pipeline::Source::Web
                                            : pipeline::Source::Api;
  for (const GivenVariable& given : request.variables)
    trigger.variables.push_back(
        pipeline::Variable{.name = given.key, .value = given.value, .file = given.file});
  for (const auto& [name, value] : request.inputs)
    trigger.inputs.push_back(pipeline::InputValue{name, value, true});
  return intake_.trigger(project, trigger);
}

namespace {

LintedJob linted(const pipeline::PlannedJob& planned) {
  const pipeline::Job& job = planned.job;
  LintedJob shown{job.name, job.stage, job.script, job.after_script, job.tags, {}, {}, false, {}};
  if (job.environment) shown.environment = job.environment->name;
  shown.when = pipeline::to_string(planned.when);
  shown.allow_failure = planned.allow_failure.always;
  for (const pipeline::Need& need : planned.needs) shown.needs.push_back(need.job);
  return shown;
}

std::vector<LeftOutRow> left_out_rows(const std::vector<pipeline::LeftOutJob>& jobs) {
  std::vector<LeftOutRow> rows;
  for (const pipeline::LeftOutJob& job : jobs)
    rows.push_back({job.name, job.stage, std::string{pipeline::to_string(job.reason.code)},
                    job.reason.text, job.rule.file, job.rule.line});
  return rows;
}

}  // namespace

Result<LintVerdict> IntakeRoom::lint(const ProjectRow& project, const LintRequest& request) {
  const LintReport report = intake_.lint(
      project, request.content, request.file_ref,
      request.simulate ? std::optional{SimulatedEvent{request.event, request.ref}} : std::nullopt,
      request.user);
  LintVerdict verdict{!pipeline::has_errors(report.findings),
                      finding_rows(report.findings),
                      report.merged_yaml,
                      {},
                      left_out_rows(report.left_out)};
  for (const pipeline::PlannedJob& job : report.jobs) verdict.jobs.push_back(linted(job));
  return verdict;
}

Result<PipelineFile> IntakeRoom::pipeline_file(const ProjectRow& project, const std::string& ref) {
  auto file = intake_.pipeline_file(project, ref);
  if (!file) return std::move(file).error();
  return PipelineFile{project.ci_config_path, ref.empty() ? project.default_branch : ref,
                      std::move(file->sha), std::move(file->text)};
}

Result<void> ProjectRoom::check_repository_url(std::string_view url) {
  return server::check_repository_url(url, local_);
}

std::string ProjectRoom::seal_webhook_secret(std::string_view secret) {
  return intake_.seal_webhook_secret(secret);
}

Result<std::string> ProjectRoom::forge_api_of(const ProjectRow& project) {
  return forge_.api_of(project);
}

std::string ProjectRoom::seal_forge_token(std::string_view token) {
  return forge_.seal_token(token);
}

Result<RepositoryPage> ProjectRoom::forge_repositories(const RepositoryQuery& query) {
  return forge_.repositories(query.forge, query.api_url, query.token, query.search, query.page);
}

void ProjectRoom::removed(ProjectId project) {
  mirrors_.remove(project.value);
  caches_.remove(project.value);
}

Result<std::unique_ptr<BodySource>> GitRoom::advertise(ProjectId project,
                                                       std::string_view protocol) {
  const auto mirror = mirrors_.path_of(project.value);
  if (const auto row = database_.read()->projects.find(project);
      row && !row->default_branch.empty())
    if (auto set = set_checked_out_branch(mirror, row->default_branch); !set)
      log::warn("git.no_branch_to_check_out",
                {{"project", project.value}, {"error", set.error().message}});
  auto pack = UploadPack::advertise(mirror, protocol);
  if (!pack) return pack.error();
  // What git's own HTTP server says first, to clients that do not speak version 2.
  std::string prefix;
  if (!speaks_version_2(protocol)) prefix = "001e# service=git-upload-pack\n0000";
  return std::unique_ptr<BodySource>{
      std::make_unique<PackSource>(std::move(*pack), std::move(prefix))};
}

Result<std::unique_ptr<BodySource>> GitRoom::upload_pack(ProjectId project,
                                                         std::string_view protocol,
                                                         std::string request) {
  auto pack = UploadPack::answer(mirrors_.path_of(project.value), protocol, std::move(request));
  if (!pack) return pack.error();
  return std::unique_ptr<BodySource>{std::make_unique<PackSource>(std::move(*pack), "")};
}

}  // namespace slipway::server::http
