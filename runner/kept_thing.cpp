#include "runner/kept_thing.h"

#include <system_error>

namespace slipway::runner {

std::string_view to_string(KeptKind kind) {
  switch (kind) {
    case KeptKind::Cache: return "cache";
    case KeptKind::Objects: return "git objects";
    case KeptKind::Image: return "image";
    case KeptKind::Volume: return "volume";
  }
  return "";
}

long long bytes_below(const std::filesystem::path& directory) {
  long long bytes = 0;
  std::error_code failed;
  std::filesystem::recursive_directory_iterator at{directory, failed};
  for (const std::filesystem::recursive_directory_iterator end; !failed && at != end;
       at.increment(failed))
    if (at->is_regular_file(failed)) bytes += static_cast<long long>(at->file_size(failed));
  return bytes;
}

}  // namespace slipway::runner
