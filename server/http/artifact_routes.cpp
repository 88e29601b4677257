#include "server/http/artifact_routes.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/gzip.h"
#include "pipeline/variables.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/multipart.h"
#include "server/http/runner_protocol_routes.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

// More than a report may have, so that its own limit is what is told.
constexpr std::size_t kMostDotenvBytes = std::size_t{64} << 10U;
constexpr std::size_t kReadPiece = std::size_t{256} << 10U;
constexpr int kExpiredAtOnce = 500;

std::optional<std::chrono::seconds> unit_of(std::string_view word) {
  using std::chrono::hours;
  using std::chrono::seconds;
  if (word.size() > 1 && word.back() == 's' && word != "s") word.remove_suffix(1);
  if (word == "s" || word == "sec" || word == "second") return seconds{1};
  if (word == "m" || word == "min" || word == "minute") return seconds{60};
  if (word == "h" || word == "hr" || word == "hour") return hours{1};
  if (word == "d" || word == "day") return hours{24};
  if (word == "w" || word == "wk" || word == "week") return hours{7 * 24};
  if (word == "mo" || word == "month") return hours{30 * 24};
  if (word == "y" || word == "yr" || word == "year") return hours{365 * 24};
  return std::nullopt;
}

std::string_view take_while(std::string_view& text, bool (*fits)(char)) {
  const auto end = std::find_if_not(text.begin(), text.end(), fits);
  const auto taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_gap(char c) {
  return c == ' ' || c == ',';
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_';
  });
}

using Expiry = Result<std::optional<std::chrono::seconds>>;

std::string who(const Call& call) {
  return call.principal.username.empty() ? call.principal.name() : call.principal.username;
}

void audit_act(WriteTransaction& write, const Call& call, std::string_view action,
               std::string_view kind, std::int64_t id) {
  auth::audit(write.stores, write.now,
              {call.principal.name(), std::string{action},
               std::string{kind} + "/" + std::to_string(id), false, call.request.remote});
}

class ArtifactSink final : public BodySink {
 public:
  ArtifactSink(SharedCall call, ArtifactRow row, const std::string& boundary, BlobUpload upload,
               Coordinator& coordinator, BlobStore& blobs, const TestResults& tests,
               const CoverageResults& coverage, const FindingsResults& findings)
      : call_(std::move(call)),
        row_(std::move(row)),
        upload_(std::move(upload)),
        reader_(boundary, "file", [this](std::string_view bytes) { return upload_.write(bytes); }),
        coordinator_(coordinator),
        blobs_(blobs),
        tests_(tests),
        coverage_(coverage),
        findings_(findings) {}

  std::optional<Response> write(std::string_view bytes) override {
    if (auto done = reader_.feed(bytes); !done) return error_response(done.error());
    coordinator_.heard_from(*call_->job);
    return std::nullopt;
  }

  Response finish() override {
    if (auto done = reader_.finish(); !done) return error_response(done.error());
    const auto blob = upload_.commit();
    if (!blob) return error_response(blob.error());
    row_.blob = blob->name;
    row_.size = blob->size;
    row_.sha256 = blob->sha256;
    row_.file_name = safe_file_name(reader_.file_name(), "artifacts." + row_.file_format);
    if (auto read = read_report(); !read) {
      static_cast<void>(blobs_.remove(blob->name));
      return error_response(read.error());
    }
    if (auto stored = store(); !stored) {
      static_cast<void>(blobs_.remove(blob->name));
      return error_response(stored.error());
    }
    return message_response(201, "201 Created");
  }

 private:
  // Reports are read at once, so that what they say is there when the job ends.
  Result<void> read_report() {
    if (row_.file_type == "dotenv") return read_dotenv();
    if (row_.file_type == "junit") return receive(tests_, received_tests_);
    if (CoverageResults::takes(row_.file_type)) return receive(coverage_, received_coverage_);
    if (FindingsResults::takes(row_.file_type)) return receive(findings_, received_findings_);
    return {};
  }

  template <typename Results, typename Received>
  Result<void> receive(const Results& results, std::optional<Received>& received) {
    auto read = results.receive(row_);
    if (!read) return read.error();
    received = std::move(*read);
    return {};
  }

  // What the job hands on: a report nobody can read fails its job.
  Result<void> read_dotenv() {
    const auto blob = blobs_.open_blob(row_.blob);
    if (!blob) return blob.error();
    auto text = blob->read(0, kMostDotenvBytes);
    if (text && row_.file_format == "gzip") text = gunzip(*text, kMostDotenvBytes);
    if (!text) return text.error();
    const auto variables = pipeline::parse_dotenv(*text);
    if (!variables) return variables.error();
    json list = json::array();
    for (const pipeline::Variable& variable : *variables)
      list.push_back({{"name", variable.name}, {"value", variable.value}});
    dotenv_ = list.dump(-1, ' ', false, json::error_handler_t::replace);
    return {};
  }

  // A repeated upload is the same one, sent again: it replaces the row, whose blob is dead then.
  Result<void> store() {
    return coordinator_.write<void>([this](WriteTransaction& transaction) -> Result<void> {
      auto& artifacts = transaction.stores.artifacts;
      if (const auto old = artifacts.find(row_.job_id, row_.file_type)) artifacts.remove(old->id);
      artifacts.insert(row_);
      if (!dotenv_.empty()) artifacts.put_dotenv(row_.job_id, dotenv_);
      if (received_tests_) TestResults::keep(transaction.stores, *received_tests_);
      if (received_coverage_) CoverageResults::keep(transaction.stores, *received_coverage_);
      if (received_findings_) FindingsResults::keep(transaction.stores, *received_findings_);
      return {};
    });
  }

  SharedCall call_;
  ArtifactRow row_;
  std::string dotenv_;  // JSON; "" for another artifact
  std::optional<ReceivedTests> received_tests_;
  std::optional<ReceivedCoverage> received_coverage_;
  std::optional<ReceivedFindings> received_findings_;
  BlobUpload upload_;
  MultipartReader reader_;
  Coordinator& coordinator_;
  BlobStore& blobs_;
  const TestResults& tests_;
  const CoverageResults& coverage_;
  const FindingsResults& findings_;
};

class BlobSource final : public BodySource {
 public:
  explicit BlobSource(OpenBlob blob) : blob_(std::move(blob)) {}

  Piece next() override {
    auto bytes = blob_.read(offset_, kReadPiece);
    if (!bytes || bytes->empty()) return {};
    offset_ += static_cast<long long>(bytes->size());
    return {std::move(*bytes), offset_ < blob_.size ? State::More : State::End};
  }

 private:
  OpenBlob blob_;
  long long offset_ = 0;
};

Result<ArtifactRow> row_of_query(const Request& request, UnixMillis now,
                                 std::chrono::seconds default_expiry) {
  ArtifactRow row;
  row.created_at = now;
  row.file_type = request.query_value("artifact_type").value_or("archive");
  row.file_format = request.query_value("artifact_format").value_or("zip");
  if (!is_word(row.file_type))
    return fail(ErrorKind::InvalidInput, "artifact_type must be a word like archive or junit");
  if (row.file_format != "zip" && row.file_format != "gzip" && row.file_format != "raw")
    return fail(ErrorKind::InvalidInput, "artifact_format must be zip, gzip or raw");
  const auto text = request.query_value("expire_in").value_or("");
  const auto expiry = text.empty() ? Expiry{default_expiry} : parse_expiry(text);
  if (!expiry) return expiry.error();
  // No time at all is never, as for GitLab.
  if (*expiry && (*expiry)->count() > 0)
    row.expire_at = now + std::chrono::milliseconds{**expiry}.count();
  return row;
}

}  // namespace

Result<std::optional<std::chrono::seconds>> parse_expiry(std::string_view text) {
  if (text == "never") return {std::nullopt};
  const Error wrong =
      fail(ErrorKind::InvalidInput, "expire_in must be like '1 week' or '2 hrs 20 min', or never");
  std::chrono::seconds total{0};
  std::chrono::seconds unit{1};
  while (!text.empty()) {
    take_while(text, is_gap);
    if (text.starts_with("and ")) text.remove_prefix(4);
    const auto digits = take_while(text, is_digit);
    take_while(text, is_gap);
    const auto word = take_while(text, is_letter);
    long long count = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    const auto known = word.empty() ? std::optional{unit} : unit_of(word);
    constexpr long long kMost = 10'000'000'000;
    if (digits.empty() || parsed.ec != std::errc{} || !known || count > kMost / known->count())
      return wrong;
    total += *known * count;
  }
  return Expiry{total};
}

std::string safe_file_name(std::string_view name, std::string_view fallback) {
  name = name.substr(name.find_last_of("/\\") + 1);
  std::string safe;
  for (const char c : name.substr(0, 200)) {
    const bool plain = (c >= 'A' && c <= 'Z') || is_letter(c) || is_digit(c) || c == '.' ||
                       c == '_' || c == '-' || c == '+';
    safe += plain ? c : '_';
  }
  const bool useless = safe.find_first_not_of("._") == std::string::npos;
  return useless ? std::string{fallback} : safe;
}

Reception ArtifactRoutes::upload(const SharedCall& call) {
  if (auto refusal = refuse_other_job(*call)) return std::move(*refusal);
  const auto& who = *call->job;
  if (who.finished) return message_response(403, "403 Forbidden: the job has ended");
  const auto boundary = multipart_boundary(call->request.headers.get("content-type"));
  if (!boundary) return error_response(boundary.error());
  auto row = row_of_query(call->request, clock_.now(), options_.default_expiry);
  if (!row) return error_response(row.error());
  row->job_id = who.job_id;
  row->project_id = who.project_id;
  if (!who.acknowledged) {
    const auto status = wait_for<std::string>(
        [&](Completion<std::string> then) { coordinator_.acknowledge(who, std::move(then)); });
    if (!status) return error_response(status.error());
  }
  auto upload = blobs_.receive(who.job_id.value, options_.limit);
  if (!upload) return error_response(upload.error());
  return std::make_unique<ArtifactSink>(call, std::move(*row), *boundary, std::move(*upload),
                                        coordinator_, blobs_, tests_, coverage_, findings_);
}

Result<Response> ArtifactRoutes::archive_of(JobId job, ProjectId project) {
  std::optional<ArtifactRow> row;
  {
    auto read = database_.read();
    row = read->artifacts.find(job, "archive");
    if (!row || row->project_id != project || read->artifacts.is_over(*row, clock_.now()))
      return not_found("Artifacts");
  }
  auto blob = blobs_.open_blob(row->blob);
  if (!blob) return not_found("Artifacts");
  Response response;
  response.content_type =
      row->file_format == "zip" ? "application/zip" : "application/octet-stream";
  // Never shown by a browser as a page of ours, whatever it holds.
  response.headers.set(
      "Content-Disposition",
      "attachment; filename=\"" + safe_file_name(row->file_name, "artifacts.zip") + "\"");
  response.headers.set("Content-Security-Policy", "sandbox; default-src 'none'");
  response.length = blob->size;
  response.stream = std::make_unique<BlobSource>(std::move(*blob));
  return response;
}

Result<Response> ArtifactRoutes::download_dependency(const Call& call) {
  const auto id = path_number(call.request, "job_id");
  if (!id) return not_found("Job");
  if (call.job->finished) return fail(ErrorKind::Denied, "403 Forbidden: the job has ended");
  coordinator_.heard_from(*call.job);
  return archive_of(JobId{*id}, call.job->project_id);
}

Result<Response> ArtifactRoutes::download(const Call& call) {
  const auto id = path_number(call.request, "job_id");
  if (!id) return not_found("Job");
  return archive_of(JobId{*id}, call.project->id);
}

Result<JobRow> ArtifactRoutes::job_of(const Call& call) {
  const auto id = path_number(call.request, "job_id");
  if (!id) return not_found("Job");
  auto row = database_.read()->jobs.find(JobId{*id});
  if (!row || row->project_id != call.project->id) return not_found("Job");
  return std::move(*row);
}

Result<Response> ArtifactRoutes::keep(const Call& call) {
  const auto job = job_of(call);
  if (!job) return job.error();
  const auto kept = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    auto& artifacts = write.stores.artifacts;
    bool any = false;
    for (const ArtifactRow& row : artifacts.of_job(job->id)) {
      if (artifacts.is_over(row, write.now)) continue;
      artifacts.expire(row.id, std::nullopt);
      any = true;
    }
    if (!any) return not_found("Artifacts");
    audit_act(write, call, "artifacts.kept", "job", job->id.value);
    return {};
  });
  if (!kept) return kept.error();
  auto read = database_.read();
  return json_response(200, Views{*read, url_, clock_.now()}.job(*job));
}

Result<Response> ArtifactRoutes::remove(const Call& call) {
  const auto job = job_of(call);
  if (!job) return job.error();
  const auto removed = coordinator_.write<void>([&](WriteTransaction& write) -> Result<void> {
    auto& artifacts = write.stores.artifacts;
    for (const ArtifactRow& row : artifacts.of_job(job->id)) {
      artifacts.remove(row.id);
      artifacts.note_removed(row, "deleted", who(call), write.now);
    }
    audit_act(write, call, "artifacts.deleted", "job", job->id.value);
    return {};
  });
  if (!removed) return removed.error();
  return empty_response(204);
}

// They expire now, and the files go in the background. What the project keeps stays, and what a
// pipeline that has not ended may still need.
Result<Response> ArtifactRoutes::remove_of_project(const Call& call) {
  const ProjectId project = call.project->id;
  for (ArtifactId after; after.value >= 0;) {
    const auto next =
        coordinator_.write<ArtifactId>([&](WriteTransaction& write) -> Result<ArtifactId> {
          auto& artifacts = write.stores.artifacts;
          if (after.value == 0)
            audit_act(write, call, "artifacts.deleted", "project", project.value);
          const auto rows = artifacts.of_project(project, after, kExpiredAtOnce);
          for (const ArtifactRow& row : rows)
            if (row.expire_at.value_or(write.now + 1) > write.now && !artifacts.is_kept(row))
              artifacts.expire(row.id, write.now);
          return rows.empty() ? ArtifactId{-1} : rows.back().id;
        });
    if (!next) return next.error();
    after = *next;
  }
  return message_response(202, "202 Accepted");
}

}  // namespace slipway::server::http
