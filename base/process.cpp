#include "base/process.h"

#define BOOST_PROCESS_USE_STD_FS 1
#include <boost/optional.hpp>  // which the launcher uses and does not include
#include <boost/process/v2/posix/default_launcher.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/files.h"

#ifdef __SANITIZE_THREAD__
// The thread sanitizer makes a fork of each call of vfork, and a forked child cannot write into our
// memory why it failed. The C library's other name for it is left alone.
extern "C" pid_t __vfork() noexcept __attribute__((returns_twice));
#define vfork __vfork
#endif

namespace slipway {
namespace {

namespace bp = boost::process::v2;
using namespace std::chrono_literals;

constexpr std::size_t kErrorOutputLimit = std::size_t{64} << 10U;
constexpr int kPipeBytes = 1 << 20;

// What happens in the child between vfork and exec: system calls only, since the memory is still
// the parent's. Boost calls it through its initializer protocol.
struct OwnSession {
  int input = -1;
  int output = -1;
  int error = -1;  // -1: keep the caller's
  const char* workdir = nullptr;

  // dup2 by the system call: the thread sanitizer takes the child's table of descriptors for ours.
  static bool becomes(int descriptor, int number) {
    return descriptor == number || ::syscall(SYS_dup3, descriptor, number, 0) >= 0;
  }

  template <typename Launcher, typename... Rest>
  bp::error_code on_exec_setup(Launcher&, const std::filesystem::path&, Rest&&...) const {
    const auto failed = [] { return bp::error_code{errno, boost::system::system_category()}; };
    if (::setsid() < 0) return failed();
    // By the system call itself: the C library keeps two signals out of everybody's reach, and a
    // parent may have had those ignored as well.
    const unsigned long standard[4] = {};  // handler, flags, restorer, mask
    for (int signal = 1; signal < NSIG; ++signal)
      ::syscall(SYS_rt_sigaction, signal, standard, nullptr, sizeof(unsigned long));
    if (!becomes(input, STDIN_FILENO) || !becomes(output, STDOUT_FILENO)) return failed();
    if (error >= 0 && !becomes(error, STDERR_FILENO)) return failed();
    if (workdir != nullptr && ::chdir(workdir) != 0) return failed();
    // Boost's own closing walks descriptors one by one; one call closes all.
    if (::syscall(SYS_close_range, 3U, ~0U, 0U) != 0) return failed();
    sigset_t none;
    sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    return {};
  }
};

// Boost's vfork launcher tells the I/O context that it is a child and calls exit() when exec fails,
// both in the parent's memory. This one does neither.
class VforkLauncher : public bp::posix::default_launcher {
 public:
  // The child's pid; -1 with `errno` meaning in `code` when it never ran.
  int launch(const std::filesystem::path& executable, const std::vector<std::string>& arguments,
             const char* const* environment, const OwnSession& session, int& code) {
    auto argv = build_argv_(executable, arguments);
    env = environment;
    // No signal handler of ours may run in the child, where it would work on our memory.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    volatile int failure = 0;
    const int child = ::vfork();
    if (child == 0) {
      const auto ready = bp::posix::detail::on_exec_setup(*this, executable, argv, session);
      if (!ready) {
        ::execve(executable.c_str(), const_cast<char* const*>(argv), const_cast<char* const*>(env));
        failure = errno;
      } else {
        failure = ready.value();
      }
      ::_exit(127);
    }
    const int fork_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (child < 0) {
      code = fork_error;
      return -1;
    }
    if (failure != 0) {
      ::waitpid(child, nullptr, 0);
      code = failure;
      return -1;
    }
    return child;
  }
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("cannot make a pipe", errno);
  Pipe pipe{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
  // The child's ends are moved on to 0, 1 and 2: none may stand there already.
  for (UniqueFd* end : {&pipe.read, &pipe.write}) {
    if (end->get() > STDERR_FILENO) continue;
    const int moved = ::fcntl(end->get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0) return errno_error("cannot make a pipe", errno);
    end->reset(moved);
  }
  ::fcntl(pipe.read.get(), F_SETPIPE_SZ, kPipeBytes);  // best effort: fewer wake-ups
  return pipe;
}

void set_non_blocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

Result<std::filesystem::path> find_program(const ProcessSpec& spec) {
  const std::string& name = spec.argv.front();
  if (name.find('/') != std::string::npos) return std::filesystem::path{name};
  const auto at = spec.env.find("PATH");
  const std::string path = at == spec.env.end() ? "/usr/local/bin:/usr/bin:/bin" : at->second;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto colon = std::min(rest.find(':'), rest.size());
    const auto candidate = std::filesystem::path{rest.substr(0, colon)} / name;
    if (colon > 0 && ::access(candidate.c_str(), X_OK) == 0 &&
        std::filesystem::is_regular_file(candidate))
      return candidate;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return fail(ErrorKind::NotFound, "cannot start '" + name + "': there is no such program in PATH");
}

// Kills what still belongs to the session but has moved to another process group, as the jobs of an
// interactive shell do. The session's id stays taken for as long as one member lives.
void kill_rest_of_session(int session) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", ignored}) {
    const std::string name = entry.path().filename();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    if (pid != session && ::getsid(pid) == session) ::kill(pid, SIGKILL);
  }
}

}  // namespace

struct ChildProcess::State {
  int pid = -1;
  UniqueFd exit;
  UniqueFd input;
  UniqueFd output;
  UniqueFd error;
  std::optional<ProcessOutcome> outcome;

  ProcessOutcome reap() {
    // The zombie keeps its pid, and so its group, from being reused until waitid below.
    ::kill(-pid, SIGKILL);
    kill_rest_of_session(pid);
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0 && errno == EINTR) {
    }
    ProcessOutcome result;
    result.end = info.si_code == CLD_EXITED ? ProcessEnd::Exited : ProcessEnd::Signalled;
    result.code = info.si_status;
    outcome = result;
    return result;
  }
};

ChildProcess::ChildProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (!state_ || state_->outcome) return;
  signal_group(SIGKILL);
  wait();
}

Result<ChildProcess> ChildProcess::start(const ProcessSpec& spec) {
  assert(!spec.argv.empty() && "a process needs a name");
  const auto program = find_program(spec);
  if (!program) return program.error();
  if (!spec.workdir.empty() && !std::filesystem::is_directory(spec.workdir))
    return fail(ErrorKind::NotFound, "cannot start '" + spec.argv.front() +
                                         "': there is no directory '" + spec.workdir.string() +
                                         "'");
  auto input = make_pipe();
  if (!input) return std::move(input).error();
  auto output = make_pipe();
  if (!output) return std::move(output).error();
  Pipe error;
  if (spec.error_output == Stderr::Separate) {
    auto made = make_pipe();
    if (!made) return std::move(made).error();
    error = std::move(*made);
  }

  std::vector<std::string> variables;
  variables.reserve(spec.env.size());
  for (const auto& [name, value] : spec.env) variables.push_back(name + '=' + value);
  std::vector<const char*> environment;
  environment.reserve(variables.size() + 1);
  for (const std::string& variable : variables) environment.push_back(variable.c_str());
  environment.push_back(nullptr);

  OwnSession session;
  session.input = input->read.get();
  session.output = output->write.get();
  if (spec.error_output == Stderr::Merged) session.error = output->write.get();
  if (spec.error_output == Stderr::Separate) session.error = error.write.get();
  session.workdir = spec.workdir.empty() ? nullptr : spec.workdir.c_str();

  auto state = std::make_unique<State>();
  int code = 0;
  const std::vector<std::string> arguments(spec.argv.begin() + 1, spec.argv.end());
  VforkLauncher launcher;
  state->pid = launcher.launch(*program, arguments, environment.data(), session, code);
  if (state->pid < 0) return errno_error("cannot start '" + spec.argv.front() + "'", code);

  state->exit.reset(static_cast<int>(::syscall(SYS_pidfd_open, state->pid, 0)));
  state->input = std::move(input->write);
  state->output = std::move(output->read);
  state->error = std::move(error.read);
  set_non_blocking(state->input.get());
  set_non_blocking(state->output.get());
  if (state->error.is_open()) set_non_blocking(state->error.get());
  return ChildProcess{std::move(state)};
}

int ChildProcess::pid() const {
  return state_->pid;
}
int ChildProcess::input_fd() const {
  return state_->input.get();
}
int ChildProcess::output_fd() const {
  return state_->output.get();
}
int ChildProcess::error_fd() const {
  return state_->error.get();
}
int ChildProcess::exit_fd() const {
  return state_->exit.get();
}
void ChildProcess::close_input() {
  state_->input.reset();
}

void ChildProcess::signal_group(int signal) {
  if (!state_->outcome) ::kill(-state_->pid, signal);
}

std::optional<ProcessOutcome> ChildProcess::try_wait() {
  if (state_->outcome) return state_->outcome;
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(state_->pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0)
    return std::nullopt;
  return state_->reap();
}

ProcessOutcome ChildProcess::wait() {
  if (state_->outcome) return *state_->outcome;
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(state_->pid), &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  return state_->reap();
}

namespace {

using SteadyPoint = std::chrono::steady_clock::time_point;

int poll_timeout(SteadyPoint deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                        deadline - std::chrono::steady_clock::now()) +
                    1ms;
  return static_cast<int>(std::clamp<long long>(left.count(), 0, 60'000));
}

// One run from start to end: feeds the input, hands on the output, keeps the deadline.
class Run {
 public:
  Run(const ProcessSpec& spec, const OutputSink& sink, ChildProcess child)
      : spec_(spec), sink_(sink), child_(std::move(child)), input_(spec.input) {
    if (input_.empty()) child_.close_input();
  }

  ProcessOutcome to_the_end(const std::stop_token& stop) {
    const UniqueFd wake = make_wake();
    const std::stop_callback on_stop{stop, [&] { ::eventfd_write(wake.get(), 1); }};
    deadline_ = std::chrono::steady_clock::now() + spec_.deadline;
    std::optional<ProcessOutcome> ended;
    while (!ended) {
      wait_for_something(wake.get());
      move_data();
      if (stop.stop_requested()) begin_stopping(ProcessEnd::Cancelled);
      if (std::chrono::steady_clock::now() >= deadline_) {
        if (stopping_) child_.signal_group(SIGKILL);
        begin_stopping(ProcessEnd::TimedOut);
      }
      ended = child_.try_wait();
    }
    // The whole session is dead now: what is in the pipes is all that will come, unless a process
    // that left the session still holds them, and that one is not waited for.
    move_data();
    if (stopping_) ended->end = *stopping_;
    ended->error_output = std::move(error_output_);
    return *ended;
  }

 private:
  static UniqueFd make_wake() { return UniqueFd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}; }

  void begin_stopping(ProcessEnd why) {
    if (stopping_) return;
    stopping_ = why;
    deadline_ = std::chrono::steady_clock::now() + spec_.grace;
    child_.signal_group(SIGTERM);
  }

  void wait_for_something(int wake) {
    std::array<pollfd, 5> fds{{{child_.exit_fd(), POLLIN, 0},
                               {output_open_ ? child_.output_fd() : -1, POLLIN, 0},
                               {error_open_ ? child_.error_fd() : -1, POLLIN, 0},
                               {child_.input_fd(), POLLOUT, 0},
                               {stopping_ ? -1 : wake, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), poll_timeout(deadline_));
  }

  void move_data() {
    feed_input();
    if (output_open_)
      output_open_ = drain(child_.output_fd(), [&](std::string_view chunk) { sink_(chunk); });
    if (error_open_ && child_.error_fd() >= 0)
      error_open_ = drain(child_.error_fd(), [&](std::string_view chunk) {
        error_output_ += chunk.substr(0, kErrorOutputLimit - error_output_.size());
      });
  }

  void feed_input() {
    while (child_.input_fd() >= 0) {
      const ssize_t wrote = ::write(child_.input_fd(), input_.data(), input_.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0 && errno == EAGAIN) return;
      if (wrote > 0) input_.remove_prefix(static_cast<std::size_t>(wrote));
      if (wrote < 0 || input_.empty()) child_.close_input();  // a child may not want to read it all
    }
  }

  // Reads what is there, at most a few megabytes at a time so that the deadline stays in force.
  // False at the end of the pipe.
  template <typename Take>
  bool drain(int fd, const Take& take) {
    for (int round = 0; round < 64; ++round) {
      const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno == EAGAIN;
      if (got == 0) return false;
      take(std::string_view{buffer_.data(), static_cast<std::size_t>(got)});
    }
    return true;
  }

  const ProcessSpec& spec_;
  const OutputSink& sink_;
  ChildProcess child_;
  std::string_view input_;
  std::string error_output_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{64} << 10U);
  SteadyPoint deadline_;
  std::optional<ProcessEnd> stopping_;
  bool output_open_ = true;
  bool error_open_ = true;
};

// A child that closes its input early must not end us.
void ignore_broken_pipes() {
  static const bool once = (::signal(SIGPIPE, SIG_IGN), true);
  (void)once;
}

}  // namespace

Result<ProcessOutcome> run_process(const ProcessSpec& spec, const OutputSink& sink,
                                   const std::stop_token& stop) {
  ignore_broken_pipes();
  auto child = ChildProcess::start(spec);
  if (!child) return std::move(child).error();
  return Run{spec, sink, std::move(*child)}.to_the_end(stop);
}

Result<CollectedOutput> collect_process(const ProcessSpec& spec, std::size_t limit,
                                        const std::stop_token& stop) {
  CollectedOutput collected;
  std::stop_source too_much;
  const std::stop_callback forward{stop, [&] { too_much.request_stop(); }};
  bool over = false;
  auto outcome = run_process(
      spec,
      [&](std::string_view chunk) {
        over = over || collected.output.size() + chunk.size() > limit;
        if (over)
          too_much.request_stop();
        else
          collected.output += chunk;
      },
      too_much.get_token());
  if (!outcome) return std::move(outcome).error();
  if (over)
    return fail(ErrorKind::TooLarge, "'" + spec.argv.front() + "' printed more than " +
                                         std::to_string(limit) + " bytes");
  collected.outcome = std::move(*outcome);
  return collected;
}

std::map<std::string, std::string> environment_subset(const std::vector<std::string>& names) {
  std::map<std::string, std::string> subset;
  for (const std::string& name : names)
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here sets variables
    if (const char* value = std::getenv(name.c_str())) subset[name] = value;
  return subset;
}

}  // namespace slipway
