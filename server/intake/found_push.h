// A push that nobody told of, as a delivery that says so.
#pragma once

#include <string>
#include <string_view>

#include "server/store/database.h"

namespace slipway::server {

struct FoundPush {
  std::string ref;     // "refs/heads/main"
  std::string before;  // "" for a new one
  std::string after;
  std::string by;  // "poll" or "reconciler"
};

// Deliveries of pushes that were found have such keys, and no others have.
inline constexpr std::string_view kFoundPrefix = "found-";
// `ref` in full.
std::string found_key(std::string_view ref, std::string_view sha);
bool is_found(const DeliveryRow& delivery);

// As accepted, not yet stored.
DeliveryRow delivery_of(const FoundPush& push, const ProjectRow& project, UnixMillis now);
// Whether a webhook has told of it, or it was found before.
bool is_told(Stores& stores, const ProjectRow& project, const FoundPush& push);

}  // namespace slipway::server
