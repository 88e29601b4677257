#include "pipeline/read/entries.h"

#include <algorithm>

namespace slipway::pipeline::read {

std::size_t Entries::find(std::string_view key) {
  constexpr std::size_t kShort = 16;
  if (entries_.size() <= kShort) {
    const auto same = [&](const Entry& entry) { return entry.key == key; };
    return static_cast<std::size_t>(std::find_if(entries_.begin(), entries_.end(), same) -
                                    entries_.begin());
  }
  for (std::size_t place = index_.size(); place < entries_.size(); ++place)
    index_.emplace(entries_[place].key, place);
  const auto at = index_.find(std::string{key});
  return at == index_.end() ? entries_.size() : at->second;
}

std::size_t Entries::put(Entry entry) {
  const std::size_t place = find(entry.key);
  if (place == entries_.size())
    entries_.push_back(std::move(entry));
  else
    entries_[place] = std::move(entry);
  return place;
}

}  // namespace slipway::pipeline::read
