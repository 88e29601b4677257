// What the cleaner removes, keeps, and takes up again after a crash at any point.
#include "server/retention/artifact_cleaner.h"

#include "tests/server/coordinator/coordinator_fixture.h"

#include <fstream>

namespace slipway::server {
namespace {

using std::chrono::hours;

struct Fixture : test::CoordinatorFixture {
  std::optional<BlobStore> blobs;
  std::optional<ArtifactCleaner> cleaner;

  Fixture() { start(); }
  ~Fixture() {
    cleaner.reset();
    coordinator->stop();
  }
  void start() {
    blobs.emplace(std::move(BlobStore::open(directory / "blobs").value()));
    coordinator->start();
    cleaner.emplace(*coordinator, *database, *blobs, clock);
  }
  // As after kill -9 at this point.
  void crash() {
    cleaner.reset();
    coordinator->stop();
    coordinator.reset();
    reopen();
    coordinator = make();
    start();
  }
  void clean() {
    while (cleaner->step()) {
    }
  }
  template <typename F>
  void write(F&& act) {
    REQUIRE(coordinator->write<void>([&](WriteTransaction& open) -> Result<void> {
      act(open.stores);
      return {};
    }));
  }
  PipelineRow pipeline(const std::string& status, const std::string& ref = "main",
                       const std::string& source = "push") {
    PipelineRow row;
    row.project_id = project_id;
    row.ref = ref;
    row.status = status;
    row.source = source;
    row.finished_at = clock.now();
    write([&](Stores& stores) { stores.pipelines.insert(row, {}); });
    return row;
  }
  JobRow job(const PipelineRow& of, const std::string& name = "job") {
    JobRow row;
    row.pipeline_id = of.id;
    row.project_id = of.project_id;
    row.name = name;
    write([&](Stores& stores) {
      row.plan_id = stores.jobs.insert_plan("{}");
      stores.jobs.insert(row);
    });
    return row;
  }
  std::string blob(JobId job) {
    auto upload = blobs->receive(job.value, 100);
    REQUIRE(upload);
    REQUIRE(upload->write("content"));
    return upload->commit().value().name;
  }
  // Gone in an hour, when not told otherwise.
  ArtifactRow artifact(const JobRow& of, std::optional<hours> life = hours{1},
                       const std::string& type = "archive") {
    ArtifactRow row;
    row.job_id = of.id;
    row.project_id = of.project_id;
    row.file_type = type;
    row.blob = blob(of.id);
    row.created_at = clock.now();
    if (life) row.expire_at = clock.now() + std::chrono::milliseconds{*life}.count();
    write([&](Stores& stores) { row.id = stores.artifacts.insert(row); });
    return row;
  }
  bool has_row(const ArtifactRow& row) {
    return database->read()->artifacts.find(row.id).has_value();
  }
  bool has_file(const std::string& blob_name) { return blobs->open_blob(blob_name).has_value(); }
  bool is_there(const ArtifactRow& row) {
    CHECK(has_row(row) == has_file(row.blob));
    return has_row(row);
  }
  std::size_t dead() { return database->read()->artifacts.dead_blobs(0, 1000).size(); }
};

}  // namespace

TEST_CASE("artifacts go once their time is up, with their files, and the job remembers it",
          "[retention]") {
  Fixture fixture;
  const auto failed = fixture.pipeline("failed");
  const auto job = fixture.job(failed);
  const auto hour = fixture.artifact(job, hours{1});
  const auto day = fixture.artifact(job, hours{24}, "junit");
  const auto never = fixture.artifact(fixture.job(failed), std::nullopt);

  fixture.clock.tick(hours{1} - std::chrono::milliseconds{1});
  fixture.clean();
  CHECK(fixture.is_there(hour));
  fixture.clock.tick(std::chrono::milliseconds{1});
  fixture.clean();
  CHECK_FALSE(fixture.is_there(hour));
  CHECK(fixture.is_there(day));
  auto removed = fixture.database->read()->artifacts.removed_of(job.id);
  REQUIRE(removed);
  CHECK(removed->reason == "expired");
  CHECK(removed->archive);
  CHECK(removed->removed_at == fixture.clock.now());

  fixture.clock.tick(hours{1'000'000});
  fixture.clean();
  CHECK_FALSE(fixture.is_there(day));
  CHECK(fixture.is_there(never));
  CHECK(fixture.dead() == 0);
  // Nor do directories pile up, one for each job that ever was.
  CHECK_FALSE(std::filesystem::exists(
      std::filesystem::path{fixture.directory / "blobs" / hour.blob}.parent_path()));
  CHECK(fixture.database->read()->artifacts.removed_of(job.id)->archive);
}

TEST_CASE("the last successful pipeline of each ref keeps its artifacts, until another succeeds",
          "[retention]") {
  Fixture fixture;
  const auto good = fixture.artifact(fixture.job(fixture.pipeline("success")));
  const auto other_ref = fixture.artifact(fixture.job(fixture.pipeline("success", "topic")));
  const auto later_failure = fixture.artifact(fixture.job(fixture.pipeline("failed")));
  fixture.clock.tick(hours{2});
  fixture.clean();
  CHECK(fixture.is_there(good));
  CHECK(fixture.is_there(other_ref));
  CHECK_FALSE(fixture.is_there(later_failure));

  // A child pipeline is no success of its ref.
  const auto child = fixture.pipeline("success", "main", "parent_pipeline");
  fixture.clean();
  CHECK(fixture.is_there(good));

  // A merge request's is none either, and has its own last success.
  const auto merged =
      fixture.artifact(fixture.job(fixture.pipeline("success", "main", "merge_request_event")));
  fixture.clock.tick(hours{2});
  fixture.clean();
  CHECK(fixture.is_there(good));
  CHECK(fixture.is_there(merged));

  const auto next = fixture.pipeline("success");
  const auto newest = fixture.artifact(fixture.job(next), hours{0});
  fixture.clean();
  CHECK_FALSE(fixture.is_there(good));
  CHECK(fixture.is_there(newest));
  CHECK(fixture.is_there(merged));
  CHECK(fixture.is_there(other_ref));

  auto project = *fixture.database->read()->projects.find(fixture.project_id);
  project.keep_latest_artifact = false;
  fixture.write([&](Stores& stores) { stores.projects.update(project); });
  fixture.clean();
  CHECK_FALSE(fixture.is_there(newest));
  CHECK_FALSE(fixture.is_there(other_ref));
}

TEST_CASE("what is kept of a pipeline is kept of its child pipelines", "[retention]") {
  Fixture fixture;
  const auto parent = fixture.pipeline("success");
  const auto bridge = fixture.job(parent, "bridge");
  const auto child = fixture.pipeline("failed", "main", "parent_pipeline");
  const auto elsewhere = fixture.pipeline("failed", "main", "pipeline");
  fixture.write([&](Stores& stores) {
    stores.bridges.insert({bridge.id, parent.id, child.id, "child"});
  });
  const auto second = fixture.job(parent, "second");
  fixture.write([&](Stores& stores) {
    stores.bridges.insert({second.id, parent.id, elsewhere.id, "project"});
  });
  const auto of_child = fixture.artifact(fixture.job(child));
  const auto of_other = fixture.artifact(fixture.job(elsewhere));
  fixture.clock.tick(hours{2});
  fixture.clean();
  CHECK(fixture.is_there(of_child));
  CHECK_FALSE(fixture.is_there(of_other));
}

TEST_CASE("a server that dies between row and file, or between file and note, goes on",
          "[retention]") {
  Fixture fixture;
  const auto failed = fixture.pipeline("failed");
  std::vector<ArtifactRow> rows;
  for (int i = 0; i < 5; ++i) rows.push_back(fixture.artifact(fixture.job(failed)));
  const auto safe = fixture.artifact(fixture.job(failed), hours{24});
  fixture.clock.tick(hours{2});
  REQUIRE(fixture.cleaner->step());  // the rows alone
  CHECK_FALSE(fixture.has_row(rows[0]));
  CHECK(fixture.has_file(rows[0].blob));
  CHECK(fixture.dead() == 5);

  fixture.crash();
  REQUIRE(fixture.blobs->remove(rows[0].blob));  // its file went, the note of it did not
  fixture.clean();
  for (const auto& row : rows) CHECK_FALSE(fixture.has_file(row.blob));
  CHECK(fixture.is_there(safe));
  CHECK(fixture.dead() == 0);
}

TEST_CASE("a commit that fails removes nothing, and is made up for", "[retention]") {
  Fixture fixture;
  const auto row = fixture.artifact(fixture.job(fixture.pipeline("failed")));
  fixture.clock.tick(hours{2});
  fixture.database->fail_next_commit();
  static_cast<void>(fixture.cleaner->step());
  CHECK(fixture.is_there(row));
  fixture.clean();
  fixture.clean();
  CHECK_FALSE(fixture.is_there(row));
}

TEST_CASE("files that no row ever named go after a start, those being received do not",
          "[retention]") {
  Fixture fixture;
  const auto job = fixture.job(fixture.pipeline("failed"));
  const auto used = fixture.artifact(job, std::nullopt);
  const auto lost = fixture.blob(job.id);  // the server dies before it is put into a row
  fixture.crash();
  const auto underway = fixture.blob(job.id);  // its row comes in a moment
  fixture.clean();
  CHECK_FALSE(fixture.has_file(lost));
  CHECK(fixture.has_file(underway));
  CHECK(fixture.is_there(used));
}

TEST_CASE("the files of a deleted project go, however many there are", "[retention]") {
  Fixture fixture;
  const auto failed = fixture.pipeline("failed");
  const auto job = fixture.job(failed);
  std::vector<std::string> blobs;
  for (int i = 0; i < 250; ++i) blobs.push_back(fixture.artifact(job, std::nullopt).blob);
  fixture.write([&](Stores& stores) { stores.projects.remove(fixture.project_id); });
  CHECK(fixture.dead() == 250);
  fixture.clean();
  CHECK(fixture.dead() == 0);
  for (const auto& blob : blobs) CHECK_FALSE(fixture.has_file(blob));
}

TEST_CASE("the thread removes by itself, and ends when it is told", "[retention]") {
  Fixture fixture;
  const auto row = fixture.artifact(fixture.job(fixture.pipeline("failed")));
  fixture.clock.tick(hours{2});
  fixture.cleaner->start();
  while (fixture.has_file(row.blob)) std::this_thread::yield();
  fixture.cleaner->stop();
  CHECK_FALSE(fixture.has_row(row));
}

}  // namespace slipway::server
