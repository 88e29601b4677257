// libpq and SOCI's backend for it, loaded at run time: with what they bring they take 3 MB of each
// process, and only a server whose database is PostgreSQL needs them. So nothing of them may be
// linked: their headers are for types, and functions are called through here.
#pragma once

#include <soci/postgresql/soci-postgresql.h>

#include <string>

#include "base/error.h"

namespace slipway::server {

struct PostgresqlLibrary {
  const soci::backend_factory* factory = nullptr;
  std::string (*sqlstate)(const soci::postgresql_soci_error*) = nullptr;

  decltype(&PQconninfoParse) conninfo_parse = nullptr;
  decltype(&PQconninfoFree) conninfo_free = nullptr;
  decltype(&PQfreemem) freemem = nullptr;
  decltype(&PQstatus) status = nullptr;
  decltype(&PQtransactionStatus) transaction_status = nullptr;
  decltype(&PQsetErrorVerbosity) set_error_verbosity = nullptr;
  decltype(&PQsetNoticeProcessor) set_notice_processor = nullptr;
  decltype(&PQserverVersion) server_version = nullptr;
  decltype(&PQparameterStatus) parameter_status = nullptr;
};

// Loads that library, which stays loaded. Unavailable, with the package to install, when it or
// what it needs is not there.
Result<PostgresqlLibrary> load_postgresql_library(const std::string& name);

// The one of the SOCI that this was built with, loaded at the first call. Thread-safe.
const Result<PostgresqlLibrary>& postgresql_library();

}  // namespace slipway::server
