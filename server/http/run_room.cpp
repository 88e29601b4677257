#include "server/http/run_room.h"

namespace slipway::server::http {

Result<std::vector<std::string>> RunRoom::known(const ProjectRow& project,
                                                const std::vector<std::string>& commits) {
  return intake_.known_commits(project, commits);
}

Result<std::filesystem::path> RunRoom::make_file() {
  return mirrors_.make_upload_file();
}

Result<void> RunRoom::take(const ProjectRow& project, const std::filesystem::path& bundle,
                           const std::string& sha) {
  return intake_.take_work_tree(project, bundle, sha);
}

Result<PipelineId> RunRoom::start(const ProjectRow& project, const RunRequest& request) {
  WorkTree tree;
  tree.sha = request.sha;
  tree.branch = request.branch;
  tree.before = request.before;
  tree.user = request.user;
  for (const GivenVariable& given : request.variables)
    tree.variables.push_back(
        pipeline::Variable{.name = given.key, .value = given.value, .file = given.file});
  for (const auto& [name, value] : request.inputs)
    tree.inputs.push_back(pipeline::InputValue{name, value, true});
  return intake_.run_work_tree(project, tree);
}

}  // namespace slipway::server::http
