#include "server/auth/people.h"

#include <string_view>

#include "base/crypto.h"
#include "server/auth/accounts.h"
#include "server/auth/audit.h"
#include "server/store/database.h"

namespace slipway::server::auth {

namespace {

constexpr UnixMillis kInvitationLife = UnixMillis{7} * 24 * 3600'000;
constexpr std::size_t kLongestName = 255;

std::string object_of(UserId id) {
  return "user/" + std::to_string(id.value);
}

Result<UserRow> find_person(Stores& stores, UserId id) {
  auto row = stores.users.find(id);
  if (!row || row->bot_of) return fail(ErrorKind::NotFound, "404 User Not Found");
  return *row;
}

Result<void> check_name(std::string_view name) {
  if (name.size() <= kLongestName) return {};
  return fail(ErrorKind::InvalidInput, "field 'name' must have at most 255 characters");
}

// While `row` is still as it was.
Result<void> check_admin_remains(const Stores& stores, const UserRow& row) {
  if (!row.is_admin || row.disabled || stores.users.count_admins() > 1) return {};
  return fail(ErrorKind::Conflict, "'" + row.username + "' is the only administrator")
      .with_hint("make somebody else an administrator first");
}

std::string invite_row(UserRow& row, UnixMillis now) {
  auto token = random_token("slin-");
  row.invitation_hash = token_hash(token);
  row.invitation_expires_at = now + kInvitationLife;
  return token;
}

void end_sessions(Stores& stores, UserRow& row) {
  ++row.auth_epoch;
  stores.sessions.remove_of_user(row.id);
}

}  // namespace

Result<Invited> People::create(const Principal& by, const NewPerson& wanted,
                               const std::string& address) {
  if (auto fine = check_username(wanted.username); !fine) return fine.error();
  if (auto fine = check_name(wanted.name); !fine) return fine.error();
  Invited made;
  made.user.username = wanted.username;
  made.user.name = wanted.name;
  made.user.is_admin = wanted.is_admin;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    if (stores.users.find_by_name(wanted.username))
      return fail(ErrorKind::Conflict, "there is a user '" + wanted.username + "' already");
    made.user.created_at = now;
    made.token = invite_row(made.user, now);
    made.user.id = stores.users.insert(made.user);
    audit(stores, now, {by.name(), "user.created", object_of(made.user.id), false, address});
    return {};
  });
  if (!written) return written.error();
  return made;
}

template <typename Act>
Result<UserRow> People::act_on(const Principal& by, UserId id, const char* action,
                               const std::string& address, Act act) {
  UserRow changed;
  auto written = writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    auto row = find_person(stores, id);
    if (!row) return row.error();
    if (Result<void> done = act(stores, *row, now); !done) return done;
    stores.users.update(*row);
    audit(stores, now, {by.name(), action, object_of(id), false, address});
    changed = *row;
    return {};
  });
  if (!written) return written.error();
  return changed;
}

Result<UserRow> People::change(const Principal& by, UserId id, const PersonChange& change,
                               const std::string& address) {
  return act_on(by, id, "user.changed", address,
                [&](Stores& stores, UserRow& row, UnixMillis) -> Result<void> {
                  if (change.name)
                    if (auto fine = check_name(*change.name); !fine) return fine;
                  if (change.is_admin && !*change.is_admin)
                    if (auto fine = check_admin_remains(stores, row); !fine) return fine;
                  // Fewer rights must not wait for the next login.
                  if (change.is_admin && *change.is_admin != row.is_admin) {
                    row.is_admin = *change.is_admin;
                    if (row.id != by.user) end_sessions(stores, row);
                  }
                  row.name = change.name.value_or(row.name);
                  return {};
                });
}

Result<UserRow> People::block(const Principal& by, UserId id, const std::string& address) {
  return act_on(by, id, "user.blocked", address,
                [&](Stores& stores, UserRow& row, UnixMillis) -> Result<void> {
                  if (row.id == by.user)
                    return fail(ErrorKind::Conflict, "you cannot block yourself");
                  if (auto fine = check_admin_remains(stores, row); !fine) return fine;
                  row.disabled = true;
                  row.invitation_hash.clear();
                  end_sessions(stores, row);
                  return {};
                });
}

Result<UserRow> People::unblock(const Principal& by, UserId id, const std::string& address) {
  return act_on(by, id, "user.unblocked", address,
                [](Stores&, UserRow& row, UnixMillis) -> Result<void> {
                  row.disabled = false;
                  return {};
                });
}

Result<void> People::remove(const Principal& by, UserId id, const std::string& address) {
  return writer_.write([&](Stores& stores, UnixMillis now) -> Result<void> {
    const auto row = find_person(stores, id);
    if (!row) return row.error();
    if (row->id == by.user) return fail(ErrorKind::Conflict, "you cannot delete yourself");
    if (auto fine = check_admin_remains(stores, *row); !fine) return fine;
    stores.users.remove(id);
    audit(stores, now, {by.name(), "user.deleted", object_of(id), false, address});
    return {};
  });
}

Result<Invited> People::invite(const Principal& by, UserId id, const std::string& address) {
  std::string token;
  auto done = act_on(by, id, "user.invited", address,
                     [&](Stores&, UserRow& row, UnixMillis now) -> Result<void> {
                       if (row.disabled)
                         return fail(ErrorKind::Conflict, "'" + row.username + "' is blocked");
                       token = invite_row(row, now);
                       return {};
                     });
  if (!done) return done.error();
  return Invited{*done, token};
}

}  // namespace slipway::server::auth
