// `slipway hook install`: a plain git server tells of pushes from then on.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/files.h"
#include "cli/commands.h"
#include "cli/hook_script.h"
#include "cli/server_client.h"
#include "server/git/git_command.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "Tells Slipway about a push";
constexpr std::size_t kShortestSecret = 16;
constexpr std::size_t kLongestHook = std::size_t{1} << 20U;

struct HookOptions {
  std::string project;
  fs::path repository = ".";
  std::string url;
  fs::path secret_file;
};

int report(const Error& error) {
  print_error(error);
  return exit_code_of(error);
}

// Where hooks/ is: a bare repository itself, or the .git of a work tree.
Result<fs::path> git_directory(const fs::path& given) {
  std::error_code failed;
  for (const fs::path& place : {given, given / ".git"})
    if (fs::exists(place / "HEAD", failed) && fs::is_directory(place / "objects", failed))
      return fs::absolute(place);
  return fail(ErrorKind::InvalidInput, "'" + given.string() + "' is no git repository")
      .with_hint("name the repository that is pushed to with --repository");
}

Result<std::string> secret_text(const HookOptions& options) {
  std::string secret;
  if (options.secret_file.empty()) {
    std::cerr << "webhook secret of the project: ";
    std::getline(std::cin, secret);
  } else {
    auto text = read_file(options.secret_file, kLongestHook);
    if (!text) return text;
    secret = text->substr(0, text->find('\n'));
  }
  while (!secret.empty() && (secret.back() == '\r' || secret.back() == ' ')) secret.pop_back();
  const bool plain = std::all_of(secret.begin(), secret.end(),
                                 [](unsigned char c) { return c > ' ' && c < 0x7F; });
  if (secret.size() < kShortestSecret || !plain)
    return fail(ErrorKind::InvalidInput, "that is no webhook secret")
        .with_hint(
            "`slipway project add` shows it once; give it on standard input or, in a file "
            "that only you may read, with --secret-file");
  return secret;
}

Result<void> write_script(const fs::path& hook) {
  std::error_code failed;
  if (fs::exists(fs::symlink_status(hook, failed))) {
    const auto there = read_file(hook, kLongestHook);
    if (!there || there->find(kMark) == std::string::npos)
      return fail(ErrorKind::Conflict, "'" + hook.string() + "' is there already, and not ours")
          .with_hint("move it aside, and let it call this one with the same standard input");
  }
  fs::create_directories(hook.parent_path(), failed);
  return replace_file(hook, hook_script(), 0755);
}

Result<void> configure(const fs::path& git, const HookOptions& options, const fs::path& secret) {
  const std::pair<const char*, std::string> settings[]{{"slipway.url", options.url},
                                                       {"slipway.project", options.project},
                                                       {"slipway.secretFile", secret.string()},
                                                       {"receive.advertisePushOptions", "true"}};
  for (const auto& [name, value] : settings)
    if (const auto set = server::run_git(git, {"config", "--local", name, value},
                                         server::LocalRepositories::refused);
        !set)
      return set.error();
  return {};
}

Result<fs::path> install_hook(HookOptions options) {
  if (options.url.empty()) {
    const auto server = server_from_environment();
    if (!server) return server.error();
    options.url = server->url + "/hooks/" + options.project;
  }
  if (!options.url.starts_with("https://") && !options.url.starts_with("http://"))
    return fail(ErrorKind::InvalidInput, "'" + options.url + "' is no address of a webhook");
  const auto git = git_directory(options.repository);
  if (!git) return git.error();
  auto secret = secret_text(options);
  if (!secret) return secret.error();
  const fs::path secret_file = *git / "slipway-secret";
  const fs::path hook = *git / "hooks" / "post-receive";
  if (auto written = write_script(hook); !written) return written.error();
  if (auto written = replace_file(secret_file, *secret + "\n", 0600); !written)
    return written.error();
  if (auto set = configure(*git, options, secret_file); !set) return set.error();
  return hook;
}

}  // namespace

CLI::App* add_hook_command(CLI::App& app, int& exit_code) {
  auto* hook = app.add_subcommand("hook", "let a plain git server tell of pushes");
  hook->require_subcommand(1);
  const auto options = std::make_shared<HookOptions>();
  auto* install = hook->add_subcommand("install", "put a post-receive hook into a repository");
  install->add_option("project", options->project, "group/name on the server")->required();
  install->add_option("--repository", options->repository, "the one that is pushed to (.)");
  install->add_option("--url", options->url,
                      "address of the webhook, when it does not follow from SLIPWAY_URL");
  install->add_option("--secret-file", options->secret_file,
                      "file with the webhook secret; else the first line of standard input");
  install->footer(
      "The secret goes into a file beside the repository's configuration that its owner alone may\n"
      "read; run this as the user whom git runs as. The hook needs python3, tries a server that\n"
      "does not answer again, and never refuses a push.\n\nExample:\n"
      "  slipway hook install team/app --repository /srv/git/app.git < secret");
  install->callback([options, &exit_code] {
    const auto installed = install_hook(*options);
    if (!installed) {
      exit_code = report(installed.error());
      return;
    }
    std::cout << "installed " << installed->string() << "\n";
    exit_code = kOk;
  });
  return hook;
}

}  // namespace slipway::cli
