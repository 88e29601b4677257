#include "base/gzip.h"

#include <zlib.h>

#include <algorithm>

namespace slipway {

namespace {

constexpr int kGzipOnly = 15 + 16;  // the largest window, gzip framing
constexpr std::size_t kPiece = std::size_t{16} << 10U;
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30U;  // zlib counts in 32 bits

Error no_gzip() {
  return fail(ErrorKind::InvalidInput, "the body is not valid gzip");
}

}  // namespace

struct GunzipStream::State {
  std::function<Result<void>(std::string_view)> bytes;
  std::function<Result<void>()> member_end;
  z_stream stream{};
  bool ready = false;
  bool between = false;  // a member has ended and no byte of another has come
  std::string piece = std::string(kPiece, '\0');

  // One step; moves on in the input.
  Result<void> inflate_some() {
    if (between && ::inflateReset(&stream) != Z_OK) return no_gzip();
    between = false;
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int code = ::inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return no_gzip();
    const auto got = piece.size() - stream.avail_out;
    if (got > 0)
      if (auto taken = bytes(std::string_view{piece}.substr(0, got)); !taken) return taken;
    if (code != Z_STREAM_END) return {};
    between = true;
    return member_end();
  }
};

GunzipStream::GunzipStream(std::function<Result<void>(std::string_view)> bytes,
                           std::function<Result<void>()> member_end)
    : state_(std::make_unique<State>()) {
  state_->bytes = std::move(bytes);
  state_->member_end = std::move(member_end);
  state_->ready = ::inflateInit2(&state_->stream, kGzipOnly) == Z_OK;
}

GunzipStream::~GunzipStream() {
  if (state_->ready) ::inflateEnd(&state_->stream);
}

Result<void> GunzipStream::feed(std::string_view packed) {
  if (!state_->ready) return fail(ErrorKind::Internal, "zlib does not start");
  while (!packed.empty()) {
    const auto now = packed.substr(0, kMostAtOnce);
    packed.remove_prefix(now.size());
    // zlib reads the input only, though its type does not say so.
    state_->stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(now.data()));
    state_->stream.avail_in = static_cast<uInt>(now.size());
    // A full piece means that more may be waiting inside zlib, also when the input is used up.
    do {
      if (auto done = state_->inflate_some(); !done) return done;
    } while (state_->stream.avail_in > 0 || (!state_->between && state_->stream.avail_out == 0));
  }
  return {};
}

Result<void> GunzipStream::finish() {
  if (!state_->between) return no_gzip();
  return {};
}

Result<std::string> gunzip(std::string_view packed, std::size_t limit) {
  std::string out;
  GunzipStream stream{[&](std::string_view bytes) -> Result<void> {
                        out += bytes;
                        if (out.size() > limit)
                          return fail(ErrorKind::TooLarge, "the body unpacks to too much");
                        return {};
                      },
                      [] { return Result<void>{}; }};
  if (auto done = stream.feed(packed); !done) return done.error();
  if (auto done = stream.finish(); !done) return done.error();
  return out;
}

}  // namespace slipway
