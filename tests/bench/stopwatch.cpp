// Measures jobs from outside: triggers pipelines and looks at the server's event streams, with as
// little work of its own as can be, since it shares the machine with what it measures.
//
//     stopwatch single PORT PROJECT ROUNDS   a line for each: ms to the first byte of the
//                                                  log, ms to the end, of a pipeline of one job
//     stopwatch many PORT PROJECT PIPELINES  the seconds until all of them have succeeded
//
// The token is taken from STOPWATCH_TOKEN. Ends with 1 and a word when a pipeline does not succeed
// or nothing happens for a minute.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/files.h"

namespace {

using slipway::UniqueFd;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

struct Target {
  int port = 0;
  std::string token;
  std::string project;
};

// A connection whose answer is read as it comes, with the chunks taken apart.
class Stream {
 public:
  Stream(const Target& target, const std::string& head, const std::string& body) {
    socket_ = UniqueFd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(target.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error{"cannot connect"};
    ask(target, head, body);
  }

  void ask(const Target& target, const std::string& head, const std::string& body) {
    std::string text = head + " HTTP/1.1\r\nHost: localhost\r\nPRIVATE-TOKEN: " + target.token;
    if (!body.empty())
      text +=
          "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size());
    text += "\r\n\r\n" + body;
    if (!slipway::write_all(socket_.get(), text)) throw std::runtime_error{"cannot send"};
  }

  [[nodiscard]] int fd() const { return socket_.get(); }

  // What has come, waiting for some; throws at the end of the stream.
  void read_some() {
    std::string piece(64 << 10, '\0');
    const ssize_t got = ::recv(fd(), piece.data(), piece.size(), 0);
    if (got <= 0) throw std::runtime_error{"the stream ended"};
    raw_.append(piece, 0, static_cast<std::size_t>(got));
    unpack();
  }

  // A whole answer with a length.
  std::string answer() {
    for (;;) {
      const auto end = raw_.find("\r\n\r\n");
      const auto length = raw_.find("Content-Length: ");
      if (end != std::string::npos && length < end) {
        const std::size_t size = std::strtoul(raw_.c_str() + length + 16, nullptr, 10);
        if (raw_.size() >= end + 4 + size) {
          std::string body = raw_.substr(end + 4, size);
          const std::string status = raw_.substr(9, 3);
          raw_.erase(0, end + 4 + size);
          if (status.front() != '2') throw std::runtime_error{status + ": " + body};
          return body;
        }
      }
      std::string piece(64 << 10, '\0');
      const ssize_t got = ::recv(fd(), piece.data(), piece.size(), 0);
      if (got <= 0) throw std::runtime_error{"no answer"};
      raw_.append(piece, 0, static_cast<std::size_t>(got));
    }
  }

  // The next event that is there: its kind and its data.
  std::optional<std::pair<std::string, std::string>> next() {
    const auto end = text_.find("\n\n");
    if (end == std::string::npos) return std::nullopt;
    const std::string event = text_.substr(0, end);
    text_.erase(0, end + 2);
    const auto field = [&](const std::string& name) -> std::string {
      const auto at = event.find(name);
      if (at == std::string::npos) return {};
      const auto begin = at + name.size();
      return event.substr(begin, event.find('\n', begin) - begin);
    };
    return std::pair{field("event: "), field("data: ")};
  }

 private:
  void unpack() {
    if (!in_body_) {
      const auto end = raw_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      raw_.erase(0, end + 4);
      in_body_ = true;
    }
    for (;;) {
      const auto end = raw_.find("\r\n");
      if (end == std::string::npos) return;
      const std::size_t size = std::strtoul(raw_.c_str(), nullptr, 16);
      if (raw_.size() < end + 2 + size + 2) return;
      text_.append(raw_, end + 2, size);
      raw_.erase(0, end + 2 + size + 2);
    }
  }

  UniqueFd socket_;
  std::string raw_;
  std::string text_;
  bool in_body_ = false;
};

// Waits until one of them has something, and reads it.
void wait_for_any(Stream& first, std::optional<Stream>& second) {
  pollfd watched[2] = {{first.fd(), POLLIN, 0}, {second ? second->fd() : -1, POLLIN, 0}};
  if (::poll(watched, 2, 60'000) <= 0) throw std::runtime_error{"nothing happened for a minute"};
  if (watched[0].revents != 0) first.read_some();
  if (second && watched[1].revents != 0) second->read_some();
}

double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// "" while it lives.
void check_end(const std::string& status) {
  if (status == "failed" || status == "canceled" || status == "skipped")
    throw std::runtime_error{"a pipeline ended as " + status};
}

void single(const Target& target, Stream& events, int rounds) {
  const std::string api = "/api/v4/projects/" + target.project;
  std::optional<Stream> trigger;
  for (int round = 0; round < rounds; ++round) {
    const auto start = Clock::now();
    if (trigger)
      trigger->ask(target, "POST " + api + "/pipeline", R"({"ref":"main"})");
    else
      trigger.emplace(target, "POST " + api + "/pipeline", R"({"ref":"main"})");
    std::optional<Stream> log;  // hung up at its first byte
    std::optional<Clock::duration> first;
    std::optional<Clock::duration> end;
    while (!first || !end) {
      wait_for_any(events, log);
      const auto now = Clock::now() - start;
      while (const auto event = events.next()) {
        if (event->first == "job" && !log && !first) {
          const auto id = json::parse(event->second).at("id").get<long long>();
          log.emplace(target, "GET " + api + "/jobs/" + std::to_string(id) + "/trace/events", "");
        } else if (event->first == "pipeline") {
          const std::string status = json::parse(event->second).at("status");
          check_end(status);
          if (status == "success") end = now;
        }
      }
      while (log && !first) {
        const auto event = log->next();
        if (!event) break;
        if (event->first == "trace") first = Clock::now() - start;
      }
      if (first) log.reset();
    }
    (void)trigger->answer();
    std::printf("%.3f %.3f\n", milliseconds(*first), milliseconds(*end));
  }
}

void many(const Target& target, Stream& events, int pipelines) {
  const auto start = Clock::now();
  std::optional<Stream> none;
  std::map<long long, bool> ended;
  Stream trigger{target, "POST /api/v4/projects/" + target.project + "/pipeline",
                 R"({"ref":"main"})"};
  ended[json::parse(trigger.answer()).at("id")];
  for (int i = 1; i < pipelines; ++i) {
    trigger.ask(target, "POST /api/v4/projects/" + target.project + "/pipeline",
                R"({"ref":"main"})");
    ended[json::parse(trigger.answer()).at("id")];
  }
  int left = pipelines;
  while (left > 0) {
    while (const auto event = events.next()) {
      if (event->first != "pipeline") continue;
      const json pipeline = json::parse(event->second);
      const std::string status = pipeline.at("status");
      check_end(status);
      bool& done = ended[pipeline.at("id")];
      if (status == "success" && !std::exchange(done, true)) --left;
    }
    if (left > 0) wait_for_any(events, none);
  }
  std::printf("%.3f\n", milliseconds(Clock::now() - start) / 1000);
}

}  // namespace

int main(int argc, char** argv) {
  const char* token = std::getenv("STOPWATCH_TOKEN");
  if (argc != 5 || token == nullptr) {
    std::fputs("usage: STOPWATCH_TOKEN=… stopwatch single|many PORT PROJECT COUNT\n", stderr);
    return 2;
  }
  const Target target{std::atoi(argv[2]), token, argv[3]};
  try {
    Stream events{target, "GET /api/v4/events", ""};
    while (!events.next()) events.read_some();  // the greeting: it listens
    if (std::string{argv[1]} == "single")
      single(target, events, std::atoi(argv[4]));
    else
      many(target, events, std::atoi(argv[4]));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "stopwatch: %s\n", failure.what());
    return 1;
  }
  return 0;
}
