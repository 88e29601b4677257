#include "server/reports/junit.h"

#include <fmt/format.h>

#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;

namespace {

TestReport read(std::string_view xml, const TestReportLimits& limits = {},
                std::size_t step = 1U << 20U) {
  JunitReader reader{limits};
  for (std::size_t at = 0; at < xml.size(); at += step)
    if (!reader.feed(xml.substr(at, step))) break;
  return reader.take();
}

std::string suite(const std::string& cases) {
  return "<testsuites><testsuite name=\"s\">" + cases + "</testsuite></testsuites>";
}

}  // namespace

TEST_CASE("a JUnit report has its tests with result, time and words", "[junit]") {
  const auto report = read(R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="all" tests="5">
  <testsuite name="calc" tests="4" time="0.5">
    <properties><property name="a" value="b"/></properties>
    <testcase classname="Calc" name="adds" file="test/calc.py" line="3" time="0.25"/>
    <testcase classname="Calc" name="divides" time="1,000.5">
      <failure message="expected 2, got 3" type="AssertionError">calc.py:7: in divides
    assert 2 == 3</failure>
    </testcase>
    <testcase classname="Calc" name="opens">
      <error message="no such file"/>
      <system-out>noise [[ATTACHMENT|shots/opens.png]] noise</system-out>
    </testcase>
    <testcase classname="Calc" name="later"><skipped><![CDATA[not <yet>]]></skipped></testcase>
    <testsuite name="inner"><testcase name="nested &amp; well" time="x"/></testsuite>
  </testsuite>
</testsuites>)xml");
  CHECK(report.error.empty());
  REQUIRE(report.cases.size() == 5);
  const auto& cases = report.cases;
  CHECK(cases[0].name == "adds");
  CHECK(cases[0].classname == "Calc");
  CHECK(cases[0].file == "test/calc.py");
  CHECK(cases[0].status == TestStatus::Success);
  CHECK(cases[0].seconds == 0.25);
  CHECK(cases[1].status == TestStatus::Failed);
  CHECK(cases[1].seconds == 1000.5);
  CHECK(cases[1].output == "expected 2, got 3\ncalc.py:7: in divides\n    assert 2 == 3");
  CHECK(cases[2].status == TestStatus::Error);
  CHECK(cases[2].output == "no such file");
  CHECK(cases[2].attachment == "shots/opens.png");
  CHECK(cases[3].status == TestStatus::Skipped);
  CHECK(cases[3].output == "not <yet>");
  CHECK(cases[4].name == "nested & well");
  CHECK(cases[4].seconds == 0);
  for (const TestCase& test : cases) CHECK(test.key.size() == 16);
}

TEST_CASE("a report is read the same however it is cut", "[junit]") {
  const auto xml = suite(
      "<testcase classname='Ä' name='ü'><failure message='m'>text with m</failure></testcase>"
      "<testcase name='two'/>");
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, xml.size()}) {
    const auto report = read(xml, {}, step);
    REQUIRE(report.cases.size() == 2);
    CHECK(report.error.empty());
    CHECK(report.cases[0].name == "ü");
    CHECK(report.cases[0].output == "text with m");
  }
}

TEST_CASE("a test that was repeated counts once, and is flaky when its results differ", "[junit]") {
  SECTION("the same name again") {
    const auto report =
        read(suite("<testcase name='a'><failure>first try</failure></testcase>"
                   "<testcase name='a' time='2'/>"
                   "<testcase name='b'/><testcase name='b'/>"));
    REQUIRE(report.cases.size() == 2);
    CHECK(report.cases[0].status == TestStatus::Success);
    CHECK(report.cases[0].flaky);
    CHECK(report.cases[0].output == "first try");
    CHECK_FALSE(report.cases[1].flaky);
  }
  SECTION("as Surefire writes it") {
    const auto report = read(
        suite("<testcase name='a'><flakyFailure message='once'>trace</flakyFailure></testcase>"
              "<testcase name='b'><failure message='1'/><rerunFailure message='2'/></testcase>"));
    REQUIRE(report.cases.size() == 2);
    CHECK(report.cases[0].status == TestStatus::Success);
    CHECK(report.cases[0].flaky);
    CHECK(report.cases[1].status == TestStatus::Failed);
    CHECK_FALSE(report.cases[1].flaky);
  }
  SECTION("of another class or file it is another test") {
    const auto report =
        read(suite("<testcase classname='x' name='a'/><testcase name='a'/>"
                   "<testcase name='a' file='f'/>"));
    CHECK(report.cases.size() == 3);
  }
}

TEST_CASE("files of one report are read one by one, and a bad one costs only itself", "[junit]") {
  JunitReader reader;
  reader.feed(suite("<testcase name='a'/>"));
  reader.end_of_file();
  reader.feed("<testsuite><testcase name='b'/>\n <testcase name='c'></oops>");
  reader.end_of_file();
  reader.feed(suite("<testcase name='d'/>"));
  reader.end_of_file();
  const auto report = reader.take();
  REQUIRE(report.cases.size() == 3);
  CHECK(report.cases[1].name == "b");
  CHECK(report.cases[2].name == "d");
  CHECK(report.error == "file 2 of the report, line 2, column 23: mismatched tag");
}

TEST_CASE("what is no report says where and why", "[junit]") {
  CHECK(read("{\"tests\": 1}").error ==
        "file 1 of the report, line 1, column 1: not well-formed (invalid token)");
  CHECK(read(suite("<testcase name='a'/>").substr(0, 40)).error ==
        "file 1 of the report, line 1, column 33: unclosed token");
  JunitReader empty;
  empty.end_of_file();
  CHECK(empty.take().error == "file 1 of the report, line 1, column 1: no element found");
  CHECK(read("<?xml version='1.0' encoding='x-none'?><testsuite/>").error ==
        "file 1 of the report, line 1, column 31: unknown encoding");
  CHECK(read("<html><body>not tests</body></html>").cases.empty());
}

TEST_CASE("entities are not declared, and no file of the server is read", "[junit]") {
  const std::string bombs =
      "<!DOCTYPE t [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
      "<testsuite><testcase name='&b;'/></testsuite>";
  CHECK(read(bombs).error ==
        "file 1 of the report, line 1, column 25: "
        "it declares the entity 'a', which is not allowed");
  const auto outside = read(
      "<!DOCTYPE t [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
      "<testsuite><testcase name='a'><failure>&x;</failure></testcase></testsuite>");
  CHECK(outside.cases.empty());
  CHECK(outside.error.find("declares the entity 'x'") != std::string::npos);
  // A type without entities is harmless, and an entity of a file that is not read says nothing.
  CHECK(read("<!DOCTYPE t><testsuite><testcase name='a'/></testsuite>").cases.size() == 1);
}

TEST_CASE("a report that is too much is read as far as the limits go", "[junit]") {
  TestReportLimits limits;
  SECTION("tests") {
    limits.cases = 2;
    const auto report = read(suite("<testcase name='a'/><testcase name='b'/><testcase name='a'/>"
                                   "<testcase name='c'/><testcase name='d'/>"),
                             limits);
    CHECK(report.cases.size() == 2);
    CHECK(report.error.find("it has more than 2 tests") != std::string::npos);
  }
  SECTION("bytes") {
    limits.bytes = 1U << 20U;
    const auto report =
        read(suite("<testcase name='a'/>") + std::string(2U << 20U, ' '), limits, 4096);
    CHECK(report.cases.size() == 1);
    CHECK(report.error == "it is larger than 1 MiB; what is behind is left out");
  }
  SECTION("depth") {
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "<a>";
    CHECK(read(deep).error.find("elements stand more than 64 deep") != std::string::npos);
  }
  SECTION("outputs and names") {
    limits.output_of_case = 100;
    limits.outputs = 150;
    limits.name = 5;
    const std::string failure = "<failure message='m'>" + std::string(200, 'x') + "</failure>";
    const auto report = read(suite("<testcase name='aaaaää'>" + failure + "</testcase>" +
                                   "<testcase name='b'>" + failure + "</testcase>"),
                             limits);
    REQUIRE(report.cases.size() == 2);
    CHECK(report.cases[0].name == "aaaa");
    CHECK(report.cases[0].output == "m\n" + std::string(98, 'x') + "\n[cut: the report has more]");
    CHECK(report.cases[1].output.empty());
    CHECK(report.cases[1].status == TestStatus::Failed);
    CHECK(report.error == "outputs beyond 0 MiB in all are left out");
  }
}
