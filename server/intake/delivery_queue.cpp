#include "server/intake/delivery_queue.h"

#include <algorithm>
#include <cctype>

namespace slipway::server {

void DeliveryQueue::push(Entry entry) {
  const auto [at, is_new] = lanes_.try_emplace(entry.project);
  if (is_new) turns_.push_back(entry.project);
  at->second.waiting.push_back(std::move(entry));
}

std::optional<DeliveryQueue::Entry> DeliveryQueue::take(Time now) {
  for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
    const ProjectId project = *turn;
    Lane& lane = lanes_[project];
    if (lane.busy || lane.waiting.empty() || lane.waiting.front().due > now) continue;
    const std::string& host = lane.waiting.front().host;
    const auto busy = busy_hosts_.find(host);
    if (!host.empty() && busy != busy_hosts_.end() && busy->second >= most_of_one_host_) continue;
    ++busy_hosts_[host];
    Entry entry = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    lane.busy = true;
    turns_.erase(turn);
    turns_.push_back(project);
    return entry;
  }
  return std::nullopt;
}

void DeliveryQueue::done(const Entry& entry) {
  release(entry);
  const auto lane = lanes_.find(entry.project);
  if (lane == lanes_.end() || !lane->second.waiting.empty()) return;
  lanes_.erase(lane);
  turns_.erase(std::remove(turns_.begin(), turns_.end(), entry.project), turns_.end());
}

void DeliveryQueue::put_back(Entry entry, Time due) {
  release(entry);
  entry.due = due;
  ++entry.failures;
  lanes_[entry.project].waiting.push_front(std::move(entry));
}

void DeliveryQueue::release(const Entry& entry) {
  lanes_[entry.project].busy = false;
  const auto host = busy_hosts_.find(entry.host);
  if (host != busy_hosts_.end() && --host->second == 0) busy_hosts_.erase(host);
}

std::optional<DeliveryQueue::Time> DeliveryQueue::next_due(Time now) const {
  std::optional<Time> next;
  for (const auto& [project, lane] : lanes_) {
    // What is due waits for a worker, whose end wakes the others.
    if (lane.busy || lane.waiting.empty() || lane.waiting.front().due <= now) continue;
    if (!next || lane.waiting.front().due < *next) next = lane.waiting.front().due;
  }
  return next;
}

std::string host_of_repository(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  else if (url.substr(0, 1) == "/")
    return {};
  std::string_view authority = url.substr(0, url.find('/'));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const bool bracketed = authority.substr(0, 1) == "[";
  const auto end = bracketed ? authority.find(']') : authority.find(':');
  std::string host{authority.substr(0, end)};
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return host;
}

}  // namespace slipway::server
