// The schema for editors against the reader: the same keywords, and whatever the reader accepts is
// valid by the schema.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/files.h"
#include "pipeline/keywords/fields.h"
#include "pipeline/keywords/vocabulary.h"
#include "tests/pipeline/golden/case_file.h"
#include "tests/pipeline/support.h"

using namespace slipway;
using namespace slipway::pipeline;
using namespace slipway::pipeline::test;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

fs::path source() {
  const char* source = std::getenv("SLIPWAY_SOURCE");
  return source == nullptr ? "." : source;
}

std::string text_of(const fs::path& path) {
  const auto text = read_file(path);
  INFO(path);
  REQUIRE(text);
  return *text;
}

const json& schema_json() {
  static const json schema = json::parse(text_of(source() / "schemas/pipeline.schema.json"));
  return schema;
}

// What is wrong with a pipeline file by the schema; "" when nothing is.
std::string fault_of(const std::string& text) {
  static const auto schema = [] {
    auto made = std::make_unique<valijson::Schema>();
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter{schema_json()}, *made);
    return made;
  }();
  Diagnostics findings;
  const auto node = read::parse(text, "ci.yml", findings);
  REQUIRE(node);
  const json file = json::parse(read::as_json(*node));
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(*schema, valijson::adapters::NlohmannJsonAdapter{file}, &results))
    return "";
  std::string fault;
  for (valijson::ValidationResults::Error error; results.popError(error);) {
    for (const std::string& step : error.context) fault += step;
    fault += ": " + error.description + "\n";
  }
  return fault;
}

Names keys_of(const json& object) {
  Names names;
  for (const auto& [key, value] : object.items()) names.insert(key);
  return names;
}

const json& properties_of(const std::string& family) {
  return family == "global" ? schema_json().at("properties")
                            : schema_json().at("definitions").at(family).at("properties");
}

std::vector<fs::path> files_below(const fs::path& directory, const char* extension) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator{source() / directory})
    if (entry.path().extension() == extension) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("the schema has the keywords that the reader has, and no others", "[schema]") {
  Names families;
  for (const keywords::Family& family : keywords::all_families()) {
    const std::string name{family.name};
    CAPTURE(name);
    families.insert(name);
    CHECK(keys_of(properties_of(name)) == Names(family.keywords.begin(), family.keywords.end()));
  }
  // Included files are read before there are keywords of jobs.
  families.insert("include_item");
  for (const auto& [name, definition] : schema_json().at("definitions").items()) {
    CAPTURE(name);
    if (definition.contains("properties")) CHECK(families.count(name) == 1);
  }
}

TEST_CASE("each keyword of the schema says what it is, and no mapping takes unknown ones",
          "[schema]") {
  for (const keywords::Family& family : keywords::all_families())
    for (const auto& [name, property] : properties_of(std::string{family.name}).items()) {
      CAPTURE(family.name, name);
      CHECK(property.value("description", "").size() > 5);
    }
  for (const auto& [name, definition] : schema_json().at("definitions").items()) {
    CAPTURE(name);
    if (definition.contains("properties")) CHECK(definition.at("additionalProperties") == false);
  }
}

TEST_CASE("the sample and the corpus are valid by the schema", "[schema]") {
  CHECK(fault_of(text_of(source() / "deploy/sample/.gitlab-ci.yml")).empty());
  CHECK(fault_of(text_of(source() / "deploy/sample/seed.gitlab-ci.yml")).empty());
  int checked = 0;
  for (const fs::path& path : files_below("tests/pipeline/corpus", ".yml")) {
    const std::string text = text_of(path);
    if (!outcome_of(text).configuration) continue;
    CAPTURE(path);
    CHECK(fault_of(text) == "");
    ++checked;
  }
  CHECK(checked > 5);
}

TEST_CASE("each golden case that the reader accepts is valid by the schema", "[schema]") {
  int checked = 0;
  for (const fs::path& path : files_below("tests/pipeline/golden", ".case")) {
    const golden::Case one = golden::parse_case(text_of(path));
    if (!outcome_of(one.text).configuration) continue;
    CAPTURE(path);
    CHECK(fault_of(one.text) == "");
    ++checked;
  }
  CHECK(checked > 100);
}

TEST_CASE("wrong files are not valid by the schema", "[schema]") {
  const auto* text = GENERATE(
      "a: {script: x, tagz: [b]}\n", "a: {script: x, tags: docker}\n",
      "a: {script: x, when: never}\n", "a: {script: {b: c}}\n", "a: {script: x, only: main}\n",
      "a: {script: x, retry: 3}\n", "a: {script: x, needs: b}\n", "a: {script: x, image: [b]}\n",
      "a: {script: x, parallel: 201}\n", "a: {script: x, coverage: '\\d+'}\n",
      "a: {script: x, rules: [{unless: b}]}\n", "variables: [a]\n",
      "a: {script: x, trigger: g/p}\n", "workflow: {rules: [{when: manual}]}\n",
      "default: {stage: b}\n", "a: text\n", "a: {trigger: {project: g/p, strategy: wait}}\n",
      "a: {script: x, artifacts: {reports: {junitt: b}}}\n",
      "a: {script: x, id_tokens: {T: {}}}\n");
  CAPTURE(text);
  CHECK(fault_of(text) != "");
}
