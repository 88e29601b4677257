// How this room changes what is stored: the caller puts it through the one writer.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/error.h"

namespace slipway::server {
struct Stores;
}

namespace slipway::server::auth {

class Writer {
 public:
  using Change = std::function<Result<void>(Stores& stores, UnixMillis now)>;

  virtual ~Writer() = default;
  // Durable when it returns; undone when `change` answers an error. Waits, from any thread.
  virtual Result<void> write(Change change) = 0;
  // Nobody waits, and nobody minds if it is lost: "last used" and the like.
  virtual void note(Change change) = 0;
};

}  // namespace slipway::server::auth
