#include "runner/local/local_link.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace slipway::runner {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10U;

JobAnswer answer(int status, std::string message = {}) {
  JobAnswer made;
  made.status = status;
  made.message = std::move(message);
  return made;
}

}  // namespace

Result<JobAnswer> LocalLink::update(std::int64_t /*job*/, const std::string& /*job_token*/,
                                    const JobState& state) {
  if (state.state != "running") ends_.end = state;
  return answer(200);
}

Result<JobAnswer> LocalLink::append_trace(std::int64_t /*job*/, const std::string& /*job_token*/,
                                          long long /*offset*/, std::string bytes) {
  // A log that cannot be kept is still shown.
  if (ends_.log.is_open())
    if (!write_all(ends_.log.get(), bytes)) ends_.log.reset();
  ends_.wrote(bytes);
  return answer(202);
}

Result<JobAnswer> LocalLink::upload(std::int64_t /*job*/, const std::string& /*job_token*/,
                                    const std::string& type, const std::string& format,
                                    const std::string& filename, const std::string& /*expire_in*/,
                                    const std::function<std::string()>& next) {
  const UniqueFd file{
      ::open(ends_.scratch.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!file.is_open()) return errno_error("cannot write '" + ends_.scratch.string() + "'", errno);
  for (std::string piece = next(); !piece.empty(); piece = next())
    if (auto written = write_all(file.get(), piece); !written) return std::move(written).error();
  auto taken = ends_.results.take(ends_.name, type, format, filename, ends_.scratch);
  std::error_code ignored;
  std::filesystem::remove(ends_.scratch, ignored);
  if (!taken) return answer(400, taken.error().message);
  return answer(201);
}

Result<JobAnswer> LocalLink::download(std::int64_t dependency, const std::string& /*token*/,
                                      const std::function<bool(std::string_view)>& take) {
  const auto archive = ends_.results.archive_of(ends_.name_of(dependency));
  if (!archive) return answer(404, "there is no such archive");
  const UniqueFd file{::open(archive->c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return errno_error("cannot read '" + archive->string() + "'", errno);
  std::string piece(kPiece, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0) return errno_error("cannot read '" + archive->string() + "'", errno);
    if (got == 0) return answer(200);
    if (!take({piece.data(), static_cast<std::size_t>(got)}))
      return fail(ErrorKind::Internal, "the archive could not be stored");
  }
}

Result<std::unique_ptr<JobLink>> LocalLink::another(
    std::chrono::milliseconds /*read_timeout*/) const {
  return std::unique_ptr<JobLink>{std::make_unique<LocalLink>(ends_)};
}

}  // namespace slipway::runner
