#include <algorithm>

#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kMostFiles = 3;
constexpr const char* kKinds[] = {"local",     "template", "remote",
                                  "component", "project",  "artifact"};

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// `include: some.yml`
std::optional<ChildFile> short_form(const Node& node, const Place& place) {
  if (!ends_with(node.text, ".yml") && !ends_with(node.text, ".yaml")) {
    place.plain_error(node.at, "Included file `" + node.text + "` does not have YAML extension!");
    return std::nullopt;
  }
  const bool remote = node.text.rfind("http://", 0) == 0 || node.text.rfind("https://", 0) == 0;
  ChildFile file;
  file.kind = remote ? "remote" : "local";
  file.from = node.text;
  return file;
}

std::vector<std::string> project_files(const Node& node, const Place& place) {
  const Node* file = value_of(node, "file");
  if (file != nullptr)
    return strings_in(*file, place.attribute("file"), Single::accepted)
        .value_or(std::vector<std::string>{});
  place.error(node.at, "config must specify the file where to fetch the config from");
  return {};
}

std::optional<ChildFile> one_file(const Node& node, const Place& place) {
  if (node.is_scalar()) return short_form(node, place);
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash or a string");
    return std::nullopt;
  }
  check_family(node, "trigger_include", place);
  ChildFile file;
  for (const char* kind : kKinds) {
    const Node* from = value_of(node, kind);
    if (from == nullptr) continue;
    if (!file.kind.empty()) {
      place.error(node.find_entry(kind)->at,
                  "config must use exactly one of these keys: local, file, remote, template, "
                  "component, artifact",
                  "write a second item of the list for the other file");
      return std::nullopt;
    }
    file.kind = kind;
    file.from = string_in(*from, place.attribute(kind)).value_or("");
  }
  if (file.kind.empty()) {
    place.error(node.at,
                "config must use exactly one of these keys: local, file, remote, template, "
                "component, artifact");
    return std::nullopt;
  }
  file.ref = text_under(node, "ref", place);
  file.job = text_under(node, "job", place);
  if (file.kind == "project") file.files = project_files(node, place);
  if (file.kind == "artifact" && file.job.empty())
    place.error(node.at, "config must specify the job where to fetch the artifact from");
  if (const Node* inputs = value_of(node, "inputs"))
    file.inputs = read_given_inputs(*inputs, place.entry("inputs"));
  return file;
}

std::vector<ChildFile> child_files(const Node& node, const Place& place) {
  std::vector<ChildFile> files;
  if (node.kind != Kind::Sequence) {
    if (auto file = one_file(node, place.below("include"))) files.push_back(std::move(*file));
    return files;
  }
  if (node.items.size() > kMostFiles) place.error(node.at, "config is too long (maximum is 3)");
  for (const NodePtr& item : node.items)
    if (auto file = one_file(*item, place.below("include"))) files.push_back(std::move(*file));
  return files;
}

void read_forward(const Node& node, const Place& place, Bridge& bridge) {
  if (!check_family(node, "trigger_forward", place)) return;
  if (const Node* yaml = value_of(node, "yaml_variables"))
    bridge.forward_yaml_variables =
        bool_in(*yaml, place.attribute("yaml_variables")).value_or(true);
  if (const Node* pipeline = value_of(node, "pipeline_variables"))
    bridge.forward_pipeline_variables =
        bool_in(*pipeline, place.attribute("pipeline_variables")).value_or(false);
}

// Both kinds have keys of their own: a child pipeline runs at this commit and has no branch.
void check_kind(const Node& node, const Place& place) {
  if (value_of(node, "include") == nullptr) return;
  for (const char* other : {"project", "branch"})
    if (const Entry* entry = node.find_entry(other))
      place.error(entry->at, std::string{"config contains unknown keys: "} + other,
                  "a trigger has either `project` or `include`", "unknown_keyword");
}

}  // namespace

std::vector<GivenInput> read_given_inputs(const Node& node, const Place& place) {
  std::vector<GivenInput> inputs;
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "should be a hash");
    return inputs;
  }
  for (const Entry& entry : node.entries)
    inputs.push_back({entry.key, read::as_json(*entry.value)});
  return inputs;
}

std::optional<Bridge> read_trigger(const Node& node, const Place& place) {
  Bridge bridge;
  if (node.kind == Kind::String) {
    bridge.project = node.text;
    if (node.text.empty()) place.error(node.at, "config can't be blank");
    return bridge;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "has to be either a string or a hash",
                "for example 'trigger: group/project'");
    return std::nullopt;
  }
  if (node.entries.empty()) {
    place.error(node.at, "config can't be blank");
    return std::nullopt;
  }
  check_family(node, "trigger", place);
  check_kind(node, place);
  if (const Node* include = value_of(node, "include"))
    bridge.files = child_files(*include, place.below("include"));
  else
    bridge.project = required_text_under(node, "project", place);
  bridge.branch = text_under(node, "branch", place);
  if (const Node* strategy = value_of(node, "strategy")) {
    bridge.strategy = string_in(*strategy, place.attribute("strategy")).value_or("");
    if (!bridge.strategy.empty() && bridge.strategy != "depend" && bridge.strategy != "mirror")
      place.attribute("strategy").error(strategy->at, "should be depend or mirror");
  }
  if (const Node* forward = value_of(node, "forward"))
    read_forward(*forward, place.below("forward"), bridge);
  if (const Node* inputs = value_of(node, "inputs"))
    bridge.inputs = read_given_inputs(*inputs, place.entry("inputs"));
  return bridge;
}

}  // namespace slipway::pipeline::keywords
