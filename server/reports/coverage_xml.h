// The coverage reports that are XML: Cobertura's (coverage-04.dtd) and JaCoCo's (report.dtd). The
// outermost element tells which.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/reports/coverage_sections.h"
#include "server/reports/xml_stream.h"

namespace slipway::server {

// One document, while it comes in. Used by one thread; `sections` must outlive it.
class CoverageXml final : XmlHandler {
 public:
  explicit CoverageXml(CoverageSections& sections)
      : sections_(sections), xml_(*this, sections.limits().depth) {}

  // Both return what is wrong first, "line 3, column 7: …".
  std::optional<std::string> feed(std::string_view bytes);
  std::optional<std::string> finish();

 private:
  enum class Format : std::uint8_t { Cobertura, Jacoco };

  void begin(std::string_view name, const XmlAttributes& attributes, int depth) override;
  void end(std::string_view name, int depth) override;
  void text(std::string_view characters) override;

  void begin_document(std::string_view name);
  void begin_in_cobertura(std::string_view name, const XmlAttributes& attributes);
  void begin_in_jacoco(std::string_view name, const XmlAttributes& attributes);
  void take_line(std::string_view number, std::string_view count, bool counts);
  [[nodiscard]] std::string path_of_class(std::string_view file) const;
  void complain(const std::string& fault);

  CoverageSections& sections_;
  XmlStream xml_;
  Format format_ = Format::Cobertura;
  std::vector<std::string> sources_;
  bool in_source_ = false;
  std::string package_;
  std::optional<std::string> fault_;
};

}  // namespace slipway::server
