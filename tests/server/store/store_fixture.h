// A database of its own, and rows with the fields that a test does not care about filled in.
#pragma once

#include "server/store/database.h"
#include "tests/server/store/test_place.h"
#include "tests/support/temp_directory.h"

#include <memory>
#include <string>

namespace slipway::server::test {

struct StoreFixture {
  slipway::test::TempDirectory directory;
  slipway::test::TestPlace at{directory / "slipway.db"};
  std::unique_ptr<Database> database = open();

  [[nodiscard]] std::filesystem::path file() const { return directory / "slipway.db"; }
  [[nodiscard]] std::unique_ptr<Database> open() const {
    auto opened = Database::open(at.place());
    if (!opened) throw std::runtime_error{opened.error().message};
    return std::move(*opened);
  }
  void reopen() {
    database.reset();
    database = open();
  }
  Stores& stores() { return database->writer(); }

  // In a transaction of its own.
  template <typename F>
  auto commit(F&& act) {
    database->begin();
    auto made = act(database->writer());
    database->commit();
    return made;
  }
  ProjectId project(const std::string& path = "group/name") {
    return commit([&](Stores& stores) {
      ProjectRow row;
      row.path = path;
      row.repository_url = "https://git.example/" + path;
      row.webhook_secret = "sealed";
      row.forge = "github";
      row.created_at = 5;
      return stores.projects.insert(row);
    });
  }
  PipelineRow pipeline(ProjectId project, const std::string& ref = "main",
                       const std::string& status = "created") {
    return commit([&](Stores& stores) {
      PipelineRow row;
      row.project_id = project;
      row.ref = ref;
      row.status = status;
      row.source = "push";
      row.sha = "0123456789abcdef";
      row.created_at = 10;
      stores.pipelines.insert(row, {});
      return row;
    });
  }
  JobRow job(const PipelineRow& pipeline, const std::string& name) {
    return commit([&](Stores& stores) {
      JobRow row;
      row.pipeline_id = pipeline.id;
      row.project_id = pipeline.project_id;
      row.plan_id = stores.jobs.insert_plan("{\"name\":\"" + name + "\"}");
      row.name = name;
      row.stage = "test";
      stores.jobs.insert(row);
      return row;
    });
  }
};

}  // namespace slipway::server::test
