// The bytes of a report that a job sent, as its reader wants them: unpacked, file by file.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.h"
#include "server/blobs/blob_store.h"
#include "server/store/artifact_store.h"

namespace slipway::server {

// Takes the next bytes; false once no more is wanted.
using TakeReportBytes = std::function<bool(std::string_view)>;

// Reads the blob of `row`, whose members are one file each when it is packed with gzip. A file that
// is not packed has no end: its reader ends it. NotFound when the blob is gone, InvalidInput for
// what is neither gzip nor raw. Blocks.
Result<void> read_report_bytes(const BlobStore& blobs, const ArtifactRow& row,
                               const TakeReportBytes& take,
                               const std::function<void()>& end_of_file);

}  // namespace slipway::server
