#include "pipeline/rules/pattern.h"

#include <re2/re2.h>

#include <algorithm>

#include "pipeline/work.h"

namespace slipway::pipeline::rules {
namespace {

constexpr std::size_t kLongest = 1024;
constexpr std::int64_t kMemory = std::int64_t{1} << 20U;

// `\/` stands for a slash, and GitLab looks at no more than these two: of `\\/` one `\/` is left.
std::string without_escaped_slashes(std::string_view body) {
  std::string text;
  for (std::size_t i = 0; i < body.size(); ++i)
    if (body.substr(i, 2) != "\\/") text += body[i];
  return text;
}

// What it takes to make one, as measured: by instruction, and of one that RE2 gives up for its
// size.
std::size_t steps_of(const re2::RE2& expression) {
  constexpr std::size_t kForEach = 700;
  constexpr std::size_t kGivenUp = 15'000'000;
  if (expression.ok()) return kForEach * static_cast<std::size_t>(expression.ProgramSize());
  return expression.error_code() == re2::RE2::ErrorPatternTooLarge ? kGivenUp : kForEach;
}

re2::RE2::Options options_for(std::string_view flags) {
  const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!has('i'));
  options.set_dot_nl(has('s'));
  options.set_max_mem(kMemory);
  return options;
}

}  // namespace

Pattern::Pattern(std::shared_ptr<const re2::RE2> expression) : expression_(std::move(expression)) {}

bool Pattern::looks_like(std::string_view text) {
  const auto last = text.rfind('/');
  return text.size() > 1 && text.front() == '/' && last > 0 &&
         text.find_first_not_of("ismU", last + 1) == std::string_view::npos;
}

Result<Pattern> Pattern::parse(std::string_view text) {
  if (!looks_like(text))
    return fail(ErrorKind::InvalidInput, "must be a regular expression between slashes, as /v.*/");
  const auto last = text.rfind('/');
  const std::string_view flags = text.substr(last + 1);
  const std::string body = without_escaped_slashes(text.substr(1, last - 1));
  if (body.size() > kLongest)
    return fail(ErrorKind::InvalidInput, "the regular expression is longer than 1024 characters");
  const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
  const std::string prefix = std::string{has('m') ? "(?m)" : ""} + (has('U') ? "(?U)" : "");
  return made(std::string{text}, prefix + body, flags);
}

Result<Pattern> Pattern::of(const std::string& expression) {
  return made("of " + expression, expression, "");
}

Result<Pattern> Pattern::made(const std::string& key, const std::string& body,
                              std::string_view flags) {
  std::shared_ptr<const re2::RE2> expression;
  Work::Patterns* const known = Work::patterns();
  if (known != nullptr)
    if (const auto at = known->find(key); at != known->end()) expression = at->second;
  if (!expression) {
    if (Work::exhausted()) return fail(ErrorKind::TooLarge, Work::too_much());
    expression = std::make_shared<const re2::RE2>(body, options_for(flags));
    Work::spend(steps_of(*expression));
    if (known != nullptr) known->emplace(key, expression);
  }
  if (!expression->ok())
    return fail(ErrorKind::InvalidInput,
                "not a regular expression that RE2 knows: " + expression->error());
  return Pattern{std::move(expression)};
}

bool Pattern::found_in(std::string_view text) const {
  Work::spend(text.size());
  return !Work::exhausted() &&
         re2::RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, *expression_);
}

}  // namespace slipway::pipeline::rules
