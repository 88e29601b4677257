// Where the database is: a file of SQLite's, or a server of PostgreSQL's.
#pragma once

#include <filesystem>
#include <string>

namespace slipway::server {

struct DatabasePlace {
  std::filesystem::path file;  // SQLite's; not looked at when there is a url
  std::string url;             // "postgresql://user@host/name?sslmode=verify-full", no password
  std::string password;        // "": as libpq finds it, in PGPASSWORD or a passfile

  [[nodiscard]] bool is_file() const { return url.empty(); }
  // For messages.
  [[nodiscard]] std::string name() const { return is_file() ? file.string() : url; }

  static DatabasePlace at_file(std::filesystem::path path) { return {std::move(path), "", ""}; }
};

}  // namespace slipway::server
