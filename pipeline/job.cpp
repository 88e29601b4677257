#include "pipeline/job.h"

#include <array>
#include <unordered_map>

namespace slipway::pipeline {
namespace {

constexpr std::array kWhens{When::OnSuccess, When::OnFailure, When::Always,
                            When::Manual,    When::Delayed,   When::Never};

}  // namespace

std::string_view to_string(When when) {
  switch (when) {
    case When::OnSuccess: return "on_success";
    case When::OnFailure: return "on_failure";
    case When::Always: return "always";
    case When::Manual: return "manual";
    case When::Delayed: return "delayed";
    case When::Never: return "never";
  }
  return "on_success";
}

Result<When> parse_when(std::string_view text) {
  for (const When when : kWhens)
    if (to_string(when) == text) return when;
  return fail(ErrorKind::InvalidInput,
              "when should be one of: on_success, on_failure, always, manual, delayed");
}

std::string_view to_string(UploadWhen when) {
  switch (when) {
    case UploadWhen::OnSuccess: return "on_success";
    case UploadWhen::OnFailure: return "on_failure";
    case UploadWhen::Always: return "always";
  }
  return "on_success";
}

const Variable* find_variable(const Variables& variables, std::string_view name) {
  for (auto at = variables.rbegin(); at != variables.rend(); ++at)
    if (at->name == name) return &*at;
  return nullptr;
}

void set_variable(Variables& variables, Variable variable) {
  for (Variable& existing : variables) {
    if (existing.name != variable.name) continue;
    existing = std::move(variable);
    return;
  }
  variables.push_back(std::move(variable));
}

// By an index where there are many.
void set_variables(Variables& variables, const Variables& more) {
  constexpr std::size_t kFew = 8;
  if (more.size() <= kFew) {
    for (const Variable& variable : more) set_variable(variables, variable);
    return;
  }
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t place = 0; place < variables.size(); ++place)
    places.emplace(variables[place].name, place);
  for (const Variable& variable : more) {
    const auto [place, is_new] = places.emplace(variable.name, variables.size());
    if (is_new)
      variables.push_back(variable);
    else
      variables[place->second] = variable;
  }
}

}  // namespace slipway::pipeline
