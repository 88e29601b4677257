// The entries of a mapping that is being made, with Ruby's meaning of a Hash.
//
// A short mapping is searched; a long one gets an index, so that a file of many jobs stays linear.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipeline/read/source.h"

namespace slipway::pipeline::read {

class Entries {
 public:
  void reserve(std::size_t entries) { entries_.reserve(entries); }
  // The place of `key`, or the number of entries when there is none.
  std::size_t find(std::string_view key);
  // For a key that is not there yet.
  void append(const Entry& entry) { entries_.push_back(entry); }
  // A key keeps its first place and takes the last value. Answers the place.
  std::size_t put(Entry entry);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] Entry& operator[](std::size_t place) { return entries_[place]; }
  [[nodiscard]] std::vector<Entry> take() { return std::move(entries_); }

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;  // empty while the mapping is short
};

}  // namespace slipway::pipeline::read
