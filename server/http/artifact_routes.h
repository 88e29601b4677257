// What jobs leave behind: uploaded by runners as multipart, straight into the blob store; handed
// out to later jobs and to people.
#pragma once

#include "base/clock.h"
#include "server/blobs/blob_store.h"
#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/insight/coverage_results.h"
#include "server/insight/findings_results.h"
#include "server/insight/test_results.h"
#include "server/store/database.h"

namespace slipway::server::http {

struct ArtifactOptions {
  long long limit = 0;                     // bytes
  std::chrono::seconds default_expiry{0};  // of uploads that name none; 0 is never
};

class ArtifactRoutes {
 public:
  ArtifactRoutes(Database& database, Coordinator& coordinator, BlobStore& blobs, const Clock& clock,
                 ArtifactOptions options, std::string external_url)
      : database_(database),
        coordinator_(coordinator),
        blobs_(blobs),
        tests_(database, blobs),
        coverage_(database, blobs),
        findings_(database, blobs),
        clock_(clock),
        options_(options),
        url_(std::move(external_url)) {}

  Reception upload(const SharedCall& call);
  // With a job's token: of any job of the same project.
  Result<Response> download_dependency(const Call& call);
  Result<Response> download(const Call& call);
  // They do not expire any more.
  Result<Response> keep(const Call& call);
  Result<Response> remove(const Call& call);
  Result<Response> remove_of_project(const Call& call);

 private:
  // NotFound unless it is one of the path's project.
  Result<JobRow> job_of(const Call& call);
  Result<Response> archive_of(JobId job, ProjectId project);

  Database& database_;
  Coordinator& coordinator_;
  BlobStore& blobs_;
  TestResults tests_;
  CoverageResults coverage_;
  FindingsResults findings_;
  const Clock& clock_;
  ArtifactOptions options_;
  std::string url_;
};

// "1 week", "3 mins 4 sec", "2 hrs 20 min", "never"; InvalidInput for anything else.
// nullopt: never.
Result<std::optional<std::chrono::seconds>> parse_expiry(std::string_view text);

// The last part of a file's name, without what would mean something to a shell or a header.
std::string safe_file_name(std::string_view name, std::string_view fallback);

}  // namespace slipway::server::http
