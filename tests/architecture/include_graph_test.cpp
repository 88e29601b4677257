// Holds the house to its picture (ARCHITECTURE.md): reads every #include of ours and compares it
// with the rooms and floors that may be entered, and keeps each library in its one room.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "tests/support/catch.h"

namespace {

using Files = std::map<std::string, std::string>;  // path from the root → text
using Rooms = std::set<std::string>;

// Which other rooms each room may include. All of them may include base.
const std::map<std::string, Rooms>& allowed() {
  static const std::map<std::string, Rooms> table{
      {"base", {}},
      {"pipeline", {}},
      {"runner", {"pipeline"}},
      {"runner/local", {"pipeline", "runner"}},
      {"cli",
       {"pipeline", "runner", "runner/local", "server/assembly", "server/git", "server/http",
        "server/includes", "server/settings", "web"}},
      {"web", {}},
      {"server/store", {}},
      {"server/trace", {}},
      {"server/blobs", {}},
      {"server/caches", {}},
      {"server/git", {}},
      {"server/forge", {}},
      {"server/settings", {"pipeline"}},
      {"server/telemetry", {}},
      {"server/reports", {}},
      {"server/access", {"pipeline", "server/store"}},
      {"server/auth", {"server/store"}},
      {"server/login", {"server/auth", "server/store"}},
      {"server/variables", {"pipeline", "server/store"}},
      {"server/identity", {"server/store", "server/variables"}},
      {"server/outbox", {"server/forge", "server/store"}},
      {"server/insight", {"server/blobs", "server/reports", "server/store"}},
      // The log's file is closed, and the coverage read from it, with the job's result.
      {"server/coordinator", {"pipeline", "server/outbox", "server/store", "server/trace"}},
      {"server/dispatch", {"pipeline", "server/coordinator", "server/store"}},
      {"server/includes", {"pipeline", "server/git"}},
      {"server/intake",
       {"pipeline", "server/access", "server/blobs", "server/coordinator", "server/store",
        "server/git", "server/forge", "server/identity", "server/includes", "server/variables"}},
      {"server/schedules",
       {"pipeline", "server/access", "server/coordinator", "server/intake", "server/store"}},
      {"server/deployments", {"server/coordinator", "server/schedules", "server/store"}},
      {"server/retention", {"server/blobs", "server/coordinator", "server/git", "server/store"}},
      {"server/http",
       {"pipeline",         "server/access",      "server/auth",        "server/blobs",
        "server/caches",    "server/coordinator", "server/deployments", "server/dispatch",
        "server/forge",     "server/git",         "server/identity",    "server/insight",
        "server/intake",    "server/login",       "server/outbox",      "server/reports",
        "server/schedules", "server/store",       "server/telemetry",   "server/trace",
        "server/variables"}},
      {"server/assembly",
       {"pipeline",       "server/access",      "server/auth",        "server/blobs",
        "server/caches",  "server/coordinator", "server/deployments", "server/dispatch",
        "server/forge",   "server/git",         "server/http",        "server/identity",
        "server/insight", "server/intake",      "server/login",       "server/outbox",
        "server/reports", "server/retention",   "server/schedules",   "server/settings",
        "server/store",   "server/telemetry",   "server/trace",       "server/variables"}},
  };
  return table;
}

// Floors inside pipeline/: an include may carry rules, and keywords are made from what was read.
const std::map<std::string, int>& pipeline_floors() {
  static const std::map<std::string, int> floors{
      {"pipeline/rules", 1}, {"pipeline/read", 2}, {"pipeline/keywords", 3}};
  return floors;
}

struct Library {
  std::string header;  // the beginning of what stands between the brackets
  // The beginnings of the paths that may include it.
  std::string home;
  std::string second_home = {};
};
const std::vector<Library>& libraries() {
  static const std::vector<Library> table{
      {"soci/", "server/store/"},         {"sqlite3.h", "server/store/"},
      {"boost/beast", "server/http/"},    {"boost/asio", "server/http/"},
      {"httplib.h", "base/http_client."}, {"git2", "server/git/"},
      {"expat.h", "server/reports/"},     {"boost/process", "base/process"},
      {"yaml.h", "pipeline/read/"},       {"yaml-cpp/", "base/settings."},
      {"toml++/", "runner/config_toml."}, {"Civet", "runner/vital_signs."},
      {"date/", "server/schedules/"},     {"cjose/", "server/login/", "server/identity/"},
      {"libpq-fe.h", "server/store/"},
  };
  return table;
}

bool begins(const std::string& text, const std::string& with) {
  return text.compare(0, with.size(), with) == 0;
}

// "server/store/job_store.h" → "server/store"; "base/error.h" → "base".
std::string room_of(const std::string& path) {
  const auto first = path.find('/');
  if (first == std::string::npos) return {};
  const std::string top = path.substr(0, first);
  if (top != "server") return top;
  const auto second = path.find('/', first + 1);
  return second == std::string::npos ? "server" : path.substr(0, second);
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

void check_own(const std::string& file, const std::string& included,
               std::vector<std::string>& wrong) {
  const std::string from = room_of(file);
  const std::string to = room_of(included);
  if (to.empty()) {
    wrong.push_back(file + " includes \"" + included + "\", which is no path from the root");
    return;
  }
  const auto rooms = allowed().find(from);
  if (rooms == allowed().end()) {
    wrong.push_back(file + " stands in no room of the picture");
    return;
  }
  if (to != from && to != "base" && rooms->second.count(to) == 0)
    wrong.push_back(file + " must not include " + included);
}

void check_library(const std::string& file, const std::string& included,
                   std::vector<std::string>& wrong) {
  for (const Library& library : libraries())
    if (begins(included, library.header) && !begins(file, library.home) &&
        (library.second_home.empty() || !begins(file, library.second_home)))
      wrong.push_back(file + " must not include <" + included + ">: it stands only in " +
                      library.home);
}

std::vector<std::string> violations(const Files& files) {
  static const std::regex include{R"(^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])",
                                  std::regex::ECMAScript | std::regex::multiline};
  std::vector<std::string> wrong;
  for (const auto& [file, text] : files)
    for (std::sregex_iterator at{text.begin(), text.end(), include}, end; at != end; ++at) {
      if ((*at)[1] == "\"") check_own(file, (*at)[2], wrong);
      check_library(file, (*at)[2], wrong);
    }
  return wrong;
}

Files read_tree() {
  const char* source = std::getenv("SLIPWAY_SOURCE");
  const std::filesystem::path root = source == nullptr ? "." : source;
  Files files;
  for (const char* top : {"base", "pipeline", "runner", "server", "cli", "web"}) {
    if (!std::filesystem::is_directory(root / top)) continue;
    for (auto at = std::filesystem::recursive_directory_iterator{root / top};
         at != std::filesystem::recursive_directory_iterator{}; ++at) {
      if (at->is_directory() && at->path().filename() == "node_modules") {
        at.disable_recursion_pending();
        continue;
      }
      const auto extension = at->path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      auto text = slipway::read_file(at->path());
      REQUIRE(text);
      files[at->path().lexically_relative(root).string()] = std::move(*text);
    }
  }
  return files;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("every include of the tree is one that the picture allows", "[architecture]") {
  const Files files = read_tree();
  REQUIRE(files.size() > 100);
  CHECK(joined(violations(files)) == "");
}

TEST_CASE("inside pipeline an included folder stands below the including one", "[architecture]") {
  static const std::regex include{R"re(#include "(pipeline/[a-z_]+)/[a-z_]+\.h")re"};
  std::string wrong;
  for (const auto& [file, text] : read_tree()) {
    const auto from = pipeline_floors().find(folder_of(file));
    if (from == pipeline_floors().end()) continue;
    for (std::sregex_iterator at{text.begin(), text.end(), include}, end; at != end; ++at) {
      const auto to = pipeline_floors().find((*at)[1]);
      if (to != pipeline_floors().end() && to->second > from->second)
        wrong += file + " includes " + (*at)[0].str() + "\n";
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("the table itself has no circle", "[architecture]") {
  // Taking away rooms that need only what is gone already must empty the table.
  std::map<std::string, Rooms> left = allowed();
  Rooms gone;
  bool moved = true;
  while (moved) {
    moved = false;
    for (auto at = left.begin(); at != left.end();) {
      const bool free = std::all_of(at->second.begin(), at->second.end(),
                                    [&](const std::string& room) { return gone.count(room) > 0; });
      if (!free) {
        ++at;
        continue;
      }
      gone.insert(at->first);
      at = left.erase(at);
      moved = true;
    }
  }
  CHECK(left.empty());
}

TEST_CASE("a forbidden include is found", "[architecture]") {
  const auto [file, included] = GENERATE(table<std::string, std::string>({
      {"base/clock.cpp", "pipeline/plan.h"},
      {"pipeline/plan.cpp", "server/store/database.h"},
      {"runner/agent.cpp", "server/http/json.h"},
      {"server/http/json.cpp", "runner/agent.h"},
      {"server/store/database.cpp", "server/coordinator/coordinator.h"},
      {"server/git/mirror.cpp", "server/store/ids.h"},
      {"server/forge/github.cpp", "pipeline/plan.h"},
      {"server/coordinator/work.cpp", "server/dispatch/dispatch.h"},
      {"server/dispatch/dispatch.cpp", "server/http/json.h"},
      {"server/intake/intake.cpp", "server/dispatch/dispatch.h"},
      {"server/http/json.cpp", "server/assembly/server.h"},
      {"server/assembly/server.cpp", "cli/main.h"},
  }));
  const std::string text = "// opens\n#pragma once\n  #  include \"" + included + "\"\n";
  CHECK(violations({{file, text}}) ==
        std::vector<std::string>{file + " must not include " + included});
}

TEST_CASE("a library outside its room is found", "[architecture]") {
  const auto [file, header] = GENERATE(table<std::string, std::string>({
      {"server/coordinator/work.cpp", "soci/soci.h"},
      {"cli/main.cpp", "sqlite3.h"},
      {"server/intake/intake.cpp", "boost/beast/core.hpp"},
      {"runner/agent.cpp", "boost/asio.hpp"},
      {"server/http/listener.cpp", "httplib.h"},
      {"server/intake/planner.cpp", "git2.h"},
      {"server/intake/planner.cpp", "git2/blob.h"},
      {"runner/shell_executor.cpp", "boost/process/v2.hpp"},
      {"pipeline/plan.cpp", "yaml.h"},
      {"pipeline/read/source.cpp", "yaml-cpp/yaml.h"},
  }));
  INFO(file << " and " << header);
  const auto found = violations({{file, "#include <" + header + ">\n"}});
  REQUIRE(found.size() == 1);
  CHECK(begins(found[0], file + " must not include <" + header + ">"));
}

TEST_CASE("an allowed include, a new room and a relative path are told apart", "[architecture]") {
  CHECK(violations({{"server/http/listener.cpp",
                     "#include \"server/http/json.h\"\n#include \"base/error.h\"\n"
                     "#include <boost/beast/core.hpp>\n// #include \"runner/agent.h\"\n"}})
            .empty());
  CHECK(violations({{"server/magic/wand.cpp", "#include \"base/error.h\"\n"}}) ==
        std::vector<std::string>{"server/magic/wand.cpp stands in no room of the picture"});
  CHECK(violations({{"base/clock.cpp", "#include \"clock.h\"\n"}}) ==
        std::vector<std::string>{
            "base/clock.cpp includes \"clock.h\", which is no path from the root"});
}
