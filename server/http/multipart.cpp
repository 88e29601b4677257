#include "server/http/multipart.h"

#include "server/http/message.h"

namespace slipway::server::http {

namespace {

constexpr std::size_t kLongestHead = 8192;
constexpr std::size_t kLongestField = 8192;
constexpr std::size_t kMostFields = 32;

Error bad(std::string message) {
  return fail(ErrorKind::InvalidInput, std::move(message));
}

// The value of `name` among the parameters of a header: name="file" or name=file.
std::string parameter(std::string_view header, std::string_view name) {
  auto rest = header;
  while (!rest.empty()) {
    const auto semicolon = rest.find(';');
    if (semicolon == std::string_view::npos) return {};
    rest.remove_prefix(semicolon + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return {};
    const bool wanted = equal_ignoring_case(rest.substr(0, equals), name);
    rest.remove_prefix(equals + 1);
    const bool quoted = !rest.empty() && rest.front() == '"';
    if (quoted) rest.remove_prefix(1);
    const auto end = std::min(rest.find(quoted ? '"' : ';'), rest.size());
    if (wanted) return std::string{rest.substr(0, end)};
    rest.remove_prefix(end);
  }
  return {};
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
  constexpr std::string_view kType = "multipart/form-data";
  if (content_type.size() < kType.size() ||
      !equal_ignoring_case(content_type.substr(0, kType.size()), kType))
    return bad("the body must be multipart/form-data");
  auto boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70) return bad("the multipart boundary is missing");
  return boundary;
}

MultipartReader::MultipartReader(std::string_view boundary, std::string file_field, FileSink sink)
    : delimiter_("\r\n--" + std::string{boundary}),
      file_field_(std::move(file_field)),
      sink_(std::move(sink)),
      buffer_("\r\n") {}  // so that the first boundary is found like the others

Result<void> MultipartReader::feed(std::string_view bytes) {
  if (state_ == State::End) return {};  // an epilogue means nothing
  buffer_ += bytes;
  for (;;) {
    auto went_on = step();
    if (!went_on) return std::move(went_on).error();
    if (!*went_on) return {};
  }
}

Result<bool> MultipartReader::step() {
  switch (state_) {
    case State::Preamble: {
      const auto found = buffer_.find(delimiter_);
      if (found == std::string::npos) {
        if (buffer_.size() > kLongestHead) return bad("the multipart body has no boundary");
        return false;
      }
      buffer_.erase(0, found + delimiter_.size());
      state_ = State::AfterBoundary;
      return true;
    }
    case State::AfterBoundary: {
      if (buffer_.size() < 2) return false;
      const bool last = buffer_.starts_with("--");
      if (!last && !buffer_.starts_with("\r\n")) return bad("malformed multipart boundary");
      buffer_.erase(0, 2);
      state_ = last ? State::End : State::Head;
      return !last;
    }
    case State::Head: {
      const auto end = buffer_.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (buffer_.size() > kLongestHead) return bad("the head of a part is too long");
        return false;
      }
      if (auto done = read_head(std::string_view{buffer_}.substr(0, end)); !done)
        return done.error();
      buffer_.erase(0, end + 4);
      state_ = State::Body;
      return true;
    }
    case State::Body: return read_body();
    case State::End: return false;
  }
  return false;
}

Result<bool> MultipartReader::read_body() {
  const auto found = buffer_.find(delimiter_);
  // Bytes that could be the beginning of a boundary stay until the rest has come.
  const auto sure = found != std::string::npos
                        ? found
                        : buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1);
  if (auto done = take(std::string_view{buffer_}.substr(0, sure)); !done) return done.error();
  if (found == std::string::npos) {
    buffer_.erase(0, sure);
    return false;
  }
  buffer_.erase(0, found + delimiter_.size());
  state_ = State::AfterBoundary;
  return true;
}

Result<void> MultipartReader::read_head(std::string_view head) {
  std::string_view disposition;
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos &&
        equal_ignoring_case(line.substr(0, colon), "content-disposition"))
      disposition = line.substr(colon + 1);
  }
  part_ = parameter(disposition, "name");
  if (part_.empty()) return bad("a part has no name");
  part_is_file_ = part_ == file_field_;
  if (part_is_file_) {
    if (had_file_) return bad("there are two parts '" + file_field_ + "'");
    had_file_ = true;
    file_name_ = parameter(disposition, "filename");
  } else if (fields_.size() >= kMostFields) {
    return bad("too many parts");
  }
  return {};
}

Result<void> MultipartReader::take(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (part_is_file_) return sink_(bytes);
  auto& value = fields_[part_];
  if (value.size() + bytes.size() > kLongestField) return bad("part '" + part_ + "' is too long");
  value += bytes;
  return {};
}

Result<void> MultipartReader::finish() const {
  if (state_ != State::End) return bad("the multipart body is cut off");
  if (!had_file_) return bad("part '" + file_field_ + "' is missing");
  return {};
}

}  // namespace slipway::server::http
