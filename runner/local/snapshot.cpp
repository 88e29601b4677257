#include "runner/local/snapshot.h"

#include <algorithm>
#include <map>
#include <system_error>

#include "base/files.h"
#include "base/process.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOutput = std::size_t{256} << 20U;

// What a bundle calls the snapshot.
constexpr const char* kBundledRef = "refs/slipway/run";

using Words = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

struct GitCall {
  fs::path workdir;
  Environment environment;
  std::string input;
};

Result<std::string> git(const GitCall& call, const Words& words) {
  ProcessSpec spec;
  spec.argv = {"git"};
  spec.argv.insert(spec.argv.end(), words.begin(), words.end());
  spec.workdir = call.workdir;
  spec.env = call.environment;
  spec.input = call.input;
  spec.error_output = Stderr::Separate;
  auto done = collect_process(spec, kMostOutput);
  if (!done) return std::move(done).error().in("git " + words.front());
  if (!done->outcome.succeeded()) {
    std::string said = done->outcome.error_output;
    said.erase(said.find_last_not_of(" \n") + 1);
    return fail(ErrorKind::Unavailable, "git " + words.front() + " failed: " + said);
  }
  return std::move(done->output);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Words split(const std::string& text, char separator) {
  Words parts;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(separator, at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

class Taker {
 public:
  Taker(fs::path directory, const fs::path& store)
      : directory_(std::move(directory)), store_(store) {
    // The project's git is asked in the user's own settings, for what is ignored; ours has none.
    theirs_ = environment_subset({"PATH", "HOME", "XDG_CONFIG_HOME"});
    theirs_["GIT_OPTIONAL_LOCKS"] = "0";
    theirs_["LC_ALL"] = "C";
    ours_ = environment_subset({"PATH"});
    ours_["GIT_CONFIG_NOSYSTEM"] = "1";
    ours_["GIT_CONFIG_GLOBAL"] = "/dev/null";
    ours_["LC_ALL"] = "C";
  }

  Result<fs::path> root() {
    if (auto found = find_root(); !found) return std::move(found).error();
    return made_.root;
  }

  Result<void> point(const Snapshot& snapshot, const std::string& ref) {
    open(snapshot);
    if (auto done = ours({"check-ref-format", ref}); !done)
      return fail(ErrorKind::InvalidInput, "'" + ref + "' is no name of a branch or tag");
    if (auto done = ours({"update-ref", ref, snapshot.sha}); !done) return std::move(done).error();
    return {};
  }

  Result<Words> history(const Snapshot& snapshot, int most) {
    open(snapshot);
    const auto listed =
        ours({"rev-list", "--max-count=" + std::to_string(most), snapshot.sha, "--"});
    if (!listed) return listed.error();
    return split(*listed, '\n');
  }

  Result<fs::path> bundle(const Snapshot& snapshot, const Words& known) {
    open(snapshot);
    fs::path file = snapshot.repository.parent_path() / "run.bundle";
    if (auto done = ours({"update-ref", kBundledRef, snapshot.sha}); !done)
      return std::move(done).error();
    std::string wanted = std::string{kBundledRef} + "\n";
    for (const std::string& sha : known) wanted += "^" + sha + "\n";
    auto made = ours({"bundle", "create", "--quiet", file.string(), "--stdin"}, std::move(wanted));
    if (!made) return std::move(made).error();
    return file;
  }

  Result<Snapshot> take() {
    if (auto found = find_root(); !found) return std::move(found).error();
    if (auto made = make_repository(); !made) return std::move(made).error();
    if (auto known = read_head(); !known) return std::move(known).error();
    if (auto listed = list_files(); !listed) return std::move(listed).error();
    if (auto committed = commit(); !committed) return std::move(committed).error();
    if (auto brought = bring_refs(); !brought) return std::move(brought).error();
    compare();
    return std::move(made_);
  }

 private:
  Result<std::string> ask(const Words& words) const {
    return git({made_.root, theirs_, ""}, words);
  }
  // The answer's first line, "" when git has none.
  std::string ask_word(const Words& words) const { return first_line(ask(words).value_or("")); }
  Result<std::string> ours(const Words& words, std::string input = "") const {
    return git({made_.root, ours_, std::move(input)}, words);
  }

  void open(const Snapshot& snapshot) {
    ours_["GIT_DIR"] = snapshot.repository.string();
    made_.root = snapshot.root;
  }

  Result<void> find_root() {
    made_.root = directory_;
    const auto root = ask({"rev-parse", "--show-toplevel"});
    if (root) {
      made_.root = first_line(*root);
      made_.in_repository = true;
      return {};
    }
    if (root.error().message.find("not a git repository") == std::string::npos) return root.error();
    return {};
  }

  Result<void> make_repository() {
    made_.repository = store_ / "repository.git";
    ours_["GIT_DIR"] = made_.repository.string();
    ours_["GIT_WORK_TREE"] = made_.root.string();
    ours_["GIT_INDEX_FILE"] = (store_ / "index").string();
    std::error_code failed;
    fs::create_directories(store_, failed);
    if (failed) return errno_error("cannot make '" + store_.string() + "'", failed.value());
    if (!fs::exists(made_.repository / "HEAD", failed)) {
      auto environment = ours_;
      environment.erase("GIT_WORK_TREE");
      if (auto done = git({store_, environment, ""}, {"init", "--quiet", "--bare", "--template="});
          !done)
        return std::move(done).error();
    }
    const std::string config =
        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogAllRefUpdates = false\n"
        "[uploadpack]\n\tallowAnySHA1InWant = true\n";
    if (auto written = replace_file(made_.repository / "config", config); !written) return written;
    return borrow();
  }

  // Objects of the project's own repository, and where its history was cut off.
  Result<void> borrow() {
    if (!made_.in_repository) return {};
    const auto place = [&](const char* name) {
      return (made_.root / ask_word({"rev-parse", "--git-path", name})).lexically_normal();
    };
    std::error_code failed;
    fs::create_directories(made_.repository / "objects" / "info", failed);
    fs::create_directories(made_.repository / "info", failed);
    auto written = replace_file(made_.repository / "objects" / "info" / "alternates",
                                place("objects").string() + "\n");
    const auto shallow = read_file(place("shallow"));
    if (written && shallow) written = replace_file(made_.repository / "shallow", *shallow);
    if (!shallow) fs::remove(made_.repository / "shallow", failed);
    return written;
  }

  Result<void> read_head() {
    if (!made_.in_repository) return {};
    made_.branch = ask_word({"symbolic-ref", "--quiet", "--short", "HEAD"});
    made_.remote_url = ask_word({"config", "--get", "remote.origin.url"});
    const std::string origin =
        ask_word({"symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"});
    if (origin.compare(0, 7, "origin/") == 0) made_.default_branch = origin.substr(7);
    made_.head = ask_word({"rev-parse", "--verify", "--quiet", "HEAD^{commit}"});
    if (made_.head.empty()) return {};
    auto told = ask({"log", "-1", "--format=%an <%ae>%n%cI%n%B", "HEAD"});
    if (!told) return std::move(told).error();
    made_.author = first_line(*told);
    told->erase(0, made_.author.size() + 1);
    made_.timestamp = first_line(*told);
    made_.message = told->substr(std::min(told->size(), made_.timestamp.size() + 1));
    return {};
  }

  Result<void> list_files() {
    auto call = GitCall{made_.root, theirs_, ""};
    // Outside of a repository ours stands in, with an index that knows of no file.
    if (!made_.in_repository) {
      call.environment["GIT_DIR"] = made_.repository.string();
      call.environment["GIT_WORK_TREE"] = made_.root.string();
      call.environment["GIT_INDEX_FILE"] = (store_ / "none").string();
    }
    const auto listed = git(call, {"ls-files", "-z", "--cached", "--others", "--exclude-standard"});
    if (!listed) return listed.error();
    for (std::string& path : split(*listed, '\0')) {
      std::error_code gone;
      // A directory that is a repository of its own is only a name here, as in a commit.
      if (path.back() == '/' || !fs::exists(fs::symlink_status(made_.root / path, gone))) continue;
      made_.paths.push_back(std::move(path));
    }
    std::sort(made_.paths.begin(), made_.paths.end());
    made_.paths.erase(std::unique(made_.paths.begin(), made_.paths.end()), made_.paths.end());
    return {};
  }

  Result<void> fill_index() {
    const auto known = ours({"ls-files", "-z", "--cached"});
    std::string input;
    if (known)
      for (const std::string& path : split(*known, '\0'))
        if (!std::binary_search(made_.paths.begin(), made_.paths.end(), path)) input += path + '\0';
    if (!input.empty())
      if (auto removed = ours({"update-index", "--force-remove", "-z", "--stdin"}, input); !removed)
        return std::move(removed).error();
    input.clear();
    for (const std::string& path : made_.paths) input += path + '\0';
    auto added = ours({"update-index", "--add", "--replace", "-z", "--stdin"}, std::move(input));
    if (!added) return std::move(added).error();
    return {};
  }

  Result<void> commit() {
    if (auto filled = fill_index(); !filled) {
      // An index that a killed run left in parts.
      std::error_code ignored;
      fs::remove(store_ / "index", ignored);
      fs::remove(store_ / "index.lock", ignored);
      if (auto again = fill_index(); !again) return again;
    }
    const auto tree = ours({"write-tree"});
    if (!tree) return tree.error();
    const std::string id = first_line(*tree);
    if (!made_.head.empty() && ask_word({"rev-parse", "HEAD^{tree}"}) == id) {
      made_.sha = made_.head;
      return {};
    }
    made_.changed = true;
    if (made_.head.empty()) {
      made_.author = "Slipway <slipway@localhost>";
      made_.timestamp = "1970-01-01T00:00:00+00:00";
      made_.message = "The work tree\n";
    }
    // The same tree is the same commit, so that a second run has nothing to fetch.
    const auto bracket = made_.author.rfind(" <");
    auto call = GitCall{made_.root, ours_, made_.message};
    for (const std::string who : {"AUTHOR", "COMMITTER"}) {
      call.environment["GIT_" + who + "_NAME"] = made_.author.substr(0, bracket);
      call.environment["GIT_" + who + "_EMAIL"] =
          made_.author.substr(bracket + 2, made_.author.size() - bracket - 3);
      call.environment["GIT_" + who + "_DATE"] = made_.timestamp;
    }
    Words words{"commit-tree", id};
    if (!made_.head.empty()) words.insert(words.end(), {"-p", made_.head});
    const auto made = git(call, words);
    if (!made) return made.error();
    made_.sha = first_line(*made);
    return {};
  }

  // Branches and tags as they are.
  Result<void> bring_refs() {
    if (made_.in_repository && !made_.head.empty()) {
      const fs::path common = made_.root / ask_word({"rev-parse", "--git-common-dir"});
      auto fetched = ours({"fetch", "--quiet", "--prune", "--no-tags", "--update-shallow",
                           "--force", "--no-write-fetch-head", "--no-auto-maintenance",
                           common.lexically_normal().string(), "+refs/heads/*:refs/heads/*",
                           "+refs/tags/*:refs/tags/*"});
      if (!fetched) return std::move(fetched).error();
    }
    return {};
  }

  void compare() {
    if (!made_.in_repository || made_.head.empty()) return;
    std::string base = ask_word({"rev-parse", "--verify", "--quiet", "@{upstream}"});
    if (!base.empty()) base = ask_word({"merge-base", base, "HEAD"});
    if (base.empty() || base == made_.sha)
      base = made_.changed ? made_.head : ask_word({"rev-parse", "--verify", "--quiet", "HEAD^"});
    if (base.empty()) return;
    made_.base = base;
    auto listed = ours({"diff-tree", "-r", "-z", "--name-only", "--no-renames", base, made_.sha});
    if (listed) made_.changed_paths = split(*listed, '\0');
  }

  fs::path directory_;
  const fs::path& store_;
  Environment theirs_;
  Environment ours_;
  Snapshot made_;
};

}  // namespace

Result<fs::path> root_of(const fs::path& directory) {
  const fs::path none;
  Taker taker{fs::absolute(directory).lexically_normal(), none};
  return taker.root();
}

Result<Snapshot> take_snapshot(const fs::path& directory, const fs::path& store) {
  return Taker{fs::absolute(directory).lexically_normal(), store}.take();
}

Result<void> point_ref(const Snapshot& snapshot, const std::string& ref) {
  const fs::path none;
  Taker taker{snapshot.root, none};
  return taker.point(snapshot, ref);
}

Result<std::vector<std::string>> history_of(const Snapshot& snapshot, int most) {
  const fs::path none;
  return Taker{snapshot.root, none}.history(snapshot, most);
}

Result<fs::path> bundle_of(const Snapshot& snapshot, const std::vector<std::string>& known) {
  const fs::path none;
  return Taker{snapshot.root, none}.bundle(snapshot, known);
}

}  // namespace slipway::runner
