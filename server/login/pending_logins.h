// Logins that have gone to a provider and are to come back: what was told to it, under the `state`
// that it must bring. In memory: who is on the way while the server restarts begins anew.
//
// Thread-safe. Each is used once, and for ten minutes at most. Bounded: when it is full of logins
// that may still come back, new ones are refused.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "server/store/ids.h"

namespace slipway::server::login {

struct PendingLogin {
  std::string provider;
  std::string verifier;  // of PKCE
  std::string nonce;
  std::string cookie_hash;  // the browser that began it
  std::string next;         // where it wanted to be, a path of ours
  UserId link;              // 0, or whose account is to be connected
  SteadyTime expires{};
};

class PendingLogins {
 public:
  explicit PendingLogins(const Clock& clock, std::size_t most = 10'000)
      : clock_(clock), most_(most) {}

  // False when there is no room.
  [[nodiscard]] bool put(const std::string& state, PendingLogin login);
  // And forgets it.
  [[nodiscard]] std::optional<PendingLogin> take(const std::string& state);

 private:
  const Clock& clock_;
  const std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, PendingLogin> logins_;  // by the state's hash
};

}  // namespace slipway::server::login
