#include "pipeline/setting_variables.h"

#include <algorithm>
#include <tuple>

namespace slipway::pipeline {
namespace {

constexpr std::string_view kEverywhere = "*";

// How near a scope is to the environment: a later one overrides.
auto rank(const SettingVariable& one, std::string_view environment) {
  const std::string& scope = one.environment_scope;
  const int nearness = scope == kEverywhere ? 0 : scope == environment ? 2 : 1;
  return std::tuple{one.level, nearness, scope.size()};
}

}  // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text) {
  // Where to go on when a try fails: behind the last star, one character later each time.
  std::size_t star = std::string_view::npos;
  std::size_t tried = 0;
  std::size_t p = 0;
  std::size_t t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      tried = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++tried;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::vector<const SettingVariable*> chosen(const SettingVariables& all,
                                           std::string_view environment) {
  std::vector<const SettingVariable*> order;
  for (const SettingVariable& one : all)
    if (environment.empty() ? one.environment_scope == kEverywhere
                            : matches_wildcard(one.environment_scope, environment))
      order.push_back(&one);
  std::stable_sort(order.begin(), order.end(),
                   [&](const SettingVariable* a, const SettingVariable* b) {
                     return rank(*a, environment) < rank(*b, environment);
                   });
  std::vector<const SettingVariable*> counting;
  for (const SettingVariable* one : order) {
    std::erase_if(counting, [&](const SettingVariable* other) {
      return other->variable.name == one->variable.name;
    });
    counting.push_back(one);
  }
  return counting;
}

Variables variables_for(const SettingVariables& all, std::string_view environment) {
  Variables variables;
  for (const SettingVariable* one : chosen(all, environment)) variables.push_back(one->variable);
  return variables;
}

}  // namespace slipway::pipeline
