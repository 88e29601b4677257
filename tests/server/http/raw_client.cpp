#include "tests/server/http/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <stdexcept>

namespace slipway::test {

std::string RawResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

RawClient::RawClient(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0)
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const timeval limit{20, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error{"cannot connect"};
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool RawClient::fill() {
  char bytes[16384];
  const auto count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

std::optional<std::string> RawClient::take(std::size_t count) {
  while (buffer_.size() < count)
    if (!fill()) return std::nullopt;
  auto taken = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return taken;
}

std::optional<std::string> RawClient::take_chunked() {
  std::string body;
  for (;;) {
    while (buffer_.find("\r\n") == std::string::npos)
      if (!fill()) return std::nullopt;
    const auto line_end = buffer_.find("\r\n");
    const auto size = std::stoul(buffer_.substr(0, line_end), nullptr, 16);
    buffer_.erase(0, line_end + 2);
    const auto piece = take(size + 2);
    if (!piece) return std::nullopt;
    if (size == 0) return body;
    body += piece->substr(0, size);
  }
}

std::optional<RawResponse> RawClient::receive(bool head_only) {
  while (buffer_.find("\r\n\r\n") == std::string::npos)
    if (!fill()) return std::nullopt;
  const auto end = buffer_.find("\r\n\r\n") + 2;
  const auto head = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  RawResponse response;
  response.status = std::stoi(head.substr(9, 3));
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto line_end = head.find("\r\n", at);
    const auto colon = head.find(':', at);
    auto name = head.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    response.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  if (head_only || response.status < 200 || response.status == 204 || response.status == 304)
    return response;
  const auto body = response.header("transfer-encoding") == "chunked"
                        ? take_chunked()
                        : take(std::stoul("0" + response.header("content-length")));
  if (!body) return std::nullopt;
  response.body = *body;
  return response;
}

RawResponse RawClient::request(std::string_view method, std::string_view target,
                               std::string_view headers, std::string_view body) {
  std::string text{method};
  text += " " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\n" + std::string{headers};
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(text + "\r\n" + std::string{body});
  return receive(method == "HEAD").value_or(RawResponse{});
}

bool RawClient::wait_for(std::string_view text) {
  while (buffer_.find(text) == std::string::npos)
    if (!fill()) return false;
  return true;
}

bool RawClient::closed_by_peer() {
  while (fill()) {
  }
  char byte = 0;
  return ::recv(socket_.get(), &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

void RawClient::close_sending() {
  ::shutdown(socket_.get(), SHUT_WR);
}

}  // namespace slipway::test
