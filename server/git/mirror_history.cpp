// What a mirror knows of the relation of its commits, and of what names them.

#include <algorithm>

#include "server/git/mirror.h"
#include "server/git/repository.h"

namespace slipway::server {
namespace {

constexpr std::size_t kShortestId = 7;  // fewer digits of a commit's id are rather a name
constexpr std::size_t kLongestId = 64;

constexpr std::size_t kMostChanges = 50'000;

int count_change(const git_diff*, const git_diff_delta*, const char*, void* payload) {
  return ++*static_cast<std::size_t*>(payload) > kMostChanges ? -1 : 0;
}

bool is_abbreviated_id(std::string_view text) {
  return text.size() >= kShortestId && text.size() < kLongestId &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error nothing_named(const std::string& name) {
  return fail(ErrorKind::NotFound, "there is no branch, tag or commit '" + name + "'");
}

// NotFound when no commit, or more than one, begins like that.
Result<std::string> commit_by_id(git_repository& repository, const std::string& digits) {
  git_oid id;
  if (git_oid_fromstrn(&id, digits.data(), digits.size()) != 0) return nothing_named(digits);
  git_commit* found = nullptr;
  if (git_commit_lookup_prefix(&found, &repository, &id, digits.size()) != 0)
    return nothing_named(digits);
  const git::Commit commit{found};
  return git::hex(*git_commit_id(found));
}

Result<std::vector<std::string>> differing(git_repository& repository, const std::string& before,
                                           const std::string& after) {
  auto old_tree = git::tree_of(repository, before);
  if (!old_tree) return std::move(old_tree).error();
  auto new_tree = git::tree_of(repository, after);
  if (!new_tree) return std::move(new_tree).error();
  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  std::size_t changes = 0;
  options.notify_cb = count_change;
  options.payload = &changes;
  git_diff* raw = nullptr;
  const int code =
      git_diff_tree_to_tree(&raw, &repository, old_tree->get(), new_tree->get(), &options);
  if (changes > kMostChanges)
    return fail(ErrorKind::TooLarge, "more than " + std::to_string(kMostChanges) + " files differ");
  if (code != 0) return git::last_error("cannot compare two commits", code);
  const git::Diff diff{raw};
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < git_diff_num_deltas(raw); ++i)
    changed.emplace_back(git_diff_get_delta(raw, i)->new_file.path);
  return changed;
}

}  // namespace

Result<std::string> Mirrors::commit_of(std::int64_t project, const std::string& name) const {
  if (!is_safe_ref(name)) return nothing_named(name);
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  for (const char* kind : {"refs/heads/", "refs/tags/"})
    if (const auto sha = git::peeled(**repository, kind + name)) return *sha;
  // Others, such as those that keep a commit, are nobody's to name.
  if (name.rfind("refs/heads/", 0) == 0 || name.rfind("refs/tags/", 0) == 0)
    if (const auto sha = git::peeled(**repository, name)) return *sha;
  if (is_commit_id(name) || is_abbreviated_id(name)) return commit_by_id(**repository, name);
  return nothing_named(name);
}

Result<std::string> Mirrors::tag_message(std::int64_t project, const std::string& tag) const {
  if (!is_safe_ref(tag)) return nothing_named(tag);
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  git_reference* raw = nullptr;
  if (git_reference_lookup(&raw, repository->get(), ("refs/tags/" + tag).c_str()) != 0)
    return nothing_named(tag);
  const git::Reference reference{raw};
  git_object* object = nullptr;
  if (git_reference_peel(&object, raw, GIT_OBJECT_TAG) != 0) return std::string{};
  const git::Object owned{object};
  const char* message = git_tag_message(reinterpret_cast<git_tag*>(object));
  return std::string{message == nullptr ? "" : message};
}

Result<std::vector<std::string>> Mirrors::changed_paths(std::int64_t project,
                                                        const std::string& before,
                                                        const std::string& after) const {
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  return differing(**repository, before, after);
}

Result<std::vector<RemoteRef>> Mirrors::remote_refs(std::int64_t project, const std::string& url) {
  constexpr std::size_t kMostRefs = 100'000;
  static constexpr std::string_view kPeeled = "^{}";
  if (auto allowed = check_repository_url(url, local_); !allowed) return allowed.error();
  if (auto ready = ensure(project); !ready) return ready.error();
  const auto told =
      git(project, {"ls-remote", "--quiet", "--heads", "--tags", "--end-of-options", url});
  if (!told) return told.error();
  std::map<std::string, std::string> refs;
  std::string_view rest{*told};
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto tab = line.find('\t');
    std::string_view name = tab == std::string_view::npos ? "" : line.substr(tab + 1);
    // Behind an annotated tag comes the commit that it names.
    if (name.ends_with(kPeeled)) name.remove_suffix(kPeeled.size());
    if (name.empty() || !is_safe_ref(name) || !is_commit_id(line.substr(0, tab))) continue;
    refs[std::string{name}] = line.substr(0, tab);
    if (refs.size() > kMostRefs)
      return fail(ErrorKind::TooLarge, "the repository has more than 100,000 branches and tags");
  }
  std::vector<RemoteRef> found;
  for (auto& [name, sha] : refs) found.push_back({name, sha});
  return found;
}

Result<std::optional<std::string>> Mirrors::merge_base(std::int64_t project, const std::string& one,
                                                       const std::string& other) const {
  auto repository = git::open_repository(path_of(project));
  if (!repository) return std::move(repository).error();
  const auto first = git::find_commit(**repository, one);
  if (!first) return first.error();
  const auto second = git::find_commit(**repository, other);
  if (!second) return second.error();
  git_oid base;
  const int code = git_merge_base(&base, repository->get(), git_commit_id(first->get()),
                                  git_commit_id(second->get()));
  if (code == GIT_ENOTFOUND) return std::optional<std::string>{};
  if (code != 0) return git::last_error("cannot find the merge base", code);
  return std::optional{git::hex(base)};
}

Result<std::vector<std::string>> Mirrors::changed_since(std::int64_t project,
                                                        const std::string& other,
                                                        const std::string& sha) const {
  const auto base = merge_base(project, other, sha);
  if (!base) return base.error();
  if (!*base) return std::vector<std::string>{};
  return changed_paths(project, **base, sha);
}

}  // namespace slipway::server
