// What includes of a golden case can reach: the files that the case holds.
//
// "x.yml" is a file of the commit, "project group/lib@v1: x.yml" one of another project at that
// reference, "https://…" a remote file and "template X.gitlab-ci.yml" a template.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/configuration.h"

namespace slipway::pipeline::golden {

class World : public IncludeSource, public RepositoryFacts {
 public:
  using Comparisons = std::map<std::string, std::vector<std::string>>;  // by reference

  explicit World(const std::map<std::string, std::string>& files, Comparisons comparisons = {})
      : files_(files), comparisons_(std::move(comparisons)) {}

  Result<std::vector<std::string>> changed_since(const std::string& ref) override {
    const auto known = comparisons_.find(ref);
    if (known == comparisons_.end()) return fail(ErrorKind::InvalidInput, "no such reference");
    return known->second;
  }
  Result<std::vector<std::string>> paths_of(const std::string& project,
                                            const std::string& ref) override {
    const IncludeProject wanted{"", project};
    const auto commit = project_commit(wanted, ref);
    if (!commit) return commit.error();
    return project_paths(wanted, *commit);
  }

  Result<std::string> local_file(const std::string& path) override { return file(path); }
  Result<std::vector<std::string>> local_paths() override { return names_after(""); }

  Result<std::string> project_commit(const IncludeProject& project,
                                     const std::string& ref) override {
    if (names_after("project " + project.path + "@").empty())
      return fail(ErrorKind::NotFound, "no such project");
    if (names_after(place(project, ref)).empty())
      return fail(ErrorKind::InvalidInput, "no such reference");
    return ref;
  }
  Result<std::string> project_file(const IncludeProject& project, const std::string& commit,
                                   const std::string& path) override {
    return file(place(project, commit) + path);
  }
  Result<std::vector<std::string>> project_paths(const IncludeProject& project,
                                                 const std::string& commit) override {
    return names_after(place(project, commit));
  }
  Result<std::vector<std::string>> project_tags(const IncludeProject& project) override {
    std::vector<std::string> tags;
    for (const std::string& name : names_after("project " + project.path + "@"))
      tags.push_back(name.substr(0, name.find(": ")));
    return tags;
  }
  Result<std::string> remote_file(const std::string& url) override {
    if (files_.count(url) == 0) return fail(ErrorKind::NotFound, "HTTP code `404` error");
    return file(url);
  }
  Result<std::string> template_file(const std::string& name) override {
    return file("template " + name);
  }

 private:
  static std::string place(const IncludeProject& project, const std::string& ref) {
    return "project " + project.path + "@" + ref + ": ";
  }
  Result<std::string> file(const std::string& name) const {
    const auto at = files_.find(name);
    if (at == files_.end()) return fail(ErrorKind::NotFound, "no such file");
    return at->second;
  }
  std::vector<std::string> names_after(const std::string& prefix) const {
    std::vector<std::string> names;
    for (const auto& [name, text] : files_)
      if (name.compare(0, prefix.size(), prefix) == 0) names.push_back(name.substr(prefix.size()));
    return names;
  }

  const std::map<std::string, std::string>& files_;
  Comparisons comparisons_;
};

}  // namespace slipway::pipeline::golden
