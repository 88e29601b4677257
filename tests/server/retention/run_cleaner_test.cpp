// When the commits of work trees go.
#include "server/retention/run_cleaner.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "server/store/run_refs.h"
#include "tests/server/git/git_repository.h"
#include "tests/server/store/store_fixture.h"

namespace slipway::server {
namespace {

using std::chrono::hours;

struct Fixture : test::StoreFixture {
  FakeClock clock;
  test::GitRepository remote;
  std::string sha = remote.commit_file("README", "one\n");
  Mirrors mirrors{directory / "mirrors", LocalRepositories::allowed};
  RunCleaner cleaner{*database, mirrors, clock, {hours{48}, hours{100}}};
  ProjectId project_id = project();

  Fixture() { REQUIRE(mirrors.fetch(project_id.value, remote.url(), "main", "")); }

  std::string ref(const std::string& name, std::string_view kind = kRunRefs) {
    std::string full = std::string{kind} + name;
    REQUIRE(mirrors.point_ref(project_id.value, full, sha));
    set_age(full, hours{0});
    return full;
  }
  // As the clock of the test counts.
  void set_age(const std::string& full, hours age) {
    timespec times[2]{};
    times[0].tv_sec = times[1].tv_sec =
        clock.now() / 1000 - std::chrono::duration_cast<std::chrono::seconds>(age).count();
    REQUIRE(::utimensat(AT_FDCWD, (mirrors.path_of(project_id.value) / full).c_str(), times, 0) ==
            0);
  }
  void pipeline_of(const std::string& full, std::optional<hours> ended) {
    auto row = pipeline(project_id, full, ended ? "success" : "running");
    if (ended) row.finished_at = clock.now() - std::chrono::milliseconds{*ended}.count();
    commit([&](Stores& stores) {
      stores.pipelines.update_state(row);
      return 0;
    });
  }
  // A commit that was kept long ago, with a pipeline.
  std::string kept_commit(std::optional<hours> ended) {
    const std::string id = remote.commit_file("README", std::to_string(++commits) + "\n");
    REQUIRE(mirrors.fetch(project_id.value, remote.url(), "main", id));
    REQUIRE(mirrors.keep(project_id.value, id));
    add_pipeline(id, ended);
    set_age(std::string{kKeptRefs} + id, hours{200});
    return id;
  }
  void add_pipeline(const std::string& id, std::optional<hours> ended) {
    commit([&](Stores& stores) {
      PipelineRow row;
      row.project_id = project_id;
      row.ref = "main";
      row.source = "push";
      row.sha = id;
      row.created_at = 10;
      row.status = "running";
      stores.pipelines.insert(row, {});
      row.status = ended ? "success" : "running";
      if (ended) row.finished_at = clock.now() - std::chrono::milliseconds{*ended}.count();
      stores.pipelines.update_state(row);
      return 0;
    });
  }
  std::vector<std::string> kept() {
    auto names = mirrors.refs_below(project_id.value, std::string{kKeptRefs}).value();
    for (std::string& name : names) name.erase(0, kKeptRefs.size());
    return names;
  }
  int commits = 0;
  std::vector<std::string> refs() {
    return mirrors.refs_below(project_id.value, "refs/slipway/").value();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a work tree goes some time after its pipeline has ended",
                 "[retention]") {
  const auto running = ref("1/main");
  pipeline_of(running, std::nullopt);
  const auto fresh = ref("2/main");
  pipeline_of(fresh, hours{47});
  const auto old = ref("3/main");
  pipeline_of(old, hours{48});
  // A child pipeline that still runs keeps it.
  const auto parent = ref("4/main");
  pipeline_of(parent, hours{100});
  pipeline_of(parent, std::nullopt);
  CHECK(cleaner.clean() == 1);
  CHECK(refs() == std::vector{running, fresh, parent});
  clock.tick(hours{2});
  CHECK(cleaner.clean() == 1);
  CHECK(refs() == std::vector{running, parent});
}

TEST_CASE_METHOD(Fixture, "what no pipeline came for goes after a day", "[retention]") {
  const auto run = ref("1/main");
  const auto sent = ref(sha, kUploadRefs);
  const auto foreign = ref("other", "refs/slipway/");  // a commit that was fetched by its id
  for (const auto& one : {run, sent, foreign}) set_age(one, hours{23});
  CHECK(cleaner.clean() == 0);
  for (const auto& one : {run, sent, foreign}) set_age(one, hours{24});
  CHECK(cleaner.clean() == 2);
  CHECK(refs() == std::vector{foreign});
}

TEST_CASE_METHOD(Fixture, "a commit is kept for a time after its last pipeline has ended",
                 "[retention]") {
  const auto over = kept_commit(hours{100});
  auto again = kept_commit(hours{300});
  add_pipeline(again, hours{99});
  auto running = kept_commit(hours{300});
  add_pipeline(running, std::nullopt);

  CHECK(cleaner.clean() == 1);

  std::vector<std::string> left{again, running};
  std::sort(left.begin(), left.end());
  CHECK(kept() == left);
  // A branch still has it.
  CHECK(mirrors.known(project_id.value, {over}).value() == std::vector{over});
  clock.tick(hours{2});
  CHECK(cleaner.clean() == 1);
  CHECK(kept() == std::vector{running});
  CHECK(cleaner.clean() == 0);
}

TEST_CASE_METHOD(Fixture, "a commit that a new pipeline has just kept stays", "[retention]") {
  const auto over = kept_commit(hours{300});
  const UnixMillis yesterday = clock.now() - std::chrono::milliseconds{hours{24}}.count();
  REQUIRE(mirrors.keep(project_id.value, over));
  // Its pipeline is not stored yet.
  CHECK(cleaner.clean() == 0);
  CHECK_FALSE(mirrors.drop_kept(project_id.value, over, yesterday).value());
  CHECK(kept() == std::vector{over});
  set_age(std::string{kKeptRefs} + over, hours{24});
  CHECK(mirrors.drop_kept(project_id.value, over, yesterday).value());
  CHECK(kept().empty());
}

TEST_CASE_METHOD(Fixture, "a commit that was fetched by its id goes like the others",
                 "[retention]") {
  const auto fetched = ref(sha, "refs/slipway/");
  add_pipeline(sha, hours{100});
  set_age(fetched, hours{23});
  CHECK(cleaner.clean() == 0);
  set_age(fetched, hours{24});
  CHECK(cleaner.clean() == 1);
  CHECK(refs().empty());
}

TEST_CASE_METHOD(Fixture, "its thread ends when it is told", "[retention]") {
  cleaner.start();
  cleaner.stop();
  CHECK(refs().empty());
}

}  // namespace slipway::server
