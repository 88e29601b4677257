#include <algorithm>

#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

const std::vector<std::string> kPullPolicies{"always", "if-not-present", "never"};

void read_executor_options(const Node& node, const Place& place, Image& image) {
  if (const Node* docker = value_of(node, "docker")) {
    const Place at = place.below("docker");
    if (check_family(*docker, "docker", at)) {
      image.docker_user = text_under(*docker, "user", at);
      image.docker_platform = text_under(*docker, "platform", at);
    }
  }
  if (const Node* kubernetes = value_of(node, "kubernetes")) {
    check_family(*kubernetes, "kubernetes_executor", place.below("kubernetes"));
    place.unsupported(kubernetes->at,
                      "`kubernetes` concerns an executor that runs pods, and has no "
                      "effect here");
  }
  if (const Node* ports = value_of(node, "ports"))
    place.unsupported(ports->at, "`ports` is for web terminals of GitLab, and has no effect here");
}

void read_pull_policy(const Node& node, const Place& place, Image& image) {
  const Node* policy = value_of(node, "pull_policy");
  if (policy == nullptr) return;
  const Place at = place.entry("pull_policy");
  const auto policies = strings_in(*policy, at, Single::accepted);
  if (!policies) return;
  for (const std::string& word : *policies) {
    if (std::find(kPullPolicies.begin(), kPullPolicies.end(), word) != kPullPolicies.end())
      image.pull_policy.push_back(word);
    else
      at.error(policy->at,
               policy->kind == Kind::Sequence ? "contains unknown values: " + word
                                              : "is not included in the list",
               "one of always, if-not-present, never");
  }
}

void read_common(const Node& node, const Place& place, Image& image) {
  image.name = required_text_under(node, "name", place);
  if (const Node* entrypoint = value_of(node, "entrypoint")) {
    image.has_entrypoint = true;
    image.entrypoint =
        strings_in(*entrypoint, place.attribute("entrypoint")).value_or(std::vector<std::string>{});
  }
  read_pull_policy(node, place, image);
  read_executor_options(node, place, image);
}

std::optional<Service> read_service(const Node& node, const Place& place) {
  Service service;
  if (node.kind == Kind::String) {
    service.image.name = node.text;
    return service;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash or a string");
    return std::nullopt;
  }
  check_family(node, "service", place);
  read_common(node, place, service.image);
  service.alias = text_under(node, "alias", place);
  if (const Node* command = value_of(node, "command"))
    service.command = strings_in(*command, place.attribute("command"), Single::accepted)
                          .value_or(std::vector<std::string>{});
  if (const Node* variables = value_of(node, "variables"))
    service.variables =
        read_variables(*variables, place.below("variables"), Described::no).value_or(Variables{});
  return service;
}

}  // namespace

std::optional<Image> read_image(const Node& node, const Place& place) {
  Image image;
  if (node.kind == Kind::String) {
    image.name = node.text;
    return image;
  }
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash or a string");
    return std::nullopt;
  }
  check_family(node, "image", place);
  read_common(node, place, image);
  return image;
}

std::optional<std::vector<Service>> read_services(const Node& node, const Place& place) {
  if (node.kind != Kind::Sequence) {
    place.error(node.at, "config should be a array");
    return std::nullopt;
  }
  std::vector<Service> services;
  for (const NodePtr& item : node.items)
    if (auto service = read_service(*item, place.below("service")))
      services.push_back(std::move(*service));
  return services;
}

}  // namespace slipway::pipeline::keywords
