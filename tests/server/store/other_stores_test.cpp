#include "server/store/migrations.h"
#include "server/store/session.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::StoreFixture;

namespace {

ErrorKind kind_of_failure(const std::function<void()>& act) {
  try {
    act();
  } catch (const StoreFailure& failure) {
    return failure.error().kind;
  }
  FAIL("it was accepted");
  return ErrorKind::Internal;
}

}  // namespace

TEST_CASE("a project is found by its path in any case, and a taken path is a conflict", "[store]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project("Group/Name");

  CHECK(fixture.stores().projects.find_by_path("group/name")->id == id);
  CHECK_FALSE(fixture.stores().projects.find_by_path("group/other"));
  CHECK(kind_of_failure([&] { fixture.project("group/NAME"); }) == ErrorKind::Conflict);
  fixture.database->rollback();
}

TEST_CASE("projects are searched by a part of their path and by visibility", "[store]") {
  StoreFixture fixture;
  fixture.project("a/web");
  fixture.project("b/web_shop");
  auto open = *fixture.stores().projects.find(fixture.project("c/api"));
  open.visibility = "public";
  fixture.commit([&](Stores& stores) {
    stores.projects.update(open);
    return 0;
  });
  auto reader = fixture.database->read();

  CHECK(reader->projects.list("WEB", "", {}).total == 2);
  CHECK(reader->projects.list("web_", "", {}).total == 1);
  CHECK(reader->projects.list("%", "", {}).total == 0);
  CHECK(reader->projects.list("", "public", {}).rows.at(0).path == "c/api");
}

TEST_CASE("projects are listed by the state of their default branch", "[store]") {
  StoreFixture fixture;
  const ProjectId red = fixture.project("a/red");
  const ProjectId green = fixture.project("b/green");
  fixture.project("c/never-ran");
  fixture.pipeline(red, "main", "success");
  fixture.pipeline(red, "main", "failed");
  fixture.pipeline(green, "main", "failed");
  fixture.pipeline(green, "main", "success");
  fixture.pipeline(green, "topic", "failed");

  const auto failing = fixture.database->read()->projects.list("", "", {}, "failed");

  REQUIRE(failing.total == 1);
  CHECK(failing.rows.at(0).path == "a/red");
}

TEST_CASE("a project takes what belongs to it along when it goes", "[store]") {
  StoreFixture fixture;
  const ProjectId id = fixture.project();
  const auto pipeline = fixture.pipeline(id);
  fixture.job(pipeline, "a");
  fixture.commit([&](Stores& stores) {
    VariableRow variable;
    variable.project_id = id;
    variable.key = "KEY";
    stores.variables.insert(variable);
    stores.projects.remove(id);
    return 0;
  });

  CHECK_FALSE(fixture.stores().pipelines.find(pipeline.id));
  CHECK(fixture.stores().jobs.of_pipeline(pipeline.id).empty());
  CHECK(fixture.stores().variables.list(VariableOwner::project(id), {}).total == 0);
  CHECK(fixture.stores().protections.of_project(id, RefKind::Branch).empty());
}

TEST_CASE("a runner is found by its token and keeps what it was told", "[store]") {
  StoreFixture fixture;
  RunnerRow row;
  row.token_hash = "hash";
  row.description = "builder";
  row.tags = {"docker"};
  row.run_untagged = false;
  row.maximum_timeout = 600;
  row.created_at = 3;
  row.id = fixture.stores().runners.insert(row);
  CHECK(fixture.stores().runners.find_by_token("hash") == row);

  row.paused = true;
  row.tags = {};
  row.protected_only = true;
  row.maximum_timeout.reset();
  fixture.stores().runners.update(row);

  CHECK(fixture.stores().runners.find(row.id) == row);
  CHECK(fixture.stores().runners.all().size() == 1);
  fixture.stores().runners.remove(row.id);
  CHECK_FALSE(fixture.stores().runners.find_by_token("hash"));
}

TEST_CASE("each process of a runner has one row, renewed when it is seen", "[store]") {
  StoreFixture fixture;
  auto& runners = fixture.stores().runners;
  RunnerRow row;
  row.id = runners.insert(row);
  runners.contacted({row.id, "s_1", "1.0", "linux", "amd64", "shell", "10.0.0.1", 5});
  runners.contacted({row.id, "s_2", "1.0", "linux", "amd64", "shell", "10.0.0.2", 6});
  runners.contacted({row.id, "s_1", "1.1", "linux", "amd64", "docker", "10.0.0.1", 7});

  const auto managers = runners.managers(row.id);

  REQUIRE(managers.size() == 2);
  CHECK(managers[0].system_id == "s_1");
  CHECK(managers[0].version == "1.1");
  CHECK(managers[0].executor == "docker");
  CHECK(runners.find(row.id)->contacted_at == 7);
  CHECK(runners.remove_manager(row.id, "s_2"));
  CHECK_FALSE(runners.remove_manager(row.id, "s_2"));
}

TEST_CASE("people, their sessions and their tokens", "[store]") {
  StoreFixture fixture;
  Stores& stores = fixture.stores();
  UserRow user;
  user.username = "Ann";
  user.password_hash = "argon";
  user.is_admin = true;
  user.id = stores.users.insert(user);

  SECTION("a name is found in any case and cannot be taken twice") {
    CHECK(stores.users.find_by_name("ann")->id == user.id);
    CHECK(stores.users.count() == 1);
    CHECK(kind_of_failure([&] { stores.users.insert(user); }) == ErrorKind::Conflict);
    user.disabled = true;
    user.auth_epoch = 1;
    stores.users.update(user);
    CHECK(stores.users.find(user.id)->disabled);
    CHECK(stores.users.find(user.id)->auth_epoch == 1);
  }
  SECTION("a session is found by its hash until it is removed or has expired") {
    stores.sessions.insert({"one", user.id, 0, 1, 1, 100, "10.0.0.1", "browser"});
    stores.sessions.insert({"two", user.id, 0, 1, 1, 200, "", ""});
    stores.sessions.touch("one", 9);
    CHECK(stores.sessions.find("one")->seen_at == 9);
    CHECK(stores.sessions.find("one")->user_agent == "browser");
    stores.sessions.remove_expired(100);
    CHECK_FALSE(stores.sessions.find("one"));
    stores.sessions.remove_of_user(user.id);
    CHECK_FALSE(stores.sessions.find("two"));
  }
  SECTION("a token is used, listed and revoked once") {
    TokenRow token;
    token.token_hash = "hash";
    token.user_id = user.id;
    token.name = "laptop";
    token.scopes = {"api", "read_api"};
    token.expires_at = 50;
    token.id = stores.tokens.insert(token);
    stores.tokens.used(token.id, 7);
    stores.tokens.revoke(token.id, 8);
    stores.tokens.revoke(token.id, 9);

    const auto found = stores.tokens.find_by_hash("hash");

    REQUIRE(found);
    CHECK(found->scopes == token.scopes);
    CHECK(found->expires_at == 50);
    CHECK(found->last_used_at == 7);
    CHECK(found->revoked_at == 8);
    CHECK(stores.tokens.of_user(user.id).size() == 1);
    CHECK(stores.tokens.find(token.id)->name == "laptop");
  }
}

TEST_CASE("a delivery is kept with its body and counts once", "[store]") {
  StoreFixture fixture;
  const ProjectId project = fixture.project();
  auto& deliveries = fixture.stores().deliveries;
  DeliveryRow row;
  row.project_id = project;
  row.delivery_key = "abc";
  row.event = "push";
  row.headers = "{}";
  row.body = R"({"ref":"refs/heads/main"})";
  row.verdict = "accepted";
  row.received_at = 4;
  row.id = deliveries.insert(row);

  CHECK(kind_of_failure([&] { deliveries.insert(row); }) == ErrorKind::Conflict);
  CHECK(deliveries.find_by_key(project, "abc")->body == row.body);
  CHECK(deliveries.waiting().size() == 1);
  CHECK(deliveries.list(project, {}).rows.at(0).body.empty());
  CHECK(deliveries.list(project, {}).total == 1);
  deliveries.set_verdict(row.id, "done", "pipeline made", PipelineId{5});
  CHECK(deliveries.waiting().empty());
  CHECK(deliveries.find(row.id)->pipeline_id == PipelineId{5});
  CHECK(deliveries.find(row.id)->reason == "pipeline made");
}

TEST_CASE("artifacts of a job: the last of a kind counts, the expired are found", "[store]") {
  StoreFixture fixture;
  const auto pipeline = fixture.pipeline(fixture.project());
  const auto job = fixture.job(pipeline, "a");
  auto& artifacts = fixture.stores().artifacts;
  ArtifactRow row;
  row.job_id = job.id;
  row.file_name = "artifacts.zip";
  row.blob = "0/1/x";
  row.size = 10;
  artifacts.insert(row);
  row.size = 20;
  row.expire_at = 50;
  row.id = artifacts.insert(row);

  CHECK(artifacts.find(job.id, "archive")->size == 20);
  CHECK_FALSE(artifacts.find(job.id, "junit"));
  CHECK(artifacts.of_job(job.id).size() == 2);
  CHECK(artifacts.of_pipeline(pipeline.id).size() == 2);
  CHECK(artifacts.expired(49, {}, 10).empty());
  REQUIRE(artifacts.expired(50, {}, 10).size() == 1);
  CHECK(artifacts.expired(50, {50, row.id}, 10).empty());
  artifacts.remove(row.id);
  CHECK(artifacts.find(job.id, "archive")->size == 10);
}

TEST_CASE("of each channel of the outbox only the oldest effect is due", "[store]") {
  StoreFixture fixture;
  auto& outbox = fixture.stores().outbox;
  const auto first = outbox.insert({{}, "status", "project/1", "{}", 0, 1, 10, ""});
  outbox.insert({{}, "status", "project/1", "{}", 0, 1, 0, ""});
  const auto other = outbox.insert({{}, "status", "project/2", "{}", 0, 1, 20, ""});

  CHECK(outbox.due(9, 10).empty());
  CHECK(outbox.next_due() == 10);
  REQUIRE(outbox.due(20, 10).size() == 2);
  outbox.postpone(first, 30, "refused");
  REQUIRE(outbox.due(20, 10).size() == 1);
  CHECK(outbox.due(20, 10)[0].id == other);
  CHECK(outbox.due(30, 10)[0].last_error == "refused");
  CHECK(outbox.due(30, 10)[0].attempts == 1);
  outbox.abandon(first, 31, "given up");
  CHECK(outbox.due(30, 10)[0].id.value == first.value + 1);
  outbox.delivered(other);
  CHECK(outbox.count_waiting() == 1);
}

TEST_CASE("the audit log takes rows and gives none back to change", "[store]") {
  StoreFixture fixture;
  auto& audit = fixture.stores().audit;
  audit.append({0, 1, "user/1", "runner.created", "runner/2", "ok", "{}", "10.0.0.1", ""});
  audit.append({0, 2, "system", "server.started", "", "ok", "{}", "", ""});

  const auto page = audit.list({});

  CHECK(page.total == 2);
  CHECK(page.rows.at(0).action == "server.started");
  CHECK(page.rows.at(1).actor == "user/1");
}

TEST_CASE("the audit log's chain names the first entry that was tampered with", "[store]") {
  StoreFixture fixture;
  for (int i = 1; i <= 5; ++i)
    fixture.commit([&](Stores& stores) {
      stores.audit.append({0, i, "user/" + std::to_string(i), "runner.created", "runner/2", "ok",
                           "{}", "10.0.0.1", ""});
      return 0;
    });
  const auto whole = fixture.database->read()->audit.verify();
  CHECK_FALSE(whole.broken);
  CHECK(whole.rows == 5);
  CHECK(whole.head == fixture.database->read()->audit.list({}).rows.at(0).hash);

  struct Row {
    const char* sql;
    std::int64_t broken;
  };
  const auto row = GENERATE(values<Row>({
      {"UPDATE audit SET actor = 'user/9' WHERE seq = 3", 3},
      {"UPDATE audit SET at = 99 WHERE seq = 1", 1},
      {"UPDATE audit SET hash = '' WHERE seq <= 2", 3},
      {"UPDATE audit SET hash = '' WHERE seq = 2", 2},
      {"UPDATE audit SET actor = 'user/', action = '2runner.created' WHERE seq = 2", 2},
      {"DELETE FROM audit WHERE seq = 3", 3},
      {"DELETE FROM audit WHERE seq = 1", 1},
      {"DELETE FROM audit WHERE seq = 5", 5},
      {"UPDATE audit SET seq = -seq WHERE seq IN (2, 3)", 2},
      {"INSERT INTO audit (seq, at, actor, action, object, result, detail, ip_address, hash)"
       " SELECT 6, at, actor, action, object, result, detail, ip_address, hash FROM audit"
       " WHERE seq = 5",
       6},
  }));
  CAPTURE(row.sql);
  fixture.database.reset();
  {
    const auto session = open_session(fixture.at.place(), Session::Mode::Writer);
    for (const char* trigger : {"audit_is_not_changed", "audit_is_not_removed"})
      session->run_schema({("DROP TRIGGER " + std::string{trigger}).c_str(),
                           ("ALTER TABLE audit DISABLE TRIGGER " + std::string{trigger}).c_str()});
    session->run(row.sql);
    // The next test borrows the same tables.
    session->run_schema({"", "ALTER TABLE audit ENABLE TRIGGER USER"});
  }
  fixture.reopen();
  const auto verdict = fixture.database->read()->audit.verify();
  CHECK(verdict.broken == row.broken);
  CHECK(verdict.rows == row.broken - 1);
}

TEST_CASE("a setting is put, replaced and removed", "[store]") {
  StoreFixture fixture;
  auto& settings = fixture.stores().settings;
  CHECK_FALSE(settings.get("setup_done"));
  settings.put("setup_done", "0");
  settings.put("setup_done", "1");
  CHECK(settings.get("setup_done") == "1");
  settings.remove("setup_done");
  CHECK_FALSE(settings.get("setup_done"));
}
