// Trigger jobs to the end: planned from real git repositories, on threads of their own.
#include "server/intake/downstreams.h"

#include <archive.h>
#include <archive_entry.h>

#include <atomic>
#include <fstream>
#include <optional>

#include "tests/server/intake/intake_fixture.h"

namespace slipway::server {
namespace {

// A zip archive of one file, as a runner uploads it.
std::string zip_of(const std::string& path, const std::string& text) {
  std::string bytes(1U << 16U, '\0');
  std::size_t used = 0;
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, path.c_str());
  archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0644);
  archive_write_header(writer, entry);
  archive_write_data(writer, text.data(), text.size());
  archive_entry_free(entry);
  archive_write_close(writer);
  archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

// The disk is full for what is written first after a trigger job was told of.
struct FullDisk final : CommitObserver {
  explicit FullDisk(Database& of) : database(of) {}
  void committed(const Changes& changes) noexcept override {
    if (!changes.bridges.empty() && !was_full.exchange(true)) database.fail_next_commit();
  }
  Database& database;
  std::atomic<bool> was_full = false;
};

struct Fixture : test::IntakeFixture {
  FullDisk disk{*database};
  BlobStore blobs{BlobStore::open(directory / "blobs").value()};
  std::optional<JobPayload> payload;
  test::GitRepository other_remote;
  Planner knowing{
      mirrors,
      vault,
      {{"https://ci.example", "", "1.0"}},
      {[this](const std::string& path) { return database->read()->projects.find_by_path(path); },
       {},
       false}};
  std::unique_ptr<Downstreams> downstreams;

  // Whoever observes a coordinator outlives its thread.
  ~Fixture() {
    if (downstreams) downstreams->stop();
    coordinator->stop();
    downstreams.reset();
  }

  // Observers are told of by a coordinator that has not begun, so this one is made anew.
  void start(CommitObserver* beside = nullptr) {
    intake.reset();
    coordinator->stop();
    downstreams.reset();
    coordinator.reset();
    coordinator = make();
    if (beside != nullptr) coordinator->observe(*beside);
    payload.emplace(*database, vault, *coordinator,
                    PayloadFacts{{"https://ci.example", "", "1.0"}, std::chrono::seconds{3600}});
    downstreams = std::make_unique<Downstreams>(*coordinator, *database, mirrors, knowing, *payload,
                                                blobs, clock);
    coordinator->start();
    intake = make_intake(mirrors, knowing);
    downstreams->start();
  }
  PipelineId trigger(UserId user = {}) {
    ManualTrigger by_hand;
    by_hand.ref = "main";
    by_hand.user = user;
    const auto made = intake->trigger(hooked, by_hand);
    REQUIRE(made);
    return *made;
  }
  // The trigger job once it is in one of these statuses.
  JobRow bridge_when(PipelineId id, const std::vector<std::string>& statuses,
                     const std::string& name = "bridge") {
    for (int i = 0; i < 2000; ++i) {
      JobRow row = job(id, name);
      if (std::find(statuses.begin(), statuses.end(), row.status) != statuses.end()) return row;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    FAIL("the trigger job is " << job(id, name).status << ": " << job(id, name).reason_text);
    return {};
  }
  PipelineRow downstream_of(const JobRow& bridge) {
    const auto link = database->read()->bridges.find(bridge.id);
    REQUIRE(link);
    return row_of(link->pipeline_id);
  }
  JobRow failed_bridge(PipelineId id) { return bridge_when(id, {"failed"}); }
  UserId admin() {
    const auto made = coordinator->write<UserId>([](WriteTransaction& write) -> Result<UserId> {
      UserRow row;
      row.username = "ann";
      row.is_admin = true;
      return write.stores.users.insert(row);
    });
    REQUIRE(made);
    return *made;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a pipeline that could not be stored is made when the disk has room",
                 "[intake][bridge]") {
  remote.write("child.yml", "unit: {script: x}\n");
  commit("bridge: {trigger: {include: child.yml, strategy: depend}}\n");
  start(&disk);
  const JobRow bridge = bridge_when(trigger(), {"running", "failed"});
  CHECK(disk.was_full);
  CHECK(bridge.status == "running");
  CHECK(downstream_of(bridge).source == "parent_pipeline");
}

TEST_CASE_METHOD(Fixture, "a child pipeline runs at the commit of its parent", "[intake][bridge]") {
  remote.write("ci/child.yml",
               "spec: {inputs: {name: {}}}\n---\n"
               "unit:\n  script: ['echo $FROM $[[ inputs.name ]]']\n"
               "elsewhere: {script: x, rules: [{if: '$CI_PIPELINE_SOURCE == \"push\"'}]}\n");
  commit(
      "bridge:\n  variables: {FROM: $CI_PIPELINE_ID}\n"
      "  trigger: {include: [{local: ci/child.yml, inputs: {name: unit}}], strategy: depend}\n");
  start();
  const PipelineId parent = trigger();
  const PipelineRow child = downstream_of(bridge_when(parent, {"running"}));
  CHECK(child.source == "parent_pipeline");
  CHECK(child.project_id == hooked.id);
  CHECK(child.sha == row_of(parent).sha);
  CHECK(child.ref == "main");
  CHECK(job(child.id, "unit").status == "pending");
  const auto given = nlohmann::json::parse(database->read()->pipelines.variables(child.id));
  REQUIRE(given.size() == 1);
  CHECK(given[0]["key"] == "FROM");
  CHECK(given[0]["value"] == std::to_string(parent.value));
  const auto details = database->read()->pipelines.details(child.id);
  REQUIRE(details.left_out.size() == 1);
  CHECK(details.left_out[0].name == "elsewhere");
}

TEST_CASE_METHOD(Fixture, "a child pipeline comes from a file that a job has made",
                 "[intake][bridge]") {
  commit(
      "generate: {stage: build, script: x, artifacts: {paths: [out]}}\n"
      "bridge: {trigger: {include: [{artifact: out/child.yml, job: generate}]}}\n");
  start();
  const PipelineId parent = trigger();
  const JobRow generate = job(parent, "generate");
  const auto leave = [&](const std::string& bytes) {
    auto upload = blobs.receive(generate.id.value, 1 << 20);
    REQUIRE(upload);
    REQUIRE(upload->write(bytes));
    const auto stored = upload->commit();
    REQUIRE(stored);
    const auto kept = coordinator->write<bool>([&](WriteTransaction& write) -> Result<bool> {
      ArtifactRow row;
      row.job_id = generate.id;
      row.project_id = hooked.id;
      row.file_name = "artifacts.zip";
      row.blob = stored->name;
      row.size = stored->size;
      write.stores.artifacts.insert(row);
      return true;
    });
    REQUIRE(kept);
  };
  const auto succeed = [&] {
    std::promise<Result<RunnerId>> runner;
    RunnerRow row;
    row.token_hash = token_hash("glrt-1");
    coordinator->create_runner(row, [&](Result<RunnerId> id) { runner.set_value(std::move(id)); });
    const auto runner_id = runner.get_future().get();
    REQUIRE(runner_id);
    std::promise<Result<Assignment>> given;
    coordinator->assign(generate.id, *runner_id,
                        [&](Result<Assignment> a) { given.set_value(std::move(a)); });
    const auto assignment = given.get_future().get();
    REQUIRE(assignment);
    std::promise<Result<std::string>> ended;
    coordinator->finish_job(*coordinator->find_job(assignment->token), {},
                            [&](Result<std::string> s) { ended.set_value(std::move(s)); });
    REQUIRE(ended.get_future().get());
  };
  SECTION("which is there") {
    leave(zip_of("out/child.yml", "made: {script: x}\n"));
    succeed();
    const PipelineRow child = downstream_of(bridge_when(parent, {"success"}));
    CHECK(job(child.id, "made").status == "pending");
  }
  SECTION("which is wrong: the pipeline is kept for what it says") {
    leave(zip_of("out/child.yml", "made: {scirpt: x}\n"));
    succeed();
    const JobRow bridge = failed_bridge(parent);
    CHECK(bridge.failure_reason == "downstream_pipeline_creation_failed");
    CHECK(bridge.reason_text.find("generate:out/child.yml:1") != std::string::npos);
    CHECK(downstream_of(bridge).status == "failed");
  }
  SECTION("which is not in its archive") {
    leave(zip_of("out/other.yml", ""));
    succeed();
    CHECK(failed_bridge(parent).reason_text ==
          "The pipeline that it triggers could not be created. Job 'generate': the artifacts "
          "archive has no file 'out/child.yml'.");
  }
  SECTION("whose archive is none") {
    leave("no zip");
    succeed();
    CHECK(failed_bridge(parent).reason_text ==
          "The pipeline that it triggers could not be created. Job 'generate': the artifacts "
          "archive is no zip file.");
  }
  SECTION("of which nothing was kept") {
    succeed();
    CHECK(failed_bridge(parent).reason_text ==
          "The pipeline that it triggers could not be created. Job 'generate' has not left "
          "artifacts in this pipeline.");
  }
}

TEST_CASE_METHOD(Fixture,
                 "an empty child pipeline, and one whose file is not there, have their "
                 "reasons",
                 "[intake][bridge]") {
  remote.write("empty.yml", "a: {script: x, rules: [{when: never}]}\n");
  const std::string file = GENERATE("empty.yml", "missing.yml");
  commit("bridge: {trigger: {include: " + file + "}}\n");
  start();
  const JobRow bridge = failed_bridge(trigger());
  CHECK(bridge.failure_reason == "downstream_pipeline_creation_failed");
  if (file == "empty.yml")
    CHECK(bridge.reason_text ==
          "The pipeline that it triggers could not be created. The rules of the jobs prevented any "
          "job from being added to the pipeline.");
  else
    CHECK(bridge.reason_text.find("Local file `missing.yml` does not exist!") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "child pipelines are nested two deep and no deeper", "[intake][bridge]") {
  remote.write("self.yml", "bridge: {trigger: {include: self.yml, strategy: depend}}\n");
  commit("bridge: {trigger: {include: self.yml, strategy: depend}}\n");
  start();
  const PipelineId parent = trigger();
  const PipelineRow child = downstream_of(bridge_when(parent, {"running", "failed"}));
  const PipelineRow grandchild = downstream_of(bridge_when(child.id, {"running", "failed"}));
  CHECK(failed_bridge(grandchild.id).failure_reason == "reached_max_descendant_pipelines_depth");
  // The failure goes all the way up.
  CHECK(failed_bridge(child.id).failure_reason == "downstream_failed");
  CHECK(failed_bridge(parent).failure_reason == "downstream_failed");
}

TEST_CASE_METHOD(Fixture, "a pipeline of another project starts on its branch",
                 "[intake][bridge]") {
  other_remote.write(".gitlab-ci.yml", "unit: {script: 'echo $GIVEN'}\n");
  other_remote.commit("Begin");
  const ProjectRow other = add_project("group/other", other_remote.url());
  commit("bridge:\n  variables: {GIVEN: x}\n  trigger: {project: group/other, strategy: depend}\n");
  start();
  const PipelineRow made = downstream_of(bridge_when(trigger(), {"running"}));
  CHECK(made.project_id == other.id);
  CHECK(made.source == "pipeline");
  CHECK(made.ref == "main");
  CHECK(made.sha == other_remote.head());
}

TEST_CASE_METHOD(Fixture, "who may not trigger another project is told nothing of it",
                 "[intake][bridge]") {
  other_remote.write(".gitlab-ci.yml", "unit: {script: x}\n");
  other_remote.commit("Begin");
  commit("bridge: {trigger: {project: secret/other}}\n");
  start();
  const std::string nothing =
      "The project that it triggers is not there. This server has no project 'secret/other' that "
      "this one may trigger.";
  CHECK(failed_bridge(trigger()).reason_text == nothing);
  add_project("secret/other", other_remote.url());
  const JobRow refused = failed_bridge(trigger());
  CHECK(refused.reason_text == nothing);
  CHECK(refused.failure_reason == "downstream_bridge_project_not_found");
  // Somebody who may everything may this.
  CHECK(downstream_of(bridge_when(trigger(admin()), {"success"})).source == "pipeline");
}

TEST_CASE_METHOD(Fixture, "a branch that the other project has not fails with its name",
                 "[intake][bridge]") {
  other_remote.write(".gitlab-ci.yml", "unit: {script: x}\n");
  other_remote.commit("Begin");
  add_project("group/other", other_remote.url());
  commit("bridge: {trigger: {project: group/other, branch: nowhere}}\n");
  start();
  const JobRow bridge = failed_bridge(trigger());
  CHECK(bridge.failure_reason == "downstream_pipeline_creation_failed");
  CHECK(bridge.reason_text.find("nowhere") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "projects that trigger each other in a circle are stopped",
                 "[intake][bridge]") {
  other_remote.write(".gitlab-ci.yml", "bridge: {trigger: group/hooked}\n");
  other_remote.commit("Begin");
  const ProjectRow other = add_project("group/other", other_remote.url());
  commit("bridge: {trigger: group/other}\n");
  start();
  PipelineId newest = trigger();
  int made = 0;
  JobRow bridge = bridge_when(newest, {"success", "failed"});
  for (; bridge.status == "success" && made < 10; ++made) {
    newest = downstream_of(bridge).id;
    bridge = bridge_when(newest, {"success", "failed"});
  }
  CHECK(made == 3);  // other, hooked again, other again
  CHECK(bridge.failure_reason == "pipeline_loop_detected");
}

TEST_CASE_METHOD(Fixture, "a trigger job that waited when the server ended is taken up again",
                 "[intake][bridge]") {
  remote.write("child.yml", "unit: {script: x}\n");
  commit("bridge: {trigger: {include: child.yml}}\n");
  start();
  downstreams->stop();
  const PipelineId parent = trigger();
  CHECK(job(parent, "bridge").status == "pending");
  start();
  CHECK(downstream_of(bridge_when(parent, {"success"})).source == "parent_pipeline");
  CHECK(database->read()->bridges.of_upstream(parent).size() == 1);
}

TEST_CASE_METHOD(Fixture, "a work tree's child pipelines have no more trust than it", "[intake]") {
  const auto sha = commit("bridge: {trigger: {include: child.yml}}\n");
  remote.write("child.yml",
               "unit: {script: [x], rules: [{if: '$CI_COMMIT_BRANCH == \"main\"'}]}\n");
  const auto with_child = remote.commit("Child");
  REQUIRE(vault.is_protected(hooked.id, "main", RefKind::Branch));
  start();
  REQUIRE(mirrors.fetch(hooked.id.value, remote.url(), "main", with_child));
  const auto made = intake->run_work_tree(hooked, {with_child, "main", sha, {}, {}, admin()});
  REQUIRE(made);
  const auto child = downstream_of(bridge_when(*made, {"success"}));
  CHECK(child.ref == row_of(*made).ref);
  CHECK_FALSE(child.ref_protected);
  CHECK_FALSE(job(child.id, "unit").ref_protected);
}

}  // namespace slipway::server
