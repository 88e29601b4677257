#include "server/includes/repository_includes.h"

#include <algorithm>

namespace slipway::server {
namespace {

constexpr std::chrono::milliseconds kAllTogether = std::chrono::seconds{30};

Error too_slow() {
  return fail(ErrorKind::Unavailable, "getting all included files took longer than 30 s");
}

}  // namespace

std::chrono::milliseconds RepositoryIncludes::time_left() const {
  return kAllTogether - std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::steady_clock::now() - begun_);
}

Result<std::string> RepositoryIncludes::project_commit(const pipeline::IncludeProject& project,
                                                       const std::string& ref) {
  auto repository = locate_(project);
  if (!repository) return std::move(repository).error();
  if (time_left().count() <= 0) return too_slow();
  std::string name = ref;
  if (ref == "HEAD") {
    name = repository->default_branch;
    if (name.empty()) {
      auto asked = mirrors_.default_branch(repository->mirror, repository->url);
      if (!asked) return std::move(asked).error();
      name = std::move(*asked);
    }
  }
  const bool is_commit = is_commit_id(name);
  auto fetched = mirrors_.fetch(repository->mirror, repository->url, is_commit ? "" : name,
                                is_commit ? name : "");
  if (is_commit && fetched) return name;
  if (!fetched && is_commit && fetched.error().kind == ErrorKind::NotFound)
    return fail(ErrorKind::InvalidInput, fetched.error().message);
  if (!fetched) return fetched.error();
  auto commit = mirrors_.commit_of(repository->mirror, name);
  if (!commit) return fail(ErrorKind::InvalidInput, commit.error().message);
  return commit;
}

Result<std::string> RepositoryIncludes::project_file(const pipeline::IncludeProject& project,
                                                     const std::string& commit,
                                                     const std::string& path) {
  auto repository = locate_(project);
  if (!repository) return std::move(repository).error();
  return mirrors_.read_file(repository->mirror, commit, path, pipeline::kLargestPipelineFile);
}

Result<std::vector<std::string>> RepositoryIncludes::project_paths(
    const pipeline::IncludeProject& project, const std::string& commit) {
  auto repository = locate_(project);
  if (!repository) return std::move(repository).error();
  return mirrors_.paths(repository->mirror, commit);
}

Result<std::vector<std::string>> RepositoryIncludes::project_tags(
    const pipeline::IncludeProject& project) {
  auto repository = locate_(project);
  if (!repository) return std::move(repository).error();
  if (time_left().count() <= 0) return too_slow();
  auto fetched = mirrors_.fetch(repository->mirror, repository->url, "", "");
  if (!fetched) return std::move(fetched).error();
  return mirrors_.tags(repository->mirror);
}

Result<std::string> RepositoryIncludes::remote_file(const std::string& url) {
  if (time_left().count() <= 0) return fail(ErrorKind::Unavailable, "a timeout error");
  PublicFetchOptions how = remote_;
  how.limit = pipeline::kLargestPipelineFile;
  how.deadline = std::min(how.deadline, time_left());
  return fetch_public(url, how);
}

}  // namespace slipway::server
