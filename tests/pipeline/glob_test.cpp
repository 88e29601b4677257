#include "pipeline/rules/glob.h"

#include "tests/support/catch.h"

using slipway::pipeline::rules::glob_matches;

namespace {

struct Row {
  const char* pattern;
  const char* path;
  bool matches;
};

}  // namespace

TEST_CASE("globs match what Ruby's fnmatch matches", "[glob]") {
  const auto row = GENERATE(values<Row>({
      {"*.md", "README.md", true},
      {"*.md", "docs/a.md", false},
      {"**/*.md", "README.md", true},
      {"**/*.md", "docs/a/b.md", true},
      {"docs/*", "docs/a/b.md", false},
      {"docs/**", "docs/a", true},
      {"docs/**", "docs/a/b.md", false},
      {"docs/**/*", "docs/a/b/c.md", true},
      {"docs/", "docs/a", false},
      {"docs", "docs/a", false},
      {"**", "a/b", false},
      {"*", ".a", true},
      {"**/*", ".git/x", true},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**b", "a/x/b", false},
      {"a**/b", "ax/b", true},
      {"*.{rb,py}", "x.py", true},
      {"src/*.{c,{h,hpp}}", "src/a.hpp", true},
      {"{a,b}/**/*", "b/c/d", true},
      {"x/{,y/}z", "x/z", true},
      {"[a-c]x", "bx", true},
      {"[!a]x", "bx", true},
      {"[^a]x", "bx", true},
      {"[[:alpha:]]", "a", false},
      {"./a", "a", false},
      {"/a", "a", false},
      {"a//b", "a/b", false},
      {"\\*", "*", true},
      {"**/Dockerfile", "Dockerfile", true},
      {"**/Dockerfile", "x/.y/Dockerfile", true},
      {"*.MD", "a.md", false},
      {"**.js", "d/a.js", false},
      {"**/a/**", "x/a/b/c", false},
      {"?", "/", false},
      {"a{", "a{", false},
  }));
  CAPTURE(row.pattern, row.path);
  CHECK(glob_matches(row.pattern, row.path) == row.matches);
}

TEST_CASE("a hostile glob is given up, not waited for", "[glob]") {
  std::string stars;
  for (int i = 0; i < 40; ++i) stars += "*a";
  CHECK_FALSE(glob_matches(stars + "b", std::string(200, 'a')));
}
