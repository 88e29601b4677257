// Caches that runners share through the server: this machine's store is brought up to what the
// server has, and the server up to what the store has. Only pieces that the other side lacks go
// over the wire, and each is checked against its name where it arrives.
//
// Lives as long as one job, on the job's thread. A stop request ends a call in progress.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "runner/cache_client.h"
#include "runner/cache_store.h"

namespace slipway::runner {

class SharedCaches {
 public:
  // Nothing begins after `deadline`.
  SharedCaches(CacheClient client, std::stop_token stop,
               std::chrono::steady_clock::time_point deadline)
      : client_(std::move(client)), stop_(std::move(stop)), deadline_(deadline) {}

  // The bytes that came; nullopt: the server has no such cache.
  Result<std::optional<long long>> fetch(CacheStore& store, const std::string& project,
                                         const std::string& key);
  // The bytes that went.
  Result<long long> send(CacheStore& store, const std::string& project, const std::string& key);

 private:
  [[nodiscard]] Result<void> check_time() const;
  Result<long long> send_pieces(const CacheStore& store, const std::string& key,
                                const std::vector<std::string>& ids);

  CacheClient client_;
  std::stop_token stop_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace slipway::runner
