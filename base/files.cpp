#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace slipway {
namespace {

ErrorKind kind_of(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR: return ErrorKind::NotFound;
    case EACCES:
    case EPERM: return ErrorKind::Denied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE: return ErrorKind::Unavailable;
    default: return ErrorKind::Internal;
  }
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.is_open()) return errno_error("cannot open '" + directory.string() + "'", errno);
  if (::fsync(fd.get()) != 0) return errno_error("cannot sync '" + directory.string() + "'", errno);
  return {};
}

}  // namespace

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Error errno_error(std::string_view attempted, int code) {
  return fail(kind_of(code), std::string{attempted} + ": " + std::generic_category().message(code));
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (!fd.is_open()) return errno_error("cannot read '" + path.string() + "'", errno);
  std::string text;
  char buffer[1U << 16U];
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read '" + path.string() + "'", errno);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > limit)
      return fail(ErrorKind::TooLarge,
                  "'" + path.string() + "' is longer than " + std::to_string(limit) + " bytes");
  }
}

Result<void> write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t wrote = ::write(fd, data.data(), data.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno_error("cannot write", errno);
    data.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<void> empty_directory(const std::filesystem::path& directory,
                             const std::vector<std::string>& kept) {
  namespace fs = std::filesystem;
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return errno_error("cannot make '" + directory.string() + "'", failed.value());
  std::vector<fs::path> entries;
  for (fs::directory_iterator at{directory, failed}, end; !failed && at != end;
       at.increment(failed))
    entries.push_back(at->path());
  for (const fs::path& entry : entries) {
    const bool stays = std::find(kept.begin(), kept.end(), entry.filename()) != kept.end() &&
                       fs::symlink_status(entry, failed).type() == fs::file_type::regular;
    if (stays)
      fs::resize_file(entry, 0, failed);
    else if (!failed)
      fs::remove_all(entry, failed);
  }
  if (failed) return errno_error("cannot empty '" + directory.string() + "'", failed.value());
  return {};
}

Result<void> overwrite_file(const std::filesystem::path& path, std::string_view text,
                            unsigned mode) {
  const std::string what = "cannot write '" + path.string() + "'";
  const UniqueFd fd{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)};
  if (!fd.is_open()) return errno_error(what, errno);
  if (auto written = write_all(fd.get(), text); !written)
    return std::move(written).error().in(what);
  return {};
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view text, unsigned mode,
                          Durable durable) {
  const std::string what = "cannot write '" + path.string() + "'";
  std::string temporary = path.string() + ".XXXXXX";
  UniqueFd fd{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (!fd.is_open()) return errno_error(what, errno);

  const auto give_up = [&](int code) {
    ::unlink(temporary.c_str());
    return errno_error(what, code);
  };
  if (auto written = write_all(fd.get(), text); !written) {
    ::unlink(temporary.c_str());
    return std::move(written).error().in(what);
  }
  if (::fchmod(fd.get(), mode) != 0) return give_up(errno);
  if (durable == Durable::yes && ::fsync(fd.get()) != 0) return give_up(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up(errno);
  if (durable == Durable::no) return {};
  const auto directory = path.parent_path();
  return sync_directory(directory.empty() ? std::filesystem::path{"."} : directory);
}

}  // namespace slipway
