#include "runner/object_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/crypto.h"
#include "base/logging.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kBetweenTries{20};
constexpr int kMostLooks = 5;
constexpr std::ptrdiff_t kManyPacks = 40;
constexpr std::size_t kKeptPipelines = 20;
constexpr std::string_view kPipelines = "refs/pipelines/";

// The file stands beside the repository, so that it is there before and after it.
Result<UniqueFd> open_lock(const fs::path& place, const char* kind) {
  const std::string file = place.string() + kind;
  UniqueFd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd.is_open()) return errno_error("cannot open '" + file + "'", errno);
  return fd;
}

bool lock(const UniqueFd& fd, int how) {
  int done = -1;
  do done = ::flock(fd.get(), how | LOCK_NB);
  while (done != 0 && errno == EINTR);
  return done == 0;
}

std::ptrdiff_t count_of_packs(const fs::path& place) {
  std::error_code failed;
  fs::directory_iterator at{place / "objects/pack", failed};
  return std::count_if(begin(at), end(at), [](const fs::directory_entry& entry) {
    return entry.path().extension() == ".pack";
  });
}

long long number_of(const ObjectCache::Ref& ref) {
  long long number = 0;
  const std::string_view digits = std::string_view{ref.name}.substr(kPipelines.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

void forget_old_pipelines(const ObjectCache& cache, const Git& git) {
  auto refs = cache.refs(git);
  if (!refs) return;
  refs->erase(std::remove_if(refs->begin(), refs->end(),
                             [](const ObjectCache::Ref& ref) {
                               return ref.name.compare(0, kPipelines.size(), kPipelines) != 0;
                             }),
              refs->end());
  std::sort(refs->begin(), refs->end(), [](const ObjectCache::Ref& a, const ObjectCache::Ref& b) {
    return number_of(a) > number_of(b);
  });
  for (std::size_t i = kKeptPipelines; i < refs->size(); ++i)
    (void)git.run(cache.place(), {"update-ref", "-d", (*refs)[i].name});
}

}  // namespace

fs::path ObjectCache::place_of(const fs::path& root, const std::string& url, bool is_shallow) {
  return root / (sha256_hex(url).substr(0, 32) + (is_shallow ? "-shallow.git" : ".git"));
}

Result<ObjectCache> ObjectCache::open(const fs::path& place, const Git& git) {
  std::error_code failed;
  fs::create_directories(place.parent_path(), failed);
  if (failed)
    return errno_error("cannot make '" + place.parent_path().string() + "'", failed.value());
  auto use = open_lock(place, ".use");
  if (!use) return std::move(use).error();
  // Somebody may be looking whether they are in use.
  for (int look = 1; !lock(*use, LOCK_SH); ++look) {
    if (look == kMostLooks) return fail(ErrorKind::Conflict, "the kept objects are being tidied");
    std::this_thread::sleep_for(kBetweenTries);
  }
  ::futimens(use->get(), nullptr);  // what was used longest ago goes first
  ObjectCache cache{place, std::move(*use)};
  if (fs::exists(place / "HEAD", failed)) return cache;
  fs::create_directories(place, failed);
  if (auto made = git.run(place, {"init", "--quiet", "--bare", "--template=", "."}); !made)
    return std::move(made).error();
  return cache;
}

Result<void> ObjectCache::fetch(const std::vector<std::string>& arguments, const Git& git) {
  auto busy = open_lock(place_, ".fetch");
  if (!busy) return std::move(busy).error();
  for (bool told = false; !lock(*busy, LOCK_EX); std::this_thread::sleep_for(kBetweenTries)) {
    if (git.is_stopped() || git.time_left() <= std::chrono::milliseconds{1})
      return fail(ErrorKind::Unavailable, "another job was fetching for too long");
    if (!std::exchange(told, true)) git.sink()("Waiting for another job's fetch...\n");
  }
  // What a killed git left: nobody else fetches here now.
  std::error_code ignored;
  fs::remove(place_ / "shallow.lock", ignored);
  fs::remove(place_ / "packed-refs.lock", ignored);
  return git.run(place_, arguments);
}

Result<std::vector<ObjectCache::Ref>> ObjectCache::refs(const Git& git) const {
  const auto text = git.read(place_, {"for-each-ref", "--format=%(objectname) %(refname)"});
  if (!text) return text.error();
  std::vector<Ref> refs;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (const auto space = line.find(' '); space != std::string_view::npos)
      refs.push_back({std::string{line.substr(space + 1)}, std::string{line.substr(0, space)}});
  }
  return refs;
}

bool ObjectCache::discard() {
  if (!lock(use_, LOCK_EX)) {
    // A refused change of a lock may have given up the one that was held.
    (void)lock(use_, LOCK_SH);
    return false;
  }
  std::error_code failed;
  fs::remove_all(place_, failed);
  (void)lock(use_, LOCK_SH);
  return !failed;
}

void ObjectCache::tidy(const fs::path& place, const Git& git) {
  if (count_of_packs(place) < kManyPacks) return;
  auto use = open_lock(place, ".use");
  if (!use || !lock(*use, LOCK_EX)) return;
  const ObjectCache cache{place, std::move(*use)};
  forget_old_pipelines(cache, git);
  const auto packed = git.run(place, {"gc", "--quiet"});
  log::info("objects.packed", {{"place", place.string()}, {"done", packed.has_value()}});
}

std::vector<KeptThing> ObjectCache::kept(const fs::path& root) {
  std::vector<KeptThing> things;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{root, failed}) {
    const fs::path& place = entry.path();
    if (place.extension() != ".git" || !entry.is_directory(failed)) continue;
    {
      const auto use = open_lock(place, ".use");
      if (!use || !lock(*use, LOCK_EX)) continue;
    }
    const auto used = fs::last_write_time(place.string() + ".use", failed);
    things.push_back({KeptKind::Objects, place.string(), used, bytes_below(place), root});
  }
  return things;
}

bool ObjectCache::remove_unused(const fs::path& place) {
  const auto use = open_lock(place, ".use");
  if (!use || !lock(*use, LOCK_EX)) return false;
  std::error_code failed;
  fs::remove_all(place, failed);
  return !failed;
}

}  // namespace slipway::runner
