#include "server/http/request_head.h"

#include <algorithm>
#include <charconv>

namespace slipway::server::http {

namespace {

Error bad(std::string message) {
  return fail(ErrorKind::InvalidInput, std::move(message));
}

bool is_token(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_token(c); });
}

bool is_visible(char c) {
  return c > ' ' && c < 127;
}

bool is_value_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The next line without its CRLF.
Result<std::string_view> take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r')
    return bad("a header line does not end in CRLF");
  const auto line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return line;
}

Result<void> parse_request_line(std::string_view line, RequestHead& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad("malformed request line");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 16) return bad("malformed method");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return bad("unsupported HTTP version");
  if (target.empty() || target.front() != '/' ||
      !std::all_of(target.begin(), target.end(), is_visible) ||
      target.find('#') != std::string_view::npos)
    return bad("malformed request target");
  head.method = method;
  head.target = target;
  head.http_1_0 = version == "HTTP/1.0";
  return {};
}

Result<void> parse_header_line(std::string_view line, RequestHead& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return bad("malformed header name");
  const auto value = trimmed(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), is_value_byte))
    return bad("control character in a header");
  head.headers.add(line.substr(0, colon), value);
  return {};
}

Result<void> read_length(RequestHead& head) {
  if (head.headers.count("content-length") > 1) return bad("Content-Length is given twice");
  const auto text = head.headers.find("content-length");
  if (!text) return {};
  long long length = 0;
  const auto* end = text->data() + text->size();
  const bool digits =
      !text->empty() && text->size() <= 18 &&
      std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || std::from_chars(text->data(), end, length).ptr != end)
    return bad("malformed Content-Length");
  head.content_length = length;
  return {};
}

Result<void> read_framing(RequestHead& head) {
  if (auto done = read_length(head); !done) return done;
  if (head.headers.count("transfer-encoding") > 1) return bad("Transfer-Encoding is given twice");
  if (const auto encoding = head.headers.find("transfer-encoding")) {
    if (!equal_ignoring_case(*encoding, "chunked"))
      return bad("Transfer-Encoding may only be chunked");
    if (head.content_length) return bad("Content-Length and Transfer-Encoding exclude each other");
    if (head.http_1_0) return bad("Transfer-Encoding needs HTTP/1.1");
    head.chunked = true;
  }
  return {};
}

Result<void> read_connection(RequestHead& head) {
  const auto hosts = head.headers.count("host");
  if (hosts > 1 || (hosts == 0 && !head.http_1_0)) return bad("exactly one Host is needed");
  const auto connection = head.headers.get("connection");
  head.keep_alive = !head.http_1_0 && !equal_ignoring_case(connection, "close");
  if (const auto expect = head.headers.find("expect"))
    head.expects_continue = equal_ignoring_case(*expect, "100-continue");
  return {};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return bad("malformed percent encoding");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

Result<std::string> decode_segment(std::string_view raw) {
  auto segment = percent_decoded(raw, false);
  if (!segment) return segment;
  if (segment->empty() || *segment == "." || *segment == "..") return bad("malformed path");
  // A path that comes encoded as one segment ("group%2Fname") is held to the same rules.
  if (segment->find("/../") != std::string::npos || segment->starts_with("../") ||
      segment->ends_with("/..") || segment->find("//") != std::string::npos)
    return bad("malformed path");
  const bool plain = std::all_of(segment->begin(), segment->end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\' && c != ';';
  });
  if (!plain) return bad("malformed path");
  return segment;
}

Result<void> parse_query(std::string_view text, Target& target) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name) return std::move(name).error();
    if (!value) return std::move(value).error();
    if (value->find('\0') != std::string::npos) return bad("NUL in the query");
    if (!target.query.emplace(*name, std::move(*value)).second)
      return bad("'" + *name + "' stands twice in the query");
  }
  return {};
}

}  // namespace

Result<RequestHead> parse_request_head(std::string_view text) {
  RequestHead head;
  auto line = take_line(text);
  if (!line) return std::move(line).error();
  if (auto done = parse_request_line(*line, head); !done) return done.error();
  for (std::size_t count = 0;; ++count) {
    line = take_line(text);
    if (!line) return std::move(line).error();
    if (line->empty()) break;
    if (count == kHeaderCountLimit) return fail(ErrorKind::TooLarge, "too many headers");
    if (auto done = parse_header_line(*line, head); !done) return done.error();
  }
  if (auto done = read_framing(head); !done) return done.error();
  if (auto done = read_connection(head); !done) return done.error();
  return head;
}

Result<Target> parse_target(std::string_view text) {
  const auto question = std::min(text.find('?'), text.size());
  auto path = text.substr(0, question);
  Target target;
  if (path.empty() || path.front() != '/') return bad("malformed path");
  path.remove_prefix(1);
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    auto segment = decode_segment(path.substr(0, slash));
    if (!segment) return std::move(segment).error();
    target.segments.push_back(std::move(*segment));
    if (slash + 1 == path.size()) return bad("malformed path");
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  if (question < text.size())
    if (auto done = parse_query(text.substr(question + 1), target); !done) return done.error();
  return target;
}

}  // namespace slipway::server::http
