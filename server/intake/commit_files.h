// What a pipeline file may look at while it is read and planned: the files of its commit, those of
// other projects of this server and of the web, and the commits that its own is compared with.
//
// One instance serves one file. Blocks on git and the network. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/repository_facts.h"
#include "server/includes/repository_includes.h"
#include "server/store/project_store.h"

namespace slipway::server {

// What pipeline files may include from outside their project, and how much there may be.
struct IncludeAccess {
  // Finds a project by its path, or nullopt.
  std::function<std::optional<ProjectRow>(const std::string& path)> find_project;
  // Whether a user reads a project; by default all do.
  std::function<bool(UserId user, const ProjectRow& project)> may_read;
  bool allow_private_addresses = false;  // of remote files
  pipeline::Limits limits = {};
};

// Whether a pipeline of `asking` may include files of `wanted`: its own, those of a public project,
// those of an internal one unless it is public itself, and, among private ones, those of the same
// top-level group. Who may push to a project could else read all the others.
bool may_include(const ProjectRow& asking, const ProjectRow& wanted);

class CommitFiles final : public RepositoryIncludes, public pipeline::RepositoryFacts {
 public:
  // A `sha` of "" is no commit: there are no files then. `server_url` is this server's address;
  // `access` must outlive it. When a `user` is known, it must be able to read what is included.
  CommitFiles(Mirrors& mirrors, const ProjectRow& project, std::string sha,
              const IncludeAccess& access, const std::string& server_url, UserId user = {});

  // Files that are there beside those of the commit, and before them.
  void add(std::map<std::string, std::string> files) { added_ = std::move(files); }

  Result<std::string> local_file(const std::string& path) override;
  Result<std::vector<std::string>> local_paths() override;

  Result<std::vector<std::string>> changed_since(const std::string& ref) override;
  // Projects that may not be included are not there for rules either.
  Result<std::vector<std::string>> paths_of(const std::string& project,
                                            const std::string& ref) override;

 private:
  const Mirrors& files_;
  std::int64_t project_;
  std::string default_branch_;
  std::string sha_;
  std::map<std::string, std::string> added_;
};

}  // namespace slipway::server
