#include "pipeline/report_kind.h"

#include <algorithm>
#include <array>

namespace slipway::pipeline {
namespace {

constexpr std::array kKinds{
    ReportKind{"accessibility", "gl-accessibility.json", "raw"},
    ReportKind{"annotations", "gl-annotations.json", "gzip"},
    ReportKind{"api_fuzzing", "gl-api-fuzzing-report.json", "raw"},
    ReportKind{"browser_performance", "browser-performance.json", "raw"},
    ReportKind{"cluster_image_scanning", "gl-cluster-image-scanning-report.json", "raw"},
    ReportKind{"cobertura", "cobertura-coverage.xml", "gzip"},
    ReportKind{"codequality", "gl-code-quality-report.json", "raw"},
    ReportKind{"container_scanning", "gl-container-scanning-report.json", "raw"},
    ReportKind{"coverage_fuzzing", "gl-coverage-fuzzing.json", "raw"},
    ReportKind{"cyclonedx", "gl-sbom.cdx.json", "gzip"},
    ReportKind{"dast", "gl-dast-report.json", "raw"},
    ReportKind{"dependency_scanning", "gl-dependency-scanning-report.json", "raw"},
    ReportKind{"dotenv", ".env", "gzip"},
    ReportKind{"jacoco", "jacoco-coverage.xml", "gzip"},
    ReportKind{"junit", "junit.xml", "gzip"},
    ReportKind{"lcov", "coverage.lcov", "gzip"},
    ReportKind{"license_scanning", "gl-license-scanning-report.json", "raw"},
    ReportKind{"load_performance", "load-performance.json", "raw"},
    ReportKind{"lsif", "lsif.json", "zip"},
    ReportKind{"metrics", "metrics.txt", "gzip"},
    ReportKind{"performance", "performance.json", "raw"},
    ReportKind{"repository_xray", "gl-repository-xray.json", "gzip"},
    ReportKind{"requirements", "requirements.json", "raw"},
    ReportKind{"requirements_v2", "requirements_v2.json", "raw"},
    ReportKind{"sarif", "gl-sarif-report.json", "raw"},
    ReportKind{"sast", "gl-sast-report.json", "raw"},
    ReportKind{"secret_detection", "gl-secret-detection-report.json", "raw"},
    ReportKind{"terraform", "tfplan.json", "raw"},
};

}  // namespace

ReportKind report_kind(std::string_view type) {
  const auto at = std::find_if(kKinds.begin(), kKinds.end(),
                               [&](const ReportKind& kind) { return kind.type == type; });
  return at == kKinds.end() ? ReportKind{type, type, "raw"} : *at;
}

}  // namespace slipway::pipeline
