#include "server/intake/commit_files.h"

namespace slipway::server {
namespace {

Error no_commit() {
  return fail(ErrorKind::NotFound, "there is no commit to include from");
}

// The host of "https://ci.example:8080/x", with its port.
std::string host_of(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return {};
  return url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
}

std::string without_port(const std::string& host) {
  return host.substr(0, host.rfind(':'));
}

LocateProject projects_for(const ProjectRow& asking, const IncludeAccess& access,
                           const std::string& server, UserId user) {
  return [&access, asking, server,
          user](const pipeline::IncludeProject& wanted) -> Result<IncludedRepository> {
    const std::string own = host_of(server);
    if (!wanted.host.empty() && wanted.host != own && wanted.host != without_port(own))
      return fail(ErrorKind::NotFound, "no such project")
          .with_hint("projects of other servers cannot be included; add '" + wanted.path +
                     "' to this server and name it $CI_SERVER_FQDN/" + wanted.path);
    const auto project =
        access.find_project ? access.find_project(wanted.path) : std::optional<ProjectRow>{};
    // The same words for both, so that nobody learns which projects there are.
    const bool read_by_user =
        project && (!user || !access.may_read || access.may_read(user, *project));
    if (!read_by_user || !may_include(asking, *project))
      return fail(ErrorKind::NotFound, "no such project")
          .with_hint(
              "the project must be known to this server, be public or, as this one, private in the "
              "same group, and readable by who started the pipeline");
    return IncludedRepository{project->id.value, project->repository_url, project->default_branch};
  };
}

}  // namespace

bool may_include(const ProjectRow& asking, const ProjectRow& wanted) {
  if (asking.id.value == wanted.id.value || wanted.visibility == "public") return true;
  if (wanted.visibility == "internal" && asking.visibility != "public") return true;
  const auto group = [](const std::string& path) { return path.substr(0, path.find('/')); };
  return asking.visibility == "private" && asking.path.find('/') != std::string::npos &&
         group(asking.path) == group(wanted.path);
}

CommitFiles::CommitFiles(Mirrors& mirrors, const ProjectRow& project, std::string sha,
                         const IncludeAccess& access, const std::string& server_url, UserId user)
    : RepositoryIncludes(mirrors, projects_for(project, access, server_url, user),
                         {access.allow_private_addresses}),
      files_(mirrors),
      project_(project.id.value),
      default_branch_(project.default_branch),
      sha_(std::move(sha)) {}

Result<std::string> CommitFiles::local_file(const std::string& path) {
  if (const auto added = added_.find(path); added != added_.end()) return added->second;
  if (sha_.empty()) return no_commit();
  return files_.read_file(project_, sha_, path, pipeline::kLargestPipelineFile);
}

Result<std::vector<std::string>> CommitFiles::local_paths() {
  if (sha_.empty()) return no_commit();
  return files_.paths(project_, sha_);
}

Result<std::vector<std::string>> CommitFiles::changed_since(const std::string& ref) {
  if (sha_.empty()) return no_commit();
  const auto other = files_.commit_of(project_, ref == "HEAD" ? default_branch_ : ref);
  if (!other && other.error().kind == ErrorKind::NotFound)
    return fail(ErrorKind::InvalidInput, other.error().message);
  if (!other) return other.error();
  return files_.changed_since(project_, *other, sha_);
}

Result<std::vector<std::string>> CommitFiles::paths_of(const std::string& project,
                                                       const std::string& ref) {
  const pipeline::IncludeProject wanted{"", project};
  const auto commit = project_commit(wanted, ref);
  if (!commit) return commit.error();
  return project_paths(wanted, *commit);
}

}  // namespace slipway::server
