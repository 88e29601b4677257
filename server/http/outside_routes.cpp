#include "server/http/outside_routes.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/gzip.h"
#include "server/http/common.h"
#include "server/http/json.h"

namespace slipway::server::http {

namespace {

constexpr std::size_t kLongestGitRequest = std::size_t{16} << 20U;
constexpr std::string_view kGrey = "#767676";

struct BadgeWord {
  std::string_view status;
  std::string_view word;
  std::string_view colour;
};

constexpr BadgeWord kBadgeWords[]{
    {"success", "passed", "#2f7d32"},      {"failed", "failed", "#c62828"},
    {"running", "running", "#1565c0"},     {"pending", "pending", "#a15c00"},
    {"created", "pending", "#a15c00"},     {"preparing", "pending", "#a15c00"},
    {"canceled", "canceled", kGrey},       {"canceling", "canceled", kGrey},
    {"skipped", "skipped", kGrey},         {"manual", "manual", "#5b4b8a"},
    {"scheduled", "scheduled", "#5b4b8a"}, {"waiting_for_resource", "pending", "#a15c00"},
};

Response badge(const Request& request, std::string_view label, std::string_view value,
               std::string_view colour) {
  Response response;
  response.content_type = "image/svg+xml";
  response.caching = Caching::Revalidate;
  response.body = badge_svg(label, value, colour);
  const auto etag = "\"" + sha256_hex(response.body).substr(0, 16) + "\"";
  response.headers.set("ETag", etag);
  if (request.headers.get("if-none-match") == etag) {
    response.status = 304;
    response.body.clear();
  }
  return response;
}

// About what the glyphs of an 11 px sans-serif take.
int text_width(std::string_view text) {
  return static_cast<int>(text.size()) * 7;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

Response git_response(std::string_view content_type, std::unique_ptr<BodySource> stream) {
  Response response;
  response.content_type = content_type;
  response.stream = std::move(stream);
  return response;
}

}  // namespace

Result<Response> GitRoutes::info_refs(const Call& call) {
  if (call.request.query_value("service") != "git-upload-pack")
    return fail(ErrorKind::Denied,
                "this server takes no pushes: push to the repository's own host");
  auto stream = mirrors_.advertise(call.project->id, call.request.headers.get("git-protocol"));
  if (!stream) return stream.error();
  return git_response("application/x-git-upload-pack-advertisement", std::move(*stream));
}

Result<Response> GitRoutes::upload_pack(const Call& call) {
  auto body = call.request.body;
  const auto encoding = call.request.headers.get("content-encoding");
  if (encoding == "gzip" || encoding == "x-gzip") {
    auto unpacked = gunzip(body, kLongestGitRequest);
    if (!unpacked) return unpacked.error();
    body = std::move(*unpacked);
  } else if (!encoding.empty()) {
    return fail(ErrorKind::InvalidInput, "Content-Encoding may only be gzip");
  }
  auto stream = mirrors_.upload_pack(call.project->id, call.request.headers.get("git-protocol"),
                                     std::move(body));
  if (!stream) return stream.error();
  return git_response("application/x-git-upload-pack-result", std::move(*stream));
}

std::string badge_svg(std::string_view label, std::string_view value, std::string_view colour) {
  const int left = text_width(label) + 10;
  const int right = text_width(value) + 10;
  return fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="20" role="img" aria-label="{3}: {4}"><title>{3}: {4}</title><rect width="{1}" height="20" fill="#555"/><rect x="{1}" width="{2}" height="20" fill="{5}"/><g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="{6}" y="14">{3}</text><text x="{7}" y="14">{4}</text></g></svg>)",
      left + right, left, right, escaped(label), escaped(value), colour, left / 2,
      left + right / 2);
}

Result<Response> BadgeRoutes::pipeline(const Call& call) {
  const auto newest =
      database_.read()->pipelines.newest(call.project->id, call.request.param("ref"));
  std::string_view word = "unknown";
  std::string_view colour = kGrey;
  if (newest)
    for (const auto& row : kBadgeWords)
      if (row.status == newest->status) {
        word = row.word;
        colour = row.colour;
      }
  return badge(call.request, "pipeline", word, colour);
}

Result<Response> BadgeRoutes::coverage(const Call& call) {
  const auto value =
      database_.read()->pipelines.newest_coverage(call.project->id, call.request.param("ref"));
  if (!value) return badge(call.request, "coverage", "unknown", kGrey);
  const auto* colour = *value >= 90 ? "#2f7d32" : *value >= 75 ? "#a15c00" : "#c62828";
  return badge(call.request, "coverage", fmt::format("{:.2f}%", *value), colour);
}

}  // namespace slipway::server::http
