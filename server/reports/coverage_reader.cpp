#include "server/reports/coverage_reader.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <variant>

#include "server/reports/coverage_sections.h"
#include "server/reports/coverage_xml.h"
#include "server/reports/lcov.h"

namespace slipway::server {

namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 20U;  // between looks at the limits
constexpr std::size_t kMostBlank = 4'096;                   // in front of what tells the format
constexpr std::string_view kBlank = " \t\r\n\xEF\xBB\xBF";

}  // namespace

struct CoverageReader::State {
  State(std::string project, const CoverageReportLimits& limits)
      : sections(std::move(project), limits) {}

  CoverageSections sections;
  std::variant<std::monostate, CoverageXml, LcovStream> stream;  // of the format that showed
  std::string head;                                              // what came before a format showed
  std::size_t bytes = 0;
  int file = 1;
  bool full = false;

  void take_fault(const std::optional<std::string>& fault) {
    if (fault) sections.complain(fmt::format("file {} of the report, {}", file, *fault));
  }

  void pass(std::string_view more) {
    if (auto* xml = std::get_if<CoverageXml>(&stream)) take_fault(xml->feed(more));
    if (auto* lcov = std::get_if<LcovStream>(&stream)) take_fault(lcov->feed(more));
  }

  void take(std::string_view more) {
    if (stream.index() != 0) {
      pass(more);
      return;
    }
    head += more;
    const auto begin = head.find_first_not_of(kBlank);
    if (begin == std::string::npos && head.size() <= kMostBlank) return;
    choose(begin != std::string::npos && head[begin] == '<');
    pass(std::exchange(head, {}));
  }

  void choose(bool is_xml) {
    if (is_xml)
      stream.emplace<CoverageXml>(sections);
    else
      stream.emplace<LcovStream>(sections);
  }

  void finish() {
    if (auto* xml = std::get_if<CoverageXml>(&stream)) take_fault(xml->finish());
    if (auto* lcov = std::get_if<LcovStream>(&stream)) take_fault(lcov->finish());
    if (stream.index() == 0) sections.complain(fmt::format("file {} of the report is empty", file));
    stream.emplace<std::monostate>();
    head.clear();
    ++file;
  }
};

CoverageReader::CoverageReader(std::string project, const CoverageReportLimits& limits)
    : state_(std::make_unique<State>(std::move(project), limits)) {}

CoverageReader::~CoverageReader() = default;

bool CoverageReader::feed(std::string_view bytes) {
  State& state = *state_;
  while (!bytes.empty() && !state.full) {
    const auto now = bytes.substr(0, kMostAtOnce);
    bytes.remove_prefix(now.size());
    state.bytes += now.size();
    const auto most = state.sections.limits().bytes;
    if (state.bytes > most) {
      state.full = true;
      state.sections.complain(
          fmt::format("it is larger than {} MiB; what is behind is left out", most >> 20U));
      break;
    }
    state.take(now);
    state.full = state.sections.full();
  }
  return !state.full;
}

void CoverageReader::end_of_file() {
  if (!state_->full) state_->finish();
}

CoverageReport CoverageReader::take() {
  const bool any = state_->stream.index() != 0 || !state_->head.empty();
  if (any || state_->file == 1) end_of_file();
  return state_->sections.take();
}

}  // namespace slipway::server
