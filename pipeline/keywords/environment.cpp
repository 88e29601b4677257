#include <algorithm>

#include "pipeline/keywords/families.h"
#include "pipeline/variables.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kLongestUrl = 255;
const std::vector<std::string> kActions{"start", "stop", "prepare", "verify", "access"};
const std::vector<std::string> kTiers{"production", "staging", "testing", "development", "other"};

bool is_one_of(const Node& node, const std::vector<std::string>& words) {
  return node.is_scalar() && std::find(words.begin(), words.end(), node.text) != words.end();
}

void read_kubernetes(const Node& node, const Place& place, Environment& environment) {
  if (!check_family(node, "environment_kubernetes", place)) return;
  environment.kubernetes_agent = text_under(node, "agent", place);
  environment.kubernetes_namespace = text_under(node, "namespace", place);
  const bool flux = !text_under(node, "flux_resource_path", place).empty();
  if (flux && environment.kubernetes_namespace.empty())
    place.attribute("namespace").error(node.at, "can't be blank");
  if (flux && environment.kubernetes_agent.empty())
    place.attribute("agent").error(node.at, "can't be blank");
  if (const Node* resources = value_of(node, "managed_resources"))
    check_family(*resources, "managed_resources", place.below("managed_resources"));
  if (const Node* dashboard = value_of(node, "dashboard"))
    check_family(*dashboard, "kubernetes_dashboard", place.below("dashboard"));
  place.unsupported(node.at, "shows a cluster on GitLab's page, and has no effect here",
                    "the job itself reaches its cluster as ever");
}

void read_details(const Node& node, const Place& place, Environment& environment) {
  check_family(node, "environment", place);
  environment.url = text_under(node, "url", place);
  if (environment.url.size() > kLongestUrl)
    place.attribute("url").error(value_of(node, "url")->at,
                                 "is too long (maximum is 255 characters)");
  environment.on_stop = text_under(node, "on_stop", place);
  if (const Node* on_stop = value_of(node, "on_stop")) environment.on_stop_at = on_stop->at;
  if (const Node* stop = value_of(node, "auto_stop_in")) {
    // A variable is known only when the job is planned.
    if (stop->is_scalar() && stop->text.find('$') != std::string::npos)
      environment.auto_stop_in = stop->text;
    else
      environment.auto_stop_in = expiry_in(*stop, place.attribute("auto_stop_in")).value_or("");
  }
  if (const Node* action = value_of(node, "action")) {
    if (is_one_of(*action, kActions))
      environment.action = action->text;
    else
      place.attribute("action").error(action->at,
                                      "should be start, stop, prepare, verify, or access");
  }
  if (const Node* tier = value_of(node, "deployment_tier")) {
    const bool variable = tier->is_scalar() && tier->text.find('$') != std::string::npos;
    if (variable || is_one_of(*tier, kTiers))
      environment.deployment_tier = tier->text;
    else
      place.attribute("deployment_tier")
          .error(tier->at, "must be one of production, staging, testing, development, other");
  }
  if (const Node* kubernetes = value_of(node, "kubernetes"))
    read_kubernetes(*kubernetes, place.below("kubernetes"), environment);
}

}  // namespace

std::optional<Environment> read_environment(const Node& node, const Place& place) {
  Environment environment;
  const Node* name = &node;
  if (node.kind == Kind::Mapping) {
    read_details(node, place, environment);
    name = value_of(node, "name");
  }
  if (name == nullptr || (name->kind == Kind::String && name->text.empty())) {
    place.attribute("name").error(name == nullptr ? node.at : name->at, "can't be blank");
    return std::nullopt;
  }
  if (name == &node && name->kind != Kind::String) {
    place.error(node.at, "config should be a hash or a string");
    return std::nullopt;
  }
  environment.name = name->text;
  if (name->kind != Kind::String || !is_environment_name(environment.name))
    place.attribute("name").error(
        name->at,
        "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it "
        "cannot start or end with '/'");
  return environment;
}

}  // namespace slipway::pipeline::keywords
