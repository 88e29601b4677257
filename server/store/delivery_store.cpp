#include "server/store/delivery_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<DeliveryRow> {
  template <typename F>
  static void each(DeliveryRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("delivery_key", row.delivery_key);
    f("event", row.event);
    f("headers", row.headers);
    f("body", row.body);
    f("verdict", row.verdict);
    f("reason", row.reason);
    f("received_at", row.received_at);
    f("pipeline_id", row.pipeline_id);
    f("attempts", row.attempts);
  }
};

std::optional<DeliveryRow> DeliveryStore::find(DeliveryId id) const {
  static const std::string sql =
      "SELECT " + column_names<DeliveryRow>() + " FROM deliveries WHERE id = ?";
  return select_one<DeliveryRow>(session_, sql, id);
}

std::optional<DeliveryRow> DeliveryStore::find_by_key(ProjectId project,
                                                      std::string_view key) const {
  static const std::string sql = "SELECT " + column_names<DeliveryRow>() +
                                 " FROM deliveries WHERE project_id = ? AND delivery_key = ?";
  return select_one<DeliveryRow>(session_, sql, project, key);
}

Page<DeliveryRow> DeliveryStore::list(ProjectId project, PageRequest page) const {
  return {select<DeliveryRow>(session_, R"sql(
SELECT id, project_id, delivery_key, event, headers, '', verdict, reason, received_at, pipeline_id,
       attempts
  FROM deliveries WHERE project_id = ? ORDER BY id DESC LIMIT ? OFFSET ?)sql",
                              project, page.per_page, (page.page - 1) * page.per_page),
          select_value<long long>(session_, "SELECT COUNT(*) FROM deliveries WHERE project_id = ?",
                                  project)};
}

std::vector<DeliveryRow> DeliveryStore::waiting() const {
  static const std::string sql = "SELECT " + column_names<DeliveryRow>() +
                                 " FROM deliveries WHERE verdict = 'accepted' ORDER BY id";
  return select<DeliveryRow>(session_, sql);
}

DeliveryId DeliveryStore::insert(const DeliveryRow& row) {
  return {insert_row(session_, "deliveries", row)};
}

void DeliveryStore::count_attempt(DeliveryId id) {
  execute(session_, "UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?", id);
}

void DeliveryStore::put_back(DeliveryId id, std::string_view reason) {
  execute(session_, "UPDATE deliveries SET attempts = attempts - 1, reason = ? WHERE id = ?",
          reason, id);
}

void DeliveryStore::begin_again(DeliveryId id) {
  execute(session_,
          "UPDATE deliveries SET verdict = 'accepted', reason = '', pipeline_id = NULL,"
          " attempts = 0 WHERE id = ?",
          id);
}

void DeliveryStore::set_verdict(DeliveryId id, std::string_view verdict, std::string_view reason,
                                std::optional<PipelineId> pipeline) {
  execute(session_, "UPDATE deliveries SET verdict = ?, reason = ?, pipeline_id = ? WHERE id = ?",
          verdict, reason, pipeline, id);
}

}  // namespace slipway::server
