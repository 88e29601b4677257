// What the jobs of local runs leave in a directory (.slipway) of the work tree: logs, artifacts,
// and what later jobs take from them, also those of a later run.
//
// For each job name the last try counts. Thread-safe as long as no two jobs of a name run at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/job.h"
#include "runner/script.h"

namespace slipway::runner {

// Where a job was that has ended, for `slipway shell`.
struct LeftPlace {
  std::string job;
  std::string executor;  // shell or docker
  std::string image;     // of docker jobs
  std::string user;      // of it
  Script script;         // without commands and secrets
};

class LocalResults {
 public:
  // Makes the directory, with a .gitignore of its own that keeps all of it out of commits but the
  // lock of includes, which belongs into them.
  static Result<LocalResults> open(const std::filesystem::path& directory);

  // Forgets what an earlier try or run left.
  Result<void> begin(const std::string& job) const;

  [[nodiscard]] std::filesystem::path log_of(const std::string& job) const;
  // Takes the file, an upload of that type and format. InvalidInput when it is a report that nobody
  // can read.
  Result<void> take(const std::string& job, const std::string& type, const std::string& format,
                    const std::string& name, const std::filesystem::path& file) const;
  // nullopt: the job has left none.
  [[nodiscard]] std::optional<std::filesystem::path> archive_of(const std::string& job) const;
  [[nodiscard]] pipeline::Variables handed_on_by(const std::string& job) const;
  // Those that are still there, by name.
  [[nodiscard]] std::vector<LeftPlace> places() const;
  Result<void> keep_place(const LeftPlace& place) const;
  // Of the trees below the directory, which another job gets now.
  Result<void> forget_places(const std::filesystem::path& below) const;
  // Where a person finds the job's files.
  [[nodiscard]] std::filesystem::path artifacts_of(const std::string& job) const;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

 private:
  explicit LocalResults(std::filesystem::path directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::filesystem::path kept_of(const std::string& job) const;
  [[nodiscard]] std::filesystem::path place_file(const std::string& job) const;

  std::filesystem::path directory_;
};

// The job's name as that of one file: slashes and what else leads elsewhere is escaped.
std::string file_name_of(const std::string& job);

}  // namespace slipway::runner
