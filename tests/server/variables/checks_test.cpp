#include "server/variables/checks.h"

#include "tests/support/catch.h"

namespace slipway::server {
namespace {

VariableRow row_of(const std::string& key) {
  VariableRow row;
  row.project_id = ProjectId{1};
  row.key = key;
  return row;
}

std::string refusal(const VariableRow& row, const std::string& value) {
  const auto checked = check_variable(row, value);
  if (checked) return {};
  CHECK(checked.error().kind == ErrorKind::InvalidInput);
  if (value.size() > 3) CHECK(checked.error().message.find(value) == std::string::npos);
  return checked.error().message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what can be masked is what GitLab masks", "[variables]") {
  struct Row {
    std::string value;
    bool raw;
    const char* refusal;  // "" when it is fine
  };
  for (const Row& row :
       {Row{"12345678", false, ""}, Row{"1234567", false, "it has 7 characters"},
        Row{"", false, "it has 0 characters"}, Row{"ab+/=@:.~-_Z", false, ""},
        Row{"abc def ghi", false, "one line without blanks"},
        Row{"abcdefgh\nij", true, "one line without blanks"},
        Row{"abcdefgh\tij", true, "one line without blanks"},
        Row{"pa$$word1", false, "with 'raw' set to true"}, Row{"pa$$word1", true, ""},
        Row{"w\u00f6rterbuch", false, "with 'raw' set to true"}, Row{"w\u00f6rterbuch", true, ""},
        Row{"\u00f6\u00f6\u00f6\u00f6", true, "it has 4 characters"}}) {
    CAPTURE(row.value, row.raw);
    VariableRow variable = row_of("KEY");
    variable.raw = row.raw;
    CHECK(refusal(variable, row.value).empty());  // not masked: anything goes
    variable.masked = true;
    const std::string said = refusal(variable, row.value);
    CHECK(said.empty() == std::string{row.refusal}.empty());
    CHECK(has(said, row.refusal));
  }
}

TEST_CASE("a hidden variable stays masked", "[variables]") {
  VariableRow variable = row_of("KEY");
  variable.hidden = true;
  CHECK(has(refusal(variable, "12345678"), "a hidden variable stays masked"));
  variable.masked = true;
  CHECK(refusal(variable, "12345678").empty());
}

TEST_CASE("keys are letters, digits and underscores", "[variables]") {
  for (const char* good : {"KEY", "_a", "9", "a_B_1"}) CHECK(refusal(row_of(good), "v").empty());
  CHECK(refusal(row_of(std::string(255, 'K')), "v").empty());
  // A key becomes the name of a file and of an environment variable on the runner.
  for (const std::string& bad :
       {std::string{}, std::string{"A-B"}, std::string{"A B"}, std::string{"../x"},
        std::string{"A=B"}, std::string{"A\n"}, std::string{"K\0", 2}, std::string{"\u00d6L"},
        std::string(256, 'K')}) {
    CAPTURE(bad);
    CHECK(has(refusal(row_of(bad), "v"), "field 'key'"));
  }
}

TEST_CASE("values, scopes and descriptions have limits", "[variables]") {
  VariableRow variable = row_of("KEY");
  CHECK(refusal(variable, std::string(10'000, 'v')).empty());
  CHECK(has(refusal(variable, std::string(10'001, 'v')), "longer than 10000 characters"));
  CHECK(has(refusal(variable, std::string("abcd\0e", 6)), "NUL byte"));
  for (const char* good : {"*", "production", "review/*", "a b", "$X/${Y}", "*.prod-1"}) {
    variable.environment_scope = good;
    CHECK(refusal(variable, "v").empty());
  }
  for (const std::string& bad :
       {std::string{}, std::string{"a\nb"}, std::string{"a?"}, std::string(256, 'a')}) {
    variable.environment_scope = bad;
    CHECK(has(refusal(variable, "v"), "field 'environment_scope'"));
  }
  variable.environment_scope = "production";
  variable.project_id.reset();
  CHECK(has(refusal(variable, "v"), "variable of the instance"));
  variable.group_path = "team";
  CHECK(refusal(variable, "v").empty());
  variable.description = std::string(256, 'd');
  CHECK(has(refusal(variable, "v"), "field 'description'"));
}

}  // namespace slipway::server
