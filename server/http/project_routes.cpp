#include "server/http/project_routes.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "server/auth/audit.h"
#include "server/http/common.h"
#include "server/http/json.h"
#include "server/http/places.h"
#include "server/http/views.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

constexpr int kCoveragePoints = 200;
constexpr long long kShortestPoll = 30;
constexpr long long kLongestPoll = 86'400;

bool is_path_segment(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
  return plain && !text.empty() && text.front() != '-' && text.front() != '.' &&
         text.find("..") == std::string_view::npos && !text.ends_with(".git");
}

bool is_branch_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && text.front() != '-' && text.front() != '/' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 127 &&
                  std::string_view{"~^:?*[\\"}.find(c) == std::string_view::npos;
         });
}

bool is_file_path(std::string_view text) {
  return !text.empty() && text.size() <= 255 && text.front() != '/' &&
         text.find("..") == std::string_view::npos && text.find('\0') == std::string_view::npos;
}

std::string project_object(ProjectId id) {
  return "project/" + std::to_string(id.value);
}

// GitLab's fields. before_script has become the beginning of the script.
json linted_job_view(const LintedJob& job) {
  return {{"name", job.name},
          {"stage", job.stage},
          {"before_script", json::array()},
          {"script", job.script},
          {"after_script", job.after_script},
          {"tag_list", job.tags},
          {"environment", job.environment.empty() ? json() : json(job.environment)},
          {"when", job.when},
          {"allow_failure", job.allow_failure},
          {"needs", job.needs}};
}

// It stands in a header.
bool is_token(std::string_view token) {
  return token.size() <= 1024 && std::all_of(token.begin(), token.end(),
                                             [](unsigned char c) { return c > ' ' && c < 0x7F; });
}

// Whatever their case.
bool holds(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         }) != text.end();
}

bool is_webhook_secret(std::string_view secret) {
  return secret.size() >= 16 && secret.size() <= 256 &&
         std::all_of(secret.begin(), secret.end(),
                     [](unsigned char c) { return c > ' ' && c < 0x7F; });
}

bool is_findings_gate(std::string_view word) {
  return word == "off" || gate_severity(word);
}

void read_fork_fields(FieldReader& fields, ProjectRow& row) {
  constexpr std::size_t kMostAuthors = 200;
  constexpr std::size_t kLongestAuthor = 100;
  row.fork_pipelines = fields.text("fork_pipelines").value_or(row.fork_pipelines);
  row.fork_trusted_authors =
      fields.texts("fork_trusted_authors").value_or(row.fork_trusted_authors);
  const long long level = fields.number("fork_approval_level").value_or(row.fork_approval_level);
  if (row.fork_pipelines != "never" && row.fork_pipelines != "approval" &&
      row.fork_pipelines != "trusted")
    fields.refuse("fork_pipelines", "never, approval or trusted");
  if (level == 30 || level == 40)
    row.fork_approval_level = static_cast<int>(level);
  else
    fields.refuse("fork_approval_level", "30 (developers) or 40 (maintainers)");
  const auto& authors = row.fork_trusted_authors;
  const bool fine = std::all_of(authors.begin(), authors.end(), [](const std::string& author) {
    return !author.empty() && author.size() <= kLongestAuthor && author != "id:";
  });
  if (!fine || authors.size() > kMostAuthors)
    fields.refuse("fork_trusted_authors",
                  "at most 200 logins, or id:NUMBER, of 1 to 100 characters");
}

// Who asks, and which of the projects are wanted: `membership` or `min_access_level`.
Result<ProjectViewer> viewer_for(const Call& call, UnixMillis now) {
  auto viewer = viewer_of(call.principal, now);
  if (call.request.query_value("membership").value_or("") == "true")
    viewer.least_level = static_cast<int>(Level::Guest);
  const auto least = query_number(call.request, "min_access_level");
  if (!least) return least.error();
  if (*least) viewer.least_level = static_cast<int>(std::min(**least, 100LL));
  return viewer;
}

}  // namespace

Result<void> check_project_path(std::string_view path) {
  auto rest = path;
  std::size_t segments = 0;
  bool good = path.size() <= 255;
  while (good && !rest.empty()) {
    const auto slash = std::min(rest.find('/'), rest.size());
    good = is_path_segment(rest.substr(0, slash)) && slash + 1 != rest.size();
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    ++segments;
  }
  // The first segment must not be one of our own addresses.
  const auto first = path.substr(0, path.find('/'));
  const bool reserved = first == "api" || first == "hooks" || first == "assets" || first == "oauth";
  if (good && segments >= 1 && !reserved) return {};
  return fail(ErrorKind::InvalidInput,
              "field 'path' must be like group/name, of letters, digits, '_', '-' and '.'");
}

ProjectRoutes::ProjectRoutes(Database& database, Coordinator& coordinator, ProjectSetup& setup,
                             PipelineIntake& intake, const Clock& clock, std::string external_url)
    : database_(database),
      coordinator_(coordinator),
      setup_(setup),
      intake_(intake),
      clock_(clock),
      url_(std::move(external_url)) {}

Response ProjectRoutes::view(const ProjectRow& row, int status) {
  auto read = database_.read();
  return json_response(status, Views{*read, url_, clock_.now()}.project(row));
}

Result<Response> ProjectRoutes::list(const Call& call) {
  const auto page = page_of(call.request);
  if (!page) return page.error();
  const auto search = call.request.query_value("search").value_or("");
  const auto status = query_word(call.request, "last_pipeline_status", status_words());
  if (!status) return status.error();
  const auto visibility = query_word(call.request, "visibility", {"private", "internal", "public"});
  if (!visibility) return visibility.error();
  const auto viewer = viewer_for(call, clock_.now());
  if (!viewer) return viewer.error();
  auto read = database_.read();
  const auto rows = read->projects.list(search, *visibility, *page, *status, *viewer);
  const Views views{*read, url_, clock_.now()};
  auto items = json::array();
  for (const auto& row : rows.rows) items.push_back(views.project(row));
  return list_response(items, *page, rows.total);
}

Result<void> ProjectRoutes::read_fields(const json& body, ProjectRow& row) {
  FieldReader fields{body};
  const ProjectRow before = row;
  row.repository_url = fields.text("url").value_or(row.repository_url);
  row.default_branch = fields.text("default_branch").value_or(row.default_branch);
  row.visibility = fields.text("visibility").value_or(row.visibility);
  row.ci_config_path = fields.text("ci_config_path").value_or(row.ci_config_path);
  row.keep_latest_artifact = fields.flag("keep_latest_artifact").value_or(row.keep_latest_artifact);
  row.public_jobs = fields.flag("public_jobs").value_or(row.public_jobs);
  read_fork_fields(fields, row);
  const long long poll = fields.number("poll_interval").value_or(row.poll_interval);
  if (poll == 0 || (poll >= kShortestPoll && poll <= kLongestPoll))
    row.poll_interval = static_cast<int>(poll);
  else
    fields.refuse("poll_interval", "0, or 30 to 86400 seconds");
  row.findings_gate = fields.text("findings_gate").value_or(row.findings_gate);
  if (!is_findings_gate(row.findings_gate))
    fields.refuse("findings_gate", "off, critical, high, medium or low");
  if (row.visibility != "private" && row.visibility != "internal" && row.visibility != "public")
    fields.refuse("visibility", "private, internal or public");
  if (!is_branch_name(row.default_branch)) fields.refuse("default_branch", "the name of a branch");
  if (!is_file_path(row.ci_config_path))
    fields.refuse("ci_config_path", "a path inside the repository");
  if (const auto secret = fields.text("webhook_secret")) {
    if (is_webhook_secret(*secret))
      row.webhook_secret = setup_.seal_webhook_secret(*secret);
    else
      fields.refuse("webhook_secret", "16 to 256 characters without blanks");
  }
  row.forge = fields.text("forge").value_or(row.forge);
  row.forge_api_url = fields.text("forge_api_url").value_or(row.forge_api_url);
  const auto token = fields.text("forge_token");
  if (token && !is_token(*token)) fields.refuse("forge_token", "a token, without blanks");
  if (fields.error()) return *fields.error();
  if (auto fine = setup_.check_repository_url(row.repository_url); !fine) return fine;
  return read_forge(before, token, row);
}

Result<void> ProjectRoutes::read_forge(const ProjectRow& before,
                                       const std::optional<std::string>& token, ProjectRow& row) {
  if (row.forge.empty()) {
    row.forge_token.clear();
    return {};
  }
  const auto api = setup_.forge_api_of(row);
  if (!api) return api.error();
  const auto api_before = setup_.forge_api_of(before);
  // A token is for the host that it was given for.
  if (!api_before || *api_before != *api) row.forge_token.clear();
  if (token) row.forge_token = token->empty() ? "" : setup_.seal_forge_token(*token);
  return {};
}

Result<Response> ProjectRoutes::create(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  ProjectRow row;
  row.path = fields.needed_text("path");
  row.repository_url = fields.needed_text("url");
  if (fields.error()) return *fields.error();
  if (auto fine = check_project_path(row.path); !fine) return fine.error();
  if (auto fine = read_fields(*body, row); !fine) return fine.error();
  auto secret = fields.text("webhook_secret");
  if (!secret) {
    secret = random_token("");
    row.webhook_secret = setup_.seal_webhook_secret(*secret);
  }
  const auto made =
      coordinator_.write<ProjectRow>([&](WriteTransaction& transaction) -> Result<ProjectRow> {
        auto& stores = transaction.stores;
        if (stores.projects.find_by_path(row.path))
          return fail(ErrorKind::Conflict, "there is a project '" + row.path + "' already");
        row.created_at = transaction.now;
        row.id = stores.projects.insert(row);
        transaction.changes.projects.push_back(row.id);
        auth::audit(stores, transaction.now,
                    {call.principal.name(), "project.created", project_object(row.id), false,
                     call.request.remote});
        return row;
      });
  if (!made) return made.error();
  auto read = database_.read();
  auto view = Views{*read, url_, clock_.now()}.project(*made);
  view["webhook_secret"] = *secret;
  return json_response(201, view);
}

Result<Response> ProjectRoutes::forge_repositories(const Call& call) {
  constexpr long long kMostPages = 1000;
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  RepositoryQuery query;
  const auto forge = forge_named(fields.needed_text("forge"));
  query.token = fields.needed_text("token");
  query.api_url = fields.text("forge_api_url").value_or("");
  query.search = fields.text("search").value_or("");
  const long long page = fields.number("page").value_or(1);
  if (!forge) fields.refuse("forge", "github, gitlab, gitea, forgejo or bitbucket");
  if (query.token.empty() || !is_token(query.token))
    fields.refuse("token", "a token, without blanks");
  if (query.search.size() > 200) fields.refuse("search", "at most 200 characters");
  if (page < 1 || page > kMostPages) fields.refuse("page", "a number from 1 to 1000");
  if (fields.error()) return *fields.error();
  query.forge = *forge;
  query.page = static_cast<int>(page);
  const auto found = setup_.forge_repositories(query);
  if (!found) return found.error();
  auto read = database_.read();
  auto items = json::array();
  for (const ForgeRepository& one : found->repositories) {
    if (!holds(one.path, query.search)) continue;
    items.push_back({{"path", one.path},
                     {"url", one.url},
                     {"default_branch", one.default_branch},
                     {"private", one.is_private},
                     {"known", read->projects.find_by_path(one.path).has_value()}});
  }
  return json_response(200, {{"repositories", std::move(items)}, {"more", found->more}});
}

Result<Response> ProjectRoutes::show(const Call& call) {
  return view(*call.project, 200);
}

Result<Response> ProjectRoutes::update(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  auto row = *call.project;
  if (auto fine = read_fields(*body, row); !fine) return fine.error();
  const auto done = coordinator_.write<void>([&](WriteTransaction& transaction) -> Result<void> {
    if (!transaction.stores.projects.find(row.id)) return not_found("Project");
    transaction.stores.projects.update(row);
    if (row.default_branch != call.project->default_branch)
      transaction.stores.protections.protect(row.id, RefKind::Branch, row.default_branch,
                                             transaction.now);
    transaction.changes.projects.push_back(row.id);
    auth::audit(transaction.stores, transaction.now,
                {call.principal.name(), "project.changed", project_object(row.id), false,
                 call.request.remote});
    return {};
  });
  if (!done) return done.error();
  return view(row, 200);
}

Result<Response> ProjectRoutes::remove(const Call& call) {
  const auto id = call.project->id;
  const auto done = wait_for<void>(
      [&](Completion<void> then) { coordinator_.delete_project(id, std::move(then)); });
  if (!done) return done.error();
  note_audit(coordinator_, {call.principal.name(), "project.deleted", project_object(id), false,
                            call.request.remote});
  setup_.removed(id);
  return json_response(202, {{"message", "202 Accepted"}});
}

Result<Response> ProjectRoutes::coverage(const Call& call) {
  const auto ref = call.request.query_value("ref").value_or("");
  auto read = database_.read();
  auto items = json::array();
  for (const auto& point : read->pipelines.coverage_history(call.project->id, ref, kCoveragePoints))
    items.push_back(coverage_view(point));
  return json_response(200, items);
}

Result<Response> ProjectRoutes::lint(const Call& call) {
  const auto body = parse_object(call.request.body);
  if (!body) return body.error();
  FieldReader fields{*body};
  LintRequest request;
  request.content = fields.needed_text("content");
  request.ref = fields.text("ref").value_or("");
  request.file_ref = request.ref;
  request.simulate = fields.flag("dry_run").value_or(false);
  const bool with_jobs = fields.flag("include_jobs").value_or(false);
  const auto event = fields.text("event").value_or("push");
  if (fields.error()) return *fields.error();
  const auto source = pipeline::parse_source(event);
  if (!source) return Error{source.error()}.in("event");
  request.event = *source;
  return lint_response(call, request, with_jobs);
}

Result<Response> ProjectRoutes::pipeline_file(const Call& call) {
  const auto file = intake_.pipeline_file(
      *call.project, std::string{call.request.query_value("ref").value_or("")});
  if (!file) return file.error();
  return json_response(
      200,
      {{"path", file->path}, {"ref", file->ref}, {"sha", file->sha}, {"content", file->content}});
}

Result<Response> ProjectRoutes::lint_of_project(const Call& call) {
  const auto text = [&](std::string_view name) {
    return std::string{call.request.query_value(name).value_or("")};
  };
  LintRequest request;
  request.file_ref = text("content_ref");
  request.ref = text("dry_run_ref");
  request.simulate = text("dry_run") == "true";
  return lint_response(call, request, text("include_jobs") == "true");
}

Result<Response> ProjectRoutes::lint_response(const Call& call, LintRequest request,
                                              bool with_jobs) {
  request.user = call.principal.user;
  const auto verdict = intake_.lint(*call.project, request);
  if (!verdict) return verdict.error();
  auto errors = json::array();
  auto warnings = json::array();
  auto findings = json::array();
  for (const auto& finding : verdict->findings) {
    (finding.severity == "error" ? errors : warnings).push_back(finding.message);
    findings.push_back(finding_view(finding));
  }
  json view{{"valid", verdict->valid},
            {"errors", std::move(errors)},
            {"warnings", std::move(warnings)},
            {"findings", std::move(findings)},
            {"merged_yaml", verdict->merged_yaml}};
  if (with_jobs) {
    view["jobs"] = json::array();
    for (const LintedJob& job : verdict->jobs) view["jobs"].push_back(linted_job_view(job));
    view["left_out"] = left_out_view(verdict->left_out);
  }
  return json_response(200, view);
}

}  // namespace slipway::server::http
