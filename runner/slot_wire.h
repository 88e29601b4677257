// How an agent and its slots talk: messages of JSON, each behind its length, over sockets in a
// folder that only their user can enter.
//
// The agent says `settings`, `job`, `cancel` and `leave`; a slot says `hello` to whoever connects,
// and `ended`. Tokens travel here, never in arguments or environments.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace slipway::runner {

class SlotChannel {
 public:
  explicit SlotChannel(UniqueFd socket) : socket_(std::move(socket)) {}

  // One whole message. From any thread.
  Result<void> send(std::string_view message);
  // Appends the messages that have come in full, without waiting. False once the other side is
  // gone. For one thread.
  bool receive(std::vector<std::string>& messages);
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  UniqueFd socket_;
  std::mutex sending_;
  std::string pending_;
};

// In place of a socket that nobody listens at any more. The path may be of any length.
Result<UniqueFd> listen_at(const std::filesystem::path& path);
// NotFound when nobody listens there, Denied when it is another user.
Result<UniqueFd> connect_to(const std::filesystem::path& path);
// The next who connected; Denied when it is another user.
Result<UniqueFd> accept_from(int listener);

// Tells this program from another one, or from another build of it.
std::string build_of_this_program();

}  // namespace slipway::runner
