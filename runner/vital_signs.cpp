#include "runner/vital_signs.h"

#include <CivetServer.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <vector>

namespace slipway::runner {
namespace {

using Steady = std::chrono::steady_clock;

// As gitlab-runner has them: from seconds to ten hours.
const prometheus::Histogram::BucketBoundaries kSeconds{1,   5,    10,   30,   60,    300,
                                                       600, 1800, 3600, 7200, 18000, 36000};

// A poll is short, and one thread would let a silent client keep all others out.
const std::vector<std::string> kPortOptions{"num_threads",       "3", "request_timeout_ms", "5000",
                                            "enable_keep_alive", "no"};

void answer(mg_connection* connection, int status, const char* type, const std::string& text) {
  mg_printf(
      connection,
      "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
      status, status == 200 ? "OK" : "Service Unavailable", type, text.size());
  mg_write(connection, text.data(), text.size());
}

}  // namespace

struct VitalSigns::State {
  class MetricsPage final : public CivetHandler {
   public:
    explicit MetricsPage(State& state) : state_(state) {}
    bool handleGet(CivetServer*, mg_connection* connection) override {
      const auto text = prometheus::TextSerializer{}.Serialize(state_.registry.Collect());
      answer(connection, 200, "text/plain; version=0.0.4; charset=utf-8", text);
      return true;
    }

   private:
    State& state_;
  };

  class HealthPage final : public CivetHandler {
   public:
    explicit HealthPage(State& state) : state_(state) {}
    bool handleGet(CivetServer*, mg_connection* connection) override {
      const std::string trouble = state_.trouble();
      answer(connection, trouble.empty() ? 200 : 503, "text/plain; charset=utf-8",
             (trouble.empty() ? "ok" : trouble) + "\n");
      return true;
    }

   private:
    State& state_;
  };

  prometheus::Registry registry;
  prometheus::Gauge* running = nullptr;
  prometheus::Gauge* last_contact = nullptr;
  prometheus::Gauge* kept = nullptr;
  prometheus::Counter* removed = nullptr;
  prometheus::Counter* failed_polls = nullptr;
  prometheus::Histogram* durations = nullptr;
  prometheus::Family<prometheus::Counter>* ended = nullptr;

  std::mutex mutex;
  Steady::time_point heard_at = Steady::now();
  std::string said;

  MetricsPage metrics_page{*this};
  HealthPage health_page{*this};
  std::unique_ptr<CivetServer> port;  // last: it goes first

  std::string trouble() {
    const std::lock_guard lock{mutex};
    if (Steady::now() - heard_at < kSilentFor) return {};
    return "the server has not answered for more than " + std::to_string(kSilentFor.count()) +
           " minutes: " + said;
  }

  prometheus::Gauge& gauge(const char* name, const char* help, const prometheus::Labels& labels) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
  }
};

VitalSigns::VitalSigns(int concurrent, std::string_view executor)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.running = &s.gauge("slipway_runner_jobs", "Jobs that run now.", {});
  s.last_contact = &s.gauge("slipway_runner_last_contact_timestamp_seconds",
                            "When the server last answered a request for a job.", {});
  s.gauge("slipway_runner_concurrent", "Jobs that may run at the same time.", {}).Set(concurrent);
  s.gauge("slipway_runner_info", "Always 1.",
          {{"version", SLIPWAY_VERSION}, {"executor", std::string{executor}}})
      .Set(1);
  s.kept = &s.gauge("slipway_runner_kept_bytes",
                    "Caches, git objects and images that are kept for later jobs.", {});
  s.removed = &prometheus::BuildCounter()
                   .Name("slipway_runner_removed_bytes_total")
                   .Help("What was kept for later jobs and went to make room.")
                   .Register(s.registry)
                   .Add({});
  s.failed_polls = &prometheus::BuildCounter()
                        .Name("slipway_runner_failed_polls_total")
                        .Help("Requests for a job that the server did not answer or refused.")
                        .Register(s.registry)
                        .Add({});
  s.durations = &prometheus::BuildHistogram()
                     .Name("slipway_runner_job_duration_seconds")
                     .Help("From taking a job to its last word.")
                     .Register(s.registry)
                     .Add({}, kSeconds);
  s.ended = &prometheus::BuildCounter()
                 .Name("slipway_runner_jobs_total")
                 .Help("Jobs that have ended, by success, aborted or the reason of failure.")
                 .Register(s.registry);
}

VitalSigns::~VitalSigns() = default;

Result<void> VitalSigns::serve(const std::string& address) {
  auto options = kPortOptions;
  options.insert(options.end(), {"listening_ports", address});
  try {
    state_->port = std::make_unique<CivetServer>(options);
  } catch (const CivetException& error) {
    return fail(ErrorKind::Unavailable, "cannot listen on " + address)
        .with_hint("runner_listen is HOST:PORT; is the port taken?");
  }
  state_->port->addHandler("/metrics$", state_->metrics_page);
  state_->port->addHandler("/healthz$", state_->health_page);
  return {};
}

int VitalSigns::port() const {
  const auto ports = state_->port ? state_->port->getListeningPorts() : std::vector<int>{};
  return ports.empty() ? 0 : ports.front();
}

void VitalSigns::polled(std::string_view trouble) {
  if (trouble.empty())
    state_->last_contact->SetToCurrentTime();
  else
    state_->failed_polls->Increment();
  const std::lock_guard lock{state_->mutex};
  if (trouble.empty()) state_->heard_at = Steady::now();
  state_->said = trouble;
}

void VitalSigns::job_started() {
  state_->running->Increment();
}

void VitalSigns::job_ended(std::string_view result, std::chrono::milliseconds took) {
  state_->running->Decrement();
  state_->durations->Observe(static_cast<double>(took.count()) / 1000);
  state_->ended->Add({{"result", std::string{result}}}).Increment();
}

void VitalSigns::disk_swept(long long kept, long long removed) {
  state_->kept->Set(static_cast<double>(kept));
  state_->removed->Increment(static_cast<double>(removed));
}

}  // namespace slipway::runner
