#include "server/store/pipeline_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "server/store/counting.h"
#include "server/store/session.h"

namespace slipway::server {

template <>
struct Columns<PipelineRow> {
  template <typename F>
  static void each(PipelineRow& row, F&& f) {
    f("id", row.id);
    f("iid", row.iid);
    f("project_id", row.project_id);
    f("status", row.status);
    f("reason_code", row.reason_code);
    f("reason_text", row.reason_text);
    f("source", row.source);
    f("ref", row.ref);
    f("tag", row.tag);
    f("ref_protected", row.ref_protected);
    f("sha", row.sha);
    f("before_sha", row.before_sha);
    f("name", row.name);
    f("merge_request", row.merge_request);
    f("commit_title", row.commit_title);
    f("commit_message", row.commit_message);
    f("author_name", row.author_name);
    f("author_email", row.author_email);
    f("committed_at", row.committed_at);
    f("user_id", row.user_id);
    f("cancel_on_failure", row.cancel_on_failure);
    f("on_new_commit", row.on_new_commit);
    f("coverage", row.coverage);
    f("findings_gate", row.findings_gate);
    f("findings_gate_text", row.findings_gate_text);
    f("created_at", row.created_at);
    f("updated_at", row.updated_at);
    f("started_at", row.started_at);
    f("finished_at", row.finished_at);
  }
};

template <>
struct Columns<CoveragePoint> {
  template <typename F>
  static void each(CoveragePoint& row, F&& f) {
    f("id", row.pipeline_id);
    f("iid", row.iid);
    f("ref", row.ref);
    f("sha", row.sha);
    f("coverage", row.coverage);
    f("created_at", row.created_at);
  }
};

template <>
struct Columns<TrendPoint> {
  template <typename F>
  static void each(TrendPoint& row, F&& f) {
    f("id", row.pipeline_id);
    f("iid", row.iid);
    f("status", row.status);
    f("author_name", row.author_name);
    f("username", row.username);
    f("created_at", row.created_at);
    f("started_at", row.started_at);
    f("finished_at", row.finished_at);
  }
};

namespace {

struct DetailsRow {
  std::string stages;
  std::string left_out;
  std::string findings;
  std::string variables;
};

using nlohmann::json;

std::string dump(const json& value) {
  // Names come from files that need not be UTF-8.
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string left_out_json(const std::vector<LeftOutRow>& rows) {
  json array = json::array();
  for (const LeftOutRow& row : rows)
    array.push_back({{"name", row.name},
                     {"stage", row.stage},
                     {"reason_code", row.reason_code},
                     {"reason_text", row.reason_text},
                     {"file", row.file},
                     {"line", row.line}});
  return dump(array);
}

std::vector<LeftOutRow> left_out_rows(const std::string& text) {
  std::vector<LeftOutRow> rows;
  for (const json& item : json::parse(text))
    rows.push_back({item.at("name"), item.at("stage"), item.at("reason_code"),
                    item.at("reason_text"), item.at("file"), item.at("line")});
  return rows;
}

std::string findings_json(const std::vector<FindingRow>& rows) {
  json array = json::array();
  for (const FindingRow& row : rows)
    array.push_back({{"severity", row.severity},
                     {"code", row.code},
                     {"message", row.message},
                     {"file", row.file},
                     {"line", row.line},
                     {"column", row.column},
                     {"hint", row.hint}});
  return dump(array);
}

std::vector<FindingRow> finding_rows(const std::string& text) {
  std::vector<FindingRow> rows;
  for (const json& item : json::parse(text))
    rows.push_back({item.at("severity"), item.at("code"), item.at("message"), item.at("file"),
                    item.at("line"), item.at("column"), item.at("hint")});
  return rows;
}

}  // namespace

template <>
struct Columns<DetailsRow> {
  template <typename F>
  static void each(DetailsRow& row, F&& f) {
    f("stages", row.stages);
    f("left_out", row.left_out);
    f("findings", row.findings);
    f("variables", row.variables);
  }
};

std::optional<PipelineRow> PipelineStore::find(PipelineId id) const {
  static const std::string sql =
      "SELECT " + column_names<PipelineRow>() + " FROM pipelines WHERE id = ?";
  return select_one<PipelineRow>(session_, sql, id);
}

namespace {

// What is seldom asked for. instr and not LIKE: a person who searches for "50%" means it.
constexpr const char* kSeldom = R"sql(
   AND (?4 = '' OR source = ?4) AND (?5 = '' OR sha = ?5)
   AND (?6 = '' OR user_id = (SELECT id FROM users WHERE lower(username) = lower(?6))
        OR (user_id IS NULL AND lower(author_name) = lower(?6)))
   AND (?7 = '' OR instr(lower(commit_title), lower(?7)) > 0 OR instr(lower(ref), lower(?7)) > 0
        OR instr(lower(name), lower(?7)) > 0 OR instr(lower(author_name), lower(?7)) > 0
        OR instr(sha, lower(?7)) = 1 OR '#' || iid = ?7)
   AND (?8 = '' OR status = ?8 OR (?8 = 'finished' AND status IN ('success', 'failed', 'canceled'))
        OR (?8 IN ('branches', 'tags') AND (tag = 1) = (?8 = 'tags')
            AND substr(ref, 1, 13) <> 'refs/slipway/' AND NOT EXISTS
            (SELECT 1 FROM pipelines AS later
              WHERE later.project_id = p.project_id AND later.ref = p.ref AND later.tag = p.tag
                AND later.id > p.id))))sql";

// Only what is asked for, so that an index can answer it; each value is named in any case, since
// all are bound. From fixed parts: statements are kept by their text.
std::string listed(const PipelineFilter& filter) {
  const bool seldom = !(filter.source.empty() && filter.sha.empty() && filter.username.empty() &&
                        filter.search.empty() && filter.scope.empty());
  std::string sql = " FROM pipelines AS p WHERE project_id = ?1";
  sql += filter.ref.empty() ? " AND ?2 = ''" : " AND ref = ?2";
  sql += filter.status.empty() ? " AND ?3 = ''" : " AND status = ?3";
  sql += seldom ? kSeldom : " AND ?4 = '' AND ?5 = '' AND ?6 = '' AND ?7 = '' AND ?8 = ''";
  return sql;
}

std::string list_sql(const PipelineFilter& filter) {
  const auto& orders = pipeline_orders();
  if (std::find(orders.begin(), orders.end(), filter.order_by) == orders.end())
    throw std::invalid_argument{"no order of pipelines: " + filter.order_by};
  const std::string direction = filter.ascending ? " ASC" : " DESC";
  // The databases differ in where nothing stands; the only such column is this one.
  const std::string nulls = filter.ascending ? " NULLS FIRST" : " NULLS LAST";
  return "SELECT " + column_names<PipelineRow>() + listed(filter) + " ORDER BY " + filter.order_by +
         direction + (filter.order_by == "user_id" ? nulls : "") + ", id" + direction +
         " LIMIT ?9 OFFSET ?10";
}

std::string count_sql(const PipelineFilter& filter) {
  return "SELECT COUNT(*) FROM (SELECT 1" + listed(filter) + " LIMIT ?9) AS counted";
}

}  // namespace

const std::vector<std::string>& pipeline_orders() {
  static const std::vector<std::string> orders{"id", "status", "ref", "updated_at", "user_id"};
  return orders;
}

const std::vector<std::string>& pipeline_scopes() {
  static const std::vector<std::string> scopes{"running", "pending", "finished", "branches",
                                               "tags"};
  return scopes;
}

Page<PipelineRow> PipelineStore::list(ProjectId project, const PipelineFilter& filter,
                                      PageRequest page) const {
  return {select<PipelineRow>(session_, list_sql(filter), project, filter.ref, filter.status,
                              filter.source, filter.sha, filter.username, filter.search,
                              filter.scope, page.per_page, (page.page - 1) * page.per_page),
          select_value<long long>(session_, count_sql(filter), project, filter.ref, filter.status,
                                  filter.source, filter.sha, filter.username, filter.search,
                                  filter.scope, count_limit(page))};
}

std::vector<TrendPoint> PipelineStore::trend(ProjectId project, std::string_view ref,
                                             int limit) const {
  static const std::string sql = "SELECT " + column_names<TrendPoint>() + R"sql( FROM (
SELECT p.id, iid, status, author_name, coalesce(username, '') AS username, p.created_at, started_at,
       finished_at
  FROM pipelines AS p LEFT JOIN users ON users.id = user_id
 WHERE project_id = ? AND ref = ? AND source <> 'merge_request_event'
 ORDER BY p.id DESC LIMIT ?) AS newest ORDER BY id)sql";
  return select<TrendPoint>(session_, sql, project, ref, limit);
}

std::optional<PipelineRow> PipelineStore::newest(ProjectId project, std::string_view ref) const {
  static const std::string sql = "SELECT " + column_names<PipelineRow>() +
                                 " FROM pipelines WHERE project_id = ? AND ref = ?"
                                 " AND source <> 'merge_request_event' ORDER BY id DESC LIMIT 1";
  return select_one<PipelineRow>(session_, sql, project, ref);
}

std::vector<std::string> PipelineStore::commits_since(ProjectId project, UnixMillis since) const {
  std::vector<std::string> commits;
  for (auto& [sha, count] : select<std::pair<std::string, long long>>(
           session_,
           "SELECT sha, COUNT(*) FROM pipelines"
           " WHERE project_id = ? AND (finished_at IS NULL OR finished_at > ?) GROUP BY sha",
           project, since))
    commits.push_back(std::move(sha));
  return commits;
}

bool PipelineStore::has_successor(const PipelineRow& row) const {
  return select_one<Scalar<long long>>(
             session_,
             "SELECT 1 FROM pipelines WHERE id > ? AND project_id = ? AND sha = ? AND source = ?"
             " LIMIT 1",
             row.id, row.project_id, row.sha, row.source)
      .has_value();
}

std::optional<double> PipelineStore::newest_coverage(ProjectId project,
                                                     std::string_view ref) const {
  const auto row = select_one<Scalar<double>>(session_, R"sql(
SELECT coverage FROM pipelines
 WHERE project_id = ? AND ref = ? AND coverage IS NOT NULL AND finished_at IS NOT NULL
   AND source <> 'merge_request_event'
 ORDER BY id DESC LIMIT 1)sql",
                                              project, ref);
  if (!row) return std::nullopt;
  return row->value;
}

std::vector<CoveragePoint> PipelineStore::coverage_history(ProjectId project, std::string_view ref,
                                                           int limit) const {
  static const std::string sql = "SELECT " + column_names<CoveragePoint>() + " FROM (SELECT " +
                                 column_names<CoveragePoint>() +
                                 " FROM pipelines WHERE project_id = ?1 AND (?2 = '' OR ref = ?2)"
                                 " AND coverage IS NOT NULL AND finished_at IS NOT NULL"
                                 " AND source <> 'merge_request_event'"
                                 " ORDER BY id DESC LIMIT ?3) AS newest ORDER BY id";
  return select<CoveragePoint>(session_, sql, project, ref, limit);
}

std::vector<PipelineRow> PipelineStore::unfinished() const {
  // The condition is the partial index's, word for word.
  static const std::string sql =
      "SELECT " + column_names<PipelineRow>() +
      " FROM pipelines WHERE status NOT IN ('success', 'failed', 'canceled', 'skipped')"
      " ORDER BY id";
  return select<PipelineRow>(session_, sql);
}

PipelineDetails PipelineStore::details(PipelineId id) const {
  static const std::string sql =
      "SELECT " + column_names<DetailsRow>() + " FROM pipeline_details WHERE pipeline_id = ?";
  const auto row = select_one<DetailsRow>(session_, sql, id);
  if (!row) return {};
  return {strings_of_json(row->stages), left_out_rows(row->left_out), finding_rows(row->findings),
          row->variables};
}

std::string PipelineStore::variables(PipelineId id) const {
  const auto row = select_one<Scalar<std::string>>(
      session_, "SELECT variables FROM pipeline_details WHERE pipeline_id = ?", id);
  return row ? row->value : "[]";
}

std::vector<std::pair<std::string, long long>> PipelineStore::count_by_status() const {
  return select<std::pair<std::string, long long>>(
      session_, "SELECT status, COUNT(*) FROM pipelines GROUP BY status ORDER BY status");
}

PipelineId PipelineStore::insert(PipelineRow& row, const PipelineDetails& details) {
  row.iid = select_value<long long>(
      session_, "UPDATE projects SET last_iid = last_iid + 1 WHERE id = ? RETURNING last_iid",
      row.project_id);
  row.id.value = insert_row(session_, "pipelines", row);
  execute(session_, R"sql(
INSERT INTO pipeline_details (pipeline_id, stages, left_out, findings, variables)
VALUES (?, ?, ?, ?, ?))sql",
          row.id, json_of_strings(details.stages), left_out_json(details.left_out),
          findings_json(details.findings), details.variables);
  return row.id;
}

void PipelineStore::update_state(const PipelineRow& row) {
  execute(session_, R"sql(
UPDATE pipelines
   SET status = ?, reason_code = ?, reason_text = ?, coverage = ?, findings_gate = ?,
       findings_gate_text = ?, updated_at = ?, started_at = ?, finished_at = ?
 WHERE id = ?)sql",
          row.status, row.reason_code, row.reason_text, row.coverage, row.findings_gate,
          row.findings_gate_text, row.updated_at, row.started_at, row.finished_at, row.id);
}

}  // namespace slipway::server
