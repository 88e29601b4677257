#include "server/reports/findings_reader.h"

#include <fmt/format.h>

#include <utility>

#include "server/reports/findings_formats.h"

namespace slipway::server {

namespace {

JsonOutcome read(FindingsFormat format, std::string_view text, FindingSink& sink) {
  switch (format) {
    case FindingsFormat::CodeClimate: return read_code_climate(text, sink);
    case FindingsFormat::Gitlab: return read_gitlab_findings(text, sink);
    case FindingsFormat::Sarif: return read_sarif(text, sink);
    case FindingsFormat::None: break;
  }
  auto outcome = pick_items(text, {}, item_limits(sink.limits()));
  if (!outcome.fault)
    outcome.fault = "it is neither a GitLab security report, nor Code Climate, nor SARIF";
  return outcome;
}

}  // namespace

bool FindingsReader::feed(std::string_view bytes) {
  if (full_) return false;
  const auto room = sink_.limits().bytes - bytes_;
  const auto now = bytes.substr(0, room);
  text_ += now;
  bytes_ += now.size();
  if (now.size() == bytes.size()) return true;
  full_ = true;
  sink_.complain(fmt::format("it is larger than {} MiB; what is behind is left out",
                             sink_.limits().bytes >> 20U));
  read_file(std::exchange(text_, {}), true);
  return false;
}

void FindingsReader::read_file(std::string_view text, bool cut) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    sink_.complain(fmt::format("file {} of the report is empty", file_));
    return;
  }
  const auto outcome = read(format_of(text, sink_.limits()), text, sink_);
  if (outcome.fault && !cut)
    sink_.complain(fmt::format("file {} of the report, {}", file_, *outcome.fault));
  if (outcome.too_large > 0)
    sink_.complain(fmt::format("{} findings of more than {} values are left out", outcome.too_large,
                               sink_.limits().values));
}

void FindingsReader::end_of_file() {
  if (full_) return;
  read_file(std::exchange(text_, {}), false);
  ++file_;
}

FindingsReport FindingsReader::take() {
  if (!text_.empty() || file_ == 1) end_of_file();
  return sink_.take();
}

}  // namespace slipway::server
