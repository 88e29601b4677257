#include "server/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <mutex>
#include <tuple>

namespace slipway::server::telemetry {

namespace {

const prometheus::Histogram::BucketBoundaries kSeconds{
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

// Methods that we know; anything else a client makes up must not become a new series.
std::string method_label(std::string_view method) {
  for (const auto* known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
    if (method == known) return known;
  return "other";
}

using GaugesByStatus = std::map<std::string, prometheus::Gauge*>;

// A status that nothing has any more is set back to 0, not left as it was.
void set_by_status(prometheus::Family<prometheus::Gauge>& family, GaugesByStatus& gauges,
                   const std::vector<std::pair<std::string, long long>>& counts) {
  for (auto& [status, gauge] : gauges) gauge->Set(0);
  for (const auto& [status, count] : counts) {
    auto& gauge = gauges[status];
    if (gauge == nullptr) gauge = &family.Add({{"status", status}});
    gauge->Set(static_cast<double>(count));
  }
}

double resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  long long total = 0;
  long long resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Metrics::State {
  using RequestKey = std::tuple<std::string, std::string, int>;

  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>* requests = nullptr;
  prometheus::Family<prometheus::Histogram>* durations = nullptr;
  prometheus::Family<prometheus::Gauge>* pipelines = nullptr;
  prometheus::Family<prometheus::Gauge>* jobs = nullptr;
  prometheus::Gauge* waiting_jobs = nullptr;
  prometheus::Gauge* polling_runners = nullptr;
  prometheus::Gauge* online_runners = nullptr;
  prometheus::Gauge* event_queue = nullptr;
  prometheus::Gauge* resident = nullptr;

  struct Series {
    prometheus::Counter* count = nullptr;
    prometheus::Histogram* duration = nullptr;
  };
  std::mutex mutex;
  std::map<RequestKey, Series> series;
  GaugesByStatus pipeline_gauges;
  GaugesByStatus job_gauges;

  prometheus::Gauge* gauge(const char* name, const char* help) {
    return &prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }
};

Metrics::Metrics(std::string version, std::string revision) : state_(std::make_unique<State>()) {
  auto& registry = state_->registry;
  state_->requests = &prometheus::BuildCounter()
                          .Name("http_requests_total")
                          .Help("Requests answered")
                          .Register(registry);
  state_->durations = &prometheus::BuildHistogram()
                           .Name("http_request_duration_seconds")
                           .Help("From the end of the request's head to the end of the response")
                           .Register(registry);
  state_->pipelines = &prometheus::BuildGauge()
                           .Name("slipway_pipelines")
                           .Help("Pipelines by status")
                           .Register(registry);
  state_->jobs =
      &prometheus::BuildGauge().Name("slipway_jobs").Help("Jobs by status").Register(registry);
  state_->waiting_jobs =
      state_->gauge("slipway_queue_length", "Jobs that are pending and wait for a runner");
  state_->polling_runners =
      state_->gauge("slipway_runners_polling", "Runners' requests held until a job is there");
  state_->online_runners =
      state_->gauge("slipway_runners_online", "Runners heard from in the last minutes");
  state_->event_queue =
      state_->gauge("slipway_event_queue_length", "Changes that wait for the writer");
  state_->resident =
      state_->gauge("process_resident_memory_bytes", "Resident memory size in bytes");
  prometheus::BuildGauge()
      .Name("slipway_build_info")
      .Help("What is running, as labels of a constant 1")
      .Register(registry)
      .Add({{"version", std::move(version)}, {"revision", std::move(revision)}})
      .Set(1);
}

Metrics::~Metrics() = default;

void Metrics::count_request(std::string_view method, std::string_view route, int status,
                            std::chrono::microseconds took) {
  const std::string known_method = method_label(method);
  const std::string pattern{route.empty() ? std::string_view{"none"} : route};
  State::Series series;
  {
    const std::lock_guard lock{state_->mutex};
    auto& entry = state_->series[{known_method, pattern, status}];
    if (entry.count == nullptr) {
      entry.count = &state_->requests->Add(
          {{"method", known_method}, {"route", pattern}, {"status", std::to_string(status)}});
      entry.duration =
          &state_->durations->Add({{"method", known_method}, {"route", pattern}}, kSeconds);
    }
    series = entry;
  }
  series.count->Increment();
  series.duration->Observe(std::chrono::duration<double>(took).count());
}

std::string Metrics::text(const Gauges& gauges) {
  const std::lock_guard lock{state_->mutex};
  set_by_status(*state_->pipelines, state_->pipeline_gauges, gauges.pipelines);
  set_by_status(*state_->jobs, state_->job_gauges, gauges.jobs);
  state_->waiting_jobs->Set(static_cast<double>(gauges.waiting_jobs));
  state_->polling_runners->Set(static_cast<double>(gauges.polling_runners));
  state_->online_runners->Set(static_cast<double>(gauges.online_runners));
  state_->event_queue->Set(static_cast<double>(gauges.event_queue));
  state_->resident->Set(resident_bytes());
  return prometheus::TextSerializer{}.Serialize(state_->registry.Collect());
}

}  // namespace slipway::server::telemetry
