// A whole pipeline file, read and checked: the text of one file (and of those that it includes) in,
// typed jobs and findings out.
//
// Pure. Included files come through IncludeSource. All findings are reported in one go, in the
// order of the file; with an error among them there is no configuration.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/diagnostic.h"
#include "pipeline/job.h"
#include "pipeline/limits.h"
#include "pipeline/repository_facts.h"

namespace slipway::pipeline {

struct Workflow {
  std::string name;
  // Of each only if, changes, exists, when, variables and auto_cancel are set.
  std::optional<std::vector<Rule>> rules;
  AutoCancel auto_cancel;
};

struct Configuration {
  std::vector<std::string> stages;  // .pre first, .post last
  Variables variables;              // global
  Workflow workflow;
  std::vector<Job> jobs;  // visible jobs in the order of the file, parallel ones expanded
};

// A project as an include names it.
struct IncludeProject {
  std::string host;  // "" for the server of the file that includes
  std::string path;  // group/name

  bool operator==(const IncludeProject&) const = default;
};

// What an include may ask of the world; implemented by the caller. Only the first two must be; who
// leaves out the rest refuses those kinds of include. The hint of an Error is shown as it is. A
// file of more than kLargestPipelineFile bytes may be TooLarge; of others the size is looked at
// here.
class IncludeSource {
 public:
  virtual ~IncludeSource() = default;
  // A file of the same repository at the same commit; `path` has no leading slash.
  // NotFound when it does not exist there.
  virtual Result<std::string> local_file(const std::string& path) = 0;
  // All paths of that commit, for wildcards.
  virtual Result<std::vector<std::string>> local_paths() = 0;

  // The commit of a branch, tag or commit; "HEAD" is the default branch. NotFound: there is no such
  // project, or it may not be read. InvalidInput: the project has no such reference.
  virtual Result<std::string> project_commit(const IncludeProject& project, const std::string& ref);
  // As local_file and local_paths, of a commit that project_commit answered.
  virtual Result<std::string> project_file(const IncludeProject& project, const std::string& commit,
                                           const std::string& path);
  virtual Result<std::vector<std::string>> project_paths(const IncludeProject& project,
                                                         const std::string& commit);
  // The names of a project's tags, to choose a version from.
  virtual Result<std::vector<std::string>> project_tags(const IncludeProject& project);
  // What a GET of `url` answers. Denied: the address may not be asked, the message says why.
  // InvalidInput: it is no address. Anything else: the message ends the sentence "could not be
  // fetched because of …".
  virtual Result<std::string> remote_file(const std::string& url);
  // NotFound when there is no template of that name.
  virtual Result<std::string> template_file(const std::string& name);
};

// A value for an input of the main file.
struct InputValue {
  std::string name;
  std::string value;
  // `value` is JSON of the very type; else it is text, read as the input's type wants it.
  bool json = false;
};

struct ReadOptions {
  Variables variables;  // those that includes may use (predefined and of the project)
  std::vector<InputValue> inputs;
  // For `include: rules: changes`, which holds when they are not known.
  std::optional<std::vector<std::string>> changed_paths;
  // For those of its rules that look further; null: such a rule holds.
  RepositoryFacts* repository = nullptr;
  Limits limits = {};
};

// A file from outside the commit that took part, in the order of reading.
struct IncludedFile {
  std::string address;  // its URL, or project@reference/path
  std::string sha256;   // of its text, in hex
  SourceSpan at;        // of the include
};

namespace read {
struct Node;
}

struct ReadOutcome {
  std::optional<Configuration> configuration;
  // What the jobs were read from: includes, extends and references resolved. Null after an error
  // in one of those.
  std::shared_ptr<const read::Node> tree;
  Diagnostics findings;
  std::vector<IncludedFile> included;
  // What stands under `include` in each file that was read, as it is written.
  std::vector<std::shared_ptr<const read::Node>> includes;
};

ReadOutcome read_configuration(std::string_view text, const std::string& file,
                               IncludeSource& source, const ReadOptions& options);
ReadOutcome read_configuration(std::string_view text, const std::string& file,
                               IncludeSource& source, const Variables& variables = {});
// What comes of a file that is too large to be had.
ReadOutcome refuse_large_file(const std::string& file, const Limits& limits);

}  // namespace slipway::pipeline
