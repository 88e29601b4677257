#include "server/reports/coverage_xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace slipway::server {

namespace {

constexpr std::size_t kMostSources = 100;  // GitLab's limit
constexpr std::size_t kInFault = 40;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

bool is_absolute(std::string_view path) {
  return path.starts_with('/') || path.starts_with('\\') || path.substr(1, 1) == ":";
}

}  // namespace

std::optional<std::string> CoverageXml::feed(std::string_view bytes) {
  auto fault = xml_.feed(bytes);
  if (fault) sections_.close();
  auto first = std::exchange(fault_, std::nullopt);
  return first ? std::move(first) : std::move(fault);
}

std::optional<std::string> CoverageXml::finish() {
  auto fault = xml_.finish();
  sections_.close();
  return fault;
}

void CoverageXml::begin(std::string_view name, const XmlAttributes& attributes, int depth) {
  if (depth == 1)
    begin_document(name);
  else if (format_ == Format::Cobertura)
    begin_in_cobertura(name, attributes);
  else
    begin_in_jacoco(name, attributes);
}

void CoverageXml::begin_document(std::string_view name) {
  if (name == "coverage")
    format_ = Format::Cobertura;
  else if (name == "report")
    format_ = Format::Jacoco;
  else
    xml_.stop(fmt::format("'{}' begins neither a report of Cobertura nor one of JaCoCo",
                          cut_text(name, kInFault)));
}

// A line stands in its method and in its class: those of methods that the class repeats count once.
void CoverageXml::begin_in_cobertura(std::string_view name, const XmlAttributes& attributes) {
  if (name == "source" && sources_.size() < kMostSources) {
    in_source_ = true;
    sources_.emplace_back();
  } else if (name == "class") {
    sections_.open(path_of_class(attributes.get("filename")));
  } else if (name == "line") {
    take_line(attributes.get("number"), attributes.get("hits"), true);
  }
}

void CoverageXml::begin_in_jacoco(std::string_view name, const XmlAttributes& attributes) {
  if (name == "package") {
    package_ = cut_text(attributes.get("name"), sections_.limits().path + 1);
  } else if (name == "sourcefile") {
    const auto file = attributes.get("name");
    sections_.open(package_.empty() ? std::string{file} : fmt::format("{}/{}", package_, file));
  } else if (name == "line") {
    take_line(attributes.get("nr"), attributes.get("ci"), false);
  }
}

void CoverageXml::end(std::string_view name, int) {
  in_source_ = false;
  if (name == (format_ == Format::Cobertura ? "class" : "sourcefile")) sections_.close();
}

void CoverageXml::text(std::string_view characters) {
  if (!in_source_) return;
  const std::size_t room =
      sections_.limits().path - std::min(sections_.limits().path, sources_.back().size());
  sources_.back() += characters.substr(0, room);
}

// JaCoCo counts instructions, not runs: a line with a covered one ran.
void CoverageXml::take_line(std::string_view number, std::string_view count, bool counts) {
  if (!sections_.is_open()) return;
  std::uint32_t line = 0;
  std::uint32_t hits = 0;
  if (!read_line_number(number, line) || !read_hits(count, hits)) {
    complain(fmt::format("line '{}' with the count '{}' is left out", cut_text(number, kInFault),
                         cut_text(count, kInFault)));
    return;
  }
  sections_.line(line, counts ? hits : std::min(hits, 1U));
}

std::string CoverageXml::path_of_class(std::string_view file) const {
  if (file.empty() || is_absolute(file)) return std::string{file};
  std::string base;
  for (const std::string& source : sources_)
    if (sections_.below_project(trimmed(source), base))
      return fmt::format("{}{}{}", base, base.empty() ? "" : "/", file);
  for (const std::string& source : sources_)
    if (const auto root = trimmed(source); !root.empty() && !is_absolute(root))
      return fmt::format("{}/{}", root, file);
  return std::string{file};
}

void CoverageXml::complain(const std::string& fault) {
  if (!fault_) fault_ = fmt::format("{}: {}", xml_.where(), fault);
}

}  // namespace slipway::server
