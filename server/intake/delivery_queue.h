// Which delivery is worked on next, so that nobody waits for a stranger.
//
// Deliveries of one project follow one another, in the order in which they came; projects take
// turns, and one git host keeps only some of the workers busy, so that a host which does not answer
// holds up its own projects alone. What could not be done yet is put back with a time.
// Not thread-safe: its owner's mutex is around it.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "server/store/ids.h"

namespace slipway::server {

class DeliveryQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Entry {
    DeliveryId delivery;
    ProjectId project;
    std::string host;  // of the project's repository; any number is taken of ""
    int failures = 0;  // how often it was put back
    Time due{};
  };

  explicit DeliveryQueue(int most_of_one_host) : most_of_one_host_(most_of_one_host) {}

  void push(Entry entry);
  // The one to work on now, if any may be. done() or put_back() must follow.
  std::optional<Entry> take(Time now);
  void done(const Entry& entry);
  // It goes to the front of its project again and rests until `due`.
  void put_back(Entry entry, Time due);
  // When the first of those that rest now may be taken; nullopt when none rests.
  [[nodiscard]] std::optional<Time> next_due(Time now) const;

 private:
  struct Lane {
    std::deque<Entry> waiting;
    bool busy = false;
  };

  void release(const Entry& entry);

  int most_of_one_host_;
  std::map<ProjectId, Lane> lanes_;
  std::deque<ProjectId> turns_;  // each project with a lane, once
  std::map<std::string, int> busy_hosts_;
};

// The host of a repository's address, lower-case; "" for a path on this machine.
std::string host_of_repository(std::string_view url);

}  // namespace slipway::server
