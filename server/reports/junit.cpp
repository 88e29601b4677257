#include "server/reports/junit.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <unordered_map>

#include "base/crypto.h"
#include "server/reports/xml_stream.h"

namespace slipway::server {

namespace {

constexpr std::string_view kAttachment = "[[ATTACHMENT|";
constexpr std::size_t kMostPrinted = std::size_t{64} << 10U;  // searched for an attachment
constexpr std::size_t kMostAtOnce = std::size_t{1} << 20U;    // between looks at the limits

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

}  // namespace

struct JunitReader::State final : XmlHandler {
  // What the text of the element that is open belongs to.
  enum class Text : std::uint8_t { Nothing, Outcome, Printed };

  TestReportLimits limits;
  std::optional<XmlStream> xml;
  TestReport report;
  std::unordered_map<std::string, std::size_t> places;  // key → index in report.cases
  std::size_t bytes = 0;
  std::size_t outputs = 0;
  int file = 1;
  bool full = false;
  bool skip_file = false;  // a fault: the rest of this file is not read
  bool any_bytes = false;  // of this file

  std::optional<TestCase> test;
  int test_depth = 0;
  Text text_of = Text::Nothing;
  std::string message;
  std::string said;
  std::string printed;

  void complain(const std::string& text_of_fault) {
    if (report.error.empty()) report.error = text_of_fault;
  }

  void begin_document() {
    xml.emplace(*this, limits.depth);
    test.reset();
    text_of = Text::Nothing;
    skip_file = false;
    any_bytes = false;
  }

  void begin(std::string_view name, const XmlAttributes& attributes, int depth) override {
    if (name == "testcase" && !test) {
      test_depth = depth;
      begin_case(attributes);
    } else if (test && depth == test_depth + 1) {
      begin_part(name, attributes);
    }
  }

  void begin_case(const XmlAttributes& attributes) {
    test.emplace();
    test->name = cut_text(attributes.get("name"), limits.name);
    test->classname = cut_text(attributes.get("classname"), limits.name);
    test->file = cut_text(attributes.get("file"), limits.name);
    test->seconds = seconds_of(attributes.get("time"));
    printed.clear();
  }

  void begin_part(std::string_view name, const XmlAttributes& attributes) {
    if (name == "system-out" || name == "system-err") {
      text_of = Text::Printed;
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
    text_of = Text::Outcome;
    message = attributes.get("message");
    said.clear();
  }

  void text(std::string_view more) override {
    if (!test) return;
    if (text_of == Text::Outcome) {
      append_within(said, more, limits.output_of_case);
    } else if (text_of == Text::Printed) {
      append_within(printed, more, kMostPrinted);
    }
  }

  void end(std::string_view, int depth) override {
    if (test && text_of != Text::Nothing && depth == test_depth + 1) end_part();
    if (test && depth == test_depth) end_case();
  }

  void end_part() {
    if (text_of == Text::Outcome) {
      auto& output = test->output;
      if (!output.empty()) output += '\n';
      // Some tools repeat the message in the text, some have it as an attribute only.
      if (said.find(message) == std::string::npos) {
        append_within(output, message, limits.output_of_case);
        if (!said.empty()) output += '\n';
      }
      append_within(output, said, limits.output_of_case);
    }
    text_of = Text::Nothing;
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
      done.output = cut_text(done.output, limits.output_of_case) + "\n[cut: the report has more]";
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
      xml->stop(fmt::format("it has more than {} tests; those behind are left out", limits.cases));
      return;
    }
    places.emplace(done.key, report.cases.size());
    report.cases.push_back(std::move(done));
  }

  void take_fault(const std::optional<std::string>& fault) {
    if (!fault) return;
    skip_file = true;
    complain(fmt::format("file {} of the report, {}", file, *fault));
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
    if (!state.skip_file) state.take_fault(state.xml->feed(now));
  }
  return !state.full;
}

void JunitReader::end_of_file() {
  State& state = *state_;
  if (!state.skip_file && !state.full) state.take_fault(state.xml->finish());
  ++state.file;
  state.begin_document();
}

TestReport JunitReader::take() {
  if (state_->any_bytes) end_of_file();
  return std::move(state_->report);
}

}  // namespace slipway::server
