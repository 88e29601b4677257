#include "runner/docker_images.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/crypto.h"
#include "base/files.h"
#include "pipeline/rules/glob.h"
#include "runner/docker_command.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Of the runner's user; an empty object when there is none.
fs::path own_folder() {
  const auto own = docker_environment();
  if (const auto given = own.find("DOCKER_CONFIG"); given != own.end()) return given->second;
  const auto home = own.find("HOME");
  return home == own.end() ? fs::path{} : fs::path{home->second} / ".docker";
}

json own_configuration() {
  const auto text = read_file(own_folder() / "config.json");
  json parsed = text ? json::parse(*text, nullptr, false) : json::object();
  return parsed.is_object() ? parsed : json::object();
}

Result<json> auths_in(const std::string& text, const char* name) {
  if (text.empty()) return json::object();
  const json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("auths") || !parsed["auths"].is_object())
    return fail(ErrorKind::InvalidInput,
                std::string{name} + R"( is not {"auths":{"registry":{"auth":"…"}}})")
        .with_hint("`docker login` writes it into ~/.docker/config.json");
  return parsed["auths"];
}

// A registry's entry counts for docker only if no program is asked for it.
void add(json& configuration, const std::string& registry, const json& entry) {
  configuration["auths"][registry] = entry;
  configuration["credHelpers"][registry] = "";
}

bool is_here(const std::string& image, const std::map<std::string, std::string>& environment) {
  const auto seen = docker({"image", "inspect", "--format", "{{.Id}}", image},
                           std::chrono::seconds{60}, environment);
  return seen && seen->outcome.succeeded();
}

}  // namespace

Result<std::map<std::string, std::string>> make_docker_config(const fs::path& folder,
                                                              const RegistryAccess& access) {
  auto of_job = auths_in(access.of_job, "DOCKER_AUTH_CONFIG");
  if (!of_job) return std::move(of_job).error();
  auto of_runner = auths_in(access.of_runner, "runner_docker_auth_config");
  if (!of_runner) return std::move(of_runner).error();
  if (of_job->empty() && of_runner->empty() && access.of_server.empty())
    return std::map<std::string, std::string>{};
  json configuration = own_configuration();
  for (const char* part : {"auths", "credHelpers"})
    if (!configuration[part].is_object()) configuration[part] = json::object();
  const json own = configuration;
  // The server's come last: only where nobody else says anything.
  for (const pipeline::JobCredential& credential : access.of_server)
    if (!own["auths"].contains(credential.url) && !own["credHelpers"].contains(credential.url))
      add(configuration, credential.url,
          {{"auth", base64_encode(credential.username + ":" + credential.password)}});
  for (const json* auths : {&*of_runner, &*of_job})
    for (const auto& [registry, entry] : auths->items()) add(configuration, registry, entry);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) fs::permissions(folder, fs::perms::owner_all, failed);
  // Which engine is talked to stands in the user's folder too.
  if (!failed && configuration.contains("currentContext"))
    fs::create_directory_symlink(own_folder() / "contexts", folder / "contexts", failed);
  if (failed) return errno_error("cannot make '" + folder.string() + "'", failed.value());
  if (auto written = replace_file(folder / "config.json", configuration.dump(), 0600); !written)
    return std::move(written).error();
  return std::map<std::string, std::string>{{"DOCKER_CONFIG", folder.string()}};
}

Result<std::vector<std::string>> pull_policies(const RunnerSettings& settings,
                                               const std::vector<std::string>& wanted) {
  if (wanted.empty()) return settings.pull_policies;
  const auto& allowed = settings.allowed_pull_policies;
  for (const std::string& policy : wanted) {
    if (policy != "always" && policy != "if-not-present" && policy != "never")
      return fail(ErrorKind::InvalidInput,
                  "pull_policy is '" + policy + "', expected always, if-not-present or never");
    if (std::find(allowed.begin(), allowed.end(), policy) == allowed.end()) {
      std::string list;
      for (const std::string& each : allowed) list += (list.empty() ? "" : ", ") + each;
      return fail(ErrorKind::InvalidInput,
                  "this runner does not allow the pull policy '" + policy + "', only " + list)
          .with_hint("its owner sets runner_allowed_pull_policies");
    }
  }
  return wanted;
}

Result<void> check_allowed(const std::string& image, const std::vector<std::string>& allowed,
                           const char* setting) {
  std::string list;
  for (const std::string& glob : allowed) {
    // At its end, two stars are one to this matcher.
    const bool is_deep = glob.size() >= 2 && glob.compare(glob.size() - 2, 2, "**") == 0;
    if (pipeline::rules::glob_matches(glob, image) ||
        (is_deep && pipeline::rules::glob_matches(glob + "/*", image)))
      return {};
    list += (list.empty() ? "" : ", ") + glob;
  }
  if (allowed.empty()) return {};
  return fail(ErrorKind::InvalidInput,
              "this runner does not allow the image '" + image + "', only " + list)
      .with_hint(std::string{"its owner sets "} + setting);
}

Result<std::string> get_image(const std::string& image, const std::string& platform,
                              const std::vector<std::string>& policies,
                              const std::map<std::string, std::string>& environment,
                              std::chrono::milliseconds deadline, const Sink& sink,
                              const std::stop_token& stop, const DockerKept& kept) {
  if (policies.size() == 1)
    return policies.front() == "if-not-present" ? std::string{"missing"} : policies.front();
  std::string words;
  for (const std::string& policy : policies) {
    sink("Getting " + image + " by the pull policy " + policy + " ...\n");
    if (policy != "always" && is_here(image, environment)) return std::string{"never"};
    if (policy == "never") {
      words = "it is not on this machine";
      continue;
    }
    std::vector<std::string> arguments{"pull"};
    if (!platform.empty()) arguments.push_back("--platform=" + platform);
    arguments.push_back(image);
    const auto pulled = docker(arguments, deadline, environment, stop);
    if (!pulled) return pulled.error();
    if (pulled->outcome.succeeded()) {
      kept.image_used(image, pulled->output);
      return std::string{"never"};
    }
    words = pulled->output;
    sink("WARNING: " + words);
    if (stop.stop_requested()) break;
  }
  return fail(ErrorKind::NotFound, "the image '" + image + "' is not to be had: " + words);
}

bool says_no_image(std::string_view words) {
  for (const char* engine : {"Cannot connect to the Docker daemon", "error during connect"})
    if (words.find(engine) != std::string_view::npos) return false;
  // With "Unable to find image" docker begins to pull, whatever then fails.
  for (const char* sign :
       {"Unable to find image", "pull access denied", "no basic auth credentials",
        "manifest unknown", "No such image", "not found", "unauthorized",
        "denied: ", "no matching manifest", "toomanyrequests", "TLS handshake",
        "server gave HTTP response", "no such host", "connection refused"})
    if (words.find(sign) != std::string_view::npos) return true;
  return false;
}

}  // namespace slipway::runner
