// Requests and responses as plain values: what handlers work on. No sockets and no Beast here.
//
// A Request belongs to one connection and is read by one thread at a time. Header names compare
// without regard to case; values are bytes as they came, never decoded.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::server::http {

class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);
  // The first value; nullopt when there is none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::string_view get(std::string_view name) const {
    return find(name).value_or("");
  }
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

bool equal_ignoring_case(std::string_view left, std::string_view right);

struct Request {
  std::string method;
  std::vector<std::string> segments;  // of the path, each decoded once
  std::map<std::string, std::string, std::less<>> query;
  std::map<std::string, std::string, std::less<>> params;  // what the route's pattern caught
  Headers headers;
  std::string body;    // empty when it is streamed
  std::string remote;  // address of the peer
  std::string id;      // X-Request-Id, the client's or ours

  [[nodiscard]] std::string_view param(std::string_view name) const;
  // nullopt when it is not in the query.
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
};

// A body that is made while it is sent.
class BodySource {
 public:
  enum class State : std::uint8_t {
    More,  // call again when the bytes are sent
    Wait,  // nothing now; call again when woken
    End,
  };
  struct Piece {
    std::string bytes;
    State state = State::End;
  };

  virtual ~BodySource() = default;
  // On a worker, one call at a time. An empty piece with End cuts a body whose length was promised.
  virtual Piece next() = 0;
  // Before the first next(). `wake` may be called from any thread, at any time, also afterwards.
  virtual void start([[maybe_unused]] std::function<void()> wake) {}  // NOLINT: some keep it
};

enum class Caching : std::uint8_t {
  Never,       // no-store: everything that depends on who asks
  Revalidate,  // no-cache: badges, pages
  Forever,     // immutable files whose name holds their hash
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type;
  Headers headers;
  Caching caching = Caching::Never;
  // Instead of `body`; `length` when it is known before.
  std::unique_ptr<BodySource> stream;
  std::optional<long long> length;
  // Called once, on any thread, when the client did not get all of the response.
  std::function<void()> undelivered;
};

// An upload's body, taken piece by piece on workers, one call at a time.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // A response refuses the rest: it is sent and the connection closed.
  virtual std::optional<Response> write(std::string_view bytes) = 0;
  // All came.
  virtual Response finish() = 0;
};

std::string_view reason_phrase(int status);

}  // namespace slipway::server::http
