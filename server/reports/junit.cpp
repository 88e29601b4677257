#include "server/reports/junit.h"

#include <expat.h>
#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <unordered_map>

#include "base/crypto.h"

namespace slipway::server {

namespace {

constexpr std::string_view kAttachment = "[[ATTACHMENT|";
constexpr std::size_t kMostPrinted = std::size_t{64} << 10U;  // searched for an attachment
constexpr int kMostAtOnce = 1 << 20;

// The value of an attribute; "" without.
std::string_view attribute(const XML_Char** attributes, std::string_view name) {
  for (; *attributes != nullptr; attributes += 2)
    if (name == attributes[0]) return attributes[1];
  return {};
}

// Cuts where no character is torn.
std::string cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string{text};
  auto end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string{text.substr(0, end)};
}

// "1,234.5" as some tools write it; what is no time is none.
double seconds_of(std::string_view text) {
  std::string plain;
  for (const char c : text.substr(0, 40))
    if (c != ',') plain += c;
  double value = 0;
  const auto parsed = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  const bool sound = parsed.ec == std::errc{} && value >= 0 && value < 1e9;
  return sound ? value : 0;
}

std::string key_of(const TestCase& test) {
  return sha256_hex(test.classname + '\0' + test.name + '\0' + test.file).substr(0, 16);
}

// One byte more than the limit is kept, so that the cutting can tell.
void append_within(std::string& text, std::string_view more, std::size_t limit) {
  if (text.size() <= limit) text += more.substr(0, limit + 1 - text.size());
}

bool is_bad(TestStatus status) {
  return status == TestStatus::Failed || status == TestStatus::Error;
}

struct FreeParser {
  void operator()(XML_ParserStruct* parser) const { ::XML_ParserFree(parser); }
};

}  // namespace

struct JunitReader::State {
  // What the text of the element that is open belongs to.
  enum class Text : std::uint8_t { Nothing, Outcome, Printed };

  TestReportLimits limits;
  std::unique_ptr<XML_ParserStruct, FreeParser> parser;
  TestReport report;
  std::unordered_map<std::string, std::size_t> places;  // key → index in report.cases
  std::size_t bytes = 0;
  std::size_t outputs = 0;
  int file = 1;
  int depth = 0;
  bool full = false;
  bool skip_file = false;  // a fault: the rest of this file is not read
  bool any_bytes = false;  // of this file

  std::optional<TestCase> test;
  int test_depth = 0;
  Text text = Text::Nothing;
  int text_depth = 0;
  std::string message;
  std::string said;
  std::string printed;
  std::string why;  // the reason that stopped the parser from inside

  void complain(const std::string& text_of_fault) {
    if (report.error.empty()) report.error = text_of_fault;
  }

  void stop(std::string reason) {
    why = std::move(reason);
    ::XML_StopParser(parser.get(), XML_FALSE);
  }

  void begin_document() {
    parser.reset(::XML_ParserCreate(nullptr));
    depth = 0;
    test.reset();
    text = Text::Nothing;
    why.clear();
    skip_file = false;
    any_bytes = false;
    auto* raw = parser.get();
    ::XML_SetUserData(raw, this);
    ::XML_SetElementHandler(
        raw,
        [](void* self, const XML_Char* name, const XML_Char** attributes) {
          static_cast<State*>(self)->open(name, attributes);
        },
        [](void* self, const XML_Char*) { static_cast<State*>(self)->close(); });
    ::XML_SetCharacterDataHandler(raw, [](void* self, const XML_Char* characters, int length) {
      static_cast<State*>(self)->characters({characters, static_cast<std::size_t>(length)});
    });
    // Nothing that a report needs: entities are how a small file becomes a large one.
    ::XML_SetEntityDeclHandler(
        raw, [](void* self, const XML_Char* name, int, const XML_Char*, int, const XML_Char*,
                const XML_Char*, const XML_Char*, const XML_Char*) {
          static_cast<State*>(self)->stop(
              fmt::format("it declares the entity '{}', which is not allowed", cut(name, 40)));
        });
  }

  void open(std::string_view name, const XML_Char** attributes) {
    if (++depth > limits.depth) {
      stop(fmt::format("elements stand more than {} deep", limits.depth));
      return;
    }
    if (name == "testcase" && !test) {
      begin_case(attributes);
    } else if (test && depth == test_depth + 1) {
      begin_part(name, attributes);
    }
  }

  void begin_case(const XML_Char** attributes) {
    test.emplace();
    test_depth = depth;
    test->name = cut(attribute(attributes, "name"), limits.name);
    test->classname = cut(attribute(attributes, "classname"), limits.name);
    test->file = cut(attribute(attributes, "file"), limits.name);
    test->seconds = seconds_of(attribute(attributes, "time"));
    printed.clear();
  }

  void begin_part(std::string_view name, const XML_Char** attributes) {
    text_depth = depth;
    if (name == "system-out" || name == "system-err") {
      text = Text::Printed;
      return;
    }
    const bool repeated = name == "flakyFailure" || name == "flakyError";
    if (name == "failure") {
      test->status = TestStatus::Failed;
    } else if (name == "error") {
      test->status = TestStatus::Error;
    } else if (name == "skipped") {
      test->status = TestStatus::Skipped;
    } else if (repeated) {
      test->flaky = true;
    } else {
      return;
    }
    text = Text::Outcome;
    message = attribute(attributes, "message");
    said.clear();
  }

  void characters(std::string_view more) {
    if (!test) return;
    if (text == Text::Outcome) {
      append_within(said, more, limits.output_of_case);
    } else if (text == Text::Printed) {
      append_within(printed, more, kMostPrinted);
    }
  }

  void close() {
    if (test && text != Text::Nothing && depth == text_depth) end_part();
    if (test && depth == test_depth) end_case();
    --depth;
  }

  void end_part() {
    if (text == Text::Outcome) {
      auto& output = test->output;
      if (!output.empty()) output += '\n';
      // Some tools repeat the message in the text, some have it as an attribute only.
      if (said.find(message) == std::string::npos) {
        append_within(output, message, limits.output_of_case);
        if (!said.empty()) output += '\n';
      }
      append_within(output, said, limits.output_of_case);
    }
    text = Text::Nothing;
  }

  void end_case() {
    TestCase done = std::move(*test);
    test.reset();
    if (const auto at = printed.find(kAttachment); at != std::string::npos) {
      const auto begin = at + kAttachment.size();
      const auto end = printed.find("]]", begin);
      if (end != std::string::npos && end - begin <= limits.name)
        done.attachment = printed.substr(begin, end - begin);
    }
    trim_output(done);
    done.key = key_of(done);
    add(std::move(done));
  }

  void trim_output(TestCase& done) {
    if (done.output.size() > limits.output_of_case)
      done.output = cut(done.output, limits.output_of_case) + "\n[cut: the report has more]";
    if (outputs + done.output.size() > limits.outputs) {
      done.output.clear();
      complain(fmt::format("outputs beyond {} MiB in all are left out", limits.outputs >> 20U));
    }
    outputs += done.output.size();
  }

  // A test that is reported again was repeated: its last result counts.
  void add(TestCase done) {
    if (const auto known = places.find(done.key); known != places.end()) {
      TestCase& old = report.cases[known->second];
      const bool differs = is_bad(old.status) != is_bad(done.status) &&
                           old.status != TestStatus::Skipped && done.status != TestStatus::Skipped;
      done.flaky = done.flaky || old.flaky || differs;
      if (done.output.empty()) done.output = std::move(old.output);
      done.seconds += old.seconds;
      old = std::move(done);
      return;
    }
    if (report.cases.size() >= limits.cases) {
      full = true;
      stop(fmt::format("it has more than {} tests; those behind are left out", limits.cases));
      return;
    }
    places.emplace(done.key, report.cases.size());
    report.cases.push_back(std::move(done));
  }

  void parse(std::string_view xml, bool last) {
    const auto status = ::XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()),
                                    last ? XML_TRUE : XML_FALSE);
    if (status != XML_STATUS_ERROR) return;
    skip_file = true;
    const auto code = ::XML_GetErrorCode(parser.get());
    const std::string reason = code == XML_ERROR_ABORTED ? why : ::XML_ErrorString(code);
    complain(fmt::format("file {} of the report, line {}, column {}: {}", file,
                         ::XML_GetCurrentLineNumber(parser.get()),
                         ::XML_GetCurrentColumnNumber(parser.get()) + 1, reason));
  }
};

JunitReader::JunitReader(const TestReportLimits& limits) : state_(std::make_unique<State>()) {
  state_->limits = limits;
  state_->begin_document();
}

JunitReader::~JunitReader() = default;

bool JunitReader::feed(std::string_view xml) {
  State& state = *state_;
  while (!xml.empty() && !state.full) {
    const auto now = xml.substr(0, kMostAtOnce);
    xml.remove_prefix(now.size());
    state.bytes += now.size();
    if (state.bytes > state.limits.bytes) {
      state.full = true;
      state.complain(fmt::format("it is larger than {} MiB; what is behind is left out",
                                 state.limits.bytes >> 20U));
      break;
    }
    state.any_bytes = true;
    if (!state.skip_file) state.parse(now, false);
  }
  return !state.full;
}

void JunitReader::end_of_file() {
  State& state = *state_;
  if (!state.skip_file && !state.full) state.parse({}, true);
  ++state.file;
  state.begin_document();
}

TestReport JunitReader::take() {
  if (state_->any_bytes) end_of_file();
  return std::move(state_->report);
}

}  // namespace slipway::server
