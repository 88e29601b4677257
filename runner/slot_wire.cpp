#include "runner/slot_wire.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace slipway::runner {
namespace {

// More than any job: what is longer is not from a slot.
constexpr std::uint32_t kLongest = 256U << 20U;
constexpr timeval kSendTimeout{10, 0};

// A socket's address holds a hundred bytes, less than many a path: the folder is named by an open
// descriptor of it.
class Address {
 public:
  explicit Address(const std::filesystem::path& path)
      : folder_(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    const std::string text =
        "/proc/self/fd/" + std::to_string(folder_.get()) + "/" + path.filename().string();
    name_.sun_family = AF_UNIX;
    fits_ = folder_.is_open() && text.size() < sizeof name_.sun_path;
    if (fits_) std::memcpy(name_.sun_path, text.c_str(), text.size() + 1);
  }
  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&name_);  // as the system calls want it
  }
  static constexpr socklen_t kSize = sizeof(sockaddr_un);

 private:
  UniqueFd folder_;
  sockaddr_un name_{};
  bool fits_ = false;
};

Result<void> check_peer(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return errno_error("cannot ask who is at the other end", errno);
  if (peer.uid != ::geteuid())
    return fail(ErrorKind::Denied, "the other end belongs to user " + std::to_string(peer.uid));
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof kSendTimeout);
  return {};
}

}  // namespace

Result<void> SlotChannel::send(std::string_view message) {
  const auto length = static_cast<std::uint32_t>(message.size());
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  bytes += message;
  const std::lock_guard lock{sending_};
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t sent = ::send(socket_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno_error("cannot write to the socket", errno);
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

bool SlotChannel::receive(std::vector<std::string>& messages) {
  std::array<char, 16384> buffer{};
  bool open = true;
  while (true) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      open = got < 0 && errno == EAGAIN;
      break;
    }
    pending_.append(buffer.data(), static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < buffer.size()) break;  // all there was
  }
  std::size_t at = 0;
  std::uint32_t length = 0;
  while (pending_.size() - at >= sizeof length) {
    std::memcpy(&length, pending_.data() + at, sizeof length);
    if (length > kLongest) return false;
    if (pending_.size() - at - sizeof length < length) break;
    messages.push_back(pending_.substr(at + sizeof length, length));
    at += sizeof length + length;
  }
  pending_.erase(0, at);
  return open;
}

Result<UniqueFd> listen_at(const std::filesystem::path& path) {
  const Address address{path};
  UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ::unlink(path.c_str());
  constexpr int kBacklog = 8;
  // The folder lets nobody else in; the mode is for whoever opens it too far.
  if (!address.fits() || !socket.is_open() || ::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), address.get(), Address::kSize) != 0 ||
      ::listen(socket.get(), kBacklog) != 0)
    return errno_error("cannot listen at '" + path.string() + "'", errno);
  return socket;
}

Result<UniqueFd> connect_to(const std::filesystem::path& path) {
  const Address address{path};
  UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!address.fits() || !socket.is_open() ||
      ::connect(socket.get(), address.get(), Address::kSize) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT)
      return fail(ErrorKind::NotFound, "nobody listens at '" + path.string() + "'");
    return errno_error("cannot connect to '" + path.string() + "'", errno);
  }
  if (auto own = check_peer(socket.get()); !own) return std::move(own).error();
  return socket;
}

Result<UniqueFd> accept_from(int listener) {
  UniqueFd socket{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
  if (!socket.is_open()) return errno_error("cannot accept a connection", errno);
  if (auto own = check_peer(socket.get()); !own) return std::move(own).error();
  return socket;
}

std::string build_of_this_program() {
  struct stat file {};
  ::stat("/proc/self/exe", &file);
  return SLIPWAY_VERSION "-" + std::to_string(file.st_ino) + "-" +
         std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec);
}

}  // namespace slipway::runner
