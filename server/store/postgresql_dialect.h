// The store's statements are written once, in words that SQLite has; here they become PostgreSQL's.
//
// Pure functions. Texts in quotes are left alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/store/session.h"

namespace slipway::server {

// What SOCI knows the value by: "v1" is the first.
std::string value_name(std::size_t number);

// `?` and `?1` become named values of a known type, since PostgreSQL would guess; texts compare
// by their bytes, as SQLite does it, whatever the database's own collation is.
std::string to_postgresql(std::string_view sql, const std::vector<Slot::Kind>& inputs);

// A statement of a migration: types, numbers that the database gives, collations.
std::string schema_to_postgresql(std::string_view sql);

// PostgreSQL keeps only UTF-8 without zero bytes, and SQLite keeps anything: a commit message in
// Latin-1, a hook's body. Each byte that cannot be kept stands as one character of the last private
// block, U+10FF00 and up, and comes back as it was. Such a character in a text itself is treated
// like bytes that cannot be kept, so that nothing is mistaken.
std::string to_postgresql_text(std::string_view text);
std::string from_postgresql_text(std::string_view text);

}  // namespace slipway::server
