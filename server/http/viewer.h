// Somebody who listens for a long time: who it is was settled when the stream began, and is looked
// at again whenever rights may have changed, so that a stream does not outlive them.
//
// Used by one thread at a time; asks the database.
#pragma once

#include "base/clock.h"
#include "server/auth/access_tokens.h"
#include "server/auth/policy.h"
#include "server/auth/sessions.h"
#include "server/store/database.h"

namespace slipway::server::http {

class Viewer {
 public:
  // The parts must outlive it.
  struct Parts {
    Database& database;
    const Clock& clock;
    auth::Sessions& sessions;
    auth::AccessTokens& tokens;
  };
  Viewer(const Parts& parts, auth::Principal principal)
      : parts_(parts), principal_(std::move(principal)) {}

  // False when the session or the token has ended. Does not count as the user being there.
  bool refresh();
  [[nodiscard]] bool sees(ProjectId project) const;
  [[nodiscard]] bool sees(RunnerId runner) const;
  [[nodiscard]] bool reads_logs(ProjectId project) const;

 private:
  Parts parts_;
  auth::Principal principal_;
};

}  // namespace slipway::server::http
