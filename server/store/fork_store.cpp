#include "server/store/fork_store.h"

#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<ForkRequestRow> {
  template <typename F>
  static void each(ForkRequestRow& row, F&& f) {
    f("id", row.id);
    f("project_id", row.project_id);
    f("number", row.number);
    f("sha", row.sha);
    f("source_repository", row.source_repository);
    f("source_branch", row.source_branch);
    f("target_branch", row.target_branch);
    f("title", row.title);
    f("commit_title", row.commit_title);
    f("author", row.author);
    f("author_id", row.author_id);
    f("state", row.state);
    f("reason", row.reason);
    f("delivery_id", row.delivery_id);
    f("decided_by", row.decided_by);
    f("decided_at", row.decided_at);
    f("created_at", row.created_at);
  }
};

namespace {

const std::string& select_requests() {
  static const std::string sql = "SELECT " + column_names<ForkRequestRow>() + " FROM fork_requests";
  return sql;
}

}  // namespace

std::optional<ForkRequestRow> ForkRequestStore::find(ForkRequestId id) const {
  static const std::string sql = select_requests() + " WHERE id = ?";
  return select_one<ForkRequestRow>(session_, sql, id);
}

std::optional<ForkRequestRow> ForkRequestStore::find(ProjectId project, std::int64_t number,
                                                     std::string_view digits) const {
  static const std::string sql =
      select_requests() + " WHERE project_id = ? AND number = ? AND sha >= ? AND sha < ?";
  // Behind all that the digits begin: 'g' follows on the last of them.
  return select_one<ForkRequestRow>(session_, sql, project, number, digits,
                                    std::string{digits} + "g");
}

Page<ForkRequestRow> ForkRequestStore::list(ProjectId project, std::string_view state,
                                            PageRequest page) const {
  static const std::string where = " WHERE project_id = ?1 AND (?2 = '' OR state = ?2)";
  static const std::string rows =
      select_requests() + where + " ORDER BY id DESC LIMIT ?3 OFFSET ?4";
  static const std::string total = "SELECT COUNT(*) FROM fork_requests" + where;
  return {select<ForkRequestRow>(session_, rows, project, state, page.per_page,
                                 (page.page - 1) * page.per_page),
          select_value<long long>(session_, total, project, state)};
}

ForkRequestId ForkRequestStore::insert(const ForkRequestRow& row) {
  return {insert_row(session_, "fork_requests", row)};
}

void ForkRequestStore::update(const ForkRequestRow& row) {
  execute(session_,
          "UPDATE fork_requests SET state = ?, reason = ?, delivery_id = ?, decided_by = ?,"
          " decided_at = ? WHERE id = ?",
          row.state, row.reason, row.delivery_id, row.decided_by, row.decided_at, row.id);
}

void ForkRequestStore::end_undecided(ProjectId project, std::int64_t number,
                                     std::string_view except, std::string_view state,
                                     std::string_view reason) {
  execute(session_,
          "UPDATE fork_requests SET state = ?, reason = ? WHERE project_id = ? AND number = ?"
          " AND sha <> ? AND state IN ('waiting', 'rejected')",
          state, reason, project, number, except);
}

}  // namespace slipway::server
