// Merge requests from forks: nothing of them runs before somebody approved that very commit, and
// what runs then has the trust of a fork and keeps it.

#include <algorithm>
#include <filesystem>

#include "server/intake/downstreams.h"
#include "server/intake/fork_trust.h"
#include "server/intake/job_payload.h"
#include "server/store/run_refs.h"
#include "tests/server/intake/intake_fixture.h"

namespace slipway::server {
namespace {

using nlohmann::json;
using test::Call;

constexpr const char* kFile =
    "workflow: {rules: [{when: always}]}\n"
    "default: {cache: {key: deps, paths: [deps/], unprotect: true, fallback_keys: [older]}}\n"
    "build: {script: make}\n"
    "down: {trigger: {project: group/other}}\n"
    "child: {trigger: {include: [{local: child.yml}]}}\n";

struct Fixture : test::IntakeFixture {
  test::GitRepository fork;
  JobPayload payload{*database,
                     vault,
                     *coordinator,
                     {{"https://ci.example", "", "1.0"}, std::chrono::seconds{3600}}};

  Fixture() {
    // As a git host has them, so that the fork's address follows from the project's.
    namespace fs = std::filesystem;
    const fs::path host = directory / "host";
    fs::create_directories(host / "group");
    fs::create_directories(host / "eve");
    fs::create_directory_symlink(remote.path(), host / "group" / "hooked");
    fs::create_directory_symlink(fork.path(), host / "eve" / "hooked");
    hooked.repository_url = (host / "group" / "hooked").string();
    save();
    commit(kFile);
    fork.git({"pull", "--quiet", remote.url(), "main"});
    fork.git({"checkout", "--quiet", "-b", "main2"});
    fork.git({"branch", "--quiet", "-D", "main"});
    fork.git({"branch", "--quiet", "-M", "main"});
    fork.write("child.yml", "inner: {script: x, rules: [{when: always}]}\n");
  }
  void save() {
    REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
      write.stores.projects.update(hooked);
      return true;
    }));
  }
  // A commit in the fork's branch main; hosts that keep refs of requests know it at once.
  std::string push_to_fork(const std::string& text) {
    fork.write("voice.txt", text);
    const std::string sha = fork.commit("Speak " + text);
    remote.git({"fetch", "--quiet", fork.url(), "+HEAD:refs/pull/7/head",
                "+HEAD:refs/merge-requests/7/head"});
    return sha;
  }
  [[nodiscard]] static json github(const std::string& sha, const std::string& action,
                                   const std::string& sender = "eve") {
    const json target{{"full_name", "group/hooked"}, {"id", 1}};
    return {{"action", action},
            {"number", 7},
            {"pull_request",
             {{"title", "Louder"},
              {"user", {{"login", "eve"}, {"id", 66}}},
              {"head",
               {{"ref", "main"}, {"sha", sha}, {"repo", {{"full_name", "eve/hooked"}, {"id", 2}}}}},
              {"base", {{"ref", "main"}, {"repo", target}}}}},
            {"sender", {{"login", sender}, {"id", sender == "eve" ? 66 : 67}}},
            {"repository", target}};
  }
  Call opened(const std::string& sha, const std::string& key, const std::string& action = "opened",
              const std::string& sender = "eve") {
    return test::github_call(github(sha, action, sender).dump(), kSecret, key, "pull_request");
  }
  Call of_host(const std::string& host, const std::string& sha) {
    const std::string body = github(sha, "opened").dump();
    if (host == "github") return test::github_call(body, kSecret, host, "pull_request");
    if (host == "gitea") return test::gitea_call(body, kSecret, host, "pull_request");
    if (host == "forgejo") return test::forgejo_call(body, kSecret, host, "pull_request");
    if (host == "gitlab") {
      json told = test::gitlab_push();
      told["object_kind"] = "merge_request";
      told["user"] = {{"username", "eve"}, {"id", 66}};
      told["object_attributes"] = {{"iid", 7},
                                   {"title", "Louder"},
                                   {"action", "open"},
                                   {"author_id", 66},
                                   {"source_branch", "main"},
                                   {"target_branch", "main"},
                                   {"source_project_id", 2},
                                   {"target_project_id", 1},
                                   {"source", {{"path_with_namespace", "eve/hooked"}}},
                                   {"last_commit", {{"id", sha}}}};
      return test::gitlab_call(told.dump(), kSecret, host, "Merge Request Hook");
    }
    const json who{{"nickname", "eve"}, {"uuid", "{66}"}};
    const json told{
        {"repository", {{"full_name", "group/hooked"}}},
        {"actor", who},
        {"pullrequest",
         {{"id", 7},
          {"title", "Louder"},
          {"author", who},
          {"source",
           {{"branch", {{"name", "main"}}},
            {"commit", {{"hash", sha.substr(0, 12)}}},
            {"repository", {{"full_name", "eve/hooked"}}}}},
          {"destination",
           {{"branch", {{"name", "main"}}}, {"repository", {{"full_name", "group/hooked"}}}}}}}};
    return test::bitbucket_call(told.dump(), kSecret, host, "pullrequest:created");
  }
  DeliveryRow settle_call(const Call& call) {
    const auto received = receive(call);
    REQUIRE(received);
    return settled(received->delivery);
  }
  std::vector<ForkRequestRow> requests() {
    return database->read()->fork_requests.list(hooked.id, "", {}).rows;
  }
  // As the API does it.
  DeliveryRow approve(const std::string& sha) {
    const auto row = database->read()->fork_requests.find(hooked.id, 7, sha);
    REQUIRE(row);
    REQUIRE(row->state == "waiting");
    REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
      ForkRequestRow approved = *row;
      approved.state = "approved";
      write.stores.fork_requests.update(approved);
      write.stores.deliveries.begin_again(row->delivery_id);
      return true;
    }));
    intake->take_up(hooked, row->delivery_id);
    return settled(row->delivery_id);
  }
  long long pipelines() { return database->read()->pipelines.list(hooked.id, {}, {}).total; }
  void set_secret(bool protected_only, bool masked) {
    VariableRow row;
    row.project_id = hooked.id;
    row.key = protected_only ? "DEPLOY_KEY" : masked ? "API_KEY" : "PLAIN";
    row.protected_only = protected_only;
    row.masked = masked;
    vault.seal(row, "canary-of-the-settings");
    REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
      write.stores.variables.insert(row);
      return true;
    }));
  }
  Assignment assigned(PipelineId id, const std::string& name, bool protected_only = false) {
    RunnerRow runner;
    runner.token_hash = "hash of a runner of " + name + std::to_string(id.value);
    runner.protected_only = protected_only;
    const auto runner_id = wait_for<RunnerId>(
        [&](Completion<RunnerId> done) { coordinator->create_runner(runner, std::move(done)); });
    REQUIRE(runner_id);
    auto made = wait_for<Assignment>([&](Completion<Assignment> done) {
      coordinator->assign(job(id, name).id, *runner_id, std::move(done));
    });
    REQUIRE(made);
    return std::move(*made);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a fork's request of each host waits, and runs once it is approved",
                 "[intake][forks]") {
  intake->start();
  for (const std::string host : {"github", "gitea", "forgejo", "gitlab", "bitbucket"}) {
    INFO(host);
    const std::string sha = push_to_fork(host);
    const auto before = pipelines();
    const DeliveryRow waiting = settle_call(of_host(host, sha));
    CHECK(waiting.verdict == "waiting");
    CHECK(waiting.reason == "merge request 7 from the fork eve/hooked: commit " + sha.substr(0, 8) +
                                " waits for an approval");
    CHECK(pipelines() == before);
    const ForkRequestRow row = requests().front();
    CHECK(row.sha == sha);
    CHECK(row.author == "eve");
    CHECK(row.commit_title == "Speak " + host);
    CHECK(row.source_repository == "eve/hooked");

    const DeliveryRow done = approve(sha);
    CHECK(done.verdict == "done");
    const PipelineRow made = pipeline_of(done);
    CHECK(made.sha == sha);
    CHECK(made.ref == "refs/slipway/forks/7/main");
    CHECK(made.source == "merge_request_event");
    CHECK_FALSE(made.ref_protected);
    CHECK(json::parse(made.merge_request)["source_project"] == "eve/hooked");
    // What was approved once makes one pipeline, however often the host calls.
    Call again = of_host(host, sha);
    for (auto& [name, value] : again.headers)
      if (value == host) value += "-again";
    CHECK(settle_call(again).verdict == "ignored");
    CHECK(pipelines() == before + 1);
  }
}

TEST_CASE_METHOD(Fixture, "an approval is for one commit: the next push waits anew",
                 "[intake][forks]") {
  intake->start();
  const std::string first = push_to_fork("one");
  settle_call(opened(first, "1"));
  const std::string second = push_to_fork("two");
  CHECK(settle_call(opened(second, "2", "synchronize")).verdict == "waiting");
  const auto rows = requests();
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].state == "superseded");
  CHECK(rows[1].reason == "commit " + second.substr(0, 8) + " was pushed");
  CHECK(pipeline_of(approve(second)).sha == second);

  const std::string third = push_to_fork("three");
  CHECK(settle_call(opened(third, "3", "synchronize")).verdict == "waiting");
  CHECK(pipelines() == 1);
  // Late, or sent again: the request has gone on.
  const DeliveryRow late = settle_call(opened(first, "4"));
  CHECK(late.verdict == "ignored");
  CHECK(late.reason == "merge request 7 from the fork eve/hooked has gone on to commit " +
                           third.substr(0, 8) + ", which another call tells of");
  CHECK(pipelines() == 1);
}

TEST_CASE_METHOD(Fixture, "a commit that was pushed while another was approved never runs",
                 "[intake][forks]") {
  intake->start();
  const std::string first = push_to_fork("fine");
  settle_call(opened(first, "1"));
  push_to_fork("evil");  // its call has not come yet
  const PipelineRow made = pipeline_of(approve(first));
  CHECK(made.sha == first);
  CHECK(assigned(made.id, "build").pipeline.sha == first);
}

TEST_CASE_METHOD(Fixture, "a fork's job has no secret, no protected cache and no protected runner",
                 "[intake][forks]") {
  for (const bool protected_only : {false, true})
    for (const bool masked : {false, true}) {
      if (protected_only && masked) continue;
      set_secret(protected_only, masked);
    }
  REQUIRE(vault.for_jobs(hooked, true)->size() == 3);
  intake->start();
  const std::string sha = push_to_fork("x");
  settle_call(opened(sha, "1"));
  const PipelineRow made = pipeline_of(approve(sha));
  // The fork's branch is called as the protected one.
  CHECK(vault.is_protected(hooked.id, "main", RefKind::Branch));
  CHECK_FALSE(job(made.id, "build").ref_protected);

  const Assignment given = assigned(made.id, "build");
  const auto spec = payload.make(given);
  REQUIRE(spec);
  CHECK(pipeline::to_json(*spec).dump().find("canary-of-the-settings") == std::string::npos);
  CHECK_FALSE(spec->ref_protected);
  CHECK(spec->ref == "main");
  REQUIRE(spec->caches.size() == 1);
  CHECK(spec->caches[0].key == "deps-fork_7");
  CHECK(spec->caches[0].fallback_keys == std::vector<std::string>{"older-fork_7"});
  // By its id: a name would be another commit's after the next push.
  CHECK(spec->refspecs.at(0) == "+" + sha + ":refs/remotes/origin/main");
  CHECK(mirrors.commit(hooked.id.value, sha));
}

TEST_CASE_METHOD(Fixture, "forks are built never, or of trusted authors at once",
                 "[intake][forks]") {
  intake->start();
  const auto policy = [&](const std::string& word, std::vector<std::string> authors) {
    hooked.fork_pipelines = word;
    hooked.fork_trusted_authors = std::move(authors);
    save();
  };
  policy("never", {});
  const std::string first = push_to_fork("one");
  const DeliveryRow never = settle_call(opened(first, "1"));
  CHECK(never.verdict == "ignored");
  CHECK(never.reason ==
        "merge request 7 from the fork eve/hooked: the project builds none of forks "
        "(fork_pipelines)");
  CHECK(requests().empty());

  policy("trusted", {"ada", "EVE"});
  const DeliveryRow trusted = settle_call(opened(first, "2"));
  CHECK(trusted.verdict == "done");
  CHECK_FALSE(pipeline_of(trusted).ref_protected);
  CHECK(requests().front().reason == "its author is trusted by the project's settings");
  const auto audit = database->read()->audit.list({}).rows;
  REQUIRE_FALSE(audit.empty());
  CHECK(audit.front().action == "fork_request.trusted");
  CHECK(json::parse(audit.front().detail)["sha"] == first);

  // Another person's push into a trusted person's request is not trusted.
  const std::string second = push_to_fork("two");
  CHECK(settle_call(opened(second, "3", "synchronize", "mallory")).verdict == "waiting");
}

TEST_CASE_METHOD(Fixture, "with its request what waits is closed, and waits again when it reopens",
                 "[intake][forks]") {
  intake->start();
  const std::string sha = push_to_fork("x");
  settle_call(opened(sha, "1"));
  const DeliveryRow closed = settle_call(opened(sha, "2", "closed"));
  CHECK(closed.verdict == "ignored");
  CHECK(requests().front().state == "closed");
  CHECK(mirrors.refs_below(hooked.id.value, std::string{kForkRefs})->empty());
  CHECK(settle_call(opened(sha, "3", "reopened")).verdict == "waiting");
  CHECK(requests().front().state == "waiting");
  CHECK(requests().size() == 1);
}

TEST_CASE_METHOD(Fixture, "an approval that a crash interrupts makes its pipeline afterwards",
                 "[intake][forks]") {
  intake->start();
  const std::string sha = push_to_fork("x");
  settle_call(opened(sha, "1"));
  const ForkRequestRow row = requests().front();
  intake.reset();
  REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    ForkRequestRow approved = row;
    approved.state = "approved";
    write.stores.fork_requests.update(approved);
    write.stores.deliveries.begin_again(row.delivery_id);
    return true;
  }));
  intake = make_intake(mirrors, planner);
  intake->start();
  CHECK(pipeline_of(settled(row.delivery_id)).sha == sha);
}

TEST_CASE_METHOD(Fixture, "what a fork's pipeline triggers has the trust of the fork",
                 "[intake][forks]") {
  set_secret(false, false);
  const ProjectRow other = add_project("group/other", remote.url());
  const BlobStore blobs{BlobStore::open(directory / "blobs").value()};
  // Observers are told of by a coordinator that has not begun, so this one is made anew.
  intake.reset();
  coordinator->stop();
  coordinator.reset();
  coordinator = make();
  JobPayload payload_now{*database, vault, *coordinator, {{"https://ci.example", "", "1.0"}, {}}};
  Planner knowing{
      mirrors,
      vault,
      {{"https://ci.example", "", "1.0"}},
      {[this](const std::string& path) { return database->read()->projects.find_by_path(path); },
       {},
       false}};
  Downstreams downstreams{*coordinator, *database, mirrors, knowing, payload_now, blobs, clock};
  coordinator->start();
  intake = make_intake(mirrors, knowing);
  downstreams.start();
  intake->start();
  const std::string sha = push_to_fork("x");
  settle_call(opened(sha, "1"));
  const PipelineRow made = pipeline_of(approve(sha));
  const auto ended = [&](const std::string& name) {
    for (int i = 0; i < 2000; ++i) {
      JobRow row = job(made.id, name);
      if (row.status != "pending" && row.status != "created") return row;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    FAIL(name << " was never worked on");
    return JobRow{};
  };
  const JobRow refused = ended("down");
  CHECK(refused.status == "failed");
  CHECK(refused.failure_reason == "insufficient_bridge_permissions");
  CHECK(database->read()->pipelines.list(other.id, {}, {}).total == 0);

  const JobRow bridge = ended("child");
  const auto link = database->read()->bridges.find(bridge.id);
  REQUIRE(link);
  const PipelineRow child = row_of(link->pipeline_id);
  CHECK(child.ref == made.ref);
  CHECK_FALSE(child.ref_protected);
  CHECK_FALSE(job(child.id, "inner").ref_protected);
  downstreams.stop();
  intake.reset();
  coordinator->stop();
}

TEST_CASE("a fork includes only what everybody may read", "[intake][forks]") {
  ProjectRow own;
  own.id = ProjectId{1};
  own.path = "group/hooked";
  own.visibility = "public";  // as the planner has it for a fork
  ProjectRow sibling;
  sibling.id = ProjectId{2};
  sibling.path = "group/secrets";
  CHECK_FALSE(may_include(own, sibling));
  CHECK(may_include(own, own));
}

TEST_CASE("authors are trusted by login or id, both who opened and who pushed", "[intake][forks]") {
  MergeRequestEvent event;
  event.opener = {"eve", "66"};
  event.actor = {"ada", "1"};
  CHECK(are_trusted({"Eve", "ada"}, event));
  CHECK(are_trusted({"id:66", "id:1"}, event));
  CHECK_FALSE(are_trusted({"eve"}, event));
  CHECK_FALSE(are_trusted({"ada"}, event));
  CHECK_FALSE(are_trusted({"66", "1"}, event));
  event.opener = {"", ""};
  CHECK_FALSE(are_trusted({"", "id:", "ada"}, event));
}

TEST_CASE("the address of a fork follows from the project's, or there is none", "[intake][forks]") {
  const auto url = [](const std::string& repository, const std::string& fork) {
    const auto made = fork_url(repository, "team/app", fork);
    return made ? *made : "no: " + made.error().message;
  };
  CHECK(url("https://bitbucket.org/team/app.git", "eve/app") ==
        "https://bitbucket.org/eve/app.git");
  CHECK(url("git@bitbucket.org:Team/App", "eve/app") == "git@bitbucket.org:eve/app");
  for (const char* hostile : {"../x", "eve/../x", "eve", "-eve/x", "eve/x y", "eve/a/b", "", "/x"})
    CHECK(url("https://bitbucket.org/team/app", hostile).starts_with("no: "));
  CHECK(url("https://bitbucket.org/steam/app", "eve/app") ==
        "no: the address of the fork 'eve/app' does not follow from the project's");
}

}  // namespace slipway::server
