// The server's side of the runner protocol for tests: a small HTTP server on a free loopback port
// that keeps what it was asked and answers as told. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace slipway::test {

struct SeenRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;                            // chunks put together
};

struct CannedAnswer {
  int status = 200;
  std::string headers;  // "Name: value\r\n" lines
  std::string body;
  bool cut = false;  // close the connection instead of answering
};

class FakeCoordinator {
 public:
  FakeCoordinator();
  ~FakeCoordinator();
  FakeCoordinator(const FakeCoordinator&) = delete;
  FakeCoordinator& operator=(const FakeCoordinator&) = delete;

  [[nodiscard]] std::string url() const;

  // The next jobs/request is answered with this payload.
  void offer_job(std::string json);
  // The next request whose "METHOD target" begins with `prefix` is answered so, once, and changes
  // nothing.
  void answer_once(std::string prefix, CannedAnswer answer);
  // Put into every later answer about a job, as Job-Status.
  void set_job_status(std::string status);
  // What GET artifacts answers with.
  void set_archive(std::string bytes);

  // What was PUT below /cache, by target; another server may go on with it.
  [[nodiscard]] std::map<std::string, std::string> caches();
  void set_caches(std::map<std::string, std::string> caches);

  [[nodiscard]] std::string log();
  [[nodiscard]] std::vector<SeenRequest> requests();
  // Waits until `holds` is true of the log and what was asked; false after half a minute.
  bool wait_until(
      const std::function<bool(const std::string& log, const std::vector<SeenRequest>&)>& holds);
  // Waits for a PUT with an end state and gives its body.
  std::optional<std::string> wait_for_result();

 private:
  void accept_all();
  void serve(int fd);
  CannedAnswer answer(const SeenRequest& request);
  // Caches that runners share: keeps what is PUT, and knows which pieces it lacks.
  CannedAnswer answer_about_caches(const SeenRequest& request);

  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> jobs_;
  std::vector<std::pair<std::string, CannedAnswer>> once_;
  std::string job_status_ = "running";
  std::string archive_;
  std::map<std::string, std::string> caches_;  // by target
  std::string log_;
  std::vector<SeenRequest> requests_;
  std::vector<int> connections_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::thread accepting_;
};

}  // namespace slipway::test
