#include "server/auth/login_limiter.h"

#include <algorithm>

#include "base/crypto.h"

namespace slipway::server::auth {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kFreeFailures = 5;
constexpr int kTriesPerMinute = 60;
constexpr milliseconds kLongestWait = minutes{15};
constexpr milliseconds kRemembered = minutes{30};

// Of bounded length whatever the client calls itself; names differing in case are one account.
std::string account_key(std::string_view account) {
  std::string lower{account};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return "u" + sha256_hex(lower);
}

// A /64 of IPv6 is one household.
std::string address_key(std::string_view address) {
  std::size_t end = 0;
  for (int groups = 0; groups < 4 && address.find(':', end) != std::string_view::npos; ++groups)
    end = address.find(':', end) + 1;
  return "a" + std::string{end == 0 ? address : address.substr(0, end)};
}

milliseconds wait_after(int failures) {
  if (failures <= kFreeFailures) return milliseconds{0};
  const int doublings = std::min(failures - kFreeFailures - 1, 20);
  return std::min<milliseconds>(seconds{1LL << doublings}, kLongestWait);
}

}  // namespace

LoginLimiter::Entry* LoginLimiter::entry(const std::string& key, SteadyTime now) {
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.expires > now) return &found->second;
  if (found == entries_.end() && entries_.size() >= limit_) drop_expired(now);
  if (found == entries_.end() && entries_.size() >= limit_) return nullptr;
  return &(entries_[key] = Entry{});
}

void LoginLimiter::drop_expired(SteadyTime now) {
  std::erase_if(entries_, [&](const auto& pair) { return pair.second.expires <= now; });
}

milliseconds LoginLimiter::admit(std::string_view account, std::string_view address) {
  const std::lock_guard lock{mutex_};
  const auto now = clock_.steady();
  auto* of_address = entry(address_key(address), now);
  if (of_address == nullptr) return minutes{1};
  if (of_address->until <= now) *of_address = {0, now + minutes{1}, now + minutes{1}};
  if (++of_address->count > kTriesPerMinute)
    return std::chrono::duration_cast<milliseconds>(of_address->until - now);
  const auto* of_account = entry(account_key(account), now);
  if (of_account == nullptr) return minutes{1};
  if (of_account->until <= now) return milliseconds{0};
  return std::chrono::duration_cast<milliseconds>(of_account->until - now);
}

void LoginLimiter::failed(std::string_view account) {
  const std::lock_guard lock{mutex_};
  const auto now = clock_.steady();
  auto* of_account = entry(account_key(account), now);
  if (of_account == nullptr) return;
  of_account->until = now + wait_after(++of_account->count);
  of_account->expires = of_account->until + kRemembered;
}

void LoginLimiter::succeeded(std::string_view account) {
  const std::lock_guard lock{mutex_};
  entries_.erase(account_key(account));
}

std::size_t LoginLimiter::size() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

}  // namespace slipway::server::auth
