#include "cli/run_log.h"

#include <algorithm>

namespace slipway::cli {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 10U;  // a longer one is cut into pieces
constexpr std::size_t kDeepest = 64;

// The length of the escape sequence at the beginning of `text`, which begins with ESC.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  const auto ends_at = [&](std::size_t from, const auto& is_end) {
    for (std::size_t at = from; at < text.size(); ++at)
      if (is_end(text[at])) return at + 1;
    return text.size();
  };
  if (text[1] == '[') return ends_at(2, [](char c) { return c >= '@' && c <= '~'; });
  // Titles, links and device controls go on until BEL or ESC.
  if (text[1] == ']' || text[1] == 'P' || text[1] == '_' || text[1] == '^')
    return ends_at(2, [](char c) { return c == '\a' || c == '\\'; });
  return 2;
}

bool is_colour(std::string_view sequence) {
  return sequence.size() > 2 && sequence[1] == '[' && sequence.back() == 'm' &&
         sequence.find_first_not_of("0123456789;", 2) == sequence.size() - 1;
}

std::string filtered(std::string_view text, bool colours) {
  std::string kept;
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    if (c == 0x1b) {
      const auto length = escape_length(text);
      if (colours && is_colour(text.substr(0, length))) kept += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    // U+0080 to U+009F control a terminal as ESC does.
    const bool is_c1 = c == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0;
    if (is_c1) text.remove_prefix(1);
    if (!is_c1 && (c == '\t' || (c >= 0x20 && c != 0x7f))) kept += text.front();
    text.remove_prefix(1);
  }
  return kept;
}

bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

}  // namespace

std::string printable(std::string_view text) {
  return filtered(text, true);
}
std::string without_colours(std::string_view text) {
  return filtered(text, false);
}

bool LogLine::is_worth_showing() const {
  if (section == "step_script" || section == "after_script") return true;
  const std::string plain = without_colours(text);
  return begins(plain, "WARNING: ") || begins(plain, "ERROR: ");
}

void LogLines::feed(std::string_view bytes, const Take& take) {
  held_ += bytes;
  std::size_t from = 0;
  for (auto end = held_.find('\n'); end != std::string::npos; end = held_.find('\n', from)) {
    take_line(std::string_view{held_}.substr(from, end - from), take);
    from = end + 1;
  }
  held_.erase(0, from);
  if (held_.size() < kLongestLine) return;
  take_line(held_, take);
  held_.clear();
}

void LogLines::finish(const Take& take) {
  if (!held_.empty()) take_line(held_, take);
  held_.clear();
}

void LogLines::take_mark(std::string_view mark) {
  const bool starts = begins(mark, "section_start:");
  std::string name{mark.substr(mark.find(':', mark.find(':') + 1) + 1)};
  name.resize(std::min(name.size(), name.find('[')));  // its options
  if (starts) {
    if (open_.size() < kDeepest) open_.push_back(std::move(name));
    return;
  }
  // What was forgotten inside ends with it.
  const auto at = std::find(open_.begin(), open_.end(), name);
  open_.erase(at, open_.end());
}

void LogLines::take_line(std::string_view line, const Take& take) {
  bool is_marked = false;
  bool is_start = false;
  while (begins(line, "section_start:") || begins(line, "section_end:")) {
    const auto end = line.find('\r');
    if (end == std::string_view::npos || std::count(line.begin(), line.begin() + end, ':') < 2)
      break;
    take_mark(line.substr(0, end));
    is_marked = true;
    is_start = begins(line, "section_start:");
    line.remove_prefix(end + 1);
    if (begins(line, "\x1b[0K")) line.remove_prefix(4);
  }
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  // What a progress bar has overwritten is gone.
  if (const auto last = line.rfind('\r'); last != std::string_view::npos)
    line.remove_prefix(last + 1);
  if (is_marked && line.empty()) return;
  // The runner's own headings say nothing about the job.
  const bool is_heading = is_start && open_.size() == 1;
  take({printable(line), open_.empty() || is_heading ? std::string{} : open_.front()});
}

}  // namespace slipway::cli
