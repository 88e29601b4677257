#include "server/http/run_routes.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "server/auth/audit.h"
#include "server/git/git_command.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::size_t kMostAsked = 500;

// Into a file, which is taken as a whole at the end and goes in any case.
class BundleSink final : public BodySink {
 public:
  BundleSink(SharedCall call, WorkTreeRuns& runs, std::filesystem::path path, UniqueFd file,
             std::string sha)
      : call_(std::move(call)),
        runs_(runs),
        path_(std::move(path)),
        file_(std::move(file)),
        sha_(std::move(sha)) {}
  ~BundleSink() override {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  BundleSink(const BundleSink&) = delete;
  BundleSink& operator=(const BundleSink&) = delete;

  std::optional<Response> write(std::string_view bytes) override {
    if (auto written = write_all(file_.get(), bytes); !written)
      return error_response(fail(ErrorKind::Unavailable, written.error().message));
    return std::nullopt;
  }
  Response finish() override {
    file_.reset();
    if (auto taken = runs_.take(*call_->project, path_, sha_); !taken)
      return error_response(taken.error());
    return message_response(201, "201 Created");
  }

 private:
  SharedCall call_;
  WorkTreeRuns& runs_;
  std::filesystem::path path_;
  UniqueFd file_;
  std::string sha_;
};

}  // namespace

Result<Response> RunRoutes::known(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto commits = fields.texts("commits").value_or(std::vector<std::string>{});
  if (commits.empty() || commits.size() > kMostAsked)
    fields.refuse("commits", "1 to " + std::to_string(kMostAsked) + " ids of commits");
  for (const std::string& sha : commits)
    if (!is_commit_id(sha)) fields.refuse("commits", "whole ids of commits");
  if (fields.error()) return *fields.error();
  const auto known = runs_.known(*call.project, commits);
  if (!known) return known.error();
  return json_response(200, {{"known", *known}});
}

Reception RunRoutes::upload(const SharedCall& call) {
  const std::string sha{call->request.query_value("sha").value_or("")};
  if (!is_commit_id(sha))
    return error_response(fail(ErrorKind::InvalidInput, "sha must be the id of a commit"));
  const auto path = runs_.make_file();
  if (!path) return error_response(path.error());
  UniqueFd file{::open(path->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file.is_open())
    return error_response(
        fail(ErrorKind::Unavailable, errno_error("cannot keep the upload", errno).message));
  return std::make_unique<BundleSink>(call, runs_, *path, std::move(file), sha);
}

Result<Response> RunRoutes::create(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  RunRequest run;
  run.sha = fields.needed_text("sha");
  run.branch = fields.needed_text("branch");
  run.before = fields.text("before").value_or("");
  if (!is_commit_id(run.sha)) fields.refuse("sha", "the id of a commit");
  if (!run.before.empty() && !is_commit_id(run.before))
    fields.refuse("before", "the id of a commit");
  if (!is_safe_ref(run.branch)) fields.refuse("branch", "the name of a branch");
  if (fields.error()) return *fields.error();
  auto variables = given_variables(*body);
  if (!variables) return variables.error();
  auto inputs = given_inputs(*body);
  if (!inputs) return inputs.error();
  run.variables = std::move(*variables);
  run.inputs = std::move(*inputs);
  run.user = call.principal.user;
  const auto id = runs_.start(*call.project, run);
  if (!id) return id.error();
  auth::audit({call.principal.name(), "pipeline.run_from_work_tree",
               "pipeline/" + std::to_string(id->value), false, call.request.remote});
  auto read = database_.read();
  const auto row = read->pipelines.find(*id);
  if (!row) return not_found("Pipeline");
  return json_response(201, Views{*read, url_, clock_.now()}.pipeline_detail(*row));
}

}  // namespace slipway::server::http
