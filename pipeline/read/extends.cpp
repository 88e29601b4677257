#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "pipeline/read/entries.h"
#include "pipeline/read/resolve.h"

namespace slipway::pipeline::read {
namespace {

constexpr int kDeepest = 10;  // ancestors, as GitLab

class Extender {
 public:
  Extender(const Node& root, Diagnostics& findings, const Limits& limits)
      : root_(root), findings_(findings), most_nodes_(static_cast<std::size_t>(limits.values)) {
    by_name_.reserve(root.entries.size());
    done_.reserve(root.entries.size());
    for (const Entry& entry : root.entries) by_name_[entry.key] = &entry;
  }

  // The entry's value with its bases under it; nullptr after an error.
  NodePtr extended(const Entry& entry, int depth) {
    if (const auto done = done_.find(&entry); done != done_.end()) return done->second.value;
    if (weight_ > most_nodes_) return nullptr;
    const Entry* extends =
        entry.value->kind == Kind::Mapping ? entry.value->find_entry("extends") : nullptr;
    if (extends == nullptr || extends->value->kind == Kind::Null) return entry.value;
    if (depth > kDeepest) return refuse(entry, *extends, "nesting too deep in `extends`");
    if (!open_.insert(&entry).second)
      return refuse(entry, *extends, "circular dependency detected in `extends`");

    std::vector<NodePtr> bases;
    int ancestors = 0;
    for (const NodePtr& name : names_of(entry, *extends)) {
      const auto found = by_name_.find(name->text);
      const Entry* base = found == by_name_.end() ? nullptr : found->second;
      if (base == nullptr) {
        refuse(entry, *name, "unknown keys in `extends` (" + name->text + ")",
               hint_for(name->text));
        continue;
      }
      if (base->value->kind != Kind::Mapping) {
        refuse(entry, *name, "invalid base hashes in `extends` (" + name->text + ")");
        continue;
      }
      const NodePtr under = extended(*base, depth + 1);
      if (!under) continue;
      const auto done = done_.find(base);
      ancestors = std::max(ancestors, 1 + (done == done_.end() ? 0 : done->second.ancestors));
      bases.push_back(under);
    }
    open_.erase(&entry);
    NodePtr result = bases.empty() ? entry.value : deep_merge(merged(bases), entry.value);
    weight_ += result->weight;
    if (weight_ > most_nodes_)
      result =
          refuse(entry, *extends,
                 too_big("`extends` makes more than " + std::to_string(most_nodes_) + " values",
                         "pipeline_value_limit"));
    else if (ancestors > kDeepest)
      result = refuse(entry, *extends, "nesting too deep in `extends`");
    done_[&entry] = {result, ancestors};
    return result;
  }

  [[nodiscard]] bool failed() const { return failed_; }

 private:
  // Many jobs name the same bases, which are merged once.
  NodePtr merged(const std::vector<NodePtr>& bases) {
    if (bases.size() == 1) return bases.front();
    NodePtr& all = merged_[bases];
    if (all) return all;
    for (const NodePtr& base : bases) all = all ? deep_merge(all, base) : base;
    return all;
  }

  std::vector<NodePtr> names_of(const Entry& entry, const Entry& extends) {
    if (extends.value->is_scalar()) return {extends.value};
    const auto& items = extends.value->items;
    if (extends.value->kind == Kind::Sequence &&
        std::all_of(items.begin(), items.end(),
                    [](const NodePtr& item) { return item->is_scalar(); }))
      return items;
    refuse(entry, extends, "`extends` should be a string or an array of strings");
    return {};
  }

  std::string hint_for(const std::string& name) const {
    if (findings_.size() >= kMostFindings) return {};
    std::vector<std::string> names;
    for (const Entry& entry : root_.entries) names.push_back(entry.key);
    const std::string near = nearest(name, names);
    return near.empty() ? "" : "did you mean '" + near + "'?";
  }

  NodePtr refuse(const Entry& entry, const Entry& extends, const std::string& what) {
    return refuse(entry, *extends.value, what);
  }
  NodePtr refuse(const Entry& entry, const Node& at, const std::string& what,
                 std::string hint = {}) {
    failed_ = true;
    findings_.push_back(
        {Severity::Error, "extends", entry.key + ": " + what, at.at, std::move(hint)});
    return nullptr;
  }

  const Node& root_;
  Diagnostics& findings_;
  const std::size_t most_nodes_;
  std::unordered_map<std::string_view, const Entry*> by_name_;
  struct Done {
    NodePtr value;      // nullptr after an error
    int ancestors = 0;  // in its longest line of bases
  };
  std::unordered_map<const Entry*, Done> done_;
  std::unordered_set<const Entry*> open_;
  std::map<std::vector<NodePtr>, NodePtr> merged_;
  std::size_t weight_ = 0;  // of all results
  bool failed_ = false;
};

}  // namespace

NodePtr deep_merge(const NodePtr& base, const NodePtr& over, std::size_t* work) {
  if (base->kind != Kind::Mapping || over->kind != Kind::Mapping) return over;
  Entries entries;
  entries.reserve(base->entries.size() + over->entries.size());
  for (const Entry& entry : base->entries) entries.append(entry);
  if (work != nullptr) *work += base->entries.size();
  merge_over(entries, *over, work);
  return make_mapping(entries.take(), over->at);
}

void merge_over(Entries& entries, const Node& over, std::size_t* work) {
  if (work != nullptr) *work += over.entries.size();
  for (const Entry& entry : over.entries) {
    const std::size_t place = entries.find(entry.key);
    Entry merged = entry;
    if (place < entries.size()) merged.value = deep_merge(entries[place].value, entry.value, work);
    entries.put(std::move(merged));
  }
}

NodePtr resolve_extends(const NodePtr& root, Diagnostics& findings, const Limits& limits) {
  Extender extender{*root, findings, limits};
  std::vector<Entry> entries = root->entries;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (NodePtr value = extender.extended(root->entries[i], 0)) entries[i].value = std::move(value);
  if (extender.failed()) return nullptr;
  return make_mapping(std::move(entries), root->at);
}

}  // namespace slipway::pipeline::read
