#include <algorithm>

#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostForeign = 5;
constexpr int kDeepest = 10;

// `parallel: matrix` inside a need selects instances by the values of their variables.
std::vector<Variables> selected_instances(const Node& need, const Place& place) {
  std::vector<Variables> selected;
  const Node* parallel = value_of(need, "parallel");
  if (parallel == nullptr) return selected;
  if (parallel->kind == Kind::Integer) {
    place.error(parallel->at, "config cannot use \"parallel: <number>\".",
                "name an instance, as \"test 1/3\"");
    return selected;
  }
  const auto instances = read_parallel(*parallel, place);
  for (const Instance& instance : instances.value_or(std::vector<Instance>{}))
    selected.push_back(instance.variables);
  return selected;
}

bool flag_under(const Node& node, const char* key, const Place& place, bool standard) {
  const Node* value = value_of(node, key);
  return value == nullptr ? standard : bool_in(*value, place.attribute(key)).value_or(standard);
}

class NeedsReader {
 public:
  NeedsReader(NeedsOf of, const Place& place, WrittenNeeds& out)
      : of_(of), place_(place), out_(out) {}

  void list(const Node& node, int depth) {
    for (const NodePtr& item : node.items) {
      if (item->kind == Kind::Sequence && depth < kDeepest)
        list(*item, depth + 1);  // a !reference leaves a list in the list
      else
        one(*item);
    }
  }

  void one(const Node& node) {
    const Place at = place_.below("need");
    if (node.kind == Kind::String) {
      if (node.text.empty()) {
        at.error(node.at, "config can't be blank");
        return;
      }
      WrittenNeed written;
      written.need.job = node.text;
      written.need.at = node.at;
      out_.jobs.push_back(std::move(written));
      return;
    }
    const bool names_job = node.kind == Kind::Mapping && node.find("job") != nullptr;
    if (node.kind == Kind::Mapping && node.find("project") != nullptr)
      of_elsewhere(node, at, true);
    else if (node.kind == Kind::Mapping && node.find("pipeline") != nullptr)
      names_job ? of_elsewhere(node, at, false) : mirror(node, at);
    else if (names_job)
      of_job(node, at);
    else
      at.error(node.at, "has an unsupported type",
               "a need is the name of a job, or a hash with `job`");
  }

 private:
  void of_job(const Node& node, const Place& at) {
    static const std::vector<std::string> of_this{"job", "artifacts", "optional", "parallel"};
    check_keys(node, of_this, at);
    WrittenNeed written;
    written.need.at = node.at;
    written.need.job = required_text_under(node, "job", at);
    written.need.artifacts = flag_under(node, "artifacts", at, true);
    written.need.optional = flag_under(node, "optional", at, false);
    written.matrix = selected_instances(node, at.below("parallel"));
    out_.jobs.push_back(std::move(written));
  }

  // Artifacts of another pipeline: the latest at a `ref` of a `project`, or the `pipeline` of a
  // number.
  void of_elsewhere(const Node& node, const Place& at, bool project) {
    static const std::vector<std::string> of_project{"project",   "ref",      "job",
                                                     "artifacts", "optional", "parallel"};
    static const std::vector<std::string> of_pipeline{"pipeline", "job", "artifacts"};
    check_keys(node, project ? of_project : of_pipeline, at);
    if (of_ != NeedsOf::Job) {
      place_.error(node.at, "config uses invalid types: cross_dependency");
      return;
    }
    ForeignNeed need;
    need.at = node.at;
    (project ? need.project : need.pipeline) =
        required_text_under(node, project ? "project" : "pipeline", at);
    need.job = required_text_under(node, "job", at);
    if (project) need.ref = required_text_under(node, "ref", at);
    need.artifacts = flag_under(node, "artifacts", at, true);
    if (project) need.optional = flag_under(node, "optional", at, false);
    out_.foreign.push_back(std::move(need));
  }

  void mirror(const Node& node, const Place& at) {
    check_keys(node, {"pipeline"}, at);
    if (of_ != NeedsOf::Bridge) {
      place_.error(node.at, "config uses invalid types: bridge",
                   "only a job without a script takes over the status of a pipeline");
      return;
    }
    if (!out_.upstream.empty())
      place_.error(node.at, "config should contain at most one bridge need");
    out_.upstream = required_text_under(node, "pipeline", at);
    out_.upstream_at = node.at;
  }

  NeedsOf of_;
  const Place& place_;
  WrittenNeeds& out_;
};

}  // namespace

std::optional<WrittenNeeds> read_needs(const Node& node, NeedsOf of, const Place& place) {
  if (node.kind != Kind::Sequence && node.kind != Kind::Mapping) {
    place.error(node.at, "config can only be a hash or an array",
                node.is_scalar() ? "write it as a list: [\"" + node.text + "\"]" : "");
    return std::nullopt;
  }
  WrittenNeeds needs;
  NeedsReader reader{of, place, needs};
  if (node.kind == Kind::Mapping)
    reader.one(node);
  else
    reader.list(node, 0);
  const auto of_projects =
      std::count_if(needs.foreign.begin(), needs.foreign.end(),
                    [](const ForeignNeed& need) { return !need.project.empty(); });
  if (of_projects > static_cast<long>(kMostForeign))
    place.error(node.at, "config must be less than or equal to 5",
                "at most five needs name another project");
  return needs;
}

}  // namespace slipway::pipeline::keywords
