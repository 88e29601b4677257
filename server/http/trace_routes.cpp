#include "server/http/trace_routes.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "pipeline/lifecycle.h"
#include "server/http/byte_range.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/runner_protocol_routes.h"
#include "server/trace/trace_search.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr std::size_t kReadPiece = std::size_t{256} << 10U;
constexpr std::size_t kEventPiece = std::size_t{64} << 10U;

Response trace_response(int status, std::string_view job_status, long long size,
                        const TraceStore& traces, JobId job) {
  auto response = job_response(status, job_status, traces, job);
  response.headers.set("Range", "0-" + std::to_string(size));
  return response;
}

// Appends the pieces of one PATCH.
class TraceSink final : public BodySink {
 public:
  TraceSink(SharedCall call, long long offset, TraceStore& traces, Coordinator& coordinator)
      : call_(std::move(call)), offset_(offset), traces_(traces), coordinator_(coordinator) {}

  std::optional<Response> write(std::string_view bytes) override {
    const auto& who = *call_->job;
    const auto done = traces_.append(who.job_id.value, offset_, bytes);
    if (!done) return error_response(done.error());
    switch (done->verdict) {
      case AppendVerdict::Stored: offset_ = done->size; return std::nullopt;
      case AppendVerdict::WrongOffset:
        return trace_response(416, who.status, done->size, traces_, who.job_id);
      case AppendVerdict::TooLong: return too_long();
    }
    return std::nullopt;
  }

  Response finish() override {
    const auto& who = *call_->job;
    return trace_response(202, who.status, offset_, traces_, who.job_id);
  }

 private:
  Response too_long() {
    FinishedJob result;
    result.outcome = JobOutcome::Failed;
    result.failure_reason = "trace_size_exceeded";
    result.trace_size = offset_;
    const auto ended = wait_for<std::string>([&](Completion<std::string> then) {
      coordinator_.finish_job(*call_->job, std::move(result), std::move(then));
    });
    if (!ended) return error_response(ended.error());
    return job_response(403, "failed", traces_, call_->job->job_id);
  }

  SharedCall call_;
  long long offset_;
  TraceStore& traces_;
  Coordinator& coordinator_;
};

class TraceFile final : public BodySource {
 public:
  TraceFile(TraceStore& traces, JobId job, ByteRange range)
      : traces_(traces), job_(job), range_(range) {}

  Piece next() override {
    const auto most = std::min<long long>(range_.length, kReadPiece);
    if (most == 0) return {};
    auto bytes = traces_.read(job_.value, range_.first, static_cast<std::size_t>(most));
    if (!bytes || bytes->empty()) return {};
    range_.first += static_cast<long long>(bytes->size());
    range_.length -= static_cast<long long>(bytes->size());
    return {std::move(*bytes), range_.length > 0 ? State::More : State::End};
  }

 private:
  TraceStore& traces_;
  JobId job_;
  ByteRange range_;
};

// How many bytes of `text` end in whole UTF-8 characters. Bytes that are none count as they are.
std::size_t whole_characters(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0U) == 0x80U) continue;
    const std::size_t length = byte >= 0xf0U ? 4 : byte >= 0xe0U ? 3 : byte >= 0xc0U ? 2 : 1;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

class TraceEvents final : public BodySource {
 public:
  TraceEvents(Database& database, TraceStore& traces, EventFeed& feed, const JobRow& job,
              Viewer viewer, long long offset)
      : database_(database),
        traces_(traces),
        feed_(feed),
        job_(job.id),
        project_(job.project_id),
        viewer_(std::move(viewer)),
        rights_(feed.rights()),
        offset_(offset) {}

  void start(std::function<void()> wake) override {
    log_news_.emplace(traces_.subscribe(job_.value, wake));
    job_news_ = feed_.watch_job(job_, wake);
  }

  Piece next() override {
    if (const auto rights = feed_.rights(); rights != rights_) {
      rights_ = rights;
      if (!viewer_.refresh() || !viewer_.reads_logs(project_)) return {};
    }
    // Asked before reading: what was written before the job ended is read below.
    const auto ended = final_status();
    auto bytes = traces_.read(job_.value, offset_, kEventPiece);
    if (!bytes) return {};
    const bool last_piece = bytes->size() < kEventPiece;
    if (!(ended && last_piece)) bytes->resize(whole_characters(*bytes));
    Piece piece;
    if (!bytes->empty()) piece.bytes = text_event(*bytes);
    if (ended && last_piece) {
      piece.bytes += "event: end\ndata: " + dump(json{{"status", *ended}}) + "\n\n";
      piece.state = State::End;
    } else {
      piece.state = last_piece ? State::Wait : State::More;
    }
    return piece;
  }

 private:
  std::optional<std::string> final_status() {
    const auto row = database_.read()->jobs.find(job_);
    if (!row) return "canceled";  // the project was deleted
    const auto status = pipeline::parse_status(row->status);
    if (status && pipeline::is_final(*status)) return row->status;
    return std::nullopt;
  }

  std::string text_event(std::string_view text) {
    const auto begin = offset_;
    offset_ += static_cast<long long>(text.size());
    return "id: " + std::to_string(offset_) +
           "\nevent: trace\ndata: " + dump(json{{"offset", begin}, {"text", text}}) + "\n\n";
  }

  Database& database_;
  TraceStore& traces_;
  EventFeed& feed_;
  JobId job_;
  ProjectId project_;
  Viewer viewer_;
  std::uint64_t rights_;
  long long offset_;
  std::optional<TraceStore::Subscription> log_news_;
  EventFeed::Watch job_news_;
};

}  // namespace

Reception TraceRoutes::append(const SharedCall& call) {
  if (auto refusal = refuse_other_job(*call)) return std::move(*refusal);
  const auto& who = *call->job;
  if (who.finished) return job_response(403, who.status, traces_, who.job_id);
  const auto range = call->request.headers.find("content-range");
  if (!range) return message_response(400, "Content-Range is missing");
  const auto offset = content_range_start(*range);
  if (!offset) return message_response(400, "Content-Range must be like 0-99");
  if (who.acknowledged) {
    coordinator_.heard_from(who);
  } else {
    const auto status = wait_for<std::string>(
        [&](Completion<std::string> then) { coordinator_.acknowledge(who, std::move(then)); });
    if (!status) return error_response(status.error());
  }
  const auto size = traces_.size(who.job_id.value);
  if (*offset != size) return trace_response(416, who.status, size, traces_, who.job_id);
  return std::make_unique<TraceSink>(call, *offset, traces_, coordinator_);
}

Result<JobRow> TraceRoutes::job_of(const Call& call) {
  const auto id = path_number(call.request, "job_id");
  if (!id) return not_found("Job");
  auto row = database_.read()->jobs.find(JobId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Job");
  return *row;
}

Result<Response> TraceRoutes::raw(const Call& call) {
  const auto row = job_of(call);
  if (!row) return row.error();
  const auto size = traces_.size(row->id.value);
  ByteRange range;
  const auto verdict = parse_range(call.request.headers.get("range"), size, range);
  if (verdict == RangeVerdict::Unsatisfiable) {
    auto response = message_response(416, "the log has " + std::to_string(size) + " bytes");
    response.headers.set("Content-Range", "bytes */" + std::to_string(size));
    return response;
  }
  Response response;
  response.status = verdict == RangeVerdict::Part ? 206 : 200;
  response.content_type = "text/plain; charset=utf-8";
  response.headers.set("Accept-Ranges", "bytes");
  if (verdict == RangeVerdict::Part)
    response.headers.set("Content-Range", "bytes " + std::to_string(range.first) + "-" +
                                              std::to_string(range.first + range.length - 1) + "/" +
                                              std::to_string(size));
  response.stream = std::make_unique<TraceFile>(traces_, row->id, range);
  response.length = range.length;
  return response;
}

Result<Response> TraceRoutes::search(const Call& call) {
  const auto row = job_of(call);
  if (!row) return row.error();
  const auto& request = call.request;
  const auto compiled = TraceSearch::compile(request.query_value("q").value_or(""),
                                             request.query_value("regex").value_or("") == "true");
  if (!compiled) return compiled.error();
  const auto limit = query_number(request, "limit");
  if (!limit) return limit.error();
  TraceSearchBounds bounds;
  const auto most = static_cast<long long>(bounds.matches);
  const auto wanted = limit->value_or(most);
  if (wanted < 1 || wanted > most)
    return fail(ErrorKind::InvalidInput, "limit is 1 to " + std::to_string(most));
  bounds.matches = static_cast<std::size_t>(wanted);
  const auto found = compiled->run(traces_, row->id.value, bounds);
  if (!found) return found.error();
  auto matches = json::array();
  for (const auto& match : found->matches)
    matches.push_back({{"line", match.line}, {"offset", match.offset}, {"text", match.text}});
  return json_response(200, json{{"matches", std::move(matches)}, {"truncated", found->truncated}});
}

Result<Response> TraceRoutes::events(const Call& call) {
  const auto row = job_of(call);
  if (!row) return row.error();
  auto asked = query_number(call.request, "offset");
  if (!asked) return asked.error();
  long long offset = asked->value_or(0);
  // A browser that reconnects says what it had; that beats the address it was opened with.
  if (const auto last = call.request.headers.find("last-event-id"))
    std::from_chars(last->data(), last->data() + last->size(), offset);
  Response response;
  response.content_type = "text/event-stream";
  response.headers.set("X-Accel-Buffering", "no");
  response.stream = std::make_unique<TraceEvents>(
      database_, traces_, feed_, *row, Viewer{viewing_, call.principal}, std::max(0LL, offset));
  return response;
}

}  // namespace slipway::server::http
