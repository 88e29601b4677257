#include "server/intake/found_push.h"

#include <nlohmann/json.hpp>

#include "base/crypto.h"

namespace slipway::server {
namespace {

std::string short_name(std::string_view ref) {
  for (const std::string_view kind : {"refs/heads/", "refs/tags/"})
    if (ref.starts_with(kind)) return std::string{ref.substr(kind.size())};
  return std::string{ref};
}

}  // namespace

std::string found_key(std::string_view ref, std::string_view sha) {
  return std::string{kFoundPrefix} +
         sha256_hex(std::string{ref} + "\n" + std::string{sha}).substr(0, 40);
}

bool is_found(const DeliveryRow& delivery) {
  return delivery.delivery_key.starts_with(kFoundPrefix);
}

DeliveryRow delivery_of(const FoundPush& push, const ProjectRow& project, UnixMillis now) {
  DeliveryRow row;
  row.project_id = project.id;
  row.delivery_key = found_key(push.ref, push.after);
  row.event = "push";
  row.headers = nlohmann::json{{"found_by", push.by}}.dump();
  row.body = nlohmann::json{{"ref", push.ref},
                            {"before", push.before.empty() ? std::string(40, '0') : push.before},
                            {"after", push.after},
                            {"repository", {{"full_name", project.path}}}}
                 .dump();
  row.verdict = "accepted";
  row.received_at = now;
  return row;
}

bool is_told(Stores& stores, const ProjectRow& project, const FoundPush& push) {
  if (stores.deliveries.find_by_key(project.id, found_key(push.ref, push.after))) return true;
  PipelineFilter filter;
  filter.ref = short_name(push.ref);
  filter.sha = push.after;
  filter.source = "push";
  return stores.pipelines.list(project.id, filter, {1, 1}).total > 0;
}

}  // namespace slipway::server
