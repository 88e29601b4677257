// What a program does until it is killed: in a process of its own, which ends where it says die().
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace slipway::test {

// As kill -9 from outside: nothing is flushed, closed or told.
[[noreturn]] inline void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

// True when `act` died by die(), false when it ended; throws when it failed. No other thread of the
// caller may hold a lock meanwhile.
template <typename F>
bool died_in(F&& act) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error{"cannot fork"};
  if (child == 0) {
    int code = 1;
    try {
      act();
      code = 0;
    } catch (...) {
      code = 2;
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error{"the program failed before it was to be killed"};
  return false;
}

}  // namespace slipway::test
