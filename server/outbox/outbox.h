// Delivers what commits owe to the outside world: the rows of the outbox, each at least once, those
// of one channel in order, with growing pauses after failures, over restarts.
//
// One thread of its own. Targets are called on it, one at a time.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "server/store/database.h"
#include "server/store/effect_store.h"

namespace slipway::server {

class OutboxTarget {
 public:
  virtual ~OutboxTarget() = default;
  // May block, but not for ever. The same effect may come again after a crash. InvalidInput, Denied
  // and NotFound mean that trying again is no use; other errors are retried.
  virtual Result<void> deliver(const EffectRow& effect) = 0;
};

// Writes effects to the application log.
class LogTarget final : public OutboxTarget {
 public:
  Result<void> deliver(const EffectRow& effect) override;
};

// How the worker writes; the coordinator's queue behind it. Waits until it is durable.
class OutboxWriter {
 public:
  virtual ~OutboxWriter() = default;
  virtual Result<void> delivered(EffectId id) = 0;
  virtual Result<void> postpone(EffectId id, UnixMillis due_at, const std::string& error) = 0;
  virtual Result<void> abandon(EffectId id, const std::string& error) = 0;
};

struct OutboxOptions {
  std::chrono::milliseconds first_pause{1000};  // doubles with each failure
  std::chrono::milliseconds longest_pause{std::chrono::minutes{10}};
  int attempts = 20;
};

class Outbox {
 public:
  // All references must outlive it. `targets` by kind of effect; "" takes the others.
  Outbox(Database& database, OutboxWriter& writer, const Clock& clock,
         std::map<std::string, OutboxTarget*> targets, OutboxOptions options = {});
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  void start();
  void stop();
  // There may be something new. Thread-safe.
  void wake();
  // Delivers what is due, on the calling thread (tests); how many it tried.
  std::size_t run_due();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
