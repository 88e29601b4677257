// Pipelines of work trees: what they see of the project, and what they are never trusted with.
#include "server/intake/job_payload.h"
#include "server/store/run_refs.h"
#include "tests/server/intake/intake_fixture.h"

namespace slipway::server {
namespace {

struct Fixture : test::IntakeFixture {
  std::string pushed = commit(
      "same: {script: [make], rules: [{if: '$CI_COMMIT_BRANCH == \"main\" && "
      "$CI_PIPELINE_SOURCE == \"push\"'}]}\n");
  UserId ann = coordinator
                   ->write<UserId>([](WriteTransaction& write) -> Result<UserId> {
                     UserRow row;
                     row.username = "ann";
                     return write.stores.users.insert(row);
                   })
                   .value();
  std::string sent;

  Fixture() { REQUIRE(mirrors.fetch(hooked.id.value, remote.url(), "main", "")); }

  // A change that was never pushed, as the CLI sends it.
  std::string send(const std::string& yaml, const std::string& message = "Change") {
    remote.git({"checkout", "--quiet", "--detach"});
    sent = commit(yaml, message);
    remote.git({"update-ref", "refs/slipway/run", sent});
    const auto file = mirrors.make_upload_file().value();
    remote.git({"bundle", "create", "--quiet", file.string(), "refs/slipway/run", "^" + pushed});
    REQUIRE(intake->take_work_tree(hooked, file, sent));
    return sent;
  }
  Result<PipelineId> run(const std::string& sha, const std::string& branch = "main") {
    return intake->run_work_tree(hooked, {sha, branch, pushed, {}, {}, ann});
  }
  PipelineRow row(PipelineId id) { return *database->read()->pipelines.find(id); }
  std::vector<std::string> refs() {
    return mirrors.refs_below(hooked.id.value, "refs/slipway/").value();
  }
  pipeline::JobSpec payload(PipelineId id, const std::string& name) {
    Assignment assignment;
    assignment.pipeline = row(id);
    assignment.project = hooked;
    assignment.job = job(id, name);
    assignment.plan = database->read()->jobs.plan(assignment.job.plan_id);
    assignment.token = "glcbt-token";
    assignment.variables = database->read()->pipelines.variables(id);
    const JobPayload payloads{*database, vault, *coordinator, {{"https://ci.example", "", "1.0"}}};
    auto spec = payloads.make(assignment);
    REQUIRE(spec);
    return std::move(*spec);
  }
  void add_variable(const std::string& key, bool protected_only) {
    VariableRow variable;
    variable.project_id = hooked.id;
    variable.key = key;
    variable.protected_only = protected_only;
    REQUIRE(coordinator->write<void>([&](WriteTransaction& write) -> Result<void> {
      vault.seal(variable, "value-of-" + key);
      write.stores.variables.insert(variable);
      return {};
    }));
  }
};

bool has_variable(const pipeline::JobSpec& spec, const std::string& key) {
  return std::any_of(spec.variables.begin(), spec.variables.end(),
                     [&](const auto& variable) { return variable.key == key; });
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a work tree's pipeline is as one of its branch", "[intake]") {
  const auto id =
      run(send("same: {script: [make], rules: [{if: '$CI_COMMIT_BRANCH == \"main\" && "
               "$CI_PIPELINE_SOURCE == \"push\"', changes: [.gitlab-ci.yml]}]}\n",
               "Change [skip ci]"));
  REQUIRE(id);
  const auto made = row(*id);
  CHECK(made.source == "run");
  CHECK(made.sha == sent);
  CHECK(made.user_id == ann);
  CHECK(run_branch(made.ref) == "main");
  CHECK(refs() == std::vector{made.ref});  // the upload's own has gone
  const auto spec = payload(*id, "same");
  CHECK(spec.ref == "main");
  CHECK(std::find(spec.refspecs.begin(), spec.refspecs.end(),
                  "+" + made.ref + ":refs/remotes/origin/main") != spec.refspecs.end());
}

TEST_CASE_METHOD(Fixture, "a work tree on a protected branch gets no protected variable",
                 "[intake]") {
  REQUIRE(vault.is_protected(hooked.id, "main", RefKind::Branch));
  add_variable("DEPLOY_KEY", true);
  add_variable("PLAIN", false);
  const auto id = run(send("same: {script: [make], cache: {key: k, paths: [c]}}\n"));
  REQUIRE(id);
  CHECK_FALSE(row(*id).ref_protected);
  CHECK_FALSE(job(*id, "same").ref_protected);
  const auto spec = payload(*id, "same");
  CHECK(has_variable(spec, "PLAIN"));
  CHECK_FALSE(has_variable(spec, "DEPLOY_KEY"));
  REQUIRE(spec.caches.size() == 1);
  CHECK(spec.caches[0].key == "k-non_protected");
  // Rules do not see it either: they could tell it by what they let in.
  const auto seen =
      run(send("known: {script: [x], rules: [{if: '$DEPLOY_KEY'}]}\nother: {script: [x]}\n"));
  REQUIRE(seen);
  CHECK(database->read()->jobs.of_pipeline(*seen).size() == 1);
}

TEST_CASE_METHOD(Fixture, "branches cannot be told from their name into trust", "[intake]") {
  REQUIRE(coordinator->write<void>([&](WriteTransaction& write) -> Result<void> {
    write.stores.protections.protect(hooked.id, RefKind::Branch, "*", write.now);
    return {};
  }));
  const auto sha = send("same: {script: [make]}\n");
  for (const char* branch : {"main", "topic", "refs/heads/main", "a/b/c"}) {
    CAPTURE(branch);
    const auto id = run(sha, branch);
    REQUIRE(id);
    CHECK_FALSE(row(*id).ref_protected);
    CHECK(run_branch(row(*id).ref) == branch);
  }
}

TEST_CASE_METHOD(Fixture, "a commit that was pushed need not be sent, one that was not must",
                 "[intake]") {
  CHECK(intake->known_commits(hooked, {pushed}).value() == std::vector{pushed});
  REQUIRE(run(pushed));
  const std::string never(40, 'a');
  const auto missing = run(never);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "commit " + never + " was not sent");
}

TEST_CASE_METHOD(Fixture, "a project that was never fetched is, before commits are asked for",
                 "[intake]") {
  const auto other = add_project("group/other", remote.url());
  CHECK(intake->known_commits(other, {pushed}).value() == std::vector{pushed});
}

TEST_CASE_METHOD(Fixture, "no pipeline, no ref", "[intake]") {
  const auto none = run(send("same: {script: [x], rules: [{when: never}]}\n"));
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::InvalidInput);
  CHECK(refs().empty());
}

TEST_CASE_METHOD(Fixture, "a project takes so many work trees, and no more", "[intake]") {
  for (int i = 0; i < 200; ++i)
    REQUIRE(mirrors.point_ref(hooked.id.value, std::string{kRunRefs} + std::to_string(i) + "/main",
                              pushed));
  const auto full = intake->take_work_tree(hooked, mirrors.make_upload_file().value(), pushed);
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::Conflict);
  CHECK(full.error().message == "the project has 200 work trees here already");
}

TEST_CASE_METHOD(Fixture, "no git host is told of a commit that it never saw", "[intake]") {
  auto project = hooked;
  project.forge = "github";
  REQUIRE(coordinator->write<void>([&](WriteTransaction& write) -> Result<void> {
    write.stores.projects.update(project);
    return {};
  }));
  REQUIRE(run(send("same: {script: [make]}\n")));
  CHECK(database->read()->outbox.count_waiting() == 0);
}

}  // namespace slipway::server
