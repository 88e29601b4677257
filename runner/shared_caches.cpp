#include "runner/shared_caches.h"

namespace slipway::runner {

namespace {

// Pieces may go on the server between the question and the list that names them.
constexpr int kRounds = 3;

}  // namespace

Result<void> SharedCaches::check_time() const {
  if (stop_.stop_requested()) return fail(ErrorKind::Unavailable, "the job was stopped");
  if (std::chrono::steady_clock::now() >= deadline_)
    return fail(ErrorKind::Unavailable, "the job's time is over");
  return {};
}

Result<std::optional<long long>> SharedCaches::fetch(CacheStore& store, const std::string& project,
                                                     const std::string& key) {
  const std::stop_callback on_stop{stop_, [this] { client_.interrupt(); }};
  if (auto in_time = check_time(); !in_time) return std::move(in_time).error();
  const auto list = client_.list(key);
  if (!list) return list.error();
  if (!*list) return std::optional<long long>{};
  const auto taken = store.take_over(project, key, **list, [&](const std::string& id) {
    if (auto in_time = check_time(); !in_time) return Result<std::string>{in_time.error()};
    return client_.piece(key, id);
  });
  if (!taken) return taken.error();
  return std::optional{*taken};
}

Result<long long> SharedCaches::send_pieces(const CacheStore& store, const std::string& key,
                                            const std::vector<std::string>& ids) {
  long long sent = 0;
  for (const std::string& id : ids) {
    if (auto in_time = check_time(); !in_time) return std::move(in_time).error();
    auto packed = store.packed_piece(id);
    if (!packed) return std::move(packed).error();
    sent += static_cast<long long>(packed->size());
    if (auto done = client_.send_piece(key, id, std::move(*packed)); !done)
      return std::move(done).error();
  }
  return sent;
}

Result<long long> SharedCaches::send(CacheStore& store, const std::string& project,
                                     const std::string& key) {
  const std::stop_callback on_stop{stop_, [this] { client_.interrupt(); }};
  const auto list = store.list(project, key);
  if (!list) return fail(ErrorKind::NotFound, "the cache is gone from this machine's disk");
  std::vector<std::string> ids;
  for (const CachePiece& piece : list->pieces) ids.push_back(piece.id);
  if (auto in_time = check_time(); !in_time) return std::move(in_time).error();
  auto lacking = client_.missing(key, ids);
  long long sent = 0;
  for (int round = 0; lacking && round < kRounds; ++round) {
    const auto moved = send_pieces(store, key, *lacking);
    if (!moved) return moved.error();
    sent += *moved;
    lacking = client_.store(key, *list);
    if (lacking && lacking->empty()) return sent;
  }
  if (!lacking) return std::move(lacking).error();
  return fail(ErrorKind::Unavailable,
              "the server does not keep its pieces: caches may be too many");
}

}  // namespace slipway::runner
