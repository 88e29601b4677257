// Takes a multipart/form-data body apart while it comes: one file, any number of small fields.
//
// Bytes of the file are passed on as they come and never collected. Used by one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::server::http {

// The boundary that a Content-Type names; InvalidInput when it is not multipart/form-data.
Result<std::string> multipart_boundary(std::string_view content_type);

class MultipartReader {
 public:
  using FileSink = std::function<Result<void>(std::string_view bytes)>;

  // The part called `file_field` goes to `sink`.
  MultipartReader(std::string_view boundary, std::string file_field, FileSink sink);

  // InvalidInput for what is no multipart body; errors of the sink come through.
  Result<void> feed(std::string_view bytes);
  // InvalidInput unless the last boundary came and there was a file.
  [[nodiscard]] Result<void> finish() const;

  [[nodiscard]] const std::string& file_name() const { return file_name_; }  // as the client says
  [[nodiscard]] const std::map<std::string, std::string>& fields() const { return fields_; }

 private:
  enum class State : std::uint8_t { Preamble, AfterBoundary, Head, Body, End };

  Result<bool> step();  // false: more bytes are needed
  Result<bool> read_body();
  Result<void> read_head(std::string_view head);
  Result<void> take(std::string_view bytes);

  std::string delimiter_;  // CRLF, "--" and the boundary
  std::string file_field_;
  FileSink sink_;
  State state_ = State::Preamble;
  std::string buffer_;
  std::string part_;
  bool part_is_file_ = false;
  bool had_file_ = false;
  std::string file_name_;
  std::map<std::string, std::string> fields_;
};

}  // namespace slipway::server::http
