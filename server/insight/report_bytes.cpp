#include "server/insight/report_bytes.h"

#include "base/gzip.h"

namespace slipway::server {

namespace {

constexpr std::size_t kReadPiece = std::size_t{256} << 10U;

}  // namespace

Result<void> read_report_bytes(const BlobStore& blobs, const ArtifactRow& row,
                               const TakeReportBytes& take,
                               const std::function<void()>& end_of_file) {
  const auto blob = blobs.open_blob(row.blob);
  if (!blob) return fail(ErrorKind::NotFound, "the report is gone");
  if (row.file_format == "zip")
    return fail(ErrorKind::InvalidInput, "a report must be sent as gzip or raw, not as zip");
  bool wanted = true;
  GunzipStream gzip{[&](std::string_view bytes) {
                      wanted = wanted && take(bytes);
                      return Result<void>{};
                    },
                    [&] {
                      end_of_file();
                      return Result<void>{};
                    }};
  const bool packed = row.file_format == "gzip";
  for (long long offset = 0; wanted && offset < row.size;) {
    const auto piece = blob->read(offset, kReadPiece);
    if (!piece) return piece.error();
    if (piece->empty()) break;
    offset += static_cast<long long>(piece->size());
    if (!packed) {
      wanted = take(*piece);
    } else if (auto fed = gzip.feed(*piece); !fed) {
      return fed;
    }
  }
  return packed && wanted ? gzip.finish() : Result<void>{};
}

}  // namespace slipway::server
