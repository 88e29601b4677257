#include "server/login/pending_logins.h"

#include "base/crypto.h"

namespace slipway::server::login {

namespace {

constexpr std::chrono::minutes kLife{10};

}  // namespace

bool PendingLogins::put(const std::string& state, PendingLogin login) {
  const std::lock_guard lock{mutex_};
  const auto now = clock_.steady();
  if (logins_.size() >= most_)
    std::erase_if(logins_, [&](const auto& pair) { return pair.second.expires <= now; });
  if (logins_.size() >= most_) return false;
  login.expires = now + kLife;
  logins_[token_hash(state)] = std::move(login);
  return true;
}

std::optional<PendingLogin> PendingLogins::take(const std::string& state) {
  const std::lock_guard lock{mutex_};
  const auto found = logins_.find(token_hash(state));
  if (found == logins_.end()) return std::nullopt;
  auto login = std::move(found->second);
  logins_.erase(found);
  if (login.expires <= clock_.steady()) return std::nullopt;
  return login;
}

}  // namespace slipway::server::login
