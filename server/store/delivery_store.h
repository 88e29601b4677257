// Webhook deliveries, kept as they came, so that each can be looked at and none counts twice.
//
// As all repositories: a view on one session, used by that session's thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/store/ids.h"
#include "server/store/paging.h"

namespace slipway::server {

class Session;

struct DeliveryRow {
  DeliveryId id;
  ProjectId project_id;
  // The sender's id; unique within the project. With "/2" and so on behind it for the second push
  // and those after it, where a sender tells of several at once.
  std::string delivery_key;
  std::string event;
  std::string headers;  // JSON object, secrets left out
  std::string body;     // raw; left empty by list(), and where a key "KEY/2" means that of "KEY"
  // "accepted", "ignored", "refused", "failed", "done"; "waiting" for an approval.
  std::string verdict;
  std::string reason;
  UnixMillis received_at = 0;
  std::optional<PipelineId> pipeline_id;
  int attempts = 0;  // how often work on it was begun
};

class DeliveryStore {
 public:
  explicit DeliveryStore(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<DeliveryRow> find(DeliveryId id) const;
  [[nodiscard]] std::optional<DeliveryRow> find_by_key(ProjectId project,
                                                       std::string_view key) const;
  // Newest first, without bodies.
  [[nodiscard]] Page<DeliveryRow> list(ProjectId project, PageRequest page) const;
  // Accepted and not yet worked on, oldest first: what a restart has to take up again.
  [[nodiscard]] std::vector<DeliveryRow> waiting() const;

  DeliveryId insert(const DeliveryRow& row);
  // Work on it begins.
  void count_attempt(DeliveryId id);
  // It was put back in order, and waits for another time; `reason` says why.
  void put_back(DeliveryId id, std::string_view reason);
  // As if it had just come.
  void begin_again(DeliveryId id);
  void set_verdict(DeliveryId id, std::string_view verdict, std::string_view reason,
                   std::optional<PipelineId> pipeline);

 private:
  Session& session_;
};

}  // namespace slipway::server
