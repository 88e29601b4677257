// A text with $[[ … ]] blocks in the first line, put into a file that declares inputs; the default
// of one input in the second.

#include <nlohmann/json.hpp>

#include "pipeline/configuration.h"
#include "tests/pipeline/fuzz/target.h"

namespace slipway::pipeline::fuzz {
namespace {

class NoFiles : public IncludeSource {
 public:
  Result<std::string> local_file(const std::string&) override {
    return fail(ErrorKind::NotFound, "no such file");
  }
  Result<std::vector<std::string>> local_paths() override { return std::vector<std::string>{}; }
};

std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void take(std::string_view bytes) {
  const std::string text = quoted(take_line(bytes));
  const std::string value = quoted(take_line(bytes));
  const std::string file = "spec:\n  inputs:\n    a: {default: " + value +
                           "}\n"
                           "    n: {type: number, default: 3}\n"
                           "    b: {type: boolean, default: true}\n"
                           "    l: {type: array, default: [x, y]}\n"
                           "    o: {default: x, options: [x, y]}\n"
                           "---\n"
                           "job:\n  script: " +
                           text + "\n  tags: [" + text + "]\n  variables:\n    A: " + text + "\n";
  NoFiles files;
  const ReadOutcome outcome =
      read_configuration(file, ".gitlab-ci.yml", files, {Variable{.name = "V", .value = "$W"}});
  require(outcome.configuration.has_value() != has_errors(outcome.findings),
          "there is either a configuration or an error");
}

}  // namespace slipway::pipeline::fuzz
