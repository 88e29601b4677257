#include "tests/support/fake_coordinator.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace slipway::test {
namespace {

using namespace std::chrono_literals;

// Reads one connection; every member answers false when the peer has gone.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}

  bool line(std::string& out) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos)
      if (!more()) return false;
    out = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return true;
  }
  bool bytes(std::size_t count, std::string& out) {
    while (buffer_.size() < count)
      if (!more()) return false;
    out.append(buffer_, 0, count);
    buffer_.erase(0, count);
    return true;
  }

 private:
  bool more() {
    char piece[65536];
    const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
    if (got > 0) buffer_.append(piece, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_;
  std::string buffer_;
};

bool read_chunks(Connection& connection, std::string& body) {
  while (true) {
    std::string line;
    if (!connection.line(line)) return false;
    const std::size_t size = std::stoul(line, nullptr, 16);
    if (size > 0 && !connection.bytes(size, body)) return false;
    if (!connection.line(line)) return false;  // the empty line behind a chunk
    if (size == 0) return true;
  }
}

bool read_request(Connection& connection, SeenRequest& request) {
  std::string line;
  if (!connection.line(line)) return false;
  const auto first = line.find(' ');
  const auto second = line.rfind(' ');
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  while (connection.line(line) && !line.empty()) {
    const auto colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    request.headers[name] = line.substr(line.find_first_not_of(' ', colon + 1));
  }
  if (request.headers.count("transfer-encoding") > 0) return read_chunks(connection, request.body);
  const auto length = request.headers.find("content-length");
  return length == request.headers.end() ||
         connection.bytes(std::stoul(length->second), request.body);
}

bool send_all(int fd, const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t sent = ::send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += static_cast<std::size_t>(sent);
  }
  return true;
}

bool is_result(const SeenRequest& request) {
  return request.method == "PUT" && request.body.find("\"checksum\"") != std::string::npos;
}

}  // namespace

FakeCoordinator::FakeCoordinator() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error{"cannot listen on loopback"};
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread{[this] { accept_all(); }};
}

FakeCoordinator::~FakeCoordinator() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    for (const int fd : connections_) ::shutdown(fd, SHUT_RDWR);
  }
  changed_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
  for (const int fd : connections_) ::close(fd);
  ::close(listener_);
}

std::string FakeCoordinator::url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

void FakeCoordinator::offer_job(std::string json) {
  const std::lock_guard lock{mutex_};
  jobs_.push_back(std::move(json));
  changed_.notify_all();
}

void FakeCoordinator::answer_once(std::string prefix, CannedAnswer answer) {
  const std::lock_guard lock{mutex_};
  once_.emplace_back(std::move(prefix), std::move(answer));
}

void FakeCoordinator::set_job_status(std::string status) {
  const std::lock_guard lock{mutex_};
  job_status_ = std::move(status);
}

void FakeCoordinator::set_archive(std::string bytes) {
  const std::lock_guard lock{mutex_};
  archive_ = std::move(bytes);
}

std::string FakeCoordinator::log() {
  const std::lock_guard lock{mutex_};
  return log_;
}

std::vector<SeenRequest> FakeCoordinator::requests() {
  const std::lock_guard lock{mutex_};
  return requests_;
}

bool FakeCoordinator::wait_until(
    const std::function<bool(const std::string&, const std::vector<SeenRequest>&)>& holds) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, 30s, [&] { return holds(log_, requests_); });
}

std::optional<std::string> FakeCoordinator::wait_for_result() {
  std::optional<std::string> body;
  wait_until([&](const std::string&, const std::vector<SeenRequest>& seen) {
    const auto at = std::find_if(seen.begin(), seen.end(), is_result);
    if (at != seen.end()) body = at->body;
    return at != seen.end();
  });
  return body;
}

void FakeCoordinator::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock{mutex_};
    connections_.push_back(fd);
    if (stopping_) return;
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void FakeCoordinator::serve(int fd) {
  Connection connection{fd};
  while (true) {
    SeenRequest request;
    if (!read_request(connection, request)) return;
    const CannedAnswer reply = answer(request);
    if (reply.cut) {
      ::shutdown(fd, SHUT_RDWR);
      return;
    }
    if (!send_all(fd, "HTTP/1.1 " + std::to_string(reply.status) +
                          " Answer\r\nContent-Length: " + std::to_string(reply.body.size()) +
                          "\r\n" + reply.headers + "\r\n" + reply.body))
      return;
  }
}

CannedAnswer FakeCoordinator::answer(const SeenRequest& request) {
  std::unique_lock lock{mutex_};
  requests_.push_back(request);
  changed_.notify_all();
  const std::string line = request.method + " " + request.target;
  const auto planned = std::find_if(once_.begin(), once_.end(), [&](const auto& entry) {
    return line.rfind(entry.first, 0) == 0;
  });
  if (planned != once_.end()) {
    CannedAnswer reply = planned->second;
    once_.erase(planned);
    return reply;
  }
  const std::string status = "Job-Status: " + job_status_ + "\r\n";
  if (request.target == "/api/v4/runners/verify")
    return {200, "Content-Type: application/json\r\n", R"({"id":7,"token_expires_at":null})"};
  if (request.target == "/api/v4/jobs/request") {
    changed_.wait_for(lock, 200ms, [&] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return {204, "", ""};
    CannedAnswer reply{201, "Content-Type: application/json\r\n", jobs_.front()};
    jobs_.pop_front();
    return reply;
  }
  if (request.target.find("/cache") != std::string::npos) return answer_about_caches(request);
  if (request.method == "PATCH") {
    const auto range = request.headers.find("content-range");
    const auto size = "Range: 0-" + std::to_string(log_.size()) + "\r\n";
    if (range == request.headers.end() || std::stoul(range->second) != log_.size())
      return {416, status + size, ""};
    log_ += request.body;
    return {202, status + "Range: 0-" + std::to_string(log_.size()) + "\r\n", ""};
  }
  if (request.method == "PUT") return {200, status, "200"};
  if (request.method == "POST") return {201, status + "Content-Type: application/json\r\n", "{}"};
  return {200, status, archive_};
}

std::map<std::string, std::string> FakeCoordinator::caches() {
  const std::lock_guard lock{mutex_};
  return caches_;
}

void FakeCoordinator::set_caches(std::map<std::string, std::string> caches) {
  const std::lock_guard lock{mutex_};
  caches_ = std::move(caches);
}

CannedAnswer FakeCoordinator::answer_about_caches(const SeenRequest& request) {
  const auto& target = request.target;
  const std::string query = target.substr(target.find('?'));
  const std::string cache = target.substr(0, target.find("/cache") + 6);
  const auto lacking = [&](const nlohmann::json& ids) {
    auto missing = nlohmann::json::array();
    for (const auto& id : ids)
      if (!caches_.contains(cache + "/pieces/" + id.get<std::string>() + query))
        missing.push_back(id);
    return missing;
  };
  if (request.method == "POST")
    return {
        200, "",
        nlohmann::json{{"missing", lacking(nlohmann::json::parse(request.body)["pieces"])}}.dump()};
  if (request.method == "PUT") {
    caches_[target] = request.body;
    return {204, "", ""};
  }
  const auto found = caches_.find(target);
  if (found == caches_.end()) return {404, "", "{}"};
  return {200, "", found->second};
}

}  // namespace slipway::test
