// Pipelines of work trees that somebody has sent.
#include "base/crypto.h"
#include "server/intake/intake.h"
#include "server/store/run_refs.h"

namespace slipway::server {
namespace {

// Of one project, running or kept for their time: what they may take of the disk is so many times
// the largest upload.
constexpr std::size_t kMostRuns = 200;
constexpr std::size_t kRunIdBytes = 8;

std::string upload_ref(const std::string& sha) {
  return std::string{kUploadRefs} + sha;
}

}  // namespace

Result<std::vector<std::string>> Intake::known_commits(const ProjectRow& project,
                                                       const std::vector<std::string>& commits) {
  const std::int64_t id = project.id.value;
  auto known = mirrors_.known(id, commits);
  if (!known || !known->empty()) return known;
  // Pushed, perhaps, and no pipeline has asked for it yet. When that cannot be found out, all of it
  // is sent.
  static_cast<void>(mirrors_.fetch(id, project.repository_url, project.default_branch, {}));
  return mirrors_.known(id, commits);
}

Result<void> Intake::take_work_tree(const ProjectRow& project, const std::filesystem::path& bundle,
                                    const std::string& sha) {
  std::size_t count = 0;
  for (const std::string_view kind : {kRunRefs, kUploadRefs}) {
    const auto refs = mirrors_.refs_below(project.id.value, std::string{kind});
    if (!refs) return refs.error();
    count += refs->size();
  }
  if (count >= kMostRuns)
    return fail(ErrorKind::Conflict,
                "the project has " + std::to_string(count) + " work trees here already")
        .with_hint("they go after the server's run_retention; push a branch instead");
  return mirrors_.take_bundle(project.id.value, bundle, sha, upload_ref(sha));
}

Result<PipelineId> Intake::run_work_tree(const ProjectRow& project, const WorkTree& tree) {
  const std::int64_t id = project.id.value;
  PlanRequest request;
  request.project = project;
  request.source = pipeline::Source::Push;
  request.work_tree = true;
  request.ref = std::string{kRunRefs} + random_hex(kRunIdBytes) + "/" + tree.branch;
  request.sha = tree.sha;
  request.before_sha = tree.before;
  request.variables = tree.variables;
  request.inputs = tree.inputs;
  request.user = tree.user;
  if (const auto user = database_.read()->users.find(tree.user))
    request.user_login = user->username;
  if (auto pointed = mirrors_.point_ref(id, request.ref, tree.sha); !pointed) {
    if (pointed.error().kind != ErrorKind::NotFound) return std::move(pointed).error();
    return fail(ErrorKind::InvalidInput, "commit " + tree.sha + " was not sent");
  }
  auto made = make_pipeline(request, {});
  if (!made) static_cast<void>(mirrors_.drop_ref(id, request.ref));
  static_cast<void>(mirrors_.drop_ref(id, upload_ref(tree.sha)));
  return made;
}

}  // namespace slipway::server
