#include "server/http/identity_routes.h"

#include <nlohmann/json.hpp>

#include "server/http/json.h"

namespace slipway::server::http {

using nlohmann::json;

Result<Response> IdentityRoutes::discovery(const Call&) {
  return json_response(200, {{"issuer", url_},
                             {"jwks_uri", url_ + "/oauth/discovery/keys"},
                             {"response_types_supported", {"id_token"}},
                             {"subject_types_supported", {"public"}},
                             {"id_token_signing_alg_values_supported", {"RS256"}},
                             {"scopes_supported", {"openid"}},
                             {"claims_supported",
                              {"iss",
                               "sub",
                               "aud",
                               "exp",
                               "nbf",
                               "iat",
                               "jti",
                               "namespace_path",
                               "project_id",
                               "project_path",
                               "project_visibility",
                               "pipeline_id",
                               "pipeline_source",
                               "job_id",
                               "ref",
                               "ref_type",
                               "ref_path",
                               "ref_protected",
                               "sha",
                               "environment",
                               "environment_protected",
                               "environment_action",
                               "deployment_tier",
                               "runner_id",
                               "runner_environment",
                               "ci_config_ref_uri",
                               "ci_config_sha",
                               "user_id",
                               "user_login"}}});
}

Result<Response> IdentityRoutes::key_set(const Call&) {
  return json_response(200, signer_.key_set(clock_.now()));
}

}  // namespace slipway::server::http
