// How much work one pipeline file may ask for, whatever stands in it.
//
// The limits on bytes and values bound what is kept, not what is done with it: twenty thousand
// rules that search a text of a megabyte, or as many large regular expressions, would keep a
// processor busy for minutes. So whatever a file can ask for often is paid for in steps.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace re2 {
class RE2;
}

namespace slipway::pipeline {

// The work of one thread while it lives: whoever reads a pipeline file or plans with it holds one,
// and one inside another shares the outer one's. Without one there is no bound.
class Work {
 public:
  // Steps of about a nanosecond. A usual file takes 20,000, one of ten thousand jobs 38 million.
  static constexpr long kMost = 500'000'000;

  Work();
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work();

  static void spend(std::size_t steps);
  // Then whatever asks for more is not done, and its answer means nothing.
  static bool exhausted();
  // What is said of the file then.
  static std::string too_much();

  // The regular expressions that were made, each once; null without one.
  using Patterns = std::unordered_map<std::string, std::shared_ptr<const re2::RE2>>;
  static Patterns* patterns();

 private:
  struct State;
  static thread_local State* state_;  // the outermost one's
  std::unique_ptr<State> own_;        // null in an inner one
};

}  // namespace slipway::pipeline
