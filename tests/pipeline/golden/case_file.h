// One case of the golden suite: a pipeline file, the files beside it, and what must come of them.
//
// A case is a text file. It begins with `.gitlab-ci.yml` itself, so that lines count as an editor
// shows them; further files and expectations follow after marker lines:
//
//   test:
//     script: make
//   --- file: other.yml
//   …
//   == lint
//   2: error: jobs:test config contains unknown keys: scirpt
//   == push main --changed src/a.c --var DEBUG=1
//   test | when=manual | $DEBUG=1
//
// README.md says what may stand in an expectation.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/plan.h"

namespace slipway::pipeline::golden {

struct Expectation {
  std::string marker;    // without "== "
  std::string expected;  // lines, each ended
};

struct Case {
  std::string text;                          // of .gitlab-ci.yml
  std::map<std::string, std::string> files;  // "x.yml", "project group/lib@v1: x.yml", "https://…"
  std::vector<Expectation> expectations;
};

Case parse_case(std::string_view text);

// The event that a marker describes; "lint" stands for a push to main. Throws
// std::invalid_argument when a word is not known: a case that says nonsense must not pass.
Trigger parse_event(std::string_view marker);

// What has become of the jobs after `steps`, which are separated by semicolons.
std::string story_of(const Plan& plan, const std::string& steps);

// What the code says about `one`, in the words and with the fields of `expectation`: equal to
// `expectation.expected` when all is as it should be.
std::string answer(const Case& one, const Expectation& expectation);

}  // namespace slipway::pipeline::golden
