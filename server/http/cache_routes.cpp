#include "server/http/cache_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/plan.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/store/run_refs.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::size_t kLongestKey = 1024;
// As pipeline/job_payload ends the keys of caches with `unprotect`.
constexpr std::string_view kUnprotectedEnd = "-non_protected";

bool has_unprotected_cache(Stores& stores, PlanId plan) {
  const auto planned = json::parse(stores.jobs.plan(plan), nullptr, false);
  if (!planned.is_object()) return false;
  const auto job = pipeline::planned_job_from_json(planned);
  return job && std::any_of(job->job.caches.begin(), job->job.caches.end(),
                            [](const pipeline::Cache& cache) { return cache.unprotect; });
}

}  // namespace

Result<CacheRoutes::Place> CacheRoutes::place_of(const Call& call) {
  const auto id = path_number(call.request, "job_id");
  if (!id || !call.job || call.job->job_id != JobId{*id} || call.job->finished)
    return fail(ErrorKind::Denied, "403 Forbidden");
  if (depot_.is_off())
    return fail(ErrorKind::NotFound, "this server keeps no caches")
        .with_hint("set cache_size on the server, or runner_cache_place to local on the runner");
  const std::string key{call.request.query_value("key").value_or("")};
  if (key.empty() || key.size() > kLongestKey)
    return fail(ErrorKind::InvalidInput, "'key' must be the cache's key, of 1 to 1024 bytes");
  auto read = database_.read();
  const auto row = read->jobs.find(call.job->job_id);
  const auto pipeline = row ? read->pipelines.find(row->pipeline_id) : std::nullopt;
  if (!pipeline) return not_found("Job");
  coordinator_.heard_from(*call.job);
  // By the rows alone: the key is the runner's word.
  if (is_fork_ref(pipeline->ref))
    return Place{{row->project_id.value, false, whole_number(fork_number(pipeline->ref)).value_or(-1)},
                 key};
  const bool steps_down = row->ref_protected && key.ends_with(kUnprotectedEnd) &&
                          has_unprotected_cache(*read, row->plan_id);
  return Place{{row->project_id.value, row->ref_protected && !steps_down}, key};
}

Result<Response> CacheRoutes::show(const Call& call) {
  const auto place = place_of(call);
  if (!place) return place.error();
  const auto list = depot_.find(place->scope, place->key);
  if (!list) return not_found("Cache");
  return json_response(200, to_json(*list));
}

Result<Response> CacheRoutes::store(const Call& call) {
  const auto place = place_of(call);
  if (!place) return place.error();
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  const auto list = cache_list_from_json(*body);
  if (!list) return list.error();
  const auto lacking = depot_.put(place->scope, place->key, *list);
  if (!lacking) return lacking.error();
  if (lacking->empty()) return empty_response(204);
  return json_response(409,
                       {{"message", "pieces of the cache are not here"}, {"missing", *lacking}});
}

Result<Response> CacheRoutes::missing(const Call& call) {
  const auto place = place_of(call);
  if (!place) return place.error();
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  const auto pieces = fields.texts("pieces");
  if (!pieces || pieces->size() > kMostCachePieces ||
      !std::all_of(pieces->begin(), pieces->end(), is_cache_piece_id))
    fields.refuse("pieces", "a list of at most 65536 ids, each of 64 small hex digits");
  if (fields.error()) return *fields.error();
  return json_response(200, {{"missing", depot_.missing(place->scope, *pieces)}});
}

Result<Response> CacheRoutes::download_piece(const Call& call) {
  const auto place = place_of(call);
  if (!place) return place.error();
  auto packed = depot_.piece(place->scope, std::string{call.request.param("piece")});
  if (!packed) return std::move(packed).error();
  Response response;
  response.body = std::move(*packed);
  response.content_type = "application/zstd";
  return response;
}

Result<Response> CacheRoutes::upload_piece(const Call& call) {
  const auto place = place_of(call);
  if (!place) return place.error();
  const auto stored =
      depot_.put_piece(place->scope, std::string{call.request.param("piece")}, call.request.body);
  if (!stored) return stored.error();
  return empty_response(204);
}

Result<Response> CacheRoutes::clear(const Call& call) {
  depot_.remove(call.project->id.value);
  note_audit(coordinator_,
             {call.principal.name(), "caches.deleted",
              "project/" + std::to_string(call.project->id.value), false, call.request.remote});
  return empty_response(204);
}

}  // namespace slipway::server::http
