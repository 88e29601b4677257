// The git command as the runner calls it: with nothing of a job's environment, and with a
// configuration of its own that overrides whatever a job may have written into a repository.
//
// Credentials travel in the environment of git alone: they are in no argument, no address and no
// file. Used on the job's thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/process.h"
#include "runner/executor.h"

namespace slipway::runner {

// Whether a job may come from a repository on this machine (file://). Never from a server's word:
// it would read the runner's own disk.
enum class LocalRepositories : bool { refused, allowed };

struct GitOptions {
  bool for_any_user = false;  // everybody may change what git makes
  LocalRepositories local = LocalRepositories::refused;
};

struct RemoteAddress {
  std::string url;        // without credentials
  std::string user_info;  // "user:password", "" without
  std::string server;     // "https://host:port", "" when it is not http or https
  std::string host;       // without user and port

  static RemoteAddress parse(const std::string& url);
  // Only what travels over a network, unless told otherwise: `ext::`, for one, runs a command.
  [[nodiscard]] bool may_be_fetched(LocalRepositories local) const;
};

// As git reads it from GIT_CONFIG_COUNT, GIT_CONFIG_KEY_0, GIT_CONFIG_VALUE_0 and so on.
using GitConfiguration = std::vector<std::pair<std::string, std::string>>;
std::map<std::string, std::string> to_environment(const GitConfiguration& configuration);

// What lets git talk to the server of `remote`; empty when there are no credentials.
GitConfiguration credentials_of(const RemoteAddress& remote);

class Git {
 public:
  // `more` is configuration for all calls.
  Git(const RemoteAddress& remote, GitConfiguration more, Sink sink, std::stop_token stop,
      std::chrono::steady_clock::time_point until, GitOptions options = {});

  // In `directory`; output goes to the sink. Unavailable when git failed or took too long.
  Result<void> run(const std::filesystem::path& directory,
                   const std::vector<std::string>& arguments) const;
  // What it printed on standard output alone.
  [[nodiscard]] Result<std::string> read(const std::filesystem::path& directory,
                                         const std::vector<std::string>& arguments) const;
  [[nodiscard]] const Sink& sink() const { return sink_; }
  [[nodiscard]] bool is_stopped() const { return stop_.stop_requested(); }
  [[nodiscard]] std::chrono::milliseconds time_left() const;

 private:
  [[nodiscard]] ProcessSpec call(const std::filesystem::path& directory,
                                 const std::vector<std::string>& arguments) const;

  std::map<std::string, std::string> environment_;
  Sink sink_;
  std::stop_token stop_;
  std::chrono::steady_clock::time_point until_;
  GitOptions options_;
};

// Whether git-lfs is installed beside git.
bool has_git_lfs();

}  // namespace slipway::runner
