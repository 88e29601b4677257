// What the server counts about itself, in Prometheus' text format.
//
// Counting is thread-safe and cheap: the series of a route are found in a table of our own. Gauges
// are asked for when somebody reads. Labels are fixed words and route patterns, never paths, refs
// or names, so that the number of series stays bounded.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::server::telemetry {

// The state at the time of reading.
struct Gauges {
  std::vector<std::pair<std::string, long long>> pipelines;  // by status
  std::vector<std::pair<std::string, long long>> jobs;       // by status
  long long waiting_jobs = 0;
  long long polling_runners = 0;
  long long online_runners = 0;
  long long event_queue = 0;
};

class Metrics {
 public:
  Metrics(std::string version, std::string revision);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `route` is the pattern, "" when no route was found.
  void count_request(std::string_view method, std::string_view route, int status,
                     std::chrono::microseconds took);
  [[nodiscard]] std::string text(const Gauges& gauges);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server::telemetry
