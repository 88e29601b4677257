#include "server/outbox/outbox.h"

#include "base/guarded.h"
#include "base/logging.h"

#include <algorithm>
#include <condition_variable>
#include <thread>

namespace slipway::server {

namespace {

constexpr int kAtOnce = 50;
// A look at the clock even when nobody calls: pauses after failures end by themselves.
constexpr std::chrono::milliseconds kLookInterval{1000};

bool is_hopeless(ErrorKind kind) {
  return kind == ErrorKind::InvalidInput || kind == ErrorKind::Denied ||
         kind == ErrorKind::NotFound;
}

}  // namespace

Result<void> LogTarget::deliver(const EffectRow& effect) {
  log::info("effect.delivered", {{"effect", effect.id.value},
                                 {"kind", effect.kind},
                                 {"channel", effect.channel},
                                 {"payload", effect.payload}});
  return {};
}

struct Outbox::State {
  State(Database& used_database, OutboxWriter& used_writer, const Clock& used_clock,
        std::map<std::string, OutboxTarget*> used_targets, OutboxOptions used_options)
      : database(used_database),
        writer(used_writer),
        clock(used_clock),
        targets(std::move(used_targets)),
        options(used_options) {}

  struct Signal {
    bool woken = true;  // what an earlier run left
    bool stopping = false;
  };

  Database& database;
  OutboxWriter& writer;
  const Clock& clock;
  std::map<std::string, OutboxTarget*> targets;
  const OutboxOptions options;
  Guarded<Signal> signal;
  std::condition_variable changed;
  std::thread thread;

  Result<void> deliver(const EffectRow& effect);
  [[nodiscard]] UnixMillis pause_after(int attempts) const;
};

Outbox::Outbox(Database& database, OutboxWriter& writer, const Clock& clock,
               std::map<std::string, OutboxTarget*> targets, OutboxOptions options)
    : state_(std::make_unique<State>(database, writer, clock, std::move(targets), options)) {}

Outbox::~Outbox() {
  stop();
}

void Outbox::start() {
  state_->thread = std::thread{[this] {
    for (;;) {
      {
        auto signal = state_->signal.lock();
        state_->changed.wait_for(signal.lock(), kLookInterval,
                                 [&] { return signal->woken || signal->stopping; });
        if (signal->stopping) return;
        signal->woken = false;
      }
      try {
        // A full round may have left some; a writer that refuses must not make it spin.
        while (run_due() == kAtOnce && !state_->signal.lock()->stopping) {
        }
      } catch (const StoreFailure& failure) {
        log::error("outbox.failed", {{"error", failure.error().message}});
      }
    }
  }};
}

void Outbox::stop() {
  state_->signal.lock()->stopping = true;
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void Outbox::wake() {
  state_->signal.lock()->woken = true;
  state_->changed.notify_all();
}

std::size_t Outbox::run_due() {
  const auto due = state_->database.read()->outbox.due(state_->clock.now(), kAtOnce);
  std::size_t tried = 0;
  for (const EffectRow& effect : due) {
    // Not written down: it is due still, and comes again.
    if (auto settled = state_->deliver(effect); !settled) {
      log::warn("outbox.not_settled",
                {{"effect", effect.id.value}, {"error", settled.error().message}});
      break;
    }
    ++tried;
  }
  return tried;
}

Result<void> Outbox::State::deliver(const EffectRow& effect) {
  auto target = targets.find(effect.kind);
  if (target == targets.end()) target = targets.find("");
  if (target == targets.end())
    return writer.abandon(effect.id, "nobody takes effects of kind '" + effect.kind + "'");
  const auto delivered = target->second->deliver(effect);
  if (delivered) return writer.delivered(effect.id);
  if (is_hopeless(delivered.error().kind) || effect.attempts + 1 >= options.attempts) {
    log::error("effect.abandoned",
               {{"effect", effect.id.value}, {"error", delivered.error().message}});
    return writer.abandon(effect.id, delivered.error().message);
  }
  return writer.postpone(effect.id, clock.now() + pause_after(effect.attempts),
                         delivered.error().message);
}

UnixMillis Outbox::State::pause_after(int attempts) const {
  UnixMillis pause = options.first_pause.count();
  for (int i = 0; i < attempts && pause < options.longest_pause.count(); ++i) pause *= 2;
  return std::min<UnixMillis>(pause, options.longest_pause.count());
}

}  // namespace slipway::server
