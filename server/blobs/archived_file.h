// One file out of a zip archive that a job has uploaded.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "server/blobs/blob_store.h"

namespace slipway::server {

// The regular file `path` ("ci/child.yml"). NotFound when the archive has none of that name;
// TooLarge beyond `limit` bytes; InvalidInput when it is no zip archive. Reads the whole archive up
// to that file, and no entry is ever written anywhere.
Result<std::string> read_archived_file(const OpenBlob& archive, const std::string& path,
                                       std::size_t limit);

}  // namespace slipway::server
