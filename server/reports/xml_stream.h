// One XML document of a report, read with Expat while it comes in.
//
// Reports come from jobs and are not trusted: entities may not be declared, so that a small file
// never becomes a large one and no file of the server is read, and elements stand so deep at most.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::server {

// The attributes of the element that is being opened; valid during that call.
class XmlAttributes {
 public:
  explicit XmlAttributes(const char* const* pairs) : pairs_(pairs) {}

  // "" when there is none of that name.
  [[nodiscard]] std::string_view get(std::string_view name) const;

 private:
  const char* const* pairs_;
};

// Takes what the document holds, in its order. Must not throw: C code stands between.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  // `depth` is 1 for the outermost element; end() is told the same one.
  virtual void begin(std::string_view name, const XmlAttributes& attributes, int depth) = 0;
  virtual void end(std::string_view name, int depth) = 0;
  // In pieces, as they come.
  virtual void text(std::string_view characters) = 0;
};

// Used by one thread. The handler must outlive it.
class XmlStream {
 public:
  XmlStream(XmlHandler& handler, int most_depth);
  ~XmlStream();
  XmlStream(const XmlStream&) = delete;
  XmlStream& operator=(const XmlStream&) = delete;

  // Both return what is wrong, "line 3, column 7: mismatched tag", and read nothing from then on.
  std::optional<std::string> feed(std::string_view bytes);
  std::optional<std::string> finish();

  // For the handler: ends the reading, for this reason.
  void stop(std::string reason);
  // "line 3, column 7": where the element begins that the handler is told of.
  [[nodiscard]] std::string where() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// As much of the text as stands in `limit` bytes, without tearing a character.
std::string cut_text(std::string_view text, std::size_t limit);

}  // namespace slipway::server
