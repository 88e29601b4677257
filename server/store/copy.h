// All rows of one store in another: SQLite to PostgreSQL, back, or to a backup.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/store/place.h"

namespace slipway::server {

struct CopiedTable {
  std::string name;
  long long rows = 0;
  std::string sha256;  // over all rows in the order of their keys, the same in every database
};

class Session;

// In one transaction: all or nothing. Reads one moment of `from`, which others may go on writing.
// Conflict when `to` holds rows, or when one of them has another schema than today's. What was
// written is read again and compared, and the numbers that were given out are not given again.
// Throws StoreFailure.
Result<std::vector<CopiedTable>> copy_rows(Session& from, Session& to);

// Moves a store, with the sole right to both: Unavailable while a server runs on one of them. What
// is old is migrated first; `from` keeps its rows. NotFound when `from` is a file that is not
// there.
// `beside` is done when nothing stands against it any more, and before any row is kept.
Result<std::vector<CopiedTable>> migrate_store(const DatabasePlace& from, const DatabasePlace& to,
                                               const std::function<Result<void>()>& beside = {});

// A copy of all as one SQLite file, which must not be there. The server may go on.
Result<std::vector<CopiedTable>> copy_to_file(const DatabasePlace& from,
                                              const std::filesystem::path& file);

// The names of all artifacts in such a file.
Result<std::vector<std::string>> blobs_in_file(const std::filesystem::path& file);

}  // namespace slipway::server
