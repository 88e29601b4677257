#include "server/reports/xml_stream.h"

#include <expat.h>
#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace slipway::server {

namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 20U;  // Expat counts in int
constexpr std::size_t kNameInFault = 40;

struct FreeParser {
  void operator()(XML_ParserStruct* parser) const { ::XML_ParserFree(parser); }
};

}  // namespace

std::string_view XmlAttributes::get(std::string_view name) const {
  for (const char* const* pair = pairs_; *pair != nullptr; pair += 2)
    if (name == pair[0]) return pair[1];
  return {};
}

std::string cut_text(std::string_view text, std::size_t limit) {
  return std::string{utf8_prefix(text, limit)};
}

struct XmlStream::State {
  XmlHandler& handler;
  int most_depth;
  std::unique_ptr<XML_ParserStruct, FreeParser> parser{::XML_ParserCreate(nullptr)};
  int depth = 0;
  bool over = false;
  std::string why;  // the reason that stopped the parser from inside

  State(XmlHandler& takes, int most) : handler(takes), most_depth(most) {
    auto* raw = parser.get();
    ::XML_SetUserData(raw, this);
    ::XML_SetElementHandler(
        raw,
        [](void* self, const XML_Char* name, const XML_Char** attributes) {
          static_cast<State*>(self)->begin(name, attributes);
        },
        [](void* self, const XML_Char* name) { static_cast<State*>(self)->end(name); });
    ::XML_SetCharacterDataHandler(raw, [](void* self, const XML_Char* characters, int length) {
      auto& state = *static_cast<State*>(self);
      if (state.why.empty()) state.handler.text({characters, static_cast<std::size_t>(length)});
    });
    ::XML_SetEntityDeclHandler(
        raw, [](void* self, const XML_Char* name, int, const XML_Char*, int, const XML_Char*,
                const XML_Char*, const XML_Char*, const XML_Char*) {
          static_cast<State*>(self)->stop(fmt::format(
              "it declares the entity '{}', which is not allowed", cut_text(name, kNameInFault)));
        });
  }

  // Expat may still tell of an end after it was stopped: only the first reason is kept, and nothing
  // is handed on.
  void stop(std::string reason) {
    if (!why.empty()) return;
    why = std::move(reason);
    ::XML_StopParser(parser.get(), XML_FALSE);
  }

  void begin(std::string_view name, const XML_Char** attributes) {
    if (!why.empty()) return;
    if (++depth > most_depth) {
      stop(fmt::format("elements stand more than {} deep", most_depth));
      return;
    }
    handler.begin(name, XmlAttributes{attributes}, depth);
  }

  void end(std::string_view name) {
    if (!why.empty()) return;
    handler.end(name, depth);
    --depth;
  }

  std::optional<std::string> parse(std::string_view bytes, bool last) {
    if (over) return std::nullopt;
    const auto status = ::XML_Parse(parser.get(), bytes.data(), static_cast<int>(bytes.size()),
                                    last ? XML_TRUE : XML_FALSE);
    if (status != XML_STATUS_ERROR) return std::nullopt;
    over = true;
    const auto code = ::XML_GetErrorCode(parser.get());
    const std::string reason = code == XML_ERROR_ABORTED ? why : ::XML_ErrorString(code);
    return fmt::format("{}: {}", where(), reason);
  }

  [[nodiscard]] std::string where() const {
    return fmt::format("line {}, column {}", ::XML_GetCurrentLineNumber(parser.get()),
                       ::XML_GetCurrentColumnNumber(parser.get()) + 1);
  }
};

XmlStream::XmlStream(XmlHandler& handler, int most_depth)
    : state_(std::make_unique<State>(handler, most_depth)) {}

XmlStream::~XmlStream() = default;

std::optional<std::string> XmlStream::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto now = bytes.substr(0, kMostAtOnce);
    bytes.remove_prefix(now.size());
    if (auto fault = state_->parse(now, false)) return fault;
  }
  return std::nullopt;
}

std::optional<std::string> XmlStream::finish() {
  return state_->parse({}, true);
}

std::string XmlStream::where() const {
  return state_->where();
}

void XmlStream::stop(std::string reason) {
  state_->stop(std::move(reason));
}

}  // namespace slipway::server
