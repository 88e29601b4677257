#include "pipeline/rules/pattern.h"

#include <re2/re2.h>

#include <algorithm>

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

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> expression) : expression_(std::move(expression)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

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
  const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
  const std::string body = without_escaped_slashes(text.substr(1, last - 1));
  if (body.size() > kLongest)
    return fail(ErrorKind::InvalidInput, "the regular expression is longer than 1024 characters");

  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!has('i'));
  options.set_dot_nl(has('s'));
  options.set_max_mem(kMemory);
  const std::string prefix = std::string{has('m') ? "(?m)" : ""} + (has('U') ? "(?U)" : "");
  auto expression = std::make_unique<re2::RE2>(prefix + body, options);
  if (!expression->ok())
    return fail(ErrorKind::InvalidInput,
                "not a regular expression that RE2 knows: " + expression->error());
  return Pattern{std::move(expression)};
}

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, *expression_);
}

}  // namespace slipway::pipeline::rules
