// Files that a job hands on: selected in the work tree, packed, and unpacked for a later job.
//
// Links are never followed, neither when packing nor when unpacking, and nothing outside the tree
// is read or written.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::runner {

struct Selection {
  std::vector<std::string> files;     // relative to the tree, sorted, without repeats
  std::vector<std::string> warnings;  // patterns without a file, paths outside
};

// `paths` are files, directories (all below) or globs with `**` for any directories; `exclude`
// takes files out again.
Selection select_files(const std::filesystem::path& tree, const std::vector<std::string>& paths,
                       const std::vector<std::string>& exclude);
// Files that git does not track, ignored ones too and but for `exclude`, added to `selection`.
Result<void> add_untracked(const std::filesystem::path& tree,
                           const std::vector<std::string>& exclude, Selection& selection);

// Whether `path` matches `pattern` in the dialect of artifacts, where a last `**` is everything
// below.
bool artifact_glob_matches(const std::string& pattern, const std::string& path);

Result<void> write_zip(const std::filesystem::path& tree, const std::vector<std::string>& files,
                       const std::filesystem::path& target);
// One gzip member for each file, one after the other.
Result<void> write_gzip(const std::filesystem::path& tree, const std::vector<std::string>& files,
                        const std::filesystem::path& target);

struct ExtractLimits {
  std::size_t entries = 100'000;
  long long bytes = 20LL << 30;
  bool restore = false;  // a tree's own files come back: with their links and times
};

// Only files and directories come out of an archive, links are passed over; an entry that would
// leave the tree or a device is an Error, and so is more than the limits.
Result<void> extract_archive(const std::filesystem::path& archive,
                             const std::filesystem::path& tree, const ExtractLimits& limits = {});

// A tar with the files' times and links, given to `take` piece by piece.
Result<void> write_tar(const std::filesystem::path& tree, const std::vector<std::string>& files,
                       const std::function<Result<void>(std::string_view)>& take);
// The same, from `next`, whose pieces stay valid until its next call; "" is the end.
Result<void> extract_tar(const std::function<Result<std::string_view>()>& next,
                         const std::filesystem::path& tree, const ExtractLimits& limits);

}  // namespace slipway::runner
