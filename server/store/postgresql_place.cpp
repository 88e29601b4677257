#include "server/store/postgresql_place.h"

#include <map>
#include <memory>

#include "server/store/postgresql_library.h"

namespace slipway::server {

namespace {

// A host that does not answer must not hold the start, nor a connection that is cut off a round.
const std::map<std::string, std::string>& defaults() {
  static const std::map<std::string, std::string> values{
      {"application_name", "slipway"}, {"client_encoding", "UTF8"},  {"connect_timeout", "10"},
      {"keepalives_idle", "15"},       {"keepalives_interval", "5"}, {"keepalives_count", "3"},
      {"tcp_user_timeout", "30000"},
  };
  return values;
}

std::string quoted(const std::string& value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace

Result<std::string> connection_string(const DatabasePlace& place) {
  const auto& library = postgresql_library();
  if (!library) return library.error();
  char* why = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(library->conninfo_free)> options{
      library->conninfo_parse(place.url.c_str(), &why), library->conninfo_free};
  if (!options) {
    std::string reason = why != nullptr ? why : "out of memory";
    library->freemem(why);
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
    return fail(ErrorKind::InvalidInput, "the database's URL is not one: " + reason)
        .with_hint("write it as postgresql://user@host:5432/name?sslmode=verify-full");
  }
  auto values = defaults();
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr) values[option->keyword] = option->val;
  if (values.count("password") > 0)
    return fail(ErrorKind::InvalidInput, "the database's URL holds a password")
        .with_hint(
            "keep it in a file: SLIPWAY_DATABASE_PASSWORD_FILE, or a passfile of libpq's "
            "(passfile=… in the URL)");
  if (!place.password.empty()) values["password"] = place.password;
  std::string text;
  for (const auto& [name, value] : values) text += name + "=" + quoted(value) + " ";
  return text;
}

}  // namespace slipway::server
