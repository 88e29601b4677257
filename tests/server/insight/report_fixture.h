// Jobs that send reports, as the routes take them in.
#pragma once

#include <string>

#include "server/blobs/blob_store.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"

namespace slipway::server::test {

struct ReportFixture : StoreFixture {
  slipway::test::TempDirectory files;
  BlobStore blobs = BlobStore::open(files / "blobs").value();
  ProjectRow about = *stores().projects.find(project());

  // One that has ended; with `target` of a merge request into that branch.
  PipelineRow pipeline_of(const std::string& ref = "main", const std::string& target = "") {
    return commit([&](Stores& stores) {
      PipelineRow row;
      row.project_id = about.id;
      row.ref = ref;
      row.source = target.empty() ? "push" : "merge_request_event";
      if (!target.empty()) row.merge_request = R"({"target_branch": ")" + target + R"("})";
      row.sha = "aa";
      row.created_at = 10;
      row.status = "success";
      stores.pipelines.insert(row, {});
      row.finished_at = 20;
      stores.pipelines.update_state(row);
      return row;
    });
  }

  // Its blob is there, its row not yet.
  ArtifactRow artifact(const JobRow& job, const std::string& text, const std::string& kind) {
    auto upload = blobs.receive(job.id.value, 1 << 20);
    REQUIRE(upload);
    REQUIRE(upload->write(text));
    const auto blob = upload->commit();
    REQUIRE(blob);
    ArtifactRow row;
    row.job_id = job.id;
    row.project_id = job.project_id;
    row.file_type = kind;
    row.file_format = "raw";
    row.blob = blob->name;
    row.size = blob->size;
    row.created_at = 1'000;
    return row;
  }

  // What `results` makes of the report, kept.
  template <typename Results>
  void send(const Results& results, const JobRow& job, const std::string& text,
            const std::string& kind) {
    const auto received = results.receive(artifact(job, text, kind));
    REQUIRE(received);
    commit([&](Stores& stores) {
      Results::keep(stores, *received);
      return 0;
    });
  }
};

}  // namespace slipway::server::test
