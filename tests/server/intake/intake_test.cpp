#include "tests/server/intake/intake_fixture.h"

namespace slipway::server {
namespace {

using nlohmann::json;

struct Fixture : test::IntakeFixture {
  [[nodiscard]] static json payload(const std::string& after, const std::string& ref) {
    return {{"ref", ref},
            {"before", std::string(40, '0')},
            {"after", after},
            {"repository", {{"full_name", "group/hooked"}}},
            {"pusher", {{"name", "ada"}}}};
  }
  Result<ReceivedHook> receive(const std::string& body, const std::string& key,
                               const std::string& secret = kSecret,
                               const std::string& event = "push") {
    test::Call call = test::github_call(body, secret, key, event);
    call.headers.emplace("User-Agent", "GitHub-Hookshot/1");
    call.headers.emplace("Authorization", "Bearer secret");
    return IntakeFixture::receive(call);
  }
  ReceivedHook push(const std::string& sha, const std::string& key = "one",
                    const std::string& ref = "refs/heads/main") {
    const auto received = receive(payload(sha, ref).dump(), key);
    REQUIRE(received);
    return *received;
  }
};

const std::string kFile = "compile:\n  script: make\n";

}  // namespace

TEST_CASE_METHOD(Fixture, "a signed push becomes a pipeline", "[intake]") {
  const std::string sha = commit(kFile);
  intake->start();
  const ReceivedHook received = push(sha);
  CHECK(received.verdict == "accepted");
  const DeliveryRow done = settled(received.delivery);
  CHECK(done.verdict == "done");
  CHECK(done.reason.empty());
  CHECK(done.received_at == clock.now());
  const PipelineRow pipeline = pipeline_of(done);
  CHECK(pipeline.sha == sha);
  CHECK(pipeline.source == "push");
  CHECK(pipeline.ref == "main");
  CHECK(job(pipeline.id, "compile").status == "pending");

  const json headers = json::parse(done.headers);
  CHECK(headers == json{{"User-Agent", "GitHub-Hookshot/1"},
                        {"X-GitHub-Delivery", "one"},
                        {"X-GitHub-Event", "push"}});
}

TEST_CASE_METHOD(Fixture, "a delivery counts once, however often it is sent", "[intake]") {
  const std::string sha = commit(kFile);
  intake->start();
  const ReceivedHook first = push(sha);
  settled(first.delivery);
  for (int i = 0; i < 5; ++i) {
    const ReceivedHook again = push(sha);
    CHECK(again.verdict == "duplicate");
    CHECK(again.delivery == first.delivery);
    CHECK(again.reason == "a delivery of this number is known already");
  }
  const ReceivedHook next = push(sha, "two");
  CHECK(next.verdict == "accepted");
  CHECK(pipeline_of(settled(next.delivery)).iid == 2);
  CHECK(deliveries().size() == 2);
}

TEST_CASE_METHOD(Fixture, "what must not be believed leaves no trace", "[intake]") {
  const std::string sha = commit(kFile);
  const auto forged = receive(payload(sha, "refs/heads/main").dump(), "one", "guess");
  REQUIRE_FALSE(forged);
  CHECK(forged.error().kind == ErrorKind::Unauthenticated);
  json other = payload(sha, "refs/heads/main");
  other["repository"]["full_name"] = "group/other";
  const auto foreign = receive(other.dump(), "two");
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().kind == ErrorKind::Denied);
  const auto nonsense = receive("[]", "three");
  REQUIRE_FALSE(nonsense);
  CHECK(nonsense.error().kind == ErrorKind::InvalidInput);
  CHECK(deliveries().empty());

  hooked.webhook_secret = "not sealed";
  const auto broken = receive(payload(sha, "refs/heads/main").dump(), "four");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message == "the project's webhook secret cannot be opened");
}

TEST_CASE_METHOD(Fixture, "a ping and a deleted branch are stored as ignored", "[intake]") {
  const auto ping = receive(payload("", "").dump(), "one", kSecret, "ping");
  REQUIRE(ping);
  CHECK(ping->verdict == "ignored");
  CHECK(ping->reason == "a ping is answered and makes no pipeline");
  const ReceivedHook deleted = push(std::string(40, '0'), "two", "refs/heads/gone");
  CHECK(deleted.verdict == "ignored");
  CHECK(deleted.reason == "'gone' was deleted");
  const auto rows = deliveries();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].reason == "'gone' was deleted");
  CHECK(database->read()->deliveries.waiting().empty());
}

TEST_CASE_METHOD(Fixture, "the environments of a deleted branch are stopped", "[intake]") {
  const auto gone = environment_of("gone", false);
  const auto tagged = environment_of("gone", true);
  const auto other = environment_of("here", false);
  REQUIRE(push(std::string(40, '0'), "one", "refs/heads/gone").verdict == "ignored");
  CHECK(state_of(gone) == "stopped");
  CHECK(state_of(tagged) == "available");
  CHECK(state_of(other) == "available");
}

TEST_CASE_METHOD(Fixture, "what was accepted before a restart is worked on after it", "[intake]") {
  const std::string sha = commit(kFile);
  const ReceivedHook received = push(sha);
  CHECK(database->read()->deliveries.find(received.delivery)->verdict == "accepted");
  intake.reset();
  intake = make_intake(mirrors, planner);
  intake->start();
  CHECK(pipeline_of(settled(received.delivery)).sha == sha);
}

TEST_CASE_METHOD(Fixture, "what has ended the server three times is put aside", "[intake]") {
  const ReceivedHook received = push(commit(kFile));
  for (int i = 0; i < 3; ++i)  // begun, and never settled
    REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
      write.stores.deliveries.count_attempt(received.delivery);
      return true;
    }));
  intake->start();
  const DeliveryRow row = settled(received.delivery);
  CHECK(row.verdict == "failed");
  CHECK(row.reason == "put aside: the server ended while working on it, 3 times");
  CHECK_FALSE(row.pipeline_id);
}

TEST_CASE_METHOD(Fixture, "work that is begun is counted before it is done", "[intake]") {
  intake->start();
  CHECK(settled(push(commit(kFile)).delivery).attempts == 1);
}

TEST_CASE_METHOD(Fixture, "a push that makes no pipeline is ignored with the reason", "[intake]") {
  intake->start();
  const std::string missing = remote.commit_file("README", "x");
  const DeliveryRow without = settled(push(missing).delivery);
  CHECK(without.verdict == "ignored");
  CHECK(without.reason == "The commit has no pipeline file .gitlab-ci.yml.");
  CHECK_FALSE(without.pipeline_id);
}

TEST_CASE_METHOD(Fixture, "a push of an invalid file and one to skip make an ended pipeline",
                 "[intake]") {
  intake->start();
  const PipelineRow invalid = pipeline_of(settled(push(commit("a: {wen: x}\n")).delivery));
  CHECK(invalid.status == "failed");
  CHECK(invalid.reason_code == "configuration_invalid");
  const std::string skip = commit(kFile, "Docs [ci skip]");
  const PipelineRow skipped = pipeline_of(settled(push(skip, "two").delivery));
  CHECK(skipped.status == "skipped");
  CHECK(skipped.reason_code == "skip_ci");
}

TEST_CASE_METHOD(Fixture, "a commit that cannot be had and a hostile ref fail, and no more",
                 "[intake]") {
  const std::string sha = commit(kFile);
  intake->start();
  const DeliveryRow lost = settled(push(std::string(40, 'e')).delivery);
  CHECK(lost.verdict == "failed");
  CHECK(lost.reason.find("The commit could not be fetched: the repository has no commit") == 0);
  const DeliveryRow hostile =
      settled(push(sha, "two", "refs/heads/--upload-pack=touch pwn").delivery);
  CHECK(hostile.verdict == "failed");
  CHECK(hostile.reason.find("is no name of a branch or tag") != std::string::npos);
  CHECK(settled(push(sha, "three").delivery).verdict == "done");
}

TEST_CASE_METHOD(Fixture, "a pushed tag makes a pipeline of the tag", "[intake]") {
  const std::string sha = commit(kFile);
  remote.git({"tag", "v1"});
  intake->start();
  const PipelineRow pipeline = pipeline_of(settled(push(sha, "one", "refs/tags/v1").delivery));
  CHECK(pipeline.tag);
  CHECK(pipeline.ref == "v1");
}

TEST_CASE_METHOD(Fixture, "a pipeline's commit outlives its branch", "[intake]") {
  const std::string sha = commit(kFile);
  const auto made = intake->trigger(hooked, {.ref = "main", .variables = {}, .user = {}});
  REQUIRE(made);
  const auto kept = run_git(mirrors.path_of(hooked.id.value), {"rev-parse", "refs/keep/" + sha},
                            LocalRepositories::refused);
  REQUIRE(kept);
  CHECK(*kept == sha + "\n");
}

TEST_CASE_METHOD(Fixture, "a pipeline by hand takes the newest commit, variables and its user",
                 "[intake]") {
  commit(kFile);
  auto user = coordinator->write<UserId>([&](WriteTransaction& write) -> Result<UserId> {
    UserRow row;
    row.username = "ada";
    return write.stores.users.insert(row);
  });
  REQUIRE(user);
  const std::string newest =
      commit("asked: {script: x, rules: [{if: $WHO == 'me' && $GITLAB_USER_LOGIN == 'ada'}]}\n");
  const auto made = intake->trigger(hooked, {.ref = "main",
                                             .source = pipeline::Source::Web,
                                             .variables = {{.name = "WHO", .value = "me"}},
                                             .user = *user});
  REQUIRE(made);
  const PipelineRow row = row_of(*made);
  CHECK(row.sha == newest);
  CHECK(row.source == "web");
  CHECK(row.user_id == *user);
  CHECK(job(*made, "asked").status == "pending");
}

TEST_CASE_METHOD(Fixture, "a pipeline by hand takes inputs of the types that the file wants",
                 "[intake]") {
  commit(
      "spec:\n  inputs:\n    count: {type: number}\n    names: {type: array, default: []}\n---\n"
      "job-$[[ inputs.count ]]:\n  script: x\n  tags: $[[ inputs.names ]]\n");
  const auto started = [&](std::vector<pipeline::InputValue> inputs) {
    return intake->trigger(hooked, {.ref = "main",
                                    .source = pipeline::Source::Api,
                                    .variables = {},
                                    .inputs = std::move(inputs),
                                    .user = {}});
  };
  const auto made = started({{"count", "3", true}, {"names", R"(["a", "b"])", true}});
  REQUIRE(made);
  CHECK(job(*made, "job-3").status == "pending");
  const auto refusal = [&](std::vector<pipeline::InputValue> inputs) {
    const auto refused = started(std::move(inputs));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::InvalidInput);
    return refused.error().message;
  };
  CHECK(refusal({}) == "`count` input: required value has not been provided");
  CHECK(refusal({{"count", R"("3")", true}}) == "`count` input: provided value is not a number");
  CHECK(refusal({{"count", "3", true}, {"other", "1", true}}) == "unknown input arguments: other");
}

TEST_CASE_METHOD(Fixture, "a pipeline by hand that cannot be says why", "[intake]") {
  commit("a: {script: x, rules: [{when: never}]}\n");
  const auto unknown = intake->trigger(hooked, {.ref = "nowhere", .variables = {}, .user = {}});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::InvalidInput);
  CHECK(unknown.error().message == "there is no branch or tag 'nowhere'");
  const auto hostile = intake->trigger(hooked, {.ref = "--exec=x", .variables = {}, .user = {}});
  REQUIRE_FALSE(hostile);
  CHECK(hostile.error().kind == ErrorKind::InvalidInput);
  const auto empty = intake->trigger(hooked, {.ref = "main", .variables = {}, .user = {}});
  REQUIRE_FALSE(empty);
  CHECK(empty.error().kind == ErrorKind::InvalidInput);
  CHECK(empty.error().message ==
        "The rules of the jobs prevented any job from being added to the pipeline.");
}

TEST_CASE_METHOD(Fixture, "a file is tried with any event, and read as the mirror has it",
                 "[intake]") {
  commit("always: {script: x}\nmerged: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID}]}\n");
  CHECK(intake->pipeline_file(hooked, "").error().kind == ErrorKind::NotFound);
  REQUIRE(intake->trigger(hooked, {.ref = "main"}));
  const auto file = intake->pipeline_file(hooked, "");
  REQUIRE(file);
  CHECK(file->sha == remote.head());
  CHECK(file->text.starts_with("always:"));
  const auto names = [&](pipeline::Source source) {
    const auto report = intake->lint(hooked, file->text, "", SimulatedEvent{source, ""});
    std::string text;
    for (const auto& job : report.jobs) text += job.job.name + " ";
    for (const auto& job : report.left_out) text += "without " + job.name;
    return text;
  };
  CHECK(names(pipeline::Source::Push) == "always without merged");
  CHECK(names(pipeline::Source::MergeRequestEvent) == "merged without always");
}

}  // namespace slipway::server
