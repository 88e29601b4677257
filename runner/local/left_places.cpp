// The places of jobs that have ended: one JSON file each, for its owner alone.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/files.h"
#include "runner/local/results.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

}  // namespace

fs::path LocalResults::place_file(const std::string& job) const {
  return directory_ / "places" / (file_name_of(job) + ".json");
}

Result<void> LocalResults::keep_place(const LeftPlace& place) const {
  const json object{{"job", place.job},
                    {"executor", place.executor},
                    {"image", place.image},
                    {"user", place.user},
                    {"directory", place.script.directory},
                    {"variables", place.script.variables}};
  std::error_code failed;
  fs::create_directories(directory_ / "places", failed);
  return replace_file(place_file(place.job),
                      object.dump(-1, ' ', false, json::error_handler_t::replace), 0600);
}

std::vector<LeftPlace> LocalResults::places() const {
  std::vector<LeftPlace> places;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{directory_ / "places", failed}) {
    const auto text = read_file(entry.path());
    if (!text) continue;
    try {
      const json object = json::parse(*text);
      LeftPlace place{
          object.at("job"), object.at("executor"), object.at("image"), object.at("user"), {}};
      place.script.directory = object.at("directory");
      place.script.variables = object.at("variables");
      if (fs::is_directory(place.script.directory, failed)) places.push_back(std::move(place));
    } catch (const json::exception&) {
      continue;  // of another version: as good as none
    }
  }
  std::sort(places.begin(), places.end(),
            [](const LeftPlace& a, const LeftPlace& b) { return a.job < b.job; });
  return places;
}

Result<void> LocalResults::forget_places(const fs::path& below) const {
  for (const LeftPlace& place : places()) {
    const fs::path inside = fs::path{place.script.directory}.lexically_relative(below);
    if (inside.empty() || *inside.begin() == "..") continue;
    std::error_code failed;
    fs::remove(place_file(place.job), failed);
    if (failed)
      return errno_error("cannot remove '" + place_file(place.job).string() + "'", failed.value());
  }
  return {};
}

}  // namespace slipway::runner
