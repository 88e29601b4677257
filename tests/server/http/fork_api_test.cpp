// Approvals of merge requests from forks over the API, compared with openapi.yaml.
#include "tests/server/http/api_fixture.h"
#include "tests/server/http/openapi.h"

namespace slipway::server::http {
namespace {

using nlohmann::json;
using test::Answer;
using test::ApiFixture;
using test::check_contract;

const std::string kRequests = "/api/v4/projects/{id}/fork_requests";
const std::string kOwn = "/api/v4/projects/1/fork_requests";
const std::string kSha(40, 'a');

struct Fixture : ApiFixture {
  Fixture() { make_project("team/app"); }

  ForkRequestRow wait(std::int64_t number = 7, const std::string& author = "eve",
                      const std::string& author_id = "66") {
    const auto made =
        coordinator->write<ForkRequestRow>([&](WriteTransaction& write) -> Result<ForkRequestRow> {
          DeliveryRow delivery;
          delivery.project_id = ProjectId{1};
          delivery.delivery_key = "key " + std::to_string(number);
          delivery.verdict = "waiting";
          ForkRequestRow row;
          row.project_id = delivery.project_id;
          row.number = number;
          row.sha = kSha;
          row.title = "Louder";
          row.author = author;
          row.author_id = author_id;
          row.reason = "commit aaaaaaaa waits for an approval";
          row.delivery_id = write.stores.deliveries.insert(delivery);
          row.id = write.stores.fork_requests.insert(row);
          return row;
        });
    REQUIRE(made);
    return *made;
  }
  static std::string path(const ForkRequestRow& row, const char* decision) {
    return kOwn + "/" + std::to_string(row.id.value) + "/" + decision;
  }
  Answer as(const std::string& token, const std::string& target, const json& body) {
    return call_with("PRIVATE-TOKEN: " + token + "\r\n", "POST", target, body);
  }
  std::string last_audit() {
    // Nobody waits for an entry; what was asked of the coordinator before this is done with it.
    REQUIRE(coordinator->write<bool>([](WriteTransaction&) -> Result<bool> { return true; }));
    const auto row = database->read()->audit.list({}).rows.at(0);
    return row.action + " " + row.result + " " + row.object;
  }
};

}  // namespace

TEST_CASE("a waiting commit is listed, and approved only as the commit that was looked at",
          "[api]") {
  Fixture api;
  const auto row = api.wait();
  const auto list = api.call("GET", kOwn + "?state=waiting");
  check_contract("GET", kRequests, list, 200);
  REQUIRE(list.body.size() == 1);
  CHECK(list.body[0]["reason"] == "commit aaaaaaaa waits for an approval");
  CHECK(api.call("GET", kOwn + "?state=approved").body.empty());
  CHECK(api.call("GET", kOwn + "?state=other").status == 400);
  check_contract("GET", kRequests + "/{request_id}",
                 api.call("GET", kOwn + "/" + std::to_string(row.id.value)), 200);

  const auto other = api.call("POST", Fixture::path(row, "approve"), {{"sha", kSha.substr(0, 8)}});
  check_contract("POST", kRequests + "/{request_id}/approve", other, 409);
  CHECK(api.call("POST", Fixture::path(row, "approve"), json::object()).status == 400);
  CHECK(api.outside.asked.empty());

  const auto done = api.call("POST", Fixture::path(row, "approve"), {{"sha", kSha}});
  check_contract("POST", kRequests + "/{request_id}/approve", done, 202);
  CHECK(done.body["state"] == "approved");
  CHECK(done.body["decided_by"] == "ann");
  CHECK(api.last_audit() == "fork_request.approved ok fork_request/1 commit " + kSha);
  CHECK(api.outside.asked == std::vector<std::string>{"take up team/app 1"});
  CHECK(api.database->read()->deliveries.find(row.delivery_id)->verdict == "accepted");
  CHECK(api.call("POST", Fixture::path(row, "approve"), {{"sha", kSha}}).status == 409);
}

TEST_CASE("a rejected commit is not built, unless somebody approves it later", "[api]") {
  Fixture api;
  const auto row = api.wait();
  const auto rejected = api.call("POST", Fixture::path(row, "reject"), {{"sha", kSha}});
  check_contract("POST", kRequests + "/{request_id}/reject", rejected, 200);
  CHECK(rejected.body["reason"] == "rejected by ann");
  CHECK(api.outside.asked.empty());
  CHECK(api.database->read()->deliveries.find(row.delivery_id)->verdict == "ignored");
  CHECK(api.call("POST", Fixture::path(row, "reject"), {{"sha", kSha}}).status == 409);
  CHECK(api.call("POST", Fixture::path(row, "approve"), {{"sha", kSha}}).status == 202);
}

TEST_CASE("maintainers approve, developers where the project lets them, nobody their own",
          "[api]") {
  Fixture api;
  const auto developer = api.make_user("dev");
  api.make_member("projects/1", "dev", Level::Developer);
  const auto maintainer = api.make_user("Eve");
  api.make_member("projects/1", "Eve", Level::Maintainer);
  const auto of_eve = api.wait(7);
  const auto of_other = api.wait(8, "mallory", "99");

  CHECK(api.as(developer, Fixture::path(of_eve, "approve"), {{"sha", kSha}}).status == 403);
  CHECK(api.last_audit() == "fork_request.approved refused fork_request/1");
  const auto own = api.as(maintainer, Fixture::path(of_eve, "approve"), {{"sha", kSha}});
  CHECK(own.status == 403);
  CHECK(own.body["message"] == "nobody approves a merge request of their own");
  CHECK(api.as(maintainer, Fixture::path(of_other, "approve"), {{"sha", kSha}}).status == 202);

  // The same person by the account of the git host.
  const auto user = api.database->read()->users.find_by_name("dev")->id;
  REQUIRE(api.coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
    write.stores.identities.insert({"https://git.test", "66", user, 1});
    return true;
  }));
  REQUIRE(api.call("PUT", "/api/v4/projects/1", {{"fork_approval_level", 30}}).status == 200);
  CHECK(api.as(developer, Fixture::path(of_eve, "approve"), {{"sha", kSha}}).status == 403);
  const auto of_third = api.wait(9, "third", "101");
  CHECK(api.as(developer, Fixture::path(of_third, "approve"), {{"sha", kSha}}).status == 202);
}

TEST_CASE("a project says how forks are built, and refuses what it does not know", "[api]") {
  Fixture api;
  const auto change = [&](const json& body) {
    return api.call("PUT", "/api/v4/projects/1", body).status;
  };
  CHECK(api.call("GET", "/api/v4/projects/1").body["fork_pipelines"] == "approval");
  const auto changed =
      api.call("PUT", "/api/v4/projects/1",
               {{"fork_pipelines", "trusted"}, {"fork_trusted_authors", {"ada", "id:7"}}});
  check_contract("PUT", "/api/v4/projects/{id}", changed, 200);
  CHECK(changed.body["fork_trusted_authors"] == json{"ada", "id:7"});
  CHECK(change({{"fork_pipelines", "always"}}) == 400);
  CHECK(change({{"fork_approval_level", 20}}) == 400);
  CHECK(change({{"fork_approval_level", 4294967326}}) == 400);
  CHECK(change({{"fork_trusted_authors", {""}}}) == 400);
  CHECK(change({{"fork_trusted_authors", {"id:"}}}) == 400);
  // Of another project nothing is found.
  api.make_project("team/two");
  const auto row = api.wait();
  CHECK(api.call("POST",
                 "/api/v4/projects/2/fork_requests/" + std::to_string(row.id.value) + "/approve",
                 {{"sha", kSha}})
            .status == 404);
}

TEST_CASE("repositories of a git host are listed by a token that is not kept", "[api]") {
  Fixture api;
  const std::string target = "/api/v4/forge_repositories";
  const auto list = api.call("POST", target, {{"forge", "gitlab"}, {"token", "s3cret"}});
  check_contract("POST", target, list, 200);
  REQUIRE(list.body["repositories"].size() == 2);
  CHECK(list.body["repositories"][0]["known"] == true);
  CHECK(list.body["repositories"][1]["known"] == false);
  CHECK(list.body["more"] == true);
  CHECK(api.outside.asked.back() == "list gitlab s3cret page 1");
  const auto found = api.call(
      "POST", target, {{"forge", "github"}, {"token", "t"}, {"search", "LIB"}, {"page", 2}});
  REQUIRE(found.body["repositories"].size() == 1);
  CHECK(found.body["repositories"][0]["path"] == "team/Library");
  CHECK(api.call("POST", target, {{"forge", "gitlab"}, {"token", "wrong"}}).status == 403);
  const json refused[]{{{"forge", "other"}, {"token", "t"}},
                       {{"forge", "github"}},
                       {{"forge", "github"}, {"token", "a b"}},
                       {{"forge", "github"}, {"token", "t"}, {"page", 0}}};
  for (const json& body : refused) CHECK(api.call("POST", target, body).status == 400);
  const auto stranger = api.make_user("stranger");
  CHECK(api.as(stranger, target, {{"forge", "gitlab"}, {"token", "t"}}).status == 403);
}

}  // namespace slipway::server::http
