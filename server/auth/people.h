// Accounts as administrators look after them: making, changing, blocking and removing people.
//
// Nobody gets mail: a new account comes with an invitation, a token that its maker hands over and
// with which the person sets a password of their own. The same way leads back for one who has
// forgotten it. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "server/auth/principal.h"
#include "server/auth/writer.h"
#include "server/store/user_store.h"

namespace slipway::server::auth {

struct NewPerson {
  std::string username;
  std::string name;
  bool is_admin = false;
};

struct PersonChange {
  std::optional<std::string> name;
  std::optional<bool> is_admin;
};

struct Invited {
  UserRow user;
  std::string token;  // nowhere else
};

class People {
 public:
  explicit People(Writer& writer) : writer_(writer) {}

  // Conflict when the name is taken.
  Result<Invited> create(const Principal& by, const NewPerson& wanted, const std::string& address);
  // Here and below: NotFound when there is no such person, Conflict where no administrator would be
  // left, or where somebody would shut themselves out.
  Result<UserRow> change(const Principal& by, UserId id, const PersonChange& change,
                         const std::string& address);
  // Ends all sessions; tokens are refused until the person is unblocked.
  Result<UserRow> block(const Principal& by, UserId id, const std::string& address);
  Result<UserRow> unblock(const Principal& by, UserId id, const std::string& address);
  // With sessions, tokens and memberships. What they did stays.
  Result<void> remove(const Principal& by, UserId id, const std::string& address);
  // A new invitation; an earlier one is void.
  Result<Invited> invite(const Principal& by, UserId id, const std::string& address);

 private:
  template <typename Act>
  Result<UserRow> act_on(const Principal& by, UserId id, const char* action,
                         const std::string& address, Act act);
  Writer& writer_;
};

}  // namespace slipway::server::auth
