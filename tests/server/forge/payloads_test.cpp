#include <random>

#include "server/forge/hosts.h"
#include "tests/server/forge/calls.h"
#include "tests/support/catch.h"

namespace slipway::server {
namespace {

using namespace test;
using nlohmann::json;

const HookedProject kProject{"group/hooked", "https://git.example/group/hooked.git"};

std::vector<ForgeEvent> told(const std::string& event, const json& payload,
                             const HookedProject& project = kProject) {
  auto events = parse(event, payload.dump(), project);
  REQUIRE(events);
  return std::move(*events);
}

ForgeEvent one(const std::string& event, const json& payload) {
  const auto events = told(event, payload);
  REQUIRE(events.size() == 1);
  return events[0];
}

std::string refusal(const std::string& event, const json& payload) {
  const auto events = parse(event, payload.dump(), kProject);
  REQUIRE_FALSE(events);
  CHECK(events.error().kind == ErrorKind::InvalidInput);
  return events.error().message;
}

void check_push_to_main(const ForgeEvent& event) {
  REQUIRE(std::holds_alternative<PushEvent>(event));
  const auto& push = std::get<PushEvent>(event);
  CHECK(push.ref == "main");
  CHECK_FALSE(push.is_tag);
  CHECK(push.before == kBefore);
  CHECK(push.after == kAfter);
  CHECK(push.head_message == "Speak louder");
  CHECK(push.pusher == "ada");
}

json github_pull_request(const std::string& action) {
  return {
      {"action", action},
      {"number", 7},
      {"pull_request",
       {{"title", "Louder"},
        {"body", "At last."},
        {"draft", true},
        {"labels", {{{"name", "voice"}}, {{"name", "p1"}}}},
        {"head",
         {{"ref", "topic"}, {"sha", kAfter}, {"repo", {{"id", 3}, {"full_name", "group/hooked"}}}}},
        {"base",
         {{"ref", "main"},
          {"sha", kBefore},
          {"repo", {{"id", 3}, {"full_name", "group/hooked"}}}}}}},
      {"sender", {{"login", "ada"}}},
      {"repository", {{"full_name", "group/hooked"}}}};
}

json gitlab_merge_request(const std::string& action) {
  json payload = gitlab_push();
  payload["object_kind"] = "merge_request";
  payload["user"] = {{"username", "ada"}};
  payload["labels"] = {{{"title", "voice"}}, {{"title", "p1"}}};
  payload["object_attributes"] = {{"iid", 7},
                                  {"title", "Louder"},
                                  {"description", "At last."},
                                  {"draft", true},
                                  {"action", action},
                                  {"source_branch", "topic"},
                                  {"target_branch", "main"},
                                  {"source_project_id", 15},
                                  {"target_project_id", 15},
                                  {"oldrev", kBefore},
                                  {"last_commit", {{"id", kAfter}}}};
  return payload;
}

json bitbucket_pull_request() {
  const json repository{{"full_name", "group/hooked"}};
  return {{"repository", repository},
          {"actor", {{"nickname", "ada"}}},
          {"pullrequest",
           {{"id", 7},
            {"title", "Louder"},
            {"description", "At last."},
            {"draft", true},
            {"source",
             {{"branch", {{"name", "topic"}}},
              {"commit", {{"hash", "aaaaaaaaaaaa"}}},
              {"repository", repository}}},
            {"destination", {{"branch", {{"name", "main"}}}, {"repository", repository}}}}}};
}

void check_request(const ForgeEvent& event, MergeRequestEvent::Action action) {
  REQUIRE(std::holds_alternative<MergeRequestEvent>(event));
  const auto& request = std::get<MergeRequestEvent>(event);
  CHECK(request.action == action);
  CHECK(request.number == 7);
  CHECK(request.source_branch == "topic");
  CHECK(request.target_branch == "main");
  CHECK(request.title == "Louder");
  CHECK(request.description == "At last.");
  CHECK(request.author == "ada");
  CHECK(request.draft);
  CHECK_FALSE(request.from_fork);
}

}  // namespace

TEST_CASE("a push of each host tells branch, commits, message and pusher", "[forge]") {
  check_push_to_main(one("push", github_push()));
  json gitea = github_push();
  gitea["pusher"] = {{"id", 1}, {"login", "ada"}, {"username", "ada"}};
  check_push_to_main(one("push", gitea));
  check_push_to_main(one("Push Hook", gitlab_push()));
  check_push_to_main(told("repo:push", bitbucket_push())[0]);
}

TEST_CASE("Bitbucket tells several pushes at once", "[forge]") {
  const auto events = told("repo:push", bitbucket_push());
  REQUIRE(events.size() == 3);
  const auto& tag = std::get<PushEvent>(events[1]);
  CHECK(tag.ref == "v1");
  CHECK(tag.is_tag);
  CHECK(tag.before.empty());
  CHECK(tag.after == kAfter);
  CHECK(std::get<IgnoredEvent>(events[2]).reason == "'gone' was deleted");
  CHECK(std::get<IgnoredEvent>(events[2]).deleted_ref == "gone");
  CHECK_FALSE(std::get<IgnoredEvent>(events[2]).deleted_tag);
}

TEST_CASE("a tag's push leads to the commit and not to the tag's own object", "[forge]") {
  const std::string tag_object(40, 'b');
  json payload = github_push();
  payload["ref"] = "refs/tags/v1";
  payload["before"] = kNothing;
  payload["after"] = tag_object;
  auto push = std::get<PushEvent>(one("push", payload));
  CHECK(push.is_tag);
  CHECK(push.ref == "v1");
  CHECK(push.before.empty());
  CHECK(push.after == kAfter);

  payload = gitlab_push();
  payload["ref"] = "refs/tags/v1";
  payload["before"] = kNothing;
  payload["after"] = tag_object;
  push = std::get<PushEvent>(one("Tag Push Hook", payload));
  CHECK(push.is_tag);
  CHECK(push.after == kAfter);
}

TEST_CASE("a deleted branch is ignored with the reason, whoever tells it", "[forge]") {
  for (json payload : {github_push(kNothing), gitlab_push(kNothing)}) {
    payload["checkout_sha"] = nullptr;
    payload["head_commit"] = nullptr;
    const std::string event = payload.contains("object_kind") ? "Push Hook" : "push";
    CHECK(why_no_pipeline(one(event, payload)) == "'main' was deleted");
  }
}

TEST_CASE("other events are ignored by their name", "[forge]") {
  CHECK(why_no_pipeline(one("delete", github_push())) == "the event 'delete' makes no pipeline");
  CHECK(why_no_pipeline(one("Note Hook", gitlab_push())) ==
        "the event 'Note Hook' makes no pipeline");
  CHECK(why_no_pipeline(one("repo:fork", bitbucket_push())) ==
        "the event 'repo:fork' makes no pipeline");
  CHECK(why_no_pipeline(one("pullrequest:approved", bitbucket_pull_request())) ==
        "the event 'pullrequest:approved' makes no pipeline");
  CHECK(why_no_pipeline(one("pull_request", github_pull_request("labeled"))) ==
        "the pull request's 'labeled' makes no pipeline");
  CHECK(why_no_pipeline(one("Merge Request Hook", gitlab_merge_request("approved"))) ==
        "the merge request's 'approved' makes no pipeline");
  json named = bitbucket_push();
  named["push"]["changes"] = {{{"new", bitbucket_ref("named_branch", "x", kAfter)}}};
  CHECK(why_no_pipeline(told("repo:push", named)[0]) == "'x' is neither a branch nor a tag");
  CHECK(why_no_pipeline(one("push", github_push())).empty());
}

TEST_CASE("a merge request tells what happened to it", "[forge]") {
  using Action = MergeRequestEvent::Action;
  for (const auto& [word, action] : std::map<std::string, Action>{{"opened", Action::Opened},
                                                                  {"reopened", Action::Opened},
                                                                  {"synchronize", Action::Updated},
                                                                  {"synchronized", Action::Updated},
                                                                  {"closed", Action::Closed}})
    check_request(one("pull_request", github_pull_request(word)), action);
  for (const auto& [word, action] : std::map<std::string, Action>{{"open", Action::Opened},
                                                                  {"reopen", Action::Opened},
                                                                  {"update", Action::Updated},
                                                                  {"merge", Action::Closed},
                                                                  {"close", Action::Closed}})
    check_request(one("Merge Request Hook", gitlab_merge_request(word)), action);
  for (const auto& [word, action] : std::map<std::string, Action>{{"created", Action::Opened},
                                                                  {"updated", Action::Updated},
                                                                  {"fulfilled", Action::Closed},
                                                                  {"rejected", Action::Closed}})
    check_request(one("pullrequest:" + word, bitbucket_pull_request()), action);
  CHECK(why_no_pipeline(one("pull_request", github_pull_request("opened"))).empty());
  CHECK(why_no_pipeline(one("pullrequest:updated", bitbucket_pull_request())).empty());
  CHECK(why_no_pipeline(one("pull_request", github_pull_request("closed"))) ==
        "merge request 7 from 'topic' was closed: nothing is to be built");
  const auto labels = [](const ForgeEvent& event) {
    return std::get<MergeRequestEvent>(event).labels;
  };
  CHECK(labels(one("pull_request", github_pull_request("opened"))) == "voice,p1");
  CHECK(labels(one("Merge Request Hook", gitlab_merge_request("open"))) == "voice,p1");
  json titled = gitlab_merge_request("update");
  titled["object_attributes"].erase("oldrev");
  CHECK(std::holds_alternative<IgnoredEvent>(one("Merge Request Hook", titled)));
}

TEST_CASE("a merge request from elsewhere is known as one of a fork", "[forge]") {
  const auto fork = [](const std::string& event, const json& payload) {
    return std::get<MergeRequestEvent>(one(event, payload)).from_fork;
  };
  json github = github_pull_request("opened");
  github["pull_request"]["head"]["repo"]["full_name"] = "eve/hooked";
  CHECK(fork("pull_request", github));
  CHECK(why_no_pipeline(one("pull_request", github)).empty());
  // A fork that was renamed to what it was forked from is still another repository.
  github["pull_request"]["head"]["repo"] = {{"id", 4}, {"full_name", "group/hooked"}};
  CHECK(fork("pull_request", github));
  github["pull_request"]["head"]["repo"] = nullptr;
  CHECK(fork("pull_request", github));
  json gitlab = gitlab_merge_request("open");
  gitlab["object_attributes"]["source_project_id"] = 16;
  CHECK(fork("Merge Request Hook", gitlab));
  gitlab["object_attributes"].erase("source_project_id");
  gitlab["object_attributes"].erase("target_project_id");
  CHECK(fork("Merge Request Hook", gitlab));
  json bitbucket = bitbucket_pull_request();
  bitbucket["pullrequest"]["source"]["repository"] = nullptr;
  CHECK(fork("pullrequest:created", bitbucket));
}

TEST_CASE("a request from a fork tells who is behind it and where its commits are", "[forge]") {
  json github = github_pull_request("synchronize");
  github["pull_request"]["user"] = {{"login", "eve"}, {"id", 66}};
  github["sender"]["id"] = 1;
  github["pull_request"]["head"]["repo"] = {{"id", 4}, {"full_name", "eve/hooked"}};
  const auto of_github = std::get<MergeRequestEvent>(one("pull_request", github));
  CHECK(of_github.opener == ForgePerson{"eve", "66"});
  CHECK(of_github.actor == ForgePerson{"ada", "1"});
  CHECK(of_github.fork.ref == "refs/pull/7/head");
  CHECK(of_github.fork.repository == "eve/hooked");
  CHECK_FALSE(of_github.fork.in_fork);
  json gitlab = gitlab_merge_request("open");
  gitlab["user"]["id"] = 1;
  gitlab["object_attributes"]["author_id"] = 66;
  gitlab["object_attributes"]["source"] = {{"path_with_namespace", "eve/hooked"}};
  auto of_gitlab = std::get<MergeRequestEvent>(one("Merge Request Hook", gitlab));
  CHECK(of_gitlab.opener == ForgePerson{"", "66"});
  CHECK(of_gitlab.fork.ref == "refs/merge-requests/7/head");
  gitlab["object_attributes"]["author_id"] = 1;
  of_gitlab = std::get<MergeRequestEvent>(one("Merge Request Hook", gitlab));
  CHECK(of_gitlab.opener == ForgePerson{"ada", "1"});
  json bitbucket = bitbucket_pull_request();
  bitbucket["actor"]["uuid"] = "{1}";
  bitbucket["pullrequest"]["source"]["repository"] = {{"full_name", "eve/hooked"}};
  const auto of_bitbucket = std::get<MergeRequestEvent>(one("pullrequest:created", bitbucket));
  CHECK(of_bitbucket.actor == ForgePerson{"ada", "{1}"});
  CHECK(of_bitbucket.fork.ref == "refs/heads/topic");
  CHECK(of_bitbucket.fork.in_fork);
  CHECK(of_bitbucket.fork.target_repository == "group/hooked");
  CHECK(of_bitbucket.sha_digits == "aaaaaaaaaaaa");
}

TEST_CASE("a payload about another repository is denied, whoever tells it", "[forge]") {
  json github = github_push();
  json gitlab = gitlab_push();
  json bitbucket = bitbucket_push();
  for (const char* url : {"clone_url", "ssh_url", "html_url"}) github["repository"].erase(url);
  github["repository"]["full_name"] = "group/other";
  gitlab["project"] = {{"path_with_namespace", "group/other"},
                       {"git_http_url", "https://gitlab.example/group/other.git"}};
  gitlab["repository"] = {{"homepage", kProject.repository_url}};
  bitbucket["repository"]["full_name"] = "group/other";
  for (const auto& [event, payload] : std::map<std::string, json>{{"push", github},
                                                                  {"Push Hook", gitlab},
                                                                  {"Note Hook", gitlab},
                                                                  {"repo:push", bitbucket},
                                                                  {"repo:fork", bitbucket}}) {
    const auto denied = parse(event, payload.dump(), kProject);
    REQUIRE_FALSE(denied);
    CHECK(denied.error().kind == ErrorKind::Denied);
    CHECK(denied.error().message == "the payload is about another repository than 'group/hooked'");
  }
}

TEST_CASE("a repository is known by the address that the project fetches from", "[forge]") {
  CHECK(told("Push Hook", gitlab_push(), {"elsewhere/x", "git@gitlab.example:group/hooked.git"})
            .size() == 1);
  CHECK(told("Push Hook", gitlab_push(), {"elsewhere/x", "https://gitlab.example/group/hooked"})
            .size() == 1);
  for (const char* url :
       {"https://bitbucket.org/group/hooked.git", "git@bitbucket.org:group/hooked.git",
        "ssh://git@bitbucket.org/group/hooked.git"})
    CHECK(told("repo:push", bitbucket_push(), {"elsewhere/x", url}).size() == 3);
  CHECK_FALSE(parse("repo:push", bitbucket_push().dump(),
                    {"elsewhere/x", "git@evil.example:group/hooked.git"}));
}

TEST_CASE("what is no push says what is wrong, in the host's name", "[forge]") {
  json gitlab = gitlab_push();
  gitlab["ref"] = "main";
  CHECK(refusal("Push Hook", gitlab) ==
        "the payload is not a push as GitLab sends it: 'ref' must begin with refs/heads/ or "
        "refs/tags/");
  gitlab = gitlab_push("not a commit");
  CHECK(refusal("Push Hook", gitlab) ==
        "the payload is not a push as GitLab sends it: 'after' must be a commit id");
  CHECK(refusal("Push Hook", json::array()) ==
        "the payload is not a push as GitLab sends it: it is not a JSON object");
  gitlab = gitlab_merge_request("open");
  gitlab["object_attributes"]["iid"] = "7";
  CHECK(refusal("Merge Request Hook", gitlab) ==
        "the payload is not a merge request as GitLab sends it: iid or commit is missing");
  json github = github_pull_request("opened");
  github["pull_request"]["head"]["sha"] = "x";
  CHECK(refusal("pull_request", github) ==
        "the payload is not a pull request as GitHub sends it: number or commit is missing");
}

TEST_CASE("what is no push of Bitbucket says what is wrong", "[forge]") {
  const std::string begin = "the payload is not a push as Bitbucket sends it: ";
  const auto with = [](const json& changes) {
    json payload = bitbucket_push();
    payload["push"]["changes"] = changes;
    return refusal("repo:push", payload);
  };
  CHECK(refusal("repo:push", json("x")) == begin + "it is not a JSON object");
  CHECK(with(json::array()) == begin + "'push' has no changes");
  CHECK(with(json::object()) == begin + "'push' has no changes");
  CHECK(with(json::array({nullptr})) == begin + "a change names no branch or tag");
  CHECK(with({{{"new", bitbucket_ref("branch", "x", "abc")}}}) ==
        begin + "'new' must have a commit id");
  CHECK(with({{{"new", bitbucket_ref("branch", "x", kNothing)}}}) ==
        begin + "'new' must have a commit id");
  CHECK(with({{{"old", bitbucket_ref("branch", "x", "abc")},
               {"new", bitbucket_ref("branch", "x", kAfter)}}}) ==
        begin + "'old' must have a commit id");
  CHECK(with(json(std::vector<json>(101, bitbucket_push()["push"]["changes"][0]))) ==
        begin + "'push' has too many changes");
  json request = bitbucket_pull_request();
  request["pullrequest"]["source"] = "x";
  CHECK(refusal("pullrequest:created", request) ==
        "the payload is not a pull request as Bitbucket sends it: id or branch is missing");
}

TEST_CASE("a mutated payload of any host is parsed or refused, and never more than that",
          "[forge]") {
  std::mt19937 random{20240607};
  const std::string alphabet = "{}[]\",:0123456789.-+eE\\u \n\tnulltruefalse\xC3\x28\xFF";
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random);
  };
  const std::vector<std::pair<std::string, std::string>> wholes{
      {"push", github_push().dump()},
      {"pull_request", github_pull_request("opened").dump()},
      {"Push Hook", gitlab_push().dump()},
      {"Merge Request Hook", gitlab_merge_request("open").dump()},
      {"repo:push", bitbucket_push().dump()},
      {"pullrequest:created", bitbucket_pull_request().dump()}};
  for (const auto& [event, whole] : wholes) {
    int understood = 0;
    int refused = 0;
    for (int round = 0; round < 2000; ++round) {
      std::string body = whole;
      for (std::size_t change = 0; change <= pick(4) && !body.empty(); ++change) {
        const std::size_t at = pick(body.size());
        switch (pick(4)) {
          case 0: body[at] = alphabet[pick(alphabet.size())]; break;
          case 1: body.erase(at, pick(20) + 1); break;
          case 2: body.insert(at, body.substr(pick(body.size()), pick(40))); break;
          default: body.resize(at); break;
        }
      }
      const auto events = parse(event, body, kProject);
      events ? ++understood : ++refused;
      if (!events)
        CHECK((events.error().kind == ErrorKind::InvalidInput ||
               events.error().kind == ErrorKind::Denied));
    }
    INFO(event);
    CHECK(understood > 30);
    CHECK(refused > 300);
  }
}

TEST_CASE("a payload of one host under another's event is refused and harms nobody", "[forge]") {
  for (const json& payload : {github_push(), gitlab_push(), bitbucket_push()})
    for (const std::string event : {"push", "Push Hook", "repo:push", "pull_request",
                                    "Merge Request Hook", "pullrequest:created"}) {
      const auto events = parse(event, payload.dump(), kProject);
      if (!events) continue;
      const bool own = (event == "push" && payload.contains("head_commit")) ||
                       (event == "Push Hook" && payload.contains("project")) ||
                       (event == "repo:push" && payload.contains("push"));
      INFO(event << " " << payload.dump());
      CHECK((own || std::holds_alternative<IgnoredEvent>(events->front())));
    }
}

}  // namespace slipway::server
