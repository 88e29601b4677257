// What tables the schema of today has, for what goes over all of them: copies.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/store/session.h"

namespace slipway::server {

struct TableShape {
  std::string name;
  std::vector<std::string> columns;
  std::vector<Slot::Kind> kinds;  // of the columns
  std::vector<std::size_t> key;   // which columns are the primary key; none: a table of one row
  bool numbered = false;          // the first column's numbers are the database's, and never again
};

// Each behind those that its rows refer to. Made from the migrations, so that it is never behind.
std::vector<TableShape> table_shapes();

}  // namespace slipway::server
