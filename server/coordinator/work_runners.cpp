#include "server/coordinator/work.h"

#include <spdlog/fmt/fmt.h>

namespace slipway::server {

namespace {

Error no_runner(RunnerId id) {
  return fail(ErrorKind::NotFound, fmt::format("no runner {}", id.value));
}

}  // namespace

Result<RunnerId> Coordinator::Work::create_runner(RunnerRow row) {
  if (row.tags.empty() && !row.run_untagged)
    return fail(ErrorKind::InvalidInput,
                "a runner that takes no untagged jobs must have at least one tag");
  row.created_at = now();
  const RunnerId id = stores().runners.insert(row);
  runners_changed(id);
  return id;
}

Result<void> Coordinator::Work::update_runner(RunnerId id,
                                              const std::function<void(RunnerRow&)>& change) {
  auto row = stores().runners.find(id);
  if (!row) return no_runner(id);
  change(*row);
  row->id = id;
  if (row->tags.empty() && !row->run_untagged)
    return fail(ErrorKind::InvalidInput,
                "a runner that takes no untagged jobs must have at least one tag");
  stores().runners.update(*row);
  runners_changed(id);
  return {};
}

Result<void> Coordinator::Work::delete_runner(RunnerId id) {
  if (!stores().runners.find(id)) return no_runner(id);
  stores().runners.remove(id);
  runners_changed(id);
  return {};
}

Result<void> Coordinator::Work::runner_contacted(const RunnerManagerRow& manager) {
  if (!stores().runners.find(manager.runner_id)) return no_runner(manager.runner_id);
  stores().runners.contacted(manager);
  changes_.runners.push_back(manager.runner_id);
  return {};
}

Result<void> Coordinator::Work::runner_seen(RunnerId id, const std::string& system_id,
                                            UnixMillis at) {
  if (stores().runners.seen(id, system_id, at)) changes_.runners.push_back(id);
  return {};
}

void Coordinator::Work::runners_changed(RunnerId id) {
  changes_.runners.push_back(id);
  runners_ = std::make_shared<const RunnerTable>(stores().runners.all());
  for (const JobId job : waiting_) {
    AlivePipeline& alive = alive_.at(pipeline_of_.at(job));
    JobRow& row = alive.jobs.at(job);
    const std::string before = row.reason_text;
    explain_waiting(alive, row);
    if (row.reason_text == before) continue;
    touched_.insert(alive.row.id);
    write_job(row, row.status);
  }
}

Result<StoredDelivery> Coordinator::Work::store_delivery(const DeliveryRow& row) {
  if (const auto known = stores().deliveries.find_by_key(row.project_id, row.delivery_key))
    return StoredDelivery{known->id, true, known->verdict};
  DeliveryRow stored = row;
  if (stored.received_at == 0) stored.received_at = now();
  return StoredDelivery{stores().deliveries.insert(stored), false, stored.verdict};
}

}  // namespace slipway::server
