// One gzip member of a text, as runners send reports.
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace slipway::test {

inline std::string gzip(std::string_view text) {
  z_stream stream{};
  if (::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error{"zlib does not start"};
  std::string packed(::deflateBound(&stream, text.size()) + 64, '\0');
  // zlib reads the input only, though its type does not say so.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const bool done = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  packed.resize(packed.size() - stream.avail_out);
  ::deflateEnd(&stream);
  if (!done) throw std::runtime_error{"zlib did not end"};
  return packed;
}

}  // namespace slipway::test
