// An HTTP server on loopback that says what it is told to, for tests of clients.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.h"

namespace slipway::test {

// Answers each connection with the next text of a script and keeps what it was asked. An answer of
// "" closes at once.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length);
    ::listen(listener_.get(), 16);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~ScriptedServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::string url(const std::string& path = "") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  // What it was asked so far.
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::scoped_lock lock{mutex_};
    return requests_;
  }

 private:
  void serve() {
    for (const std::string& answer : answers_) {
      const UniqueFd connection{::accept(listener_.get(), nullptr, nullptr)};
      if (!connection.is_open()) return;
      std::string request;
      char buffer[4096];
      while (!is_complete(request)) {
        const ssize_t got = ::read(connection.get(), buffer, sizeof buffer);
        if (got <= 0) break;
        request.append(buffer, static_cast<std::size_t>(got));
      }
      keep(std::move(request));
      if (!answer.empty()) (void)write_all(connection.get(), answer);
    }
  }
  void keep(std::string request) {
    const std::scoped_lock lock{mutex_};
    requests_.push_back(std::move(request));
  }
  static bool is_complete(const std::string& request) {
    const auto end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    if (request.find("chunked") != std::string::npos)
      return request.find("0\r\n\r\n", end) != std::string::npos;
    const auto length = request.find("Content-Length: ");
    return length == std::string::npos ||
           request.size() >= end + 4 + std::stoul(request.substr(length + 16));
  }

  std::vector<std::string> answers_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  UniqueFd listener_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace slipway::test
