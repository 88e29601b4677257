#include "pipeline/scope.h"

#include <unordered_map>

#include "pipeline/work.h"

namespace slipway::pipeline {

const Variable* Scope::find(std::string_view name) const {
  constexpr std::size_t kForEach = 4;
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    Work::spend(kForEach * (*layer)->size());
    if (const Variable* variable = find_variable(**layer, name)) return variable;
  }
  return nullptr;
}

Variables Scope::flat() const {
  Variables all;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const Variables* layer : layers_)
    for (const Variable& variable : *layer) {
      const auto [place, is_new] = places.emplace(variable.name, all.size());
      if (is_new)
        all.push_back(variable);
      else
        all[place->second] = variable;
    }
  return all;
}

}  // namespace slipway::pipeline
