#include "runner/git_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <sstream>
#include <string_view>

namespace slipway::runner {
namespace {

constexpr int kMostAttempts = 10;

std::string value_of(const VariableMap& variables, const std::string& name,
                     const char* otherwise = "") {
  const auto at = variables.find(name);
  return at == variables.end() || at->second.empty() ? otherwise : at->second;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream{text};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

Error not_expected(const std::string& name, const std::string& value, const char* expected) {
  return fail(ErrorKind::InvalidInput, name + " is '" + value + "', expected " + expected);
}

Result<bool> flag(const VariableMap& variables, const std::string& name, bool otherwise) {
  const std::string value = value_of(variables, name);
  if (value.empty()) return otherwise;
  for (const char* yes : {"true", "1", "t", "T", "TRUE", "True"})
    if (value == yes) return true;
  for (const char* no : {"false", "0", "f", "F", "FALSE", "False"})
    if (value == no) return false;
  return not_expected(name, value, "true or false");
}

Result<long long> number(const VariableMap& variables, const std::string& name, long long least,
                         long long most, long long otherwise, const char* expected) {
  const std::string value = value_of(variables, name);
  if (value.empty()) return otherwise;
  long long parsed = 0;
  const char* const end = value.data() + value.size();
  const auto [rest, failure] = std::from_chars(value.data(), end, parsed);
  if (failure != std::errc{} || rest != end || parsed < least || parsed > most)
    return not_expected(name, value, expected);
  return parsed;
}

// `-ffdx`, `-e pattern` and the like: nothing that is a path or a long option.
Result<std::vector<std::string>> clean_flags(const std::string& text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  std::vector<std::string> flags = words_of(text);
  bool is_pattern = false;  // belongs to the -e before it
  for (const std::string& word : flags) {
    if (std::exchange(is_pattern, false)) continue;
    const bool has_pattern = word.compare(0, 2, "-e") == 0 && word.size() > 2;
    if (has_pattern) continue;
    if (word.size() < 2 || word.front() != '-' ||
        !std::all_of(word.begin() + 1, word.end(), is_letter))
      return fail(ErrorKind::InvalidInput,
                  "GIT_CLEAN_FLAGS: '" + word + "' is no flag of git clean");
    is_pattern = word.back() == 'e';
  }
  if (is_pattern) return fail(ErrorKind::InvalidInput, "GIT_CLEAN_FLAGS: -e needs a pattern");
  return flags;
}

struct KnownFlag {
  std::string_view name;
  std::string_view value;  // "": takes none; else what it is
};

constexpr std::array kFetchFlags{KnownFlag{"--prune", ""},
                                 KnownFlag{"-p", ""},
                                 KnownFlag{"--prune-tags", ""},
                                 KnownFlag{"-P", ""},
                                 KnownFlag{"--no-prune", ""},
                                 KnownFlag{"--quiet", ""},
                                 KnownFlag{"-q", ""},
                                 KnownFlag{"--verbose", ""},
                                 KnownFlag{"-v", ""},
                                 KnownFlag{"--progress", ""},
                                 KnownFlag{"--no-progress", ""},
                                 KnownFlag{"--tags", ""},
                                 KnownFlag{"-t", ""},
                                 KnownFlag{"--no-tags", ""},
                                 KnownFlag{"-n", ""},
                                 KnownFlag{"--force", ""},
                                 KnownFlag{"-f", ""},
                                 KnownFlag{"--atomic", ""},
                                 KnownFlag{"--update-shallow", ""},
                                 KnownFlag{"--no-recurse-submodules", ""},
                                 KnownFlag{"--no-auto-gc", ""},
                                 KnownFlag{"--no-show-forced-updates", ""},
                                 KnownFlag{"--ipv4", ""},
                                 KnownFlag{"-4", ""},
                                 KnownFlag{"--ipv6", ""},
                                 KnownFlag{"-6", ""},
                                 KnownFlag{"--jobs", "number"},
                                 KnownFlag{"-j", "number"},
                                 KnownFlag{"--depth", "number"},
                                 KnownFlag{"--deepen", "number"},
                                 KnownFlag{"--unshallow", ""}};

constexpr std::array kSubmoduleFlags{KnownFlag{"--remote", ""},
                                     KnownFlag{"--force", ""},
                                     KnownFlag{"-f", ""},
                                     KnownFlag{"--quiet", ""},
                                     KnownFlag{"-q", ""},
                                     KnownFlag{"--progress", ""},
                                     KnownFlag{"--checkout", ""},
                                     KnownFlag{"--merge", ""},
                                     KnownFlag{"--rebase", ""},
                                     KnownFlag{"--no-fetch", ""},
                                     KnownFlag{"-N", ""},
                                     KnownFlag{"--recursive", ""},
                                     KnownFlag{"--single-branch", ""},
                                     KnownFlag{"--no-single-branch", ""},
                                     KnownFlag{"--recommend-shallow", ""},
                                     KnownFlag{"--no-recommend-shallow", ""},
                                     KnownFlag{"--jobs", "number"},
                                     KnownFlag{"-j", "number"},
                                     KnownFlag{"--depth", "number"}};

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 10 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Each word a known flag, its value behind `=`, in the next word, or (`-j4`) directly behind.
Result<std::vector<std::string>> known_flags(const std::string& name, const std::string& text,
                                             std::span<const KnownFlag> known) {
  const std::vector<std::string> words = words_of(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const bool is_long = word.compare(0, 2, "--") == 0;
    const auto cut = is_long ? word.find('=') : std::min<std::size_t>(2, word.size());
    const std::string_view flag = word.substr(0, cut);
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&](const KnownFlag& each) { return each.name == flag; });
    const bool has_value = cut != std::string_view::npos && flag.size() < word.size();
    if (at == known.end() || (at->value.empty() && has_value))
      return fail(ErrorKind::InvalidInput, name + ": '" + words[i] + "' is not allowed here");
    if (at->value.empty()) continue;
    std::string_view value;
    if (has_value)
      value = word.substr(flag.size() + (is_long ? 1 : 0));
    else if (i + 1 < words.size())
      value = words[++i];
    if (!is_number(value))
      return fail(ErrorKind::InvalidInput, name + ": " + std::string{flag} + " needs a number");
  }
  return words;
}

Result<GitStrategy> strategy(const VariableMap& variables) {
  const std::string value = value_of(variables, "GIT_STRATEGY", "fetch");
  if (value == "fetch") return GitStrategy::Fetch;
  if (value == "clone") return GitStrategy::Clone;
  if (value == "none") return GitStrategy::None;
  if (value == "empty") return GitStrategy::Empty;
  return not_expected("GIT_STRATEGY", value, "fetch, clone, none or empty");
}

Result<Submodules> submodules(const VariableMap& variables) {
  const std::string value = value_of(variables, "GIT_SUBMODULE_STRATEGY", "none");
  if (value == "none") return Submodules::None;
  if (value == "normal") return Submodules::Normal;
  if (value == "recursive") return Submodules::Recursive;
  return not_expected("GIT_SUBMODULE_STRATEGY", value, "none, normal or recursive");
}

// Collects values and keeps the first Error.
class Taker {
 public:
  template <typename T>
  void take(T& target, Result<T> value) {
    if (value)
      target = std::move(*value);
    else if (!error_)
      error_ = std::move(value).error();
  }
  std::optional<Error> error_;
};

}  // namespace

Result<GitSettings> git_settings(const VariableMap& variables, long long depth) {
  constexpr const char* kDepth = "a number of commits, 0 for all";
  constexpr long long kDeepest = 2'000'000'000;
  GitSettings made;
  Taker taker;
  taker.take(made.strategy, strategy(variables));
  taker.take(made.checkout, flag(variables, "GIT_CHECKOUT", true));
  const std::string clean = value_of(variables, "GIT_CLEAN_FLAGS", "-ffdx");
  made.clean = clean != "none";
  if (made.clean) taker.take(made.clean_flags, clean_flags(clean));
  taker.take(
      made.fetch_flags,
      known_flags("GIT_FETCH_EXTRA_FLAGS",
                  value_of(variables, "GIT_FETCH_EXTRA_FLAGS", "--prune --quiet"), kFetchFlags));
  bool skips_lfs = false;
  taker.take(skips_lfs, flag(variables, "GIT_LFS_SKIP_SMUDGE", false));
  made.lfs = !skips_lfs;
  long long ignored = 0;  // the server has read it: looked at for the mistakes in it
  taker.take(ignored, number(variables, "GIT_DEPTH", 0, kDeepest, depth, kDepth));
  taker.take(made.submodules, submodules(variables));
  taker.take(made.submodule_depth,
             number(variables, "GIT_SUBMODULE_DEPTH", 0, kDeepest, depth, kDepth));
  taker.take(made.submodule_flags,
             known_flags("GIT_SUBMODULE_UPDATE_FLAGS",
                         value_of(variables, "GIT_SUBMODULE_UPDATE_FLAGS"), kSubmoduleFlags));
  taker.take(made.submodules_over_https, flag(variables, "GIT_SUBMODULE_FORCE_HTTPS", false));
  made.submodule_paths = words_of(value_of(variables, "GIT_SUBMODULE_PATHS"));
  if (taker.error_) return *taker.error_;
  return made;
}

Result<int> attempts(const VariableMap& variables, const std::string& name, int otherwise) {
  auto parsed = number(variables, name, 1, kMostAttempts, otherwise, "a number from 1 to 10");
  if (!parsed) return std::move(parsed).error();
  return static_cast<int>(*parsed);
}

}  // namespace slipway::runner
