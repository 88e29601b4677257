#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

// `parallel: matrix` inside a need selects instances by the values of their variables.
std::vector<Variables> selected_instances(const Node& need, const Place& place) {
  std::vector<Variables> selected;
  const Node* parallel = value_of(need, "parallel");
  if (parallel == nullptr) return selected;
  if (parallel->kind != Kind::Mapping || value_of(*parallel, "matrix") == nullptr) {
    place.error(parallel->at, "config should be a hash with `matrix`");
    return selected;
  }
  const auto instances = read_parallel(*parallel, place.below("parallel"));
  for (const Instance& instance : instances.value_or(std::vector<Instance>{}))
    selected.push_back(instance.variables);
  return selected;
}

std::optional<WrittenNeed> one_need(const Node& node, const Place& place) {
  WrittenNeed written;
  written.need.at = node.at;
  if (node.is_scalar()) {
    written.need.job = node.text;
    return written;
  }
  for (const char* other : {"project", "pipeline"})
    if (const Entry* entry = node.find_entry(other)) {
      place.error(entry->at, std::string{"config: `"} + other + "` is not supported yet",
                  "a need names a job of the same pipeline");
      return std::nullopt;
    }
  check_keys(node, {"job", "artifacts", "optional", "parallel"}, place);
  const Node* job = value_of(node, "job");
  if (job == nullptr) {
    place.error(node.at, "config missing required keys: job");
    return std::nullopt;
  }
  written.need.job = string_in(*job, place.below("job")).value_or("");
  if (const Node* artifacts = value_of(node, "artifacts"))
    written.need.artifacts = bool_in(*artifacts, place.below("artifacts")).value_or(true);
  if (const Node* optional = value_of(node, "optional"))
    written.need.optional = bool_in(*optional, place.below("optional")).value_or(false);
  written.matrix = selected_instances(node, place);
  return written;
}

void collect(const Node& node, int depth, const Place& place, std::vector<WrittenNeed>& needs) {
  for (const NodePtr& item : node.items) {
    if (item->kind == Kind::Sequence && depth < 10)
      collect(*item, depth + 1, place, needs);  // a !reference leaves a list in the list
    else if (item->is_scalar() || item->kind == Kind::Mapping) {
      if (auto need = one_need(*item, place.below("need"))) needs.push_back(std::move(*need));
    } else {
      place.error(item->at, "config can only be a hash or an array");
    }
  }
}

}  // namespace

std::optional<std::vector<WrittenNeed>> read_needs(const Node& node, const Place& place) {
  if (node.kind != Kind::Sequence) {
    place.error(node.at, "config can only be a hash or an array",
                node.is_scalar() ? "write it as a list: [\"" + node.text + "\"]" : "");
    return std::nullopt;
  }
  std::vector<WrittenNeed> needs;
  collect(node, 0, place, needs);
  return needs;
}

}  // namespace slipway::pipeline::keywords
