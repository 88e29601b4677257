// The server's caches as a job reaches them: one method for each call, with the job's token.
//
// One object is used by one thread, but for interrupt(); it keeps one connection alive and repeats
// what a passing failure has hit. Source: schemas/openapi.yaml, /api/v4/jobs/{job_id}/cache.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/http_client.h"
#include "runner/cache_list.h"

namespace slipway::runner {

class CacheClient {
 public:
  // `read_timeout` is of one call.
  static Result<CacheClient> create(const std::string& url, std::int64_t job, std::string token,
                                    std::chrono::milliseconds read_timeout);

  // nullopt: the server has none under that key.
  Result<std::optional<CacheList>> list(const std::string& key);
  // As it is stored: one zstd frame.
  Result<std::string> piece(const std::string& key, const std::string& id);
  // Those of `ids` that the server lacks.
  Result<std::vector<std::string>> missing(const std::string& key,
                                           const std::vector<std::string>& ids);
  Result<void> send_piece(const std::string& key, const std::string& id, std::string packed);
  // The pieces without which the server does not take it; none: it is stored.
  Result<std::vector<std::string>> store(const std::string& key, const CacheList& list);
  // Ends a call in progress, from any thread.
  void interrupt() { http_.interrupt(); }

 private:
  CacheClient(std::int64_t job, std::string token, HttpClient http)
      : job_(job), token_(std::move(token)), http_(std::move(http)) {}

  [[nodiscard]] HttpRequest request(const char* method, const std::string& path,
                                    const std::string& key) const;

  std::int64_t job_;
  std::string token_;
  HttpClient http_;
};

}  // namespace slipway::runner
