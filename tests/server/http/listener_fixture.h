// A real listener on a port of the system's choice, with routes that the test chooses.
#pragma once

#include <memory>

#include "server/http/json.h"
#include "server/http/listener.h"
#include "tests/server/http/raw_client.h"
#include "tests/support/catch.h"

namespace slipway::test {

class OpenGate final : public server::http::Gate {
 public:
  std::optional<server::http::Response> admit(const server::http::Route&,
                                              server::http::Call&) override {
    return std::nullopt;
  }
};

// Collects an upload and tells its size.
class CountingSink final : public server::http::BodySink {
 public:
  std::optional<server::http::Response> write(std::string_view bytes) override {
    size_ += bytes.size();
    return std::nullopt;
  }
  server::http::Response finish() override {
    return server::http::text_response(201, std::to_string(size_));
  }

 private:
  std::size_t size_ = 0;
};

inline server::http::Route route(std::string_view method, std::string_view pattern,
                                 server::http::Handler handler, long long body_limit = 0) {
  return {method,
          pattern,
          server::auth::Credential::None,
          server::auth::Role::Anybody,
          server::auth::Scope::ReadApi,
          server::http::Csrf::Safe,
          body_limit,
          std::move(handler)};
}

class ListenerFixture {
 public:
  explicit ListenerFixture(std::vector<server::http::Route> routes,
                           server::http::ListenerOptions options = {})
      : front_(std::move(routes), gate_) {
    auto started = server::http::Listener::start(std::move(options), front_, workers_);
    REQUIRE(started);
    listener_ = std::move(*started);
  }

  [[nodiscard]] RawClient connect() const { return RawClient{listener_->port()}; }
  [[nodiscard]] server::http::Listener& listener() { return *listener_; }

 private:
  OpenGate gate_;
  server::http::WorkerPool workers_{4};
  server::http::Front front_;
  std::unique_ptr<server::http::Listener> listener_;
};

}  // namespace slipway::test
