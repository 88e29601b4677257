#include "server/store/session.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::StoreFixture;

TEST_CASE("pipelines are numbered within their project", "[store]") {
  StoreFixture fixture;
  const ProjectId first = fixture.project("a/first");
  const ProjectId second = fixture.project("a/second");

  CHECK(fixture.pipeline(first).iid == 1);
  CHECK(fixture.pipeline(first).iid == 2);
  CHECK(fixture.pipeline(second).iid == 1);
}

TEST_CASE("a pipeline comes back with every field", "[store]") {
  StoreFixture fixture;
  PipelineRow row;
  row.project_id = fixture.project();
  row.status = "running";
  row.reason_code = "running";
  row.reason_text = "1 job runs";
  row.source = "web";
  row.ref = "v1.0";
  row.tag = true;
  row.ref_protected = true;
  row.sha = "feed";
  row.before_sha = "beef";
  row.name = "nightly";
  row.commit_title = "Title";
  row.commit_message = "Title\n\nBody ü";
  row.author_name = "Ann";
  row.author_email = "ann@example.org";
  row.committed_at = 77;
  row.user_id = UserId{3};
  row.created_at = 10;
  row.updated_at = 11;
  fixture.commit([&](Stores& stores) { return stores.pipelines.insert(row, {}); });
  row.status = "success";
  row.coverage = 93.25;
  row.updated_at = 20;
  row.started_at = 12;
  row.finished_at = 20;
  fixture.commit([&](Stores& stores) {
    stores.pipelines.update_state(row);
    return 0;
  });

  const auto found = fixture.database->read()->pipelines.find(row.id);

  REQUIRE(found);
  CHECK(found->iid == 1);
  CHECK(found->status == "success");
  CHECK(found->source == "web");
  CHECK(found->ref == "v1.0");
  CHECK(found->tag);
  CHECK(found->ref_protected);
  CHECK(found->sha == "feed");
  CHECK(found->before_sha == "beef");
  CHECK(found->name == "nightly");
  CHECK(found->commit_title == "Title");
  CHECK(found->commit_message == "Title\n\nBody ü");
  CHECK(found->author_name == "Ann");
  CHECK(found->author_email == "ann@example.org");
  CHECK(found->committed_at == 77);
  CHECK(found->user_id == UserId{3});
  CHECK(found->coverage == 93.25);
  CHECK(found->created_at == 10);
  CHECK(found->updated_at == 20);
  CHECK(found->started_at == 12);
  CHECK(found->finished_at == 20);
}

TEST_CASE("what was left out and what was found stays with the pipeline", "[store]") {
  StoreFixture fixture;
  PipelineRow row;
  row.project_id = fixture.project();
  PipelineDetails details;
  details.stages = {"build", "test"};
  details.left_out = {
      {"deploy", "deploy", "rules_not_matched", "no rule matched", ".gitlab-ci.yml", 12}};
  details.findings = {{"warning", "needs_missing", "says 'x'", "ci/a.yml", 3, 5, "try y"}};
  details.variables = R"([{"key":"A"}])";
  fixture.commit([&](Stores& stores) { return stores.pipelines.insert(row, details); });

  const auto found = fixture.database->read()->pipelines.details(row.id);

  CHECK(found.stages == details.stages);
  REQUIRE(found.left_out.size() == 1);
  CHECK(found.left_out[0].name == "deploy");
  CHECK(found.left_out[0].stage == "deploy");
  CHECK(found.left_out[0].reason_code == "rules_not_matched");
  CHECK(found.left_out[0].reason_text == "no rule matched");
  CHECK(found.left_out[0].file == ".gitlab-ci.yml");
  CHECK(found.left_out[0].line == 12);
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings[0].severity == "warning");
  CHECK(found.findings[0].code == "needs_missing");
  CHECK(found.findings[0].message == "says 'x'");
  CHECK(found.findings[0].line == 3);
  CHECK(found.findings[0].column == 5);
  CHECK(found.findings[0].hint == "try y");
  CHECK(found.variables == R"([{"key":"A"}])");
}

TEST_CASE("pipelines are listed newest first, in pages, with the length of the whole", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  fixture.pipeline(fixture.project("a/other"));
  for (int i = 0; i < 5; ++i) fixture.pipeline(project);

  const auto page = fixture.database->read()->pipelines.list(project, {}, {2, 2});

  CHECK(page.total == 5);
  REQUIRE(page.rows.size() == 2);
  CHECK(page.rows[0].iid == 3);
  CHECK(page.rows[1].iid == 2);
}

TEST_CASE("the list of pipelines is filtered by ref, status, source and sha", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  fixture.pipeline(project, "main", "success");
  fixture.pipeline(project, "main", "failed");
  fixture.pipeline(project, "topic", "failed");
  auto reader = fixture.database->read();
  const auto count = [&](const PipelineFilter& filter) {
    return reader->pipelines.list(project, filter, {}).total;
  };

  CHECK(count({}) == 3);
  CHECK(count({.ref = "main"}) == 2);
  CHECK(count({.ref = "main", .status = "failed"}) == 1);
  CHECK(count({.source = "push"}) == 3);
  CHECK(count({.source = "web"}) == 0);
  CHECK(count({.sha = "0123456789abcdef"}) == 3);
  CHECK(count({.ref = "' OR 1=1 --"}) == 0);
}

TEST_CASE("pipelines are found by who made them, by a text and by scope", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  const auto add = [&](auto change) {
    return fixture.commit([&](Stores& stores) {
      PipelineRow row;
      row.project_id = project;
      row.ref = "main";
      row.status = "success";
      row.source = "push";
      row.sha = "0123abcd";
      change(row);
      stores.pipelines.insert(row, {});
      return row.iid;
    });
  };
  const UserId ann = fixture.commit([&](Stores& stores) {
    UserRow user;
    user.username = "ann";
    return stores.users.insert(user);
  });
  add([&](PipelineRow& row) {
    row.user_id = ann;
    row.author_name = "Grace Hopper";
    row.commit_title = "Round half cents 50% up";
  });
  add([](PipelineRow& row) {
    row.author_name = "Ann";
    row.status = "canceled";
    row.ref = "topic/tax";
  });
  add([](PipelineRow& row) {
    row.status = "running";
    row.sha = "ffff";
    row.name = "nightly";
  });
  add([](PipelineRow& row) {
    row.ref = "v1";
    row.tag = true;
  });
  auto reader = fixture.database->read();
  const auto found = [&](const PipelineFilter& filter) {
    std::vector<std::int64_t> iids;
    for (const auto& row : reader->pipelines.list(project, filter, {}).rows)
      iids.push_back(row.iid);
    return iids;
  };
  using Iids = std::vector<std::int64_t>;

  CHECK(found({.username = "ANN"}) == Iids{2, 1});
  CHECK(found({.username = "grace hopper"}).empty());
  CHECK(found({.search = "HALF cents"}) == Iids{1});
  CHECK(found({.search = "50%"}) == Iids{1});
  CHECK(found({.search = "%"}) == Iids{1});
  CHECK(found({.search = "hopper"}) == Iids{1});
  CHECK(found({.search = "Tax"}) == Iids{2});
  CHECK(found({.search = "FF"}) == Iids{3});
  CHECK(found({.search = "night"}) == Iids{3});
  CHECK(found({.search = "#4"}) == Iids{4});
  CHECK(found({.scope = "running"}) == Iids{3});
  CHECK(found({.scope = "finished"}) == Iids{4, 2, 1});
  CHECK(found({.scope = "branches"}) == Iids{3, 2});
  CHECK(found({.scope = "tags"}) == Iids{4});
  CHECK(found({.order_by = "ref", .ascending = true}) == Iids{1, 3, 2, 4});
  CHECK(found({.order_by = "ref"}) == Iids{4, 2, 3, 1});
}

TEST_CASE("the trend of a branch is its newest pipelines, oldest first", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  for (const auto* status : {"failed", "success", "failed"})
    fixture.pipeline(project, "main", status);
  fixture.pipeline(project, "topic", "running");

  const auto trend = fixture.database->read()->pipelines.trend(project, "main", 2);

  REQUIRE(trend.size() == 2);
  CHECK(trend[0].status == "success");
  CHECK(trend[1].status == "failed");
  CHECK(trend[1].iid == 3);
}

TEST_CASE("the newest pipeline and the newest coverage of a ref", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  auto with_coverage = fixture.pipeline(project, "main", "success");
  with_coverage.coverage = 81.5;
  with_coverage.finished_at = 30;
  fixture.commit([&](Stores& stores) {
    stores.pipelines.update_state(with_coverage);
    return 0;
  });
  const auto newest = fixture.pipeline(project, "main", "running");
  fixture.pipeline(project, "topic", "running");
  auto reader = fixture.database->read();

  CHECK(reader->pipelines.newest(project, "main")->id == newest.id);
  CHECK(reader->pipelines.newest_coverage(project, "main") == 81.5);
  CHECK_FALSE(reader->pipelines.newest_coverage(project, "topic"));
  CHECK_FALSE(reader->pipelines.newest(project, "nowhere"));
}

TEST_CASE("coverage over time is the last points, oldest first", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  for (int i = 1; i <= 4; ++i) {
    auto row = fixture.pipeline(project, i == 4 ? "topic" : "main", "success");
    row.coverage = i * 10.0;
    row.finished_at = 30;
    fixture.commit([&](Stores& stores) {
      stores.pipelines.update_state(row);
      return 0;
    });
  }
  auto reader = fixture.database->read();

  const auto all = reader->pipelines.coverage_history(project, "", 3);
  const auto main = reader->pipelines.coverage_history(project, "main", 10);

  REQUIRE(all.size() == 3);
  CHECK(all.front().coverage == 20.0);
  CHECK(all.back().coverage == 40.0);
  CHECK(main.size() == 3);
}

TEST_CASE("pipelines that may still change are what a restart reads", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  const auto running = fixture.pipeline(project, "main", "running");
  fixture.pipeline(project, "main", "success");
  const auto blocked = fixture.pipeline(project, "main", "manual");
  fixture.pipeline(project, "main", "canceled");

  const auto unfinished = fixture.database->read()->pipelines.unfinished();

  REQUIRE(unfinished.size() == 2);
  CHECK(unfinished[0].id == running.id);
  CHECK(unfinished[1].id == blocked.id);
}

TEST_CASE("pipelines are counted by status", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  fixture.pipeline(project, "main", "success");
  fixture.pipeline(project, "main", "success");
  fixture.pipeline(project, "main", "failed");

  const auto counts = fixture.database->read()->pipelines.count_by_status();

  CHECK(counts == std::vector<std::pair<std::string, long long>>{{"failed", 1}, {"success", 2}});
}

TEST_CASE("a long list is counted only so far, and goes on to its end", "[store]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project();
  const PipelineRow first = fixture.pipeline(id);
  execute(fixture.database->writer_session(), R"sql(
INSERT INTO pipelines (iid, project_id, status, reason_code, reason_text, source, ref, tag, ref_protected,
  sha, before_sha, name, commit_title, commit_message, author_name, author_email, cancel_on_failure,
  created_at, updated_at)
WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
SELECT i, ?1, 'success', '', '', 'push', 'main', 0, 0, '', '', '', '', '', '', '', 0, i, i FROM n)sql",
          id);
  auto read = fixture.database->read();

  CHECK(read->pipelines.list(id, {}, {1, 20}).total == 10'001);
  CHECK(read->pipelines.list(id, {}, {502, 20}).total > 502 * 20);
  const auto last = read->pipelines.list(id, {}, {503, 20});
  CHECK(last.total == 10'050);
  REQUIRE(last.rows.size() == 10);
  CHECK(last.rows.back().id == first.id);
  PipelineFilter created;
  created.status = "created";
  CHECK(read->pipelines.list(id, created, {}).total == 1);
}
