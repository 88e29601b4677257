// The limits and traps of reading YAML that are not about the types of scalars.

#include "pipeline/read/source.h"
#include "tests/support/catch.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::read;

namespace {

std::string value_of(const NodePtr& root, std::string_view key) {
  const NodePtr* value = root->find(key);
  return value == nullptr ? "absent" : (*value)->text;
}

Diagnostic only_error(std::string_view text, const Limits& limits = {}) {
  Diagnostics findings;
  CHECK_FALSE(parse(text, "ci.yml", findings, limits));
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::Error);
  return findings[0];
}

}  // namespace

TEST_CASE("a coverage expression without quotes is read, with a warning at its column", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse(
      "test:\n"
      "  script: make\n"
      "  coverage: /Coverage: \\d+\\.\\d+/\n"
      "  stage: build\n",
      "ci.yml", findings);
  REQUIRE(root);
  const NodePtr test = *root->find("test");
  CHECK(value_of(test, "coverage") == "/Coverage: \\d+\\.\\d+/");
  CHECK(value_of(test, "stage") == "build");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::Warning);
  CHECK(findings[0].code == "coverage_quotes");
  CHECK(findings[0].span == slipway::SourceSpan{"ci.yml", 3, 13});
  CHECK(findings[0].hint == "write it as coverage: '/Coverage: \\d+\\.\\d+/'");
}

TEST_CASE("a quote inside a coverage expression stays what it is", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse("coverage: /it's: \\d+/\n", "ci.yml", findings);
  REQUIRE(root);
  CHECK(value_of(root, "coverage") == "/it's: \\d+/");
}

TEST_CASE("every such line of a file is read and warned about", "[yaml]") {
  Diagnostics findings;
  const NodePtr root =
      parse("a:\n  coverage: /x: \\d+/\nb:\n  coverage: /y: \\d+/\r\n", "ci.yml", findings);
  REQUIRE(root);
  CHECK(value_of(*root->find("b"), "coverage") == "/y: \\d+/");
  REQUIRE(findings.size() == 2);
  CHECK(findings[1].span.line == 4);
}

TEST_CASE("another value with a colon stays an error with its place and a hint", "[yaml]") {
  const Diagnostic error = only_error("a: 1\nkey: foo: bar\n");
  CHECK(error.message ==
        "(<unknown>): mapping values are not allowed in this context at line 2 column 9");
  CHECK(error.span == slipway::SourceSpan{"ci.yml", 2, 9});
  CHECK(error.hint == "a ': ' inside a value needs quotes around the whole value");
}

TEST_CASE("tabs are fine in values and refused as indentation", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse("a: one\ttwo\t\n", "ci.yml", findings);
  REQUIRE(root);
  CHECK(value_of(root, "a") == "one\ttwo");
  const Diagnostic error = only_error("a:\n\tb: 1\n");
  CHECK(error.code == "yaml_syntax");
  CHECK(error.span.line == 2);
  CHECK(error.hint.find("spaces, not tabs") != std::string::npos);
}

TEST_CASE("two merge keys are merged in their order, and quoted ones too", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse(
      "a: &a {x: 1}\nb: &b {x: 2}\n"
      "both:\n  <<: *a\n  <<: *b\n"
      "quoted: {\"<<\": *a}\n"
      "scalar: {<<: text}\n",
      "ci.yml", findings);
  REQUIRE(root);
  CHECK(findings.empty());
  CHECK(value_of(*root->find("both"), "x") == "2");
  CHECK(value_of(*root->find("quoted"), "x") == "1");
  CHECK(value_of(*root->find("scalar"), "<<") == "text");
}

TEST_CASE("a symbol is no merge key", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse("a:\n  :<<: {x: 1}\n  x: 2\n", "ci.yml", findings);
  REQUIRE(root);
  CHECK(findings.empty());
  const NodePtr& a = *root->find("a");
  REQUIRE(a->entries.size() == 2);
  CHECK(a->entries[0].key == "<<");
  CHECK(value_of(a, "x") == "2");
}

TEST_CASE("a merge is shallow", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse("a: &a {v: {x: 1}}\nb:\n  <<: *a\n  v: {y: 2}\n", "ci.yml", findings);
  REQUIRE(root);
  const NodePtr merged = *(*root->find("b"))->find("v");
  CHECK(value_of(merged, "x") == "absent");
  CHECK(value_of(merged, "y") == "2");
}

TEST_CASE("a key that stands twice keeps its first place", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse("a: 1\nb: 2\na: 3\n", "ci.yml", findings);
  REQUIRE(root);
  REQUIRE(root->entries.size() == 2);
  CHECK(root->entries[0].key == "a");
  CHECK(findings[0].message == "the key 'a' stands here again; the last one counts");
}

TEST_CASE("scalars of every style keep their text", "[yaml]") {
  Diagnostics findings;
  const NodePtr root = parse(
      "---\n"
      "literal: |\n  one\n  two\n"
      "stripped: |-\n  one\n"
      "folded: >\n  one\n  two\n"
      "quoted: \"a\\tb\"\n"
      "single: 'it''s'\n"
      "number: '010'\n"
      "plain: one\n  two\n",
      "ci.yml", findings);
  REQUIRE(root);
  CHECK(value_of(root, "literal") == "one\ntwo\n");
  CHECK(value_of(root, "stripped") == "one");
  CHECK(value_of(root, "folded") == "one two\n");
  CHECK(value_of(root, "quoted") == "a\tb");
  CHECK(value_of(root, "single") == "it's");
  CHECK(value_of(root, "number") == "010");
  CHECK((*root->find("number"))->kind == Kind::String);
  CHECK(value_of(root, "plain") == "one two");
}

TEST_CASE("an empty file is null and a third document is refused", "[yaml]") {
  Diagnostics findings;
  const NodePtr empty = parse("", "ci.yml", findings);
  REQUIRE(empty);
  CHECK(empty->kind == Kind::Null);
  const NodePtr comment = parse("# nothing\n", "ci.yml", findings);
  REQUIRE(comment);
  CHECK(comment->kind == Kind::Null);
  const Diagnostic error = only_error("spec: {}\n---\na: 1\n---\nb: 2\n");
  CHECK(error.code == "several_documents");
  CHECK(error.span.line == 4);
}

TEST_CASE("a mapping or a list is no key", "[yaml]") {
  CHECK(only_error("? [a, b]\n: c\n").code == "yaml_key");
  CHECK(only_error("? {a: b}\n: c\n").code == "yaml_key");
}

TEST_CASE("a plain value cannot begin with @, ` or %", "[yaml]") {
  const auto* text = GENERATE("a: @b\n", "a: `b`\n");
  CHECK(only_error(text).hint.find("quote a value that begins with @") != std::string::npos);
}

TEST_CASE("each limit is exact", "[yaml]") {
  Limits limits;
  Diagnostics findings;
  SECTION("bytes") {
    limits.file_bytes = 5;
    CHECK(parse("a: 12", "ci.yml", findings, limits));
    CHECK(
        only_error("a: 123", limits).message ==
        "The parsed YAML is too big: the file has more than 5 bytes (setting pipeline_file_limit)");
  }
  SECTION("depth") {
    limits.depth = 3;
    CHECK(parse("[[[1]]]", "ci.yml", findings, limits));
    const Diagnostic error = only_error("[[[[1]]]]", limits);
    CHECK(error.message ==
          "The parsed YAML is too big: nested deeper than 3 levels (setting pipeline_depth_limit)");
    CHECK(error.span.column == 5);
  }
  SECTION("values") {
    limits.values = 4;
    CHECK(parse("[1, 2, 3]", "ci.yml", findings, limits));
    CHECK(only_error("[1, 2, 3, 4]", limits).message ==
          "The parsed YAML is too big: more than 4 values (setting pipeline_value_limit)");
    CHECK(only_error("{a: 1, b: 2, c: 3}", limits).code == "too_big");
  }
}

TEST_CASE("merging cannot multiply a small file", "[yaml]") {
  std::string bomb = "a0: &a0 {k: [x, x, x, x, x, x, x, x, x, x]}\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {l: " + before +
            ", r: " + before + ", <<: " + before + "}\n";
  }
  CHECK(only_error(bomb).code == "too_big");
}

TEST_CASE("bytes that are no text are an error, not a crash", "[yaml]") {
  using namespace std::string_literals;
  const auto text =
      GENERATE("a: \xff\xfe\n"s, "a: \x01\n"s, "\xef\xbb\xbf\xff"s, "a: \"\\ud800\"\n"s,
               "a: \0b\n"s, "'"s, "{"s, "[a"s, "- a\nb"s, "&a"s + "\n&b x"s, "a: *\n"s, "!<"s,
               "a: !<tag:x,2000: b"s, "%YAML 9.9\n---\na"s, "%TAG ! x\n--- !y z"s);
  Diagnostics findings;
  const NodePtr root = parse(text, "ci.yml", findings);
  CAPTURE(text);
  CHECK((root != nullptr || !findings.empty()));
}

TEST_CASE("every beginning of a file is read or refused with one finding", "[yaml]") {
  const std::string whole =
      ".a: &a\n  script: [\"x\", 'y']\nv: {<<: *a, k: !reference [a, b]}\n"
      "b: |\n  text\nc: >-\n  folded\n? d\n: e\n";
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    Diagnostics findings;
    const NodePtr root = parse(whole.substr(0, length), "ci.yml", findings);
    CAPTURE(length);
    CHECK((root != nullptr) == findings.empty());
  }
}
