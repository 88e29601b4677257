// Reports as the formats' specifications have them: GitLab's security report schemas 14 and 15
// (gitlab.com/gitlab-org/security-products/security-report-schemas), Code Climate's issues as
// GitLab's "Code Quality" page has them, and SARIF 2.1.0 (OASIS).

#include "server/reports/findings_reader.h"

#include <fmt/format.h>

#include "tests/support/catch.h"

using namespace slipway;
using namespace slipway::server;

namespace {

FindingsReport read(const std::string& text, const std::string& kind = "sast",
                    const FindingsReportLimits& limits = {}) {
  FindingsReader reader{kind, "group/name", limits};
  reader.feed(text);
  return reader.take();
}

// "high name @ file:line [identifiers] (subject) scanner", with a line for each.
std::string shown(const FindingsReport& report) {
  std::string text;
  for (const Finding& one : report.findings) {
    text += fmt::format("{} {}", to_string(one.severity), one.name);
    if (!one.file.empty()) text += fmt::format(" @ {}:{}", one.file, one.line);
    text += fmt::format(" [{}]", fmt::join(one.identifiers, ", "));
    if (!one.subject.empty()) text += fmt::format(" ({})", one.subject);
    if (!one.scanner.empty()) text += " " + one.scanner;
    text += '\n';
  }
  return text;
}

std::string vulnerabilities(const std::string& list, const std::string& rest = "") {
  return R"({"version": "15.0.7", "vulnerabilities": [)" + list + "]" + rest + "}";
}

std::string sarif(const std::string& results, const std::string& rules = "",
                  const std::string& rest = "") {
  return R"({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
    "runs": [{"results": [)" +
         results + R"(], "tool": {"driver": {"name": "Linter", "rules": [)" + rules + "]}}" + rest +
         "}]}";
}

std::string first_fingerprint(const FindingsReport& report) {
  REQUIRE(!report.findings.empty());
  return report.findings.front().fingerprint;
}

const std::string kSast = R"({
  "version": "15.0.7",
  "scan": {"analyzer": {"id": "semgrep", "name": "Semgrep", "vendor": {"name": "GitLab"}, "version": "4.0"},
    "scanner": {"id": "semgrep", "name": "Semgrep", "version": "1.0", "vendor": {"name": "GitLab"}},
    "type": "sast", "start_time": "2024-01-01T00:00:00", "end_time": "2024-01-01T00:01:00", "status": "success"},
  "vulnerabilities": [
    {"id": "aa11", "category": "sast", "name": "Use of eval", "description": "It runs text.\nThat is bad.",
     "severity": "Medium", "solution": "Do not.", "scanner": {"id": "semgrep", "name": "Semgrep"},
     "location": {"file": "src/app.py", "start_line": 12, "end_line": 13},
     "identifiers": [{"type": "semgrep_id", "name": "python.eval", "value": "python.eval", "url": "javascript:alert"},
                     {"type": "cwe", "name": "CWE-95", "value": "95"}]},
    {"id": "bb22", "category": "sast", "message": "SQL from a request", "cve": "x:y:z", "severity": "Critical",
     "location": {"file": "/builds/group/name/src/db.py", "start_line": 3},
     "identifiers": [{"type": "cwe", "name": "CWE-89", "value": "89"}]}
  ],
  "remediations": []
})";

}  // namespace

TEST_CASE("a GitLab security report", "[reports]") {
  const auto report = read(kSast);
  CHECK(report.error.empty());
  CHECK(report.left_out == 0);
  CHECK(shown(report) ==
        "critical SQL from a request @ src/db.py:3 [CWE-89] Semgrep\n"
        "medium Use of eval @ src/app.py:12 [python.eval, CWE-95] Semgrep\n");
  CHECK(report.findings[1].description == "It runs text.\nThat is bad.");
  CHECK(report.findings[1].solution == "Do not.");
}

TEST_CASE("what is affected beside a file is told by each kind of scan", "[reports]") {
  const std::string rest =
      R"("identifiers": [{"name": "CVE-2024-1"}], "severity": "High", "name": "n")";
  CHECK(shown(read(vulnerabilities("{" + rest + R"(, "location": {"file": "package-lock.json",
      "dependency": {"package": {"name": "lodash"}, "version": "4.17.15"}}})"))) ==
        "high n @ package-lock.json:0 [CVE-2024-1] (lodash 4.17.15)\n");
  CHECK(shown(read(vulnerabilities("{" + rest + R"(, "location": {"image": "reg:5000/app:1",
      "operating_system": "debian 12", "dependency": {"package": {"name": "zlib"}, "version": "1.2"}}})"))) ==
        "high n [CVE-2024-1] (zlib 1.2 (reg:5000/app:1))\n");
  CHECK(shown(read(vulnerabilities("{" + rest + R"(, "location": {"hostname": "https://a.test",
      "method": "GET", "path": "/q", "param": "id"}})"))) ==
        "high n [CVE-2024-1] (GET https://a.test/q id)\n");
  CHECK(shown(read(vulnerabilities("{" + rest + R"(, "location": {"crash_type": "Heap-overflow",
      "crash_state": "f\ng\n", "crash_address": "0x1"}})"))) ==
        "high n [CVE-2024-1] (Heap-overflow f g)\n");
  CHECK(shown(read(
            vulnerabilities("{" + rest + R"(, "location": {"file": "a.c", "class": "C"}})"))) ==
        "high n @ a.c:0 [CVE-2024-1]\n");
}

TEST_CASE("severities in any case, and words that are none", "[reports]") {
  const auto severity = [](const std::string& word) {
    const auto report = read(vulnerabilities(R"({"name": "n", "severity": )" + word + "}"));
    return std::string{to_string(report.findings.at(0).severity)};
  };
  CHECK(severity(R"("Critical")") == "critical");
  CHECK(severity(R"("HIGH")") == "high");
  CHECK(severity(R"("low")") == "low");
  CHECK(severity(R"("Info")") == "info");
  CHECK(severity(R"("Unknown")") == "unknown");
  CHECK(severity(R"("dreadful")") == "unknown");
  CHECK(severity("7") == "unknown");
}

TEST_CASE("a secret that was found is not kept", "[reports]") {
  const auto report =
      read(vulnerabilities(R"({"name": "AWS key", "severity": "Critical", "cve": "a:AKIASECRET",
        "raw_source_code_extract": "AKIASECRET", "location": {"file": "a.env", "start_line": 1,
        "commit": {"sha": "aa"}}, "identifiers": [{"type": "gitleaks_rule_id", "name": "Gitleaks rule ID AWS"}]})"),
           "secret_detection");
  CHECK(shown(report) == "critical AWS key @ a.env:1 [Gitleaks rule ID AWS]\n");
  CHECK(report.findings[0].description.empty());
}

TEST_CASE("a scan that failed is told", "[reports]") {
  CHECK(read(vulnerabilities("", R"(, "scan": {"status": "failure"})")).error ==
        "the scanner itself says that its scan failed");
  CHECK(read(vulnerabilities("", R"(, "scan": {"status": "success"})")).error.empty());
}

TEST_CASE("Code Climate", "[reports]") {
  const auto report = read(R"([
    {"type": "issue", "check_name": "no-unused-vars", "description": "'unused' is never used.",
     "content": {"body": "Remove it."}, "fingerprint": "7815696ecbf1c96e6894b779456d330e",
     "severity": "minor", "engine_name": "eslint", "location": {"path": "./lib/index.js", "lines": {"begin": 42}}},
    {"check_name": "complexity", "description": "Too complex", "fingerprint": "ff", "severity": "blocker",
     "location": {"path": "a.rb", "positions": {"begin": {"line": 8, "column": 1}, "end": {"line": 9, "column": 1}}}},
    {"type": "measurement", "name": "lines", "value": 3},
    {"check_name": "m", "description": "major", "fingerprint": "2", "severity": "major", "location": {"path": "a"}},
    {"check_name": "c", "description": "critical", "fingerprint": "3", "severity": "critical", "location": {"path": "a"}},
    {"check_name": "i", "description": "info", "fingerprint": "4", "severity": "info", "location": {"path": "a"}},
    {"check_name": "i", "description": "again", "fingerprint": "4", "severity": "info", "location": {"path": "b"}}
  ])",
                           "codequality");
  CHECK(report.error.empty());
  CHECK(shown(report) ==
        "critical Too complex @ a.rb:8 [complexity]\n"
        "high critical @ a:0 [c]\n"
        "medium major @ a:0 [m]\n"
        "low 'unused' is never used. @ lib/index.js:42 [no-unused-vars] eslint\n"
        "info info @ a:0 [i]\n");
  CHECK(report.findings[3].description == "Remove it.");
  CHECK(read("[]").error.empty());
}

TEST_CASE("SARIF: severities of rules, of levels and of scores", "[reports]") {
  const std::string rules = R"(
    {"id": "js/xss", "shortDescription": {"text": "Cross-site scripting"}, "fullDescription": {"text": "whole"},
     "help": {"text": "Escape it."}, "defaultConfiguration": {"level": "error"},
     "properties": {"security-severity": "9.3", "tags": ["security", "external/cwe/cwe-079", "external/cwe/cwe-116"]}},
    {"id": "style", "name": "Style", "defaultConfiguration": {"level": "note"},
     "messageStrings": {"long": {"text": "'{0}' is {1}, {{really}} {7}"}}})";
  const auto report = read(sarif(R"(
    {"ruleId": "js/xss", "ruleIndex": 0, "message": {"text": "From a [request](1)."},
     "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/a%20b.js", "uriBaseId": "%SRCROOT%"},
       "region": {"startLine": 7, "startColumn": 2}}}]},
    {"ruleId": "style", "message": {"id": "long", "arguments": ["x", "long"]},
     "locations": [{"physicalLocation": {"artifactLocation": {"index": 1}}}]},
    {"ruleId": "style", "level": "error", "message": {"text": "worse"}},
    {"ruleId": "gone", "message": {"text": "no rule"}},
    {"rule": {"id": "plug", "index": 0, "toolComponent": {"index": 0}}, "message": {"text": "of a plugin"}},
    {"message": {"text": "only a message"}, "level": "none"})",
                                 rules, R"(, "artifacts": [{"location": {"uri": "no"}},
                               {"location": {"uri": "file:///builds/group/name/src/x.js"}}])"),
                           "sarif");
  CHECK(report.error.empty());
  CHECK(shown(report) ==
        "critical Cross-site scripting @ src/a b.js:7 [js/xss, CWE-79, CWE-116] Linter\n"
        "high Style [style] Linter\n"
        "medium gone [gone] Linter\n"
        "medium plug [plug] Linter\n"
        "low Style @ src/x.js:0 [style] Linter\n"
        "info only a message [] Linter\n");
  CHECK(report.findings[0].description == "From a [request](1).");
  CHECK(report.findings[0].solution == "Escape it.");
  CHECK(report.findings[4].description == "'x' is long, {really} {7}");
}

TEST_CASE("SARIF: the scores are those of GitHub", "[reports]") {
  const auto severity = [](const std::string& score) {
    const auto report = read(sarif(
        R"({"message": {"text": "m"}, "level": "error", "properties": {"security-severity": )" +
        score + "}}"));
    return std::string{to_string(report.findings.at(0).severity)};
  };
  CHECK(severity(R"("10.0")") == "critical");
  CHECK(severity(R"("9.0")") == "critical");
  CHECK(severity(R"("8.9")") == "high");
  CHECK(severity("7.0") == "high");
  CHECK(severity(R"("6.9")") == "medium");
  CHECK(severity(R"("0.1")") == "low");
  CHECK(severity(R"("0.0")") == "info");
  CHECK(severity(R"("much")") == "high");
}

TEST_CASE("SARIF: what passed, is gone or was dismissed is no finding", "[reports]") {
  const auto report = read(sarif(R"(
    {"ruleId": "a", "kind": "pass", "message": {"text": "m"}},
    {"ruleId": "b", "kind": "notApplicable", "message": {"text": "m"}},
    {"ruleId": "c", "baselineState": "absent", "message": {"text": "m"}},
    {"ruleId": "d", "suppressions": [{"kind": "inSource"}], "message": {"text": "m"}},
    {"ruleId": "e", "suppressions": [{"kind": "external", "status": "rejected"}], "message": {"text": "m"}},
    {"ruleId": "f", "suppressions": [], "kind": "fail", "baselineState": "unchanged", "message": {"text": "m"}})"));
  CHECK(shown(report) == "medium e [e] Linter\nmedium f [f] Linter\n");
}

TEST_CASE("a fingerprint stays when lines move, and differs for what differs", "[reports]") {
  const auto print = [](const std::string& line, const std::string& file, const std::string& name,
                        const std::string& rest = "", const std::string& kind = "sast") {
    return first_fingerprint(
        read(vulnerabilities(R"({"id": "random-)" + line + R"(", "name": ")" + name +
                             R"(", "location": {"file": ")" + file + R"(", "start_line": )" + line +
                             R"(}, "identifiers": [{"name": "CWE-1"}])" + rest + "}"),
             kind));
  };
  const auto first = print("1", "a.c", "n");
  CHECK(first.size() == 32);
  CHECK(print("9", "a.c", "n") == first);
  CHECK(print("1", "./a.c", "n") == first);
  CHECK(print("1", "b.c", "n") != first);
  CHECK(print("1", "a.c", "m") != first);
  CHECK(print("1", "a.c", "n", "", "dast") != first);
  const auto tracked = [](const std::string& value) {
    return R"(, "tracking": {"type": "source", "items": [{"signatures": [{"algorithm": "location", "value": "a.c:1"},
      {"algorithm": "scope_offset", "value": ")" +
           value + R"("}]}]})";
  };
  CHECK(print("1", "a.c", "n", tracked("a.c|f[0]:3")) ==
        print("5", "a.c", "n", tracked("a.c|f[0]:3")));
  CHECK(print("1", "a.c", "n", tracked("a.c|f[0]:3")) !=
        print("1", "a.c", "n", tracked("a.c|g[0]:3")));
}

TEST_CASE("a package stays the same finding in its next version, an image under its next tag",
          "[reports]") {
  const auto print = [](const std::string& version, const std::string& image) {
    return first_fingerprint(read(vulnerabilities(
        R"({"name": "n", "location": {"image": ")" + image +
        R"(", "dependency": {"package": {"name": "zlib"}, "version": ")" + version + R"("}}})")));
  };
  CHECK(print("1", "reg:5000/a:1") == print("2", "reg:5000/a:2"));
  CHECK(print("1", "reg:5000/a:1") == print("1", "reg:5000/a@sha256:00"));
  CHECK(print("1", "reg:5000/a:1") != print("1", "reg:5000/b:1"));
}

TEST_CASE("of findings that are alike each one counts", "[reports]") {
  const std::string one = R"({"name": "n", "location": {"file": "a.c", "start_line": 1}})";
  const auto two = read(vulnerabilities(one + "," + one));
  REQUIRE(two.findings.size() == 2);
  CHECK(two.findings[0].fingerprint != two.findings[1].fingerprint);
  CHECK(two.findings[0].fingerprint == first_fingerprint(read(vulnerabilities(one))));
}

TEST_CASE("SARIF's fingerprints: the report's own, a part with rule and file, or the message",
          "[reports]") {
  const auto print = [](const std::string& rest, const std::string& uri = "a.c",
                        const std::string& line = "1") {
    return first_fingerprint(read(sarif(
        R"({"ruleId": "r", "locations": [{"physicalLocation": {"artifactLocation": {"uri": ")" +
        uri + R"("}, "region": {"startLine": )" + line + "}}}], " + rest + "}")));
  };
  const std::string own =
      R"("fingerprints": {"hash/v1": "x", "hash/v2": "y"}, "message": {"text": "m"})";
  CHECK(print(own) == print(own, "b.c"));
  CHECK(print(own) != print(R"("fingerprints": {"hash/v2": "z"}, "message": {"text": "m"})"));
  const auto part = [](const std::string& hash, const std::string& more) {
    return R"("partialFingerprints": {"primaryLocationLineHash": ")" + hash +
           R"(:1", "primaryLocationStartColumnFingerprint": ")" + more +
           R"("}, "message": {"text": "m"})";
  };
  CHECK(print(part("ab", "1"), "a.c", "1") == print(part("ab", "2"), "a.c", "8"));
  CHECK(print(part("ab", "1")) != print(part("cd", "1")));
  CHECK(print(part("ab", "1")) != print(part("ab", "1"), "b.c"));
  CHECK(print(R"("message": {"text": "see line 4"})") ==
        print(R"("message": {"text": "see line 15"})"));
  CHECK(print(R"("message": {"text": "os"})") != print(R"("message": {"text": "sys"})"));
}

TEST_CASE("a broken findings report is told by a sentence, and what came before it stays",
          "[reports]") {
  CHECK(read("").error == "file 1 of the report is empty");
  CHECK(read(" \n").error == "file 1 of the report is empty");
  CHECK(read("<xml/>").error == "file 1 of the report, line 1: it is no valid JSON");
  CHECK(
      read("{}").error ==
      "file 1 of the report, it is neither a GitLab security report, nor Code Climate, nor SARIF");
  CHECK(
      read(R"({"vulnerabilities": {}})").error ==
      "file 1 of the report, it is neither a GitLab security report, nor Code Climate, nor SARIF");
  CHECK(
      read("3").error ==
      "file 1 of the report, it is neither a GitLab security report, nor Code Climate, nor SARIF");
  const auto cut = read("{\"vulnerabilities\": [\n{\"name\": \"first\"},\n{\"name\": ");
  CHECK(shown(cut) == "unknown first []\n");
  CHECK(cut.error == "file 1 of the report, line 3: it is no valid JSON");
  CHECK(read("[\"\xFF\"]").error == "file 1 of the report, line 1: it is no valid JSON");
  CHECK(read(R"(["\ud800"])").error == "file 1 of the report, line 1: it is no valid JSON");
  CHECK(read("[1e999]").error == "file 1 of the report, line 1: it is no valid JSON");
  CHECK(read("\xEF\xBB\xBF[]").error.empty());
}

TEST_CASE("values of other types than the format has are passed over", "[reports]") {
  for (const std::string value : {"null", "1", "-1", "1.5", "true", "[]", "{}", "\"\"", "[[{}]]"}) {
    CAPTURE(value);
    for (const std::string key : {"id", "name", "message", "description", "severity", "location",
                                  "identifiers", "scanner", "solution", "tracking"})
      CHECK(read(vulnerabilities(fmt::format(R"({{"{}": {}}})", key, value))).findings.size() == 1);
    for (const std::string key : {"ruleId", "ruleIndex", "rule", "level", "message", "locations",
                                  "fingerprints", "partialFingerprints", "properties"})
      CHECK(read(sarif(fmt::format(R"({{"{}": {}}})", key, value))).findings.size() == 1);
    for (const std::string key : {"check_name", "description", "content", "fingerprint", "severity",
                                  "location", "engine_name"})
      CHECK(read(fmt::format(R"([{{"{}": {}}}])", key, value)).findings.size() == 1);
    CHECK(read(sarif(R"({"ruleIndex": 0})", value)).findings.size() == 1);
    read(vulnerabilities(value));
    read(sarif(value));
    read("[" + value + "]");
    read(R"({"runs": [)" + value + "]}");
    read(R"({"runs": )" + value + "}");
    read(R"({"vulnerabilities": [], "scan": )" + value + "}");
  }
}

TEST_CASE("several files are one report", "[reports]") {
  FindingsReader reader{"codequality", "group/name"};
  reader.feed(R"([{"description": "one")");
  reader.feed(R"(}])");
  reader.end_of_file();
  reader.feed(R"([{"description": "two"}])");
  reader.end_of_file();
  reader.feed("[");
  reader.end_of_file();
  const auto report = reader.take();
  CHECK(shown(report) == "unknown one []\nunknown two []\n");
  CHECK(report.error == "file 3 of the report, line 1: it is no valid JSON");
}

TEST_CASE("beyond a limit the rest of a findings report is left out", "[reports]") {
  FindingsReportLimits limits;
  limits.findings = 2;
  std::string many;
  for (int i = 0; i < 20; ++i)
    many += fmt::format(R"({{"name": "n{}", "severity": "{}"}},)", i, i == 13 ? "High" : "Low");
  many.pop_back();
  const auto worst = read(vulnerabilities(many), "sast", limits);
  CHECK(shown(worst) == "high n13 []\nlow n0 []\n");
  CHECK(worst.left_out == 18);

  limits = {};
  limits.looked_at = 3;
  const auto first = read(vulnerabilities(many), "sast", limits);
  CHECK(first.findings.size() == 3);
  CHECK(first.error == "it has more than 3 findings; those behind are left out");

  limits = {};
  limits.bytes = 100;
  const auto large =
      read(R"([{"description": "one"}, )" + std::string(200, ' ') + "]", "sast", limits);
  CHECK(shown(large) == "unknown one []\n");
  CHECK(large.error == "it is larger than 0 MiB; what is behind is left out");

  limits = {};
  limits.values = 5;
  const auto wide = read(
      R"([{"description": "a", "x": [1, 2, 3, {"y": 4}]}, {"description": "b"}])", "sast", limits);
  CHECK(shown(wide) == "unknown b []\n");
  CHECK(wide.error == "1 findings of more than 5 values are left out");

  limits = {};
  limits.texts = 10;
  const auto told = read(R"([{"description": "a", "content": {"body": "0123456789"}},
                             {"description": "b", "content": {"body": "0"}}])",
                         "sast", limits);
  CHECK(told.findings[0].description == "0123456789");
  CHECK(told.findings[1].description ==
        "(The texts of the report are too long together; this one is left out.)");
  CHECK(told.error.empty());

  limits = {};
  limits.rules = 1;
  CHECK(read(sarif(R"({"ruleId": "a"})", R"({"id": "a"}, {"id": "b"})"), "sast", limits).error ==
        "rules beyond the first 1 are left out");
}

TEST_CASE("deep nesting ends a findings report, wherever it stands", "[reports]") {
  const std::string deep = std::string(100'000, '[');
  CHECK(read(deep).error == "file 1 of the report, it is nested deeper than 64 levels");
  CHECK(read(vulnerabilities(R"({"name": )" + deep)).error ==
        "file 1 of the report, it is nested deeper than 64 levels");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  CHECK(read(objects).error == "file 1 of the report, it is nested deeper than 64 levels");
}

TEST_CASE("texts are cleaned and cut between characters", "[reports]") {
  CHECK(clean_text("  a\x01\x7F\r\n\tb \n", 100) == "a\n\tb");
  CHECK(clean_text(std::string("a\0b", 3), 100) == "ab");
  CHECK(clean_text("a\xE2\x80\xAE"
                   "b\xE2\x81\xA6"
                   "c\xE2\x80\x93",
                   100) == "abc\xE2\x80\x93");
  CHECK(clean_text("äöü", 100) == "äöü");
  CHECK(clean_text("äöü", 6) == "äöü");
  CHECK(clean_text("äöüß", 6) == "ä…");
  // Not cut inside a character, also where something is left out behind it.
  CHECK(clean_text("aaa世\x01"
                   "b",
                   4) == "a…");
  CHECK(clean_text("   aaa世世", 8) == "aa…");
  CHECK(clean_line("a\nb\tc", 100) == "a b c");
  CHECK(clean_text(std::string(1000, 'x'), 10) == "xxxxxxx…");
  const auto report = read(R"([{"description": "<img src=x onerror=alert(1)>\u0000\u001b[31m"}])");
  CHECK(report.findings[0].name == "<img src=x onerror=alert(1)>[31m");
}

TEST_CASE("what a rule says again and again costs no more than its findings", "[reports]") {
  FindingsReportLimits limits;
  limits.findings = 500;
  limits.texts = std::size_t{1} << 20U;
  std::string results;
  for (int i = 0; i < 2'000; ++i)
    results += R"({"ruleIndex":0,"message":{"id":"m","arguments":["x"]}},)";
  results.pop_back();
  std::string message;
  for (int i = 0; i < 10'000; ++i) message += "{0}";
  const auto report =
      read(sarif(results, R"({"id": "r", "help": {"text": ")" + std::string(100'000, 'h') +
                              R"("}, "messageStrings": {"m": {"text": ")" + message + R"("}}})"),
           "sarif", limits);
  CHECK(report.findings.size() == 500);
  CHECK(report.left_out == 1'500);
  CHECK(report.findings[0].solution.size() <= limits.text);
  CHECK(report.findings[0].description.size() <= limits.text);
  std::size_t texts = 0;
  for (const Finding& one : report.findings) texts += one.description.size() + one.solution.size();
  CHECK(texts <= limits.texts + 500 * std::size_t{100});
}
