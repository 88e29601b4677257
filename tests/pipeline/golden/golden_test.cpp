// Each rule of the language, accepted and refused, as small files with what must come of them.
//
// One directory per section of the language, one file per case. `pending.txt` names the cases that
// do not hold yet; a case that holds must not stand there.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "base/files.h"
#include "tests/pipeline/golden/case_file.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::pipeline::golden;

namespace {

namespace fs = std::filesystem;

fs::path golden() {
  const char* source = std::getenv("SLIPWAY_SOURCE");
  return fs::path{source == nullptr ? "." : source} / "tests/pipeline/golden";
}

std::string text_of(const fs::path& path) {
  const auto text = read_file(path);
  INFO(path);
  REQUIRE(text);
  return *text;
}

// "12-rules/unknown-key", in order.
std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator{golden()})
    if (entry.path().extension() == ".case")
      names.push_back(fs::relative(entry.path(), golden()).replace_extension().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::set<std::string> pending_names() {
  std::set<std::string> names;
  std::istringstream lines{text_of(golden() / "pending.txt")};
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line[0] != '#') names.insert(line.substr(0, line.find(' ')));
  return names;
}

Case read_case(const std::string& name) {
  return parse_case(text_of(golden() / (name + ".case")));
}

// Findings, a failed plan and no pipeline are refusals.
bool is_refusal(const Expectation& one) {
  const std::string& expected = one.expected;
  return (one.marker.rfind("lint", 0) == 0 && !expected.empty()) ||
         expected.rfind("not valid\n", 0) == 0 || expected.find("error: ") != std::string::npos ||
         expected.find("refused: ") != std::string::npos ||
         expected.find("left out: ") != std::string::npos ||
         expected.find("no pipeline: ") != std::string::npos;
}

bool refuses(const Case& one) {
  return std::any_of(one.expectations.begin(), one.expectations.end(), is_refusal);
}

bool accepts(const Case& one) {
  return !std::all_of(one.expectations.begin(), one.expectations.end(), is_refusal);
}

// The names in backquotes of the lines of map.md that begin with `label`, below each heading.
std::map<std::string, std::set<std::string>> mapped(const std::string& label) {
  std::map<std::string, std::set<std::string>> names;
  std::string section;
  bool inside = false;
  std::istringstream lines{text_of(golden() / "map.md")};
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("## ", 0) == 0) section = line.substr(3, line.find(". ") - 3);
    if (line.find(':') < line.find('`')) inside = line.rfind(label + ":", 0) == 0;
    if (line.empty()) inside = false;
    for (auto begin = line.find('`'); inside && begin != std::string::npos;) {
      const auto end = line.find('`', begin + 1);
      names[section].insert(line.substr(begin + 1, end - begin - 1));
      begin = line.find('`', end + 1);
    }
  }
  return names;
}

bool holds(const Case& one) {
  return std::all_of(one.expectations.begin(), one.expectations.end(),
                     [&](const auto& each) { return answer(one, each) == each.expected; });
}

}  // namespace

TEST_CASE("each rule of the language holds as its golden case states it", "[golden]") {
  const std::set<std::string> pending = pending_names();
  for (const std::string& name : case_names()) {
    if (pending.count(name) != 0) continue;
    const Case one = read_case(name);
    for (const Expectation& expectation : one.expectations) {
      INFO(name << ".case, == " << expectation.marker);
      const std::string actual = answer(one, expectation);
      INFO("expected:\n" << expectation.expected << "actual:\n" << actual);
      CHECK((actual == expectation.expected));
    }
  }
}

TEST_CASE("a golden case that is pending does not hold yet", "[golden]") {
  const std::vector<std::string> names = case_names();
  for (const std::string& name : pending_names()) {
    INFO(name << " is listed in pending.txt");
    REQUIRE(std::find(names.begin(), names.end(), name) != names.end());
    CHECK_FALSE(holds(read_case(name)));
  }
  SUCCEED("an empty list is the aim");
}

TEST_CASE("each section of the language has accepted and refused cases", "[golden]") {
  std::map<std::string, std::set<bool>> ways;
  for (const std::string& name : case_names()) {
    const Case one = read_case(name);
    INFO(name);
    CHECK_FALSE(one.expectations.empty());
    ways[name.substr(0, name.find('/'))].insert(refuses(one));
  }
  const std::string page = text_of(golden() / "README.md");
  for (const auto& [section, both] : ways) {
    INFO(section);
    CHECK(both.size() == 2);
    CHECK(page.find("| `" + section + "/` |") != std::string::npos);
  }
}

TEST_CASE("the map names every case of each section, and nothing that is not there", "[golden]") {
  std::map<std::string, std::set<std::string>> accepted;
  std::map<std::string, std::set<std::string>> refused;
  for (const std::string& name : case_names()) {
    const std::string section = std::to_string(std::stoi(name));
    const std::string rule = name.substr(name.find('/') + 1);
    const Case one = read_case(name);
    if (accepts(one)) accepted[section].insert(rule);
    if (refuses(one)) refused[section].insert(rule);
  }
  CHECK(mapped("Accepted") == accepted);
  CHECK(mapped("Refused") == refused);
}

TEST_CASE("each section of the language is in the map, and each other test it names exists",
          "[golden]") {
  constexpr int kSections = 30;
  const std::string page = text_of(golden() / "map.md");
  for (int section = 1; section <= kSections; ++section) {
    INFO(section);
    CHECK(page.find("\n## " + std::to_string(section) + ". ") != std::string::npos);
  }
  for (const auto& [section, files] : mapped("Elsewhere"))
    for (const std::string& file : files) {
      INFO("section " << section << ": " << file);
      CHECK(fs::exists(golden() / "../../.." / file));
    }
}
