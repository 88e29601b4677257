#include "pipeline/rules/glob.h"

#include <algorithm>
#include <string>
#include <vector>

namespace slipway::pipeline::rules {
namespace {

constexpr std::size_t kMostAlternatives = 256;
// Those that an open brace drops count too, or a short pattern could grow without end.
constexpr int kMostTries = 4 * static_cast<int>(kMostAlternatives);
constexpr std::size_t kMostLetters = 1'000'000;
constexpr int kMostSteps = 50'000;

// The end of the brace group that opens at `open`, with the commas of its own level; npos when it
// is never closed.
std::size_t close_of_braces(std::string_view pattern, std::size_t open,
                            std::vector<std::size_t>& commas) {
  int depth = 0;
  for (std::size_t i = open; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == '{')
      ++depth;
    else if (pattern[i] == ',' && depth == 1)
      commas.push_back(i);
    else if (pattern[i] == '}' && --depth == 0)
      return i;
  }
  return std::string_view::npos;
}

// The patterns without braces that a pattern stands for.
struct Alternatives {
  std::vector<std::string> patterns;
  int tries = 0;
  std::size_t letters = 0;  // of all tries
};

// a{b,c}d becomes abd and acd, a{ nothing. False when there are too many.
bool expand_braces(const std::string& pattern, Alternatives& out) {
  out.letters += pattern.size();
  if (++out.tries > kMostTries || out.letters > kMostLetters) return false;
  for (std::size_t open = 0; open < pattern.size(); ++open) {
    if (pattern[open] == '\\') {
      ++open;
      continue;
    }
    if (pattern[open] != '{') continue;
    std::vector<std::size_t> cuts{open};
    const std::size_t close = close_of_braces(pattern, open, cuts);
    // Ruby never tries a pattern whose brace stays open.
    if (close == std::string::npos) return true;
    cuts.push_back(close);
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      const std::string part = pattern.substr(cuts[i] + 1, cuts[i + 1] - cuts[i] - 1);
      if (!expand_braces(pattern.substr(0, open) + part + pattern.substr(close + 1), out))
        return false;
    }
    return true;
  }
  out.patterns.push_back(pattern);
  return out.patterns.size() <= kMostAlternatives;
}

class Matcher {
 public:
  explicit Matcher(int most) : most_(most) {}
  [[nodiscard]] int steps() const { return steps_; }

  bool whole(std::string_view pattern, std::string_view path) {
    if (++steps_ > most_) return false;
    // `**/` at the beginning of a segment: no directory, or one more.
    if (pattern.substr(0, 3) == "**/") {
      std::string_view rest = pattern.substr(3);
      while (rest.substr(0, 3) == "**/") rest.remove_prefix(3);
      for (std::string_view at = path;;) {
        if (whole(rest, at)) return true;
        const auto slash = at.find('/');
        if (slash == std::string_view::npos) return false;
        at.remove_prefix(slash + 1);
      }
    }
    const auto slash = segment_end(pattern);
    steps_ += static_cast<int>(std::min<std::size_t>(slash / 4, kMostSteps));
    const auto path_slash = std::min(path.find('/'), path.size());
    if (!segment(pattern.substr(0, slash), path.substr(0, path_slash))) return false;
    const bool pattern_ends = slash == pattern.size();
    const bool path_ends = path_slash == path.size();
    if (pattern_ends || path_ends) return pattern_ends && path_ends;
    return whole(pattern.substr(slash + 1), path.substr(path_slash + 1));
  }

 private:
  static std::size_t segment_end(std::string_view pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] == '\\')
        ++i;
      else if (pattern[i] == '/')
        return i;
    }
    return pattern.size();
  }

  // Within one segment, so `*` is anything; iterative with one point to go back to.
  bool segment(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (t < text.size()) {
      if (++steps_ > most_) return false;
      if (p < pattern.size() && pattern[p] == '*') {
        star = p++;
        resume = t;
        continue;
      }
      std::size_t next = p;
      if (p < pattern.size() && one(pattern, next, text[t])) {
        p = next;
        ++t;
        continue;
      }
      if (star == std::string_view::npos) return false;
      p = star + 1;
      t = ++resume;
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
  }

  // Whether the pattern's next element takes `c`; moves `p` behind it.
  static bool one(std::string_view pattern, std::size_t& p, char c) {
    switch (pattern[p]) {
      case '?': ++p; return true;
      case '[': return bracket(pattern, p, c);
      case '\\':
        if (p + 1 < pattern.size()) ++p;
        [[fallthrough]];
      default: return pattern[p++] == c;
    }
  }

  static bool bracket(std::string_view pattern, std::size_t& p, char c) {
    std::size_t i = p + 1;
    const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
    if (negated) ++i;
    bool found = false;
    while (i < pattern.size() && pattern[i] != ']') {
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      const char low = pattern[i++];
      char high = low;
      if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
        high = pattern[i + 1];
        i += 2;
      }
      found = found || (low <= c && c <= high);
    }
    if (i >= pattern.size()) return false;  // never closed: matches nothing, as in Ruby
    p = i + 1;
    return found != negated;
  }

  int most_;
  int steps_ = 0;
};

}  // namespace

std::string too_many_globs() {
  return "the globs of `changes` and `exists` ask for too much work: more than " +
         std::to_string(GlobWork::kMost) + " steps for one pipeline";
}

bool glob_matches(std::string_view pattern, std::string_view path, GlobWork& work) {
  if (work.left <= 0) return false;
  // One, so that the alternatives share its bound.
  Matcher matcher{static_cast<int>(std::min<long>(kMostSteps, work.left))};
  if (pattern.find('{') == std::string_view::npos) {
    const bool matches = matcher.whole(pattern, path);
    work.left -= matcher.steps();
    return matches;
  }
  Alternatives alternatives;
  const bool sound = expand_braces(std::string{pattern}, alternatives);
  work.left -= static_cast<long>(alternatives.letters);
  const bool matches =
      sound && std::any_of(alternatives.patterns.begin(), alternatives.patterns.end(),
                           [&](const std::string& one) { return matcher.whole(one, path); });
  work.left -= matcher.steps();
  return matches;
}

bool glob_matches(std::string_view pattern, std::string_view path) {
  GlobWork work;
  return glob_matches(pattern, path, work);
}

}  // namespace slipway::pipeline::rules
