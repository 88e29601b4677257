#include "pipeline/lint/warnings.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "pipeline/lint/walk.h"
#include "pipeline/work.h"

namespace slipway::pipeline::lint {
namespace {

using read::Entry;
using read::Kind;
using read::Node;
using read::NodePtr;

// Keywords of the top of a file that hold something else than a job.
constexpr std::string_view kNoJobs[] = {"stages", "variables", "workflow", "include", "spec"};

// A value that several jobs got from one place is one mistake.
void keep_first_of_each_place(Diagnostics& findings) {
  std::set<std::tuple<std::string, std::string, int, int>> seen;
  std::erase_if(findings, [&](const Diagnostic& finding) {
    const SourceSpan& at = finding.span;
    return !seen.emplace(finding.code, at.file, at.line, at.column).second;
  });
}

}  // namespace

void for_each_job(const Node& tree, const std::function<void(const Node&)>& visit) {
  visit(tree);
  for (const Entry& entry : tree.entries) {
    const bool hidden = !entry.key.empty() && entry.key.front() == '.';
    const bool other =
        std::find(std::begin(kNoJobs), std::end(kNoJobs), entry.key) != std::end(kNoJobs);
    if (!hidden && !other && entry.value->kind == Kind::Mapping) visit(*entry.value);
  }
}

void for_each_string(const Node& node, const std::function<void(const Node&)>& visit) {
  Work::spend(node.text.size());
  if (Work::exhausted()) return;
  if (node.kind == Kind::String) visit(node);
  for (const NodePtr& item : node.items) for_each_string(*item, visit);
}

void warn(Diagnostics& findings, const Node& node, std::string code, std::string message,
          std::string hint) {
  constexpr std::size_t kForEach = 1000;
  Work::spend(kForEach + 8 * message.size());
  if (Work::exhausted()) return;
  findings.push_back(
      {Severity::Warning, std::move(code), std::move(message), node.at, std::move(hint)});
}

Diagnostics warnings(const ReadOutcome& read, const Source& source) {
  const Work work;
  Diagnostics findings;
  if (read.tree != nullptr) {
    warn_of_secrets(*read.tree, findings);
    warn_of_images(*read.tree, findings);
    warn_of_globs(*read.tree, findings);
    warn_of_paths(*read.tree, findings);
    warn_of_variables(*read.tree, findings);
    warn_of_numbers(*read.tree, source, findings);
    for (const NodePtr& include : read.includes) warn_of_includes(*include, findings);
  }
  if (read.configuration) {
    warn_of_rules(*read.configuration, findings);
    warn_of_conditions(*read.configuration, findings);
  }
  keep_first_of_each_place(findings);
  if (Work::exhausted())
    findings.push_back({Severity::Warning,
                        "too_much_work",
                        "not everything was looked at for warnings: " + Work::too_much(),
                        read.tree ? SourceSpan{read.tree->at.file(), 0, 0} : SourceSpan{},
                        {}});
  return findings;
}

bool is_for_strict(const Diagnostic& finding) {
  return finding.code == "duplicate_key";
}

}  // namespace slipway::pipeline::lint
