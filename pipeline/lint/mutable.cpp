// Images and includes that may be something else tomorrow.

#include <algorithm>
#include <cctype>

#include "pipeline/lint/walk.h"
#include "pipeline/lint/warnings.h"
#include "pipeline/work.h"

namespace slipway::pipeline::lint {
namespace {

using read::Kind;
using read::Node;
using read::NodePtr;

bool holds(std::string_view text, char c) {
  return text.find(c) != std::string_view::npos;
}

// A name that has no tag may get one from a variable; then nothing is said.
void check_image(const Node& node, Diagnostics& findings) {
  const std::string_view name = node.text;
  Work::spend(name.size());
  if (node.kind != Kind::String || name.empty() || holds(name, '@') || Work::exhausted()) return;
  const std::string_view last = name.substr(name.rfind('/') + 1);
  const std::size_t colon = last.find(':');
  if (colon == std::string_view::npos) {
    if (!last.empty() && !holds(last, '$'))
      warn(findings, node, "mutable_image",
           "the image '" + node.text +
               "' has no tag, which means 'latest': it changes without notice",
           "name a version, as " + node.text + ":1.2, or a digest");
  } else if (last.substr(colon + 1) == "latest") {
    warn(findings, node, "mutable_image",
         "the image '" + node.text +
             "' is another one after each release: it changes without notice",
         "name a version or a digest instead of 'latest'");
  }
}

// A name, or a mapping with `name`.
void check_image_or_service(const Node& node, Diagnostics& findings) {
  const NodePtr* name = node.find("name");
  check_image(name == nullptr ? node : **name, findings);
}

// Tags and commits have a digit in them; names of branches seldom do.
bool is_branch(std::string_view ref) {
  return !holds(ref, '$') &&
         std::none_of(ref.begin(), ref.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

void warn_of_include(const Node& node, const std::string& what, std::string hint,
                     Diagnostics& findings) {
  warn(findings, node, "mutable_include", what + ": its jobs change without notice",
       std::move(hint));
}

void check_component(const Node& node, Diagnostics& findings) {
  const std::size_t at = node.text.rfind('@');
  if (at == std::string::npos || !is_branch(std::string_view{node.text}.substr(at + 1))) return;
  warn_of_include(node, "the component is included at '" + node.text.substr(at + 1) + "'",
                  "name a version, as @1.2.3", findings);
}

void check_remote(const Node& node, Diagnostics& findings) {
  warn_of_include(node, "the remote file is included without `integrity`",
                  "add integrity: sha256-…; a different file is then an error", findings);
}

void check_include(const Node& item, Diagnostics& findings) {
  if (item.kind == Kind::String && item.text.rfind("http", 0) == 0 &&
      item.text.find("://") != std::string::npos)
    check_remote(item, findings);
  if (const NodePtr* remote = item.find("remote");
      remote != nullptr && item.find("integrity") == nullptr)
    check_remote(**remote, findings);
  if (const NodePtr* component = item.find("component")) check_component(**component, findings);
  const NodePtr* project = item.find("project");
  if (project == nullptr) return;
  const NodePtr* ref = item.find("ref");
  if (ref == nullptr)
    warn_of_include(**project,
                    "the project's file is included without `ref`, from its default branch",
                    "add ref: with a tag or a commit", findings);
  else if ((*ref)->kind == Kind::String && is_branch((*ref)->text))
    warn_of_include(**ref, "the project's file is included from the branch '" + (*ref)->text + "'",
                    "name a tag or a commit", findings);
}

}  // namespace

void warn_of_images(const Node& tree, Diagnostics& findings) {
  for_each_job(tree, [&](const Node& job) {
    if (const NodePtr* image = job.find("image")) check_image_or_service(**image, findings);
    if (const NodePtr* services = job.find("services"))
      for (const NodePtr& service : (*services)->items) check_image_or_service(*service, findings);
  });
}

void warn_of_includes(const Node& include, Diagnostics& findings) {
  if (include.kind != Kind::Sequence) check_include(include, findings);
  for (const NodePtr& item : include.items) check_include(*item, findings);
}

}  // namespace slipway::pipeline::lint
