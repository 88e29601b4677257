#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

const std::vector<std::string> kPullPolicies{"always", "if-not-present", "never"};

void read_docker_options(const Node& node, const Place& place, Image& image) {
  const Node* docker = value_of(node, "docker");
  if (docker == nullptr) return;
  check_keys(*docker, {"platform", "user"}, place.below("docker"));
  if (const Node* user = value_of(*docker, "user"))
    image.docker_user = string_in(*user, place.below("docker:user")).value_or("");
  if (const Node* platform = value_of(*docker, "platform"))
    image.docker_platform = string_in(*platform, place.below("docker:platform")).value_or("");
}

void read_pull_policy(const Node& node, const Place& place, Image& image) {
  const Node* policy = value_of(node, "pull_policy");
  if (policy == nullptr) return;
  const auto policies = strings_in(*policy, place.below("pull_policy"), Single::accepted);
  if (!policies) return;
  for (const std::string& word : *policies)
    if (word_in(*read::make_string(word, policy->at), kPullPolicies, place.below("pull_policy")))
      image.pull_policy.push_back(word);
}

void read_common(const Node& node, const Place& place, Image& image) {
  if (const Node* name = value_of(node, "name"))
    image.name = string_in(*name, place.below("name")).value_or("");
  else
    place.error(node.at, "config missing required keys: name");
  if (const Node* entrypoint = value_of(node, "entrypoint")) {
    image.has_entrypoint = true;
    image.entrypoint =
        strings_in(*entrypoint, place.below("entrypoint")).value_or(std::vector<std::string>{});
  }
  read_pull_policy(node, place, image);
  read_docker_options(node, place, image);
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
  check_keys(node,
             {"name", "entrypoint", "command", "alias", "variables", "pull_policy", "docker",
              "kubernetes", "ports"},
             place);
  read_common(node, place, service.image);
  if (const Node* alias = value_of(node, "alias"))
    service.alias = string_in(*alias, place.below("alias")).value_or("");
  if (const Node* command = value_of(node, "command"))
    service.command = strings_in(*command, place.below("command"), Single::accepted)
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
  check_keys(node, {"name", "entrypoint", "pull_policy", "docker", "kubernetes", "ports"}, place);
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
