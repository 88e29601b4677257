#include "server/git/upload_pack.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/files.h"
#include "server/git/git_command.h"
#include "server/git/repository.h"

namespace slipway::server {
namespace {

constexpr int kStandstillMs = 60'000;

bool is_protocol(std::string_view text) {
  return text == "version=0" || text == "version=1" || text == "version=2";
}

Result<ChildProcess> start(const std::filesystem::path& mirror, std::string_view protocol,
                           bool advertise) {
  std::vector<std::string> arguments{"upload-pack", "--strict", "--stateless-rpc"};
  if (advertise) arguments.emplace_back("--advertise-refs");
  arguments.emplace_back(".");
  ProcessSpec spec = git_process(mirror, arguments, LocalRepositories::refused);
  spec.error_output = Stderr::Inherited;
  if (is_protocol(protocol)) spec.env["GIT_PROTOCOL"] = protocol;
  return ChildProcess::start(spec);
}

}  // namespace

Result<void> set_checked_out_branch(const std::filesystem::path& mirror,
                                    const std::string& branch) {
  const auto repository = git::open_repository(mirror);
  if (!repository) return repository.error();
  const std::string ref = "refs/heads/" + branch;
  git_reference* found = nullptr;
  if (git_reference_lookup(&found, repository->get(), "HEAD") == 0) {
    const git::Reference head{found};
    const char* target = git_reference_symbolic_target(head.get());
    if (target != nullptr && ref == target) return {};
  }
  git_oid id;
  if (git_reference_name_to_id(&id, repository->get(), ref.c_str()) != 0) return {};
  if (git_repository_set_head(repository->get(), ref.c_str()) != 0)
    return fail(ErrorKind::Internal, "the mirror cannot be told its branch '" + branch + "'");
  return {};
}

UploadPack::UploadPack(ChildProcess child, std::string request)
    : child_(std::move(child)), request_(std::move(request)) {
  if (request_.empty()) child_.close_input();
}

Result<UploadPack> UploadPack::advertise(const std::filesystem::path& mirror,
                                         std::string_view protocol) {
  auto child = start(mirror, protocol, true);
  if (!child) return std::move(child).error();
  return UploadPack{std::move(*child), {}};
}

Result<UploadPack> UploadPack::answer(const std::filesystem::path& mirror,
                                      std::string_view protocol, std::string request) {
  auto child = start(mirror, protocol, false);
  if (!child) return std::move(child).error();
  return UploadPack{std::move(*child), std::move(request)};
}

Result<std::string> UploadPack::read(std::size_t max) {
  std::string bytes(max, '\0');
  while (true) {
    std::array<pollfd, 2> fds{{{child_.output_fd(), POLLIN, 0}, {child_.input_fd(), POLLOUT, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), kStandstillMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      child_.signal_group(SIGKILL);
      return fail(ErrorKind::Unavailable, "git upload-pack stands still");
    }
    if (fds[1].revents != 0) {
      const ssize_t wrote =
          ::write(child_.input_fd(), request_.data() + sent_, request_.size() - sent_);
      if (wrote > 0) sent_ += static_cast<std::size_t>(wrote);
      const bool broken = wrote < 0 && errno != EAGAIN && errno != EINTR;
      if (broken || sent_ == request_.size()) child_.close_input();
    }
    if (fds[0].revents == 0) continue;
    const ssize_t got = ::read(child_.output_fd(), bytes.data(), bytes.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return errno_error("cannot read from git upload-pack", errno);
    bytes.resize(static_cast<std::size_t>(got));
    if (got == 0 && !child_.wait().succeeded())
      return fail(ErrorKind::Unavailable, "git upload-pack failed");
    return bytes;
  }
}

}  // namespace slipway::server
