#include "base/gzip.h"

#include <zlib.h>

namespace slipway {

namespace {

// Ends the inflation however the function is left.
struct Inflation {
  z_stream stream{};
  bool ready = ::inflateInit2(&stream, 15 + 16) == Z_OK;  // gzip framing only

  Inflation() = default;
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;
  ~Inflation() {
    if (ready) ::inflateEnd(&stream);
  }
};

}  // namespace

Result<std::string> gunzip(std::string_view packed, std::size_t limit) {
  Inflation inflation;
  if (!inflation.ready) return fail(ErrorKind::Internal, "zlib does not start");
  std::string bytes{packed};  // zlib wants it writable
  inflation.stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  inflation.stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::string piece(std::size_t{16} << 10U, '\0');
  for (int code = Z_OK; code != Z_STREAM_END;) {
    inflation.stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    inflation.stream.avail_out = static_cast<uInt>(piece.size());
    code = ::inflate(&inflation.stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END)
      return fail(ErrorKind::InvalidInput, "the body is not valid gzip");
    out.append(piece, 0, piece.size() - inflation.stream.avail_out);
    if (out.size() > limit) return fail(ErrorKind::TooLarge, "the body unpacks to too much");
  }
  return out;
}

}  // namespace slipway
