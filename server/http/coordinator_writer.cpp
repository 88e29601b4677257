#include "server/http/coordinator_writer.h"

#include "base/logging.h"

namespace slipway::server::http {

Result<void> CoordinatorWriter::write(Change change) {
  return coordinator_.write<void>(
      [change = std::move(change)](WriteTransaction& transaction) -> Result<void> {
        transaction.changes.access = true;  // accounts, sessions and tokens
        return change(transaction.stores, transaction.now);
      });
}

void CoordinatorWriter::note(Change change) {
  coordinator_.submit<void>(
      [change = std::move(change)](WriteTransaction& transaction) -> Result<void> {
        return change(transaction.stores, transaction.now);
      },
      [](const Result<void>& done) {
        if (!done) log::warn("note.lost", {{"error", done.error().message}});
      });
}

}  // namespace slipway::server::http
