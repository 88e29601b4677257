#include "server/http/page_routes.h"

#include <charconv>

#include "server/http/common.h"

namespace slipway::server::http {

namespace {

bool accepts(std::string_view header, std::string_view word) {
  return header.find(word) != std::string_view::npos;
}

Response file_response(const Request& request, const StaticFile& file, Caching caching) {
  Response response;
  response.content_type = file.content_type;
  response.caching = caching;
  response.headers.set("ETag", file.etag);
  response.headers.set("Vary", "Accept-Encoding");
  if (request.headers.get("if-none-match") == file.etag) {
    response.status = 304;
    return response;
  }
  if (!file.gzip.empty() && accepts(request.headers.get("accept-encoding"), "gzip")) {
    response.headers.set("Content-Encoding", "gzip");
    response.body = file.gzip;
  } else {
    response.body = file.bytes;
  }
  return response;
}

}  // namespace

Result<Response> PageRoutes::page(const Call& call) {
  const auto& request = call.request;
  const auto path = "/" + std::string{request.param("page")};
  if (path != "/")
    if (const auto file = files_.find(path))
      return file_response(request, *file,
                           path.starts_with("/assets/") ? Caching::Forever : Caching::Revalidate);
  const bool of_ours =
      path.starts_with("/api/") || path.starts_with("/hooks/") || path.starts_with("/assets/");
  if (of_ours || !accepts(request.headers.get("accept"), "text/html")) return not_found("Page");
  const auto index = files_.find("/index.html");
  if (!index) return not_found("Page");
  return file_response(request, *index, Caching::Revalidate);
}

Result<Response> PageRoutes::events(const Call& call) {
  EventFilter filter{Viewer{viewing_, call.principal}, {}};
  auto project = query_number(call.request, "project_id");
  if (!project) return project.error();
  filter.project = ProjectId{project->value_or(0)};
  std::uint64_t last_id = 0;
  const auto last = call.request.headers.get("last-event-id");
  std::from_chars(last.data(), last.data() + last.size(), last_id);
  Response response;
  response.content_type = "text/event-stream";
  response.headers.set("X-Accel-Buffering", "no");
  response.stream = feed_.listen(std::move(filter), last_id);
  return response;
}

}  // namespace slipway::server::http
