// The whole server, put together: every part is made here, in order, and handed what it needs.
//
// The only place that knows all rooms; `slipway server` and tests start it. start() returns when
// requests are served; stop() answers what waits, lets the rest finish, and ends every thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "server/settings/server_settings.h"

namespace slipway::server {

namespace http {
class StaticFiles;
}

class Server {
 public:
  // `files` must outlive it. An Error tells the operator what to mend: a busy port, a data
  // directory that another server uses or that cannot be written.
  static Result<std::unique_ptr<Server>> start(const ServerSettings& given,
                                               const http::StaticFiles& files,
                                               const std::string& version);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const std::string& url() const;
  // Where the setup token stands while there is no administrator yet; "" afterwards.
  [[nodiscard]] const std::string& setup_token_file() const;
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
