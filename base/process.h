// Child processes: started without a shell, with nothing inherited, and always ended as a whole.
//
// A child gets its own session, exactly the descriptors and the environment named in its spec, and
// default signal handling. Stopping sends SIGTERM to the process group and SIGKILL after the grace;
// once the child itself has ended, what is left of its group is killed, and nobody waits for a pipe
// that a grandchild still holds. Every member may be called from any one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway {

enum class Stderr : std::uint8_t {
  Merged,    // into standard output, in the order written
  Separate,  // collected into ProcessOutcome::error_output (first 64 KiB)
  Inherited,
};

struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] is looked up in env's PATH; never a shell string
  std::filesystem::path workdir;  // empty: the caller's
  std::map<std::string, std::string> env;  // complete: nothing is inherited
  std::string input;                       // written to standard input, which then is closed
  Stderr error_output = Stderr::Merged;
  std::chrono::milliseconds deadline{std::chrono::hours{1}};
  std::chrono::milliseconds grace{std::chrono::seconds{10}};
};

enum class ProcessEnd : std::uint8_t { Exited, Signalled, TimedOut, Cancelled };

struct ProcessOutcome {
  ProcessEnd end = ProcessEnd::Exited;
  int code = 0;              // exit status, or the signal number when Signalled
  std::string error_output;  // only with Stderr::Separate

  [[nodiscard]] bool succeeded() const { return end == ProcessEnd::Exited && code == 0; }
};

// Called on the thread that runs the process. Chunks do not respect line boundaries.
using OutputSink = std::function<void(std::string_view chunk)>;

// Runs to the end. An Error means the child never started (no such program, bad work directory);
// a child that started and failed is an outcome. With `stop` requested it ends as Cancelled.
Result<ProcessOutcome> run_process(const ProcessSpec& spec, const OutputSink& sink,
                                   const std::stop_token& stop = {});

// run_process with all output collected. Output past `limit` bytes ends it as an Error (TooLarge).
struct CollectedOutput {
  ProcessOutcome outcome;
  std::string output;
};
Result<CollectedOutput> collect_process(const ProcessSpec& spec,
                                        std::size_t limit = std::size_t{16} << 20U,
                                        const std::stop_token& stop = {});

// A child whose three pipes the caller drives: for conversations (git upload-pack) and for output
// that must be forwarded while it comes. The descriptors are non-blocking and the caller's to read,
// write and close through close_input(). Destroying a running child kills its whole session.
class ChildProcess {
 public:
  // `spec.input` is ignored; `deadline` and `grace` are the caller's business here.
  static Result<ChildProcess> start(const ProcessSpec& spec);

  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;
  ~ChildProcess();

  [[nodiscard]] int pid() const;
  [[nodiscard]] int input_fd() const;  // -1 once closed
  [[nodiscard]] int output_fd() const;
  [[nodiscard]] int error_fd() const;  // -1 unless the spec says Stderr::Separate
  [[nodiscard]] int exit_fd() const;   // a pidfd: readable when the child has ended
  void close_input();

  void signal_group(int signal);  // to every process of the child's session group
  // Reaps if it has ended, killing what is left of its session; nullopt while it runs.
  std::optional<ProcessOutcome> try_wait();
  // Blocks until it ends.
  ProcessOutcome wait();

 private:
  struct State;
  explicit ChildProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The variables of this process's environment named in `names`, for building a child's.
std::map<std::string, std::string> environment_subset(const std::vector<std::string>& names);

}  // namespace slipway
