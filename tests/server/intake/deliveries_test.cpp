#include <netinet/in.h>
#include <sys/socket.h>

#include "base/files.h"
#include "tests/server/intake/intake_fixture.h"

namespace slipway::server {
namespace {

using nlohmann::json;
using test::Call;

const std::string kFile = "compile:\n  script: make\n";

using Fixture = test::IntakeFixture;

// A git host that takes connections and never says a word.
class SilentHost {
 public:
  SilentHost() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
  }
  void listen() { REQUIRE(::listen(socket_.get(), 16) == 0); }
  [[nodiscard]] std::string url() const {
    return "https://127.0.0.1:" + std::to_string(port_) + "/group/hooked.git";
  }

 private:
  UniqueFd socket_;
  int port_ = 0;
};

Call github_push_of(const std::string& sha, const std::string& key,
                    const std::string& path = "group/hooked") {
  json payload = test::github_push(sha);
  payload["before"] = std::string(40, '0');
  payload["repository"]["full_name"] = path;
  return test::github_call(payload.dump(), Fixture::kSecret, key);
}

Call merge_request(const std::string& sha, const std::string& key,
                   const std::string& action = "opened", const std::string& from = "group/hooked") {
  const json target{{"full_name", "group/hooked"}};
  const json payload{{"action", action},
                     {"number", 7},
                     {"pull_request",
                      {{"title", "Louder"},
                       {"labels", {{{"name", "voice"}}}},
                       {"head", {{"ref", "topic"}, {"sha", sha}, {"repo", {{"full_name", from}}}}},
                       {"base", {{"ref", "main"}, {"repo", target}}}}},
                     {"sender", {{"login", "ada"}}},
                     {"repository", target}};
  return test::gitea_call(payload.dump(), Fixture::kSecret, key, "pull_request");
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a signed push of each git host becomes a pipeline", "[intake]") {
  const std::string sha = commit(kFile);
  intake->start();
  const std::string github = test::github_push(sha).dump();
  const std::string gitlab = test::gitlab_push(sha).dump();
  const std::map<std::string, Call> calls{
      {"github", test::github_call(github, kSecret, "1")},
      {"gitea", test::gitea_call(github, kSecret, "2")},
      {"forgejo", test::forgejo_call(github, kSecret, "3")},
      {"gitlab by token", test::gitlab_call(gitlab, kSecret, "4")},
      {"gitlab by signature", test::gitlab_signed_call(gitlab, kSecret, clock.now() / 1000, "5")},
  };
  for (const auto& [name, call] : calls) {
    INFO(name);
    const auto received = receive(call);
    REQUIRE(received);
    CHECK(received->verdict == "accepted");
    const DeliveryRow done = settled(received->delivery);
    CHECK(done.verdict == "done");
    CHECK(pipeline_of(done).sha == sha);
    CHECK(done.body == call.body);
    // What proves who sent it stays out of the store.
    CHECK(done.headers.find(kSecret) == std::string::npos);
    CHECK(done.headers.find("ignature") == std::string::npos);
    CHECK(done.headers.find("Event") != std::string::npos);
  }
}

TEST_CASE_METHOD(Fixture, "several pushes in one call are several deliveries", "[intake]") {
  const std::string sha = commit(kFile);
  remote.git({"tag", "v1"});
  intake->start();
  const Call call = test::bitbucket_call(test::bitbucket_push(sha).dump(), kSecret, "one");
  const auto received = receive(call);
  REQUIRE(received);
  CHECK(received->verdict == "accepted");
  const auto rows = deliveries();
  REQUIRE(rows.size() == 3);
  CHECK(rows[2].delivery_key == "one");
  CHECK(rows[1].delivery_key == "one/2");
  CHECK(rows[0].delivery_key == "one/3");
  CHECK(rows[0].reason == "'gone' was deleted");
  CHECK(pipeline_of(settled(rows[2].id)).ref == "main");
  const PipelineRow tagged = pipeline_of(settled(rows[1].id));
  CHECK(tagged.ref == "v1");
  CHECK(tagged.tag);
  CHECK(row_of_delivery(rows[1].id).body.empty());

  const auto again = receive(call);
  REQUIRE(again);
  CHECK(again->verdict == "duplicate");
  CHECK(again->delivery == received->delivery);
  CHECK(deliveries().size() == 3);
}

TEST_CASE_METHOD(Fixture, "a hundred replays of a delivery make one pipeline, whoever sent it",
                 "[intake]") {
  const std::string sha = commit(kFile);
  intake->start();
  const std::string github = test::github_push(sha).dump();
  const std::string gitlab = test::gitlab_push(sha).dump();
  json bitbucket = test::bitbucket_push(sha);
  bitbucket["push"]["changes"].erase(2);
  bitbucket["push"]["changes"].erase(1);
  int iid = 0;
  for (Call call :
       {test::github_call(github, kSecret, "1"), test::gitea_call(github, kSecret, "2"),
        test::forgejo_call(github, kSecret, "3"), test::gitlab_call(gitlab, kSecret, "4"),
        test::gitlab_signed_call(gitlab, kSecret, clock.now() / 1000, "5"),
        test::bitbucket_call(bitbucket.dump(), kSecret, "6")}) {
    const auto first = receive(call);
    REQUIRE(first);
    for (int i = 0; i < 100; ++i) {
      // GitLab's other id changes nothing where the one that is signed counts.
      if (call.headers.count("webhook-id") == 1) {
        call.headers.erase("X-Gitlab-Event-UUID");
        call.headers.emplace("X-Gitlab-Event-UUID", std::to_string(i));
        call.headers.erase("Idempotency-Key");
        call.headers.emplace("Idempotency-Key", std::to_string(i));
      }
      const auto again = receive(call);
      REQUIRE(again);
      CHECK(again->verdict == "duplicate");
      CHECK(again->delivery == first->delivery);
    }
    CHECK(pipeline_of(settled(first->delivery)).iid == ++iid);
  }
  CHECK(deliveries().size() == 6);
}

TEST_CASE_METHOD(Fixture, "an annotated tag makes a pipeline of its commit", "[intake]") {
  const std::string sha = commit(kFile);
  remote.git({"tag", "--annotate", "-m", "First", "v1"});
  const std::string tag_object = remote.git({"rev-parse", "refs/tags/v1"});
  REQUIRE(tag_object != sha);
  intake->start();
  json payload = test::github_push(tag_object);
  payload["ref"] = "refs/tags/v1";
  payload["before"] = std::string(40, '0');
  payload["head_commit"]["id"] = sha;
  const auto received = receive(test::github_call(payload.dump(), kSecret, "one"));
  REQUIRE(received);
  const PipelineRow pipeline = pipeline_of(settled(received->delivery));
  CHECK(pipeline.sha == sha);
  CHECK(pipeline.tag);
}

TEST_CASE_METHOD(Fixture, "what a push changed comes from git, however many commits it has",
                 "[intake]") {
  const std::string before = commit(
      "docs: {script: x, rules: [{changes: [docs/*]}]}\n"
      "code: {script: x, rules: [{changes: [src/*]}]}\n");
  remote.commit_file("docs/first.md", "x");
  for (int i = 0; i < 25; ++i) remote.commit_file("notes/" + std::to_string(i), "x");
  const std::string after = remote.head();
  intake->start();
  json payload = test::gitlab_push(after);
  payload["before"] = before;
  // Hosts tell of the last twenty at most; what they say of files is not asked.
  payload["commits"] = {{{"id", after}, {"message", "x"}, {"added", {"src/claimed.c"}}}};
  payload["total_commits_count"] = 26;
  const auto received = receive(test::gitlab_call(payload.dump(), kSecret));
  REQUIRE(received);
  const PipelineRow pipeline = pipeline_of(settled(received->delivery));
  const auto jobs = database->read()->jobs.of_pipeline(pipeline.id);
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].name == "docs");
}

TEST_CASE_METHOD(Fixture, "a merge request makes one pipeline for each of its commits",
                 "[intake]") {
  const std::string before = commit(
      "docs: {script: x, rules: [{changes: [docs/*]}]}\n"
      "code: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID == '7', changes: [src/*]}]}\n"
      "pushed: {script: x}\n");
  remote.git({"checkout", "--quiet", "-b", "topic"});
  const std::string head = remote.commit_file("src/new.c", "x");
  remote.git({"checkout", "--quiet", "main"});
  remote.commit_file("docs/of_main.md", "x");
  intake->start();
  const DeliveryRow done = settled(receive(merge_request(head, "one"))->delivery);
  CHECK(done.verdict == "done");
  const PipelineRow pipeline = pipeline_of(done);
  CHECK(pipeline.source == "merge_request_event");
  CHECK(pipeline.ref == "topic");
  CHECK(pipeline.sha == head);
  CHECK(
      json::parse(pipeline.merge_request) ==
      json{{"iid", 7}, {"title", "Louder"}, {"source_branch", "topic"}, {"target_branch", "main"}});
  // What main did meanwhile is no change of the merge request's; and a job without rules is for
  // branches and tags.
  const auto jobs = database->read()->jobs.of_pipeline(pipeline.id);
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].name == "code");
  const auto plan = json::parse(database->read()->jobs.plan(jobs[0].plan_id));
  std::map<std::string, std::string> variables;
  for (const json& one : plan["of_event"]) variables[one["name"]] = one["value"];
  CHECK(variables["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] == "main");
  CHECK(variables["CI_MERGE_REQUEST_TITLE"] == "Louder");
  CHECK(variables["CI_MERGE_REQUEST_LABELS"] == "voice");
  CHECK(variables["CI_MERGE_REQUEST_DIFF_BASE_SHA"] == before);

  const DeliveryRow again = settled(receive(merge_request(head, "two", "synchronize"))->delivery);
  CHECK(again.verdict == "ignored");
  CHECK(again.reason ==
        "merge request 7 has a pipeline of commit " + head.substr(0, 8) + " already");
  remote.git({"checkout", "--quiet", "topic"});
  const std::string next = remote.commit_file("src/next.c", "x");
  CHECK(pipeline_of(settled(receive(merge_request(next, "three", "synchronize"))->delivery)).sha ==
        next);
}

TEST_CASE_METHOD(Fixture, "a merge request that no job is for says so", "[intake]") {
  commit("pushed: {script: x}\n");
  remote.git({"checkout", "--quiet", "-b", "topic"});
  const std::string head = remote.commit_file("a", "x");
  intake->start();
  const DeliveryRow done = settled(receive(merge_request(head, "one"))->delivery);
  CHECK(done.verdict == "ignored");
  CHECK_FALSE(done.reason.empty());
}

TEST_CASE_METHOD(Fixture, "a git host that hangs holds up its own projects alone, and no end",
                 "[intake]") {
  SilentHost silent;
  silent.listen();
  const std::string sha = commit(kFile);
  intake->start();
  std::vector<DeliveryId> stuck;
  for (int i = 0; i < 8; ++i) {
    const std::string path = "slow/p" + std::to_string(i);
    const ProjectRow project = add_project(path, silent.url());
    const auto received = receive(github_push_of(sha, "one", path), project);
    REQUIRE(received);
    stuck.push_back(received->delivery);
  }
  const auto received = receive(github_push_of(sha, "one"));
  REQUIRE(received);
  CHECK(settled(received->delivery).verdict == "done");

  mirrors.stop();
  intake->stop();
  for (const DeliveryId id : stuck) {
    const DeliveryRow row = row_of_delivery(id);
    CHECK(row.verdict == "accepted");
    CHECK(row.attempts == 0);  // an end in order is no crash
  }
  const auto late = mirrors.fetch(1, remote.url(), "main", "");
  REQUIRE_FALSE(late);
  CHECK(late.error().message == "nothing is fetched: the server is stopping");
}

TEST_CASE_METHOD(Fixture, "while a git host cannot be reached, its deliveries wait", "[intake]") {
  const SilentHost closed;  // nobody listens
  hooked.repository_url = closed.url();
  const auto save = [&] {
    return coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
      write.stores.projects.update(hooked);
      return true;
    });
  };
  REQUIRE(save());
  const std::string sha = commit(kFile);
  intake->start();
  const auto received = receive(github_push_of(sha, "one"));
  REQUIRE(received);
  const DeliveryRow waiting =
      delivery_when(received->delivery, [](const DeliveryRow& row) { return !row.reason.empty(); });
  CHECK(waiting.verdict == "accepted");
  CHECK(waiting.attempts == 0);
  CHECK(waiting.reason.find("Waits for another attempt: The commit could not be fetched: ") == 0);

  hooked.repository_url = remote.url();
  REQUIRE(save());
  clock.tick(std::chrono::seconds{1});
  CHECK(settled(received->delivery).verdict == "done");
}

TEST_CASE_METHOD(Fixture, "a git host that stays away fails the delivery in the end", "[intake]") {
  const SilentHost closed;
  hooked = add_project("group/away", closed.url());
  intake->start();
  const auto received = receive(github_push_of(std::string(40, 'a'), "one", "group/away"));
  REQUIRE(received);
  const DeliveryRow row = delivery_when(received->delivery, [&](const DeliveryRow& now) {
    clock.tick(std::chrono::minutes{20});
    intake->take_up(hooked, DeliveryId{0});  // wakes the workers
    return now.verdict != "accepted";
  });
  CHECK(row.verdict == "failed");
  CHECK(row.reason.find("The commit could not be fetched: git fetch failed") == 0);
}

TEST_CASE_METHOD(Fixture, "a delivery that is taken up again is worked on as a new one",
                 "[intake]") {
  const std::string bare = remote.commit_file("README", "x");
  intake->start();
  const auto received = receive(github_push_of(bare, "one"));
  REQUIRE(received);
  CHECK(settled(received->delivery).verdict == "ignored");
  REQUIRE(coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.deliveries.begin_again(received->delivery);
    return true;
  }));
  CHECK(row_of_delivery(received->delivery).reason.empty());
  intake->take_up(hooked, received->delivery);
  const DeliveryRow again = settled(received->delivery);
  CHECK(again.verdict == "ignored");
  CHECK(again.reason == "The commit has no pipeline file .gitlab-ci.yml.");
  CHECK(again.attempts == 1);
}

}  // namespace slipway::server
