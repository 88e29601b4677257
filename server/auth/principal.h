// Who is asking, as the credential says and nothing else of the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/store/ids.h"

namespace slipway::server::auth {

enum class PrincipalKind : std::uint8_t { Anonymous, User, Runner, Job };

// What a personal token may be used for. A session may do everything its user may.
enum class Scope : std::uint8_t {
  ReadApi,         // "read_api": reading
  ReadUser,        // "read_user": who one is; part of read_api
  ReadRepository,  // "read_repository": cloning; part of read_api
  Api,             // "api": everything the user may
  CreateRunner,    // "create_runner": that, and nothing else
};

struct Principal {
  PrincipalKind kind = PrincipalKind::Anonymous;

  // User:
  UserId user;
  std::string username;
  bool is_admin = false;
  bool is_bot = false;              // a project's token: no member of anything else
  std::optional<TokenId> token;     // set when a personal token was used
  std::vector<std::string> scopes;  // of that token
  std::string session;              // the cookie's value when a session was used

  // Runner or Job:
  RunnerId runner;
  JobId job;
  ProjectId job_project;

  // "user/1", "runner/2", "job/3", "anonymous": for the logs.
  [[nodiscard]] std::string name() const;
};

}  // namespace slipway::server::auth
