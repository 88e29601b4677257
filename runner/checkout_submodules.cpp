// The submodules of a checkout: each is cloned with what the machine has kept of its repository, so
// that only what is new comes over the network.

#include <algorithm>
#include <string_view>
#include <system_error>

#include "runner/checkout.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

// A repository may name itself as its submodule.
constexpr int kDeepest = 16;

// Of `git config -z --get-regexp`, by the name in "submodule.NAME.key".
std::map<std::string, std::string> by_submodule(std::string_view text, std::string_view key) {
  constexpr std::string_view kSection = "submodule.";
  std::map<std::string, std::string> values;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(entry.size() + 1, text.size()));
    const auto line = entry.find('\n');
    if (line == std::string_view::npos || line < kSection.size() + key.size() + 1) continue;
    const std::string_view name =
        entry.substr(kSection.size(), line - kSection.size() - key.size() - 1);
    values[std::string{name}] = std::string{entry.substr(line + 1)};
  }
  return values;
}

}  // namespace

Result<void> Checkout::get_submodules() {
  const bool recursive = settings_.submodules == Submodules::Recursive;
  git_.sink()(recursive ? "Updating/initializing submodules recursively...\n"
                        : "Updating/initializing submodules...\n");
  if (auto updated = update_submodules(place_.tree, settings_.submodule_paths, 1); !updated)
    return updated;
  if (!settings_.lfs || !has_git_lfs()) return {};
  std::vector<std::string> each{"submodule", "--quiet", "foreach"};
  if (recursive) each.emplace_back("--recursive");
  each.emplace_back("git lfs pull");
  return pull_large_files(each);
}

Result<void> Checkout::update_submodules(const fs::path& tree,
                                         const std::vector<std::string>& paths, int level) {
  std::error_code failed;
  if (!fs::is_regular_file(fs::symlink_status(tree / ".gitmodules", failed))) return {};
  std::vector<std::string> init{"submodule", "--quiet", "init", "--"};
  init.insert(init.end(), paths.begin(), paths.end());
  if (auto done = git_.run(tree, init); !done) return done;
  const std::vector<std::string> read{"config", "-z"};
  const auto list = [&](std::vector<std::string> more) {
    more.insert(more.begin(), read.begin(), read.end());
    auto text = git_.read(tree, more);
    return text ? *text : std::string{};  // git calls it a failure when there is none
  };
  const auto urls =
      by_submodule(list({"--local", "--get-regexp", R"(^submodule\..*\.url$)"}), "url");
  const auto places = by_submodule(
      list({"--file", ".gitmodules", "--get-regexp", R"(^submodule\..*\.path$)"}), "path");
  for (const auto& [name, url] : urls) {
    const auto place = places.find(name);
    if (place == places.end()) continue;
    if (auto updated = update_submodule(tree, place->second, url); !updated) return updated;
    const fs::path below = fs::weakly_canonical(tree / place->second, failed);
    const fs::path inside = below.lexically_relative(fs::weakly_canonical(tree, failed));
    const bool leads_out = inside.empty() || *inside.begin() == "..";
    if (settings_.submodules != Submodules::Recursive || failed || leads_out) continue;
    if (level == kDeepest)
      return fail(ErrorKind::InvalidInput, "submodules are more than " + std::to_string(kDeepest) +
                                               " levels deep at '" + place->second + "'");
    if (auto updated = update_submodules(below, {}, level + 1); !updated) return updated;
  }
  return {};
}

Result<void> Checkout::update_submodule(const fs::path& tree, const std::string& path,
                                        const std::string& url) {
  std::vector<std::string> update{"submodule", "update", "--force"};
  if (settings_.submodule_depth > 0)
    update.push_back("--depth=" + std::to_string(settings_.submodule_depth));
  update.insert(update.end(), settings_.submodule_flags.begin(), settings_.submodule_flags.end());
  if (const auto kept = keep_submodule(tree, url); !kept.empty())
    update.insert(update.end(), {"--reference", kept.string()});
  update.insert(update.end(), {"--", path});
  return git_.run(tree, update);
}

// Brings what is kept up to date; "" when nothing is kept, or when its server does not answer: then
// the clone says what is the matter. All history, since git borrows from nothing less.
fs::path Checkout::keep_submodule(const fs::path& tree, const std::string& written) {
  if (place_.objects.empty() || written.empty() || written.front() == '-') return {};
  auto told = git_.read(tree, {"ls-remote", "--get-url", written});  // GIT_SUBMODULE_FORCE_HTTPS
  if (!told) return {};
  const std::string url = told->substr(0, told->find('\n'));
  if (!RemoteAddress::parse(url).may_be_fetched(place_.git.local)) return {};
  const fs::path place =
      ObjectCache::place_of(place_.objects.parent_path(), RemoteAddress::parse(url).url, false);
  auto opened = ObjectCache::open(place, git_);
  if (!opened) return {};
  const auto fetched = opened->fetch(
      {"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
       "--force", "--end-of-options", url, "+refs/heads/*:refs/remotes/origin/*"},
      git_);
  if (!fetched) return {};
  submodule_objects_.push_back(std::move(*opened));
  return place;
}

std::vector<fs::path> Checkout::borrowed() const {
  std::vector<fs::path> places;
  for (const ObjectCache& objects : submodule_objects_)
    if (std::find(places.begin(), places.end(), objects.place()) == places.end())
      places.push_back(objects.place());
  return places;
}

}  // namespace slipway::runner
