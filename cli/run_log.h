// A job's log as a person reads it in a terminal: whole lines, without the marks of sections, and
// nothing that could move the cursor.
//
// Used by one thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::cli {

struct LogLine {
  std::string text;     // with colours
  std::string section;  // the phase by GitLab's name, "step_script"; "" for its heading
  // Whether it is the job's own word, or a warning; the rest is what the runner tells of itself.
  [[nodiscard]] bool is_worth_showing() const;
};

class LogLines {
 public:
  using Take = std::function<void(const LogLine&)>;
  void feed(std::string_view bytes, const Take& take);
  // A last line without an end.
  void finish(const Take& take);

 private:
  void take_line(std::string_view line, const Take& take);
  void take_mark(std::string_view mark);

  std::string held_;
  std::vector<std::string> open_;  // sections, the outermost first
};

// Without escape sequences but those of colours, and without other control characters.
std::string printable(std::string_view text);
// Without colours too.
std::string without_colours(std::string_view text);

}  // namespace slipway::cli
