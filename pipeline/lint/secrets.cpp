// Secrets that stand in the file, where everybody who may read the repository reads them.
//
// Known shapes of keys and tokens anywhere, and random-looking values of variables whose names say
// that they are secret. The secret itself is never part of a message.

#include <re2/re2.h>
#include <re2/set.h>

#include <array>
#include <cctype>
#include <cmath>
#include <iterator>
#include <unordered_set>

#include "pipeline/lint/walk.h"
#include "pipeline/lint/warnings.h"

namespace slipway::pipeline::lint {
namespace {

using read::Entry;
using read::Kind;
using read::Node;
using read::NodePtr;

constexpr const char* kHint =
    "take it out of the file, revoke it, and set it as a masked variable of the project";

struct Shape {
  const char* what;
  const char* expression;
};
constexpr Shape kShapes[] = {
    {"an AWS access key", R"(\b(?:AKIA|ASIA)[A-Z2-7]{16}\b)"},
    {"a private key", R"(-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY)"},
    {"a GitHub token", R"(\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}))"},
    {"a GitLab token", R"(\bgl(?:pat|dt|rt|ptt|oas|soat|cbt|ft|agent)-[A-Za-z0-9_\-]{20,})"},
    {"a Slack token", R"(\bxox[abeoprs]-[0-9A-Za-z\-]{20,})"},
    {"a Slack webhook",
     R"(hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,})"},
    {"a Google API key", R"(\bAIza[0-9A-Za-z_\-]{35})"},
    {"a Stripe key", R"(\b[rs]k_live_[0-9A-Za-z]{20,})"},
    {"an npm token", R"(\bnpm_[A-Za-z0-9]{36})"},
    {"a PyPI token", R"(\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_\-]{40,})"},
    {"a Docker Hub token", R"(\bdckr_pat_[A-Za-z0-9_\-]{20,})"},
    {"a SendGrid key", R"(\bSG\.[A-Za-z0-9_\-]{20,}\.[A-Za-z0-9_\-]{40,})"},
};

// AWS writes its documentation with AKIAIOSFODNN7EXAMPLE, and others do as AWS does.
bool is_example(std::string_view text) {
  return text.find("EXAMPLE") != std::string_view::npos;
}

const char* known_shape(const std::string& text) {
  static const re2::RE2::Set shapes = [] {
    re2::RE2::Set set{re2::RE2::DefaultOptions, re2::RE2::UNANCHORED};
    for (const Shape& shape : kShapes) set.Add(shape.expression, nullptr);
    set.Compile();
    return set;
  }();
  constexpr std::size_t kShortest = 16;
  std::vector<int> found;
  if (text.size() < kShortest || is_example(text) || !shapes.Match(text, &found)) return nullptr;
  return kShapes[static_cast<std::size_t>(found.front())].what;
}

// Bits for each letter, as Shannon counts them: 0 for "aaaa", about 2.5 for a word, 4 for random
// hexadecimal.
double bits_a_letter(std::string_view text) {
  std::array<int, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool names_a_secret(const std::string& name) {
  static const re2::RE2 secret{
      R"((?i)(?:^|_)(?:PASSWORD|PASSWD|PASS|PW|SECRET|TOKEN|API_?KEY|(?:PRIVATE|ACCESS|SECRET|ENCRYPTION|SIGNING)_?KEY|CREDENTIALS?)(?:_BASE)?$)"};
  return re2::RE2::PartialMatch(name, secret);
}

// Long, without spaces, variables or paths, of letters and digits that follow no word's habits.
bool looks_random(const std::string& value) {
  static const re2::RE2 one_word{R"([A-Za-z0-9+/=_.~!@#%^&*\-]{16,200})"};
  constexpr double kRandom = 3.3;
  const auto count = [&](int (*kind)(int)) {
    return std::count_if(value.begin(), value.end(),
                         [&](char c) { return kind(static_cast<unsigned char>(c)) != 0; });
  };
  return re2::RE2::FullMatch(value, one_word) && value.find("://") == std::string::npos &&
         value.front() != '/' && value.front() != '.' && count(&std::isdigit) >= 3 &&
         count(&std::isalpha) >= 3 && !is_example(value) && bits_a_letter(value) >= kRandom;
}

class Seeker {
 public:
  explicit Seeker(Diagnostics& findings) : findings_(findings) {}

  void visit(const Node& node) {
    // Aliases and bases share what stands below, and long texts; once is enough.
    constexpr std::size_t kLong = 64;
    const bool dear = node.weight > 1 || node.text.size() > kLong;
    if (dear && !seen_.insert(&node).second) return;
    if (node.kind == Kind::String) {
      if (const char* what = known_shape(node.text))
        warn(findings_, node, "secret", std::string{"this looks like "} + what, kHint);
      return;
    }
    for (const NodePtr& item : node.items) visit(*item);
    for (const Entry& entry : node.entries) {
      if (entry.key == "variables") check_variables(*entry.value);
      visit(*entry.value);
    }
  }

 private:
  void check_variables(const Node& variables) {
    for (const Entry& entry : variables.entries) {
      const NodePtr* described = entry.value->find("value");
      const Node& value = described == nullptr ? *entry.value : **described;
      if (value.kind == Kind::String && names_a_secret(entry.key) && looks_random(value.text) &&
          known_shape(value.text) == nullptr)
        warn(findings_, value, "secret",
             "the value of '" + entry.key + "' looks like a real secret", kHint);
    }
  }

  Diagnostics& findings_;
  std::unordered_set<const Node*> seen_;
};

}  // namespace

void warn_of_secrets(const Node& tree, Diagnostics& findings) {
  Seeker{findings}.visit(tree);
}

}  // namespace slipway::pipeline::lint
