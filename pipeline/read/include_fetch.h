// Gets the files that includes name, and finds GitLab's words for why one cannot be had.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/configuration.h"
#include "pipeline/read/include_item.h"

namespace slipway::pipeline::read {

// Where a file comes from: what `local` means in it, and which variables its includes may use.
struct Origin {
  enum class Kind : std::uint8_t { Own, Project, Nowhere };  // Nowhere: a remote file, a template

  Kind kind = Kind::Own;
  IncludeProject project;  // only with kind Project
  std::string commit;
  std::string ref;  // as written, for showing
};

struct FetchedFile {
  std::string address;  // how findings name it
  std::string text;
  Origin origin;
  std::map<std::string, std::string> component;  // its name, sha, version and reference
};

class IncludeFetcher {
 public:
  IncludeFetcher(IncludeSource& source, const Variables& variables, const Limits& limits,
                 Diagnostics& findings)
      : source_(source), variables_(variables), limits_(limits), findings_(findings) {}

  // The file that `item`, written in a file from `from`, asks for. nullopt after an error.
  std::optional<FetchedFile> fetch(const IncludeItem& item, const Origin& from);
  // The files that a path with wildcards stands for. nullopt after an error.
  std::optional<std::vector<std::string>> matching(const IncludeItem& item, const Origin& from);
  // All paths beside a file. nullopt when not known.
  std::optional<std::vector<std::string>> paths(const Origin& from);

 private:
  std::nullopt_t refuse(const IncludeItem& item, const std::string& message, std::string hint = {});
  std::nullopt_t refuse_large(const IncludeItem& item);
  std::optional<FetchedFile> local(const IncludeItem& item, const Origin& from);
  std::optional<FetchedFile> of_project(const IncludeItem& item, const Origin& from);
  std::optional<FetchedFile> remote(const IncludeItem& item);
  std::optional<FetchedFile> from_template(const IncludeItem& item);
  std::optional<FetchedFile> component(const IncludeItem& item, const Origin& from);
  Result<std::string> commit_of(const IncludeProject& project, const std::string& ref);
  Result<std::vector<std::string>> paths_of(const Origin& origin);

  IncludeSource& source_;
  const Variables& variables_;
  const Limits& limits_;
  Diagnostics& findings_;
  std::map<std::string, Result<std::string>> commits_;  // by project and reference
  std::map<std::string, Result<std::vector<std::string>>> paths_;
  std::map<std::string, Result<std::string>> remote_;
};

}  // namespace slipway::pipeline::read
