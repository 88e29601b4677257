// Variables whose values name themselves, as PATH: "$PATH:/opt/bin".
//
// GitLab knows no earlier value to put there: that of the image is not known before the job runs,
// and a global variable of the same name is replaced as a whole.

#include <cctype>

#include "pipeline/lint/walk.h"
#include "pipeline/lint/warnings.h"

namespace slipway::pipeline::lint {
namespace {

using read::Entry;
using read::Kind;
using read::Node;
using read::NodePtr;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Whether `$NAME` or `${NAME}` stands in `text`; `$$` is a dollar sign.
bool names(std::string_view text, std::string_view name) {
  for (std::size_t at = 0; (at = text.find('$', at)) != std::string_view::npos;) {
    std::string_view rest = text.substr(at + 1);
    at += rest.starts_with('$') ? 2 : 1;
    const bool braces = rest.starts_with('{');
    if (braces) rest.remove_prefix(1);
    if (!rest.starts_with(name)) continue;
    rest.remove_prefix(name.size());
    if (braces ? rest.starts_with('}') : rest.empty() || !is_word(rest.front())) return true;
  }
  return false;
}

void check(const Entry& entry, Diagnostics& findings) {
  const NodePtr* described = entry.value->find("value");
  const Node& value = described == nullptr ? *entry.value : **described;
  if (value.kind != Kind::String || !names(value.text, entry.key)) return;
  if (const NodePtr* expand = entry.value->find("expand"); expand && (*expand)->text == "false")
    return;
  // Alone it hands a variable of the project on, which does no harm.
  if (value.text == "$" + entry.key || value.text == "${" + entry.key + "}") return;
  warn(findings, value, "self_reference",
       "the value of '" + entry.key + "' names itself, and nothing is put there",
       "set it in `before_script`: export " + entry.key + "=…");
}

}  // namespace

void warn_of_variables(const Node& tree, Diagnostics& findings) {
  for_each_job(tree, [&](const Node& job) {
    if (job.find("trigger") != nullptr) return;  // expanded with all that the pipeline has
    if (const NodePtr* variables = job.find("variables"))
      for (const Entry& entry : (*variables)->entries) check(entry, findings);
  });
}

}  // namespace slipway::pipeline::lint
