#include <algorithm>

#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostInstances = 200;

std::vector<Instance> numbered(int count) {
  std::vector<Instance> instances;
  for (int i = 1; i <= count; ++i)
    instances.push_back({" " + std::to_string(i) + "/" + std::to_string(count), {}});
  return instances;
}

std::string suffix_of(const Variables& values) {
  std::string text;
  for (const Variable& variable : values) text += (text.empty() ? "" : ", ") + variable.value;
  return ": [" + text + "]";
}

// The values of one variable of a matrix entry: strings and numbers; a number counts as the text
// that Ruby makes of it.
std::optional<std::vector<std::string>> values_of(const Node& node) {
  const auto is_value = [](const Node& one) { return one.is_scalar() && one.kind != Kind::Bool; };
  if (is_value(node)) return std::vector{node.text};
  if (node.kind != Kind::Sequence) return std::nullopt;
  std::vector<std::string> values;
  for (const NodePtr& item : node.items) {
    if (!is_value(*item)) return std::nullopt;
    values.push_back(item->text);
  }
  return values;
}

// The product of one matrix entry: the first variable varies slowest. False when it is too large.
bool multiply(const Node& entry, const Place& place, std::vector<Instance>& out) {
  std::vector<Variables> rows{{}};
  for (const Entry& variable : entry.entries) {
    const auto values = values_of(*variable.value);
    if (!values) {
      place.error(variable.value->at, "should be a hash of key value pairs, value can be an array");
      return true;
    }
    std::vector<Variables> longer;
    for (const Variables& row : rows)
      for (const std::string& value : *values) {
        longer.push_back(row);
        longer.back().push_back(Variable{.name = variable.key, .value = value});
        if (longer.size() > kMostInstances) return false;
      }
    rows = std::move(longer);
  }
  for (Variables& row : rows) {
    std::string suffix = suffix_of(row);
    out.push_back({std::move(suffix), std::move(row)});
  }
  return out.size() <= kMostInstances;
}

// Two combinations of the same values make one job, from the later of them.
void keep_last_of_each_name(std::vector<Instance>& instances) {
  std::vector<Instance> kept;
  for (Instance& instance : instances) {
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const Instance& other) {
      return other.suffix == instance.suffix;
    });
    if (same == kept.end())
      kept.push_back(std::move(instance));
    else
      *same = std::move(instance);
  }
  instances = std::move(kept);
}

}  // namespace

std::optional<std::vector<Instance>> read_parallel(const Node& node, const Place& place) {
  if (node.kind == Kind::Integer) {
    const int count = integer_in(node, place).value_or(0);
    if (count >= 1 && count <= static_cast<int>(kMostInstances)) return numbered(count);
    place.error(node.at, count < 1 ? "config must be greater than or equal to 1"
                                   : "config must be less than or equal to 200");
    return std::nullopt;
  }
  if (node.kind == Kind::Float) {
    place.error(node.at, "config must be an integer");
    return std::nullopt;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "should be an integer or a hash");
    return std::nullopt;
  }
  check_family(node, "parallel", place);
  const Node* matrix = value_of(node, "matrix");
  if (matrix == nullptr) {
    place.error(node.at, "config missing required keys: matrix");
    return std::nullopt;
  }
  const Place at = place.entry("matrix");
  const std::size_t found = place.findings();
  std::vector<Instance> instances;
  if (matrix->kind != Kind::Sequence) {
    at.error(matrix->at, "should be an array of hashes");
    return std::nullopt;
  }
  for (const NodePtr& entry : matrix->items) {
    if (entry->kind != Kind::Mapping) {
      at.error(entry->at, "should be an array of hashes");
      return std::nullopt;
    }
    if (entry->entries.empty()) {
      place.below("matrix").entry("variables").error(entry->at, "requires at least 1 items");
      return std::nullopt;
    }
    if (!multiply(*entry, place.below("matrix").entry("variables"), instances)) {
      at.error(entry->at, "generates too many jobs (maximum is 200)");
      return std::nullopt;
    }
  }
  keep_last_of_each_name(instances);
  if (place.findings() != found) return std::nullopt;
  if (!instances.empty()) return instances;
  at.error(matrix->at, "should have at least one combination of values");
  return std::nullopt;
}

}  // namespace slipway::pipeline::keywords
