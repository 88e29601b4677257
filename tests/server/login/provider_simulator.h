// A provider of OpenID Connect on loopback: discovery, keys, and a token endpoint that holds its
// clients to what they promised with PKCE. Also GitHub's two addresses. It records what it was
// asked, and lies where it is told to.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/http_client.h"
#include "tests/server/login/signer.h"

namespace slipway::test {

using Fields = std::map<std::string, std::string>;

// "a=1&b=%20" → {a: 1, b: " "}.
inline Fields fields_of(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    fields[std::string{pair.substr(0, equals)}] =
        url_decode(pair.substr(std::min(equals + 1, pair.size()))).value_or("");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fields;
}

class ProviderSimulator {
 public:
  struct Answer {
    int status = 200;
    nlohmann::json body;
    std::string location{};
  };

  explicit ProviderSimulator(const Clock& clock) : clock_(clock) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length);
    ::listen(listener_.get(), 16);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread{[this] { serve(); }};
  }
  ~ProviderSimulator() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  ProviderSimulator(const ProviderSimulator&) = delete;
  ProviderSimulator& operator=(const ProviderSimulator&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }

  // The person says yes on the page that the browser was sent to: the code that it is sent back
  // with.
  std::string agree(const std::string& authorize_url, const std::string& subject) {
    const std::lock_guard lock{mutex_};
    auto asked = fields_of(std::string_view{authorize_url}.substr(authorize_url.find('?') + 1));
    asked["subject"] = subject;
    const std::string code = "code-" + std::to_string(codes_.size() + 1);
    codes_[code] = asked;
    return code;
  }

  // What it says instead of the truth; set before it is asked.
  std::function<void(nlohmann::json& claims)> change_claims = [](nlohmann::json&) {};
  std::function<std::string(const nlohmann::json& claims)> sign = [](const auto& claims) {
    return signer().sign(claims, "RS256", "k1");
  };
  std::function<void(nlohmann::json& document)> change_discovery = [](nlohmann::json&) {};
  std::function<void(Answer& answer)> change_token_answer = [](Answer&) {};

  // Codes that were redeemed, in order.
  [[nodiscard]] std::vector<std::string> redeemed() const {
    const std::lock_guard lock{mutex_};
    return redeemed_;
  }

 private:
  // One for all: making a key takes a second.
  static const Signer& signer() {
    static const Signer made{"k1"};
    return made;
  }
  void serve() {
    for (;;) {
      const UniqueFd connection{::accept(listener_.get(), nullptr, nullptr)};
      if (!connection.is_open()) return;
      const auto request = receive(connection.get());
      const auto answer = handle(request);
      const auto body = answer.body.dump();
      const std::string text =
          "HTTP/1.1 " + std::to_string(answer.status) +
          " x\r\nConnection: close\r\nContent-Type: application/json\r\n" +
          (answer.location.empty() ? "" : "Location: " + answer.location + "\r\n") +
          "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      (void)write_all(connection.get(), text);
    }
  }
  static std::string receive(int fd) {
    std::string request;
    char buffer[4096];
    for (;;) {
      const auto end = request.find("\r\n\r\n");
      if (end != std::string::npos) {
        const auto length = request.find("Content-Length: ");
        if (length == std::string::npos || length > end ||
            request.size() >= end + 4 + std::stoul(request.substr(length + 16)))
          return request;
      }
      const auto got = ::read(fd, buffer, sizeof buffer);
      if (got <= 0) return request;
      request.append(buffer, static_cast<std::size_t>(got));
    }
  }
  Answer handle(const std::string& request) {
    const std::lock_guard lock{mutex_};
    const auto target = request.substr(request.find(' ') + 1);
    const auto path = target.substr(0, target.find(' '));
    const auto body = request.substr(std::min(request.find("\r\n\r\n") + 4, request.size()));
    if (path == "/.well-known/openid-configuration") {
      nlohmann::json document{{"issuer", url_},
                              {"authorization_endpoint", url_ + "/authorize"},
                              {"token_endpoint", url_ + "/token"},
                              {"jwks_uri", url_ + "/keys"}};
      change_discovery(document);
      return {200, document};
    }
    if (path == "/keys") return {200, nlohmann::json::parse(signer().key_set())};
    if (path == "/token" || path == "/login/oauth/access_token") return token(request, body);
    if (path == "/api/v3/user" && request.find("Bearer gho-1") != std::string::npos)
      return {200, {{"id", 4711}, {"login", "bea"}, {"name", "Bea"}, {"email", "ann@example.com"}}};
    return {404, {{"error", "not_found"}}};
  }
  Answer token(const std::string& request, const std::string& body) {
    const auto given = fields_of(body);
    const auto known = codes_.find(given.count("code") != 0 ? given.at("code") : "");
    if (known == codes_.end()) return {400, {{"error", "invalid_grant"}}};
    const auto asked = known->second;
    redeemed_.push_back(known->first);
    codes_.erase(known);
    const bool in_body = given.count("client_secret") != 0 && given.at("client_secret") == "s3cret";
    const bool in_header =
        request.find("Basic " + base64_encode("slipway:s3cret")) != std::string::npos;
    std::string bytes;
    const auto hex = sha256_hex(given.at("code_verifier"));
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    if (!(in_body || in_header) || given.at("redirect_uri") != asked.at("redirect_uri") ||
        asked.at("code_challenge_method") != "S256" ||
        base64_url(bytes) != asked.at("code_challenge"))
      return {400, {{"error", "invalid_grant"}}};
    const auto now = clock_.now() / 1000;
    nlohmann::json claims{{"iss", url_},
                          {"aud", "slipway"},
                          {"sub", asked.at("subject")},
                          {"iat", now},
                          {"exp", now + 300},
                          {"preferred_username", "bea"},
                          {"email", "ann@example.com"}};
    if (asked.count("nonce") != 0) claims["nonce"] = asked.at("nonce");
    change_claims(claims);
    Answer answer{200, {{"access_token", "gho-1"}, {"id_token", sign(claims)}}};
    change_token_answer(answer);
    return answer;
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Fields> codes_;
  std::vector<std::string> redeemed_;
  UniqueFd listener_;
  std::string url_;
  std::thread thread_;
};

}  // namespace slipway::test
