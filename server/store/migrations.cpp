#include "server/store/migrations.h"

#include <spdlog/fmt/fmt.h>

#include "server/store/failure.h"
#include "server/store/migrations/steps.h"
#include "server/store/session.h"

namespace slipway::server {

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> all{
      steps::first(),         steps::delivery_attempts(), steps::exclusion(),   steps::dotenv(),
      steps::forge(),         steps::variables(),         steps::job_manager(), steps::downstream(),
      steps::tests(),         steps::merge_requests(),    steps::retention(),   steps::people(),
      steps::identities(),    steps::deployments(),       steps::forks(),       steps::transfers(),
      steps::two_databases(), steps::coverage(),          steps::starters(),    steps::findings(),
  };
  return all;
}

namespace {

void run_step(Session& session, const Migration& step, long long version,
              const std::function<void()>& after_statement) {
  session.begin();
  try {
    for (const MigrationStatement& statement : step) {
      session.run_schema(statement);
      if (after_statement) after_statement();
    }
    session.set_schema_version(version);
    if (after_statement) after_statement();
    session.commit();
  } catch (const StoreFailure&) {
    session.rollback();
    throw;
  }
}

}  // namespace

Result<void> migrate(Session& session, const std::vector<Migration>& steps,
                     const std::function<void()>& after_statement) {
  const auto newest = static_cast<long long>(steps.size());
  const auto version = session.schema_version();
  if (version > newest)
    return fail(ErrorKind::Conflict,
                fmt::format("the database has schema {}, this program knows schemas up to {}",
                            version, newest))
        .with_hint("start the newer version of slipway that wrote it");
  if (version > 0 && version < newest)
    if (auto kept = session.keep_copy(version); !kept) return kept.error();
  for (long long next = version; next < newest; ++next)
    run_step(session, steps[static_cast<std::size_t>(next)], next + 1, after_statement);
  return {};
}

}  // namespace slipway::server
