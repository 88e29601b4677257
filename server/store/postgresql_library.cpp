#include "server/store/postgresql_library.h"

#include <dlfcn.h>

#include <soci/version.h>

namespace slipway::server {

namespace {

// A member function as the C++ ABI names it and calls it: with the object as its first argument.
constexpr const char* kSqlstate = "_ZNK4soci21postgresql_soci_error8sqlstateB5cxx11Ev";

// "libsoci_postgresql.so.4.0": both numbers change when what it gives does.
std::string library_name() {
  return "libsoci_postgresql.so." + std::to_string(SOCI_VERSION / 100000) + '.' +
         std::to_string(SOCI_VERSION / 100 % 1000);
}

Error unusable(const std::string& name) {
  // glibc's is of this thread.
  const char* const why = ::dlerror();  // NOLINT(concurrency-mt-unsafe)
  return fail(ErrorKind::Unavailable,
              "cannot load '" + name + "': " + (why != nullptr ? why : "it lacks a function"))
      .with_hint(
          "PostgreSQL needs SOCI's library for it and libpq: install Debian's packages "
          "libsoci-postgresql4.0 and libpq5, or use SQLite (no database setting)");
}

}  // namespace

Result<PostgresqlLibrary> load_postgresql_library(const std::string& name) {
  // All of what it needs now, so that nothing is found missing in the middle of work.
  void* const handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return unusable(name);
  const auto find = [&]<typename F>(const char* function, F& found) {
    found = reinterpret_cast<F>(::dlsym(handle, function));
    return found != nullptr;
  };
  PostgresqlLibrary library;
  decltype(&soci::factory_postgresql) factory = nullptr;
  // libpq comes with it and is searched too, so both use the same one.
  const bool complete = find("factory_postgresql", factory) && find(kSqlstate, library.sqlstate) &&
                        find("PQconninfoParse", library.conninfo_parse) &&
                        find("PQconninfoFree", library.conninfo_free) &&
                        find("PQfreemem", library.freemem) && find("PQstatus", library.status) &&
                        find("PQtransactionStatus", library.transaction_status) &&
                        find("PQsetErrorVerbosity", library.set_error_verbosity) &&
                        find("PQsetNoticeProcessor", library.set_notice_processor) &&
                        find("PQserverVersion", library.server_version) &&
                        find("PQparameterStatus", library.parameter_status);
  if (!complete) return unusable(name);
  library.factory = factory();
  return library;
}

const Result<PostgresqlLibrary>& postgresql_library() {
  static const Result<PostgresqlLibrary> library = load_postgresql_library(library_name());
  return library;
}

}  // namespace slipway::server
