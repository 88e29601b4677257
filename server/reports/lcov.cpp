#include "server/reports/lcov.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace slipway::server {

namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 10U;  // names of C++ functions are long
constexpr std::size_t kInFault = 60;

bool take_tag(std::string_view& line, std::string_view tag) {
  if (!line.starts_with(tag)) return false;
  line.remove_prefix(tag.size());
  return true;
}

// As much of it as a message needs, whatever bytes it is made of.
std::string shown(std::string_view text) {
  std::string plain{text.substr(0, kInFault)};
  for (char& c : plain)
    if (c < ' ' || c > '~') c = '?';
  return plain;
}

}  // namespace

std::optional<std::string> LcovStream::feed(std::string_view bytes) {
  while (!bytes.empty() && !foreign_ && !sections_.full()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    // What is longer than any line that counts is dropped, in whatever pieces it comes.
    rest_ += piece.substr(0, kLongestLine - std::min(kLongestLine, rest_.size()));
    if (end == std::string_view::npos) break;
    take_line(std::exchange(rest_, {}));
    bytes.remove_prefix(end + 1);
  }
  return std::exchange(fault_, std::nullopt);
}

std::optional<std::string> LcovStream::finish() {
  if (!rest_.empty()) take_line(std::exchange(rest_, {}));
  if (sections_.is_open() && !sections_.full()) complain("the last record has no end_of_record");
  sections_.close();
  if (!known_ && !foreign_) complain("there is nothing in it");
  return std::exchange(fault_, std::nullopt);
}

void LcovStream::take_line(std::string_view line) {
  ++number_;
  if (number_ == 1) take_tag(line, "\xEF\xBB\xBF");
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  if (line.empty() || line.starts_with('#')) return;
  if (!known_ && !line.starts_with("TN:") && !line.starts_with("SF:")) {
    foreign_ = true;
    complain("it is neither Cobertura, JaCoCo nor LCOV");
    return;
  }
  known_ = true;
  if (take_tag(line, "SF:")) {
    sections_.open(std::string{line});
  } else if (take_tag(line, "DA:")) {
    take_hits(line);
  } else if (line == "end_of_record") {
    sections_.close();
  }
}

// "12,3" or "12,3,checksum".
void LcovStream::take_hits(std::string_view text) {
  const auto comma = text.find(',');
  const auto after = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  std::uint32_t number = 0;
  std::uint32_t hits = 0;
  if (read_line_number(text.substr(0, comma), number) &&
      read_hits(after.substr(0, after.find(',')), hits))
    sections_.line(number, hits);
  else
    complain(fmt::format("'DA:{}' names no line and count; it is left out", shown(text)));
}

void LcovStream::complain(const std::string& fault) {
  if (!fault_) fault_ = fmt::format("line {}: {}", number_, fault);
}

}  // namespace slipway::server
