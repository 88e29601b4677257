// One row of the route table: everything that decides about a request before its handler runs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "server/auth/policy.h"
#include "server/auth/principal.h"
#include "server/coordinator/job_tokens.h"
#include "server/http/exchange.h"
#include "server/http/message.h"
#include "server/store/project_store.h"

namespace slipway::server::http {

// An admitted request: who asks, and for which project when the path names one.
struct Call {
  Request request;
  auth::Principal principal;
  std::optional<ProjectRow> project;
  // Of the principal in what the path names: a project, a group or a runner.
  Level level = Level::None;
  std::optional<JobCredential> job;  // when a job's token is the credential
};

using SharedCall = std::shared_ptr<const Call>;

// All handlers run on workers. Plain ones answer at once, held ones later, uploads take the body
// while it comes; a body is collected for the first two.
using PlainHandler = std::function<Result<Response>(const Call&)>;
using HeldHandler = std::function<void(SharedCall, std::shared_ptr<Exchange>)>;
using Reception = std::variant<Response, std::unique_ptr<BodySink>>;  // refused, or where it goes
using UploadHandler = std::function<Reception(SharedCall)>;
using Handler = std::variant<PlainHandler, HeldHandler, UploadHandler>;

// How a changing request shows that the browser's user meant it.
enum class Csrf : std::uint8_t {
  Safe,     // changes nothing
  Session,  // needs the session's token when a cookie is the credential
  Origin,   // no session yet (login, setup): own origin and a JSON body
  Token,    // cookies are no credential here
};

struct Route {
  std::string_view method;
  // "{name}" catches one segment, {project_path} and {ref} one or more.
  std::string_view pattern;
  auth::Credential credential = auth::Credential::User;
  auth::Role role = auth::Role::Admin;
  auth::Scope scope = auth::Scope::Api;
  Csrf csrf = Csrf::Session;
  long long body_limit = 0;
  Handler handler;
};

}  // namespace slipway::server::http
