#include <algorithm>
#include <unordered_set>

#include "pipeline/read/resolve.h"
#include "pipeline/work.h"

namespace slipway::pipeline::read {
namespace {

constexpr int kLongestChain = 10;

class Replacer {
 public:
  Replacer(const Node& root, Diagnostics& findings, const Limits& limits)
      : root_(root), findings_(findings), most_nodes_(static_cast<std::size_t>(limits.values)) {}

  // `node` without references; the node itself when it holds none. nullptr after an error.
  NodePtr replaced(const NodePtr& node, int chain) {
    if (too_big_ || !node->holds_reference || !is_paid_for(*node)) return node;
    if (node->reference) return target_of(*node, chain);
    if (node->kind == Kind::Sequence) {
      std::vector<NodePtr> items;
      for (const NodePtr& item : node->items)
        if (NodePtr value = replaced(item, chain)) items.push_back(std::move(value));
      return bounded(make_sequence(std::move(items), node->at));
    }
    std::vector<Entry> entries = node->entries;
    for (Entry& entry : entries)
      if (NodePtr value = replaced(entry.value, chain)) entry.value = std::move(value);
    return bounded(make_mapping(std::move(entries), node->at));
  }

  [[nodiscard]] bool failed() const { return failed_; }

 private:
  static bool is_path(const Node& reference) {
    return reference.kind == Kind::Sequence && !reference.items.empty() &&
           std::all_of(reference.items.begin(), reference.items.end(),
                       [](const NodePtr& step) { return step->kind == Kind::String; });
  }

  NodePtr target_of(const Node& reference, int chain) {
    if (!is_path(reference)) return refuse(reference, " is not valid");
    if (chain >= kLongestChain)
      return refuse(reference, " leads through more than 10 other references");
    if (!open_.insert(&reference).second) return refuse(reference, " is part of a circular chain");
    NodePtr target = found(reference, chain);
    open_.erase(&reference);
    return target;
  }

  NodePtr found(const Node& reference, int chain) {
    const Node* at = &root_;
    NodePtr found;
    for (const NodePtr& step : reference.items) {
      const NodePtr* next = at->kind == Kind::Mapping ? at->find(step->text) : nullptr;
      if (next == nullptr) return refuse(reference, " could not be found");
      found = *next;
      // A path may lead through another reference.
      if (found->reference && !(found = target_of(*found, chain + 1))) return nullptr;
      at = found.get();
    }
    // Ruby takes `false` for nothing, too.
    if (found->kind == Kind::Null || (found->kind == Kind::Bool && found->text == "false"))
      return refuse(reference, " could not be found");
    return replaced(found, chain + 1);
  }

  // Named once for each reference in the file, however often it is met.
  NodePtr refuse(const Node& reference, const std::string& what) {
    failed_ = true;
    if (!told_.insert(&reference).second) return nullptr;
    findings_.push_back({Severity::Error, "reference", "!reference " + shown(reference) + what,
                         reference.at,
                         "a reference is a path from the top of the file: [job, keyword]"});
    return nullptr;
  }

  // As Ruby prints it.
  static std::string shown(const Node& reference) {
    if (reference.kind == Kind::Mapping) return as_json(reference);
    if (reference.kind != Kind::Sequence) return '"' + reference.text + '"';
    std::string path;
    for (const NodePtr& step : reference.items) {
      const bool text = step->kind == Kind::String;
      path += (path.empty() ? "" : ", ") + (text ? '"' + step->text + '"' : as_json(*step));
    }
    return "[" + path + "]";
  }

  // What leads nowhere adds no values, and may still be met ten times on each of ten levels.
  bool is_paid_for(const Node& node) {
    constexpr std::size_t kForEach = 300;
    Work::spend(kForEach + node.items.size() + node.entries.size());
    if (!Work::exhausted()) return true;
    failed_ = too_big_ = true;
    findings_.push_back({Severity::Error, "too_much_work", Work::too_much(), node.at, {}});
    return false;
  }

  NodePtr bounded(NodePtr node) {
    if (node->weight <= most_nodes_ || too_big_) return node;
    failed_ = too_big_ = true;
    findings_.push_back(
        {Severity::Error,
         "too_big",
         too_big("references expand to more than " + std::to_string(most_nodes_) + " values",
                 "pipeline_value_limit"),
         node->at,
         {}});
    return nullptr;
  }

  const Node& root_;
  Diagnostics& findings_;
  const std::size_t most_nodes_;
  std::unordered_set<const Node*> told_;
  std::unordered_set<const Node*> open_;  // being followed
  bool failed_ = false;
  bool too_big_ = false;  // or too much work: nothing is followed any more
};

}  // namespace

NodePtr resolve_references(const NodePtr& root, Diagnostics& findings, const Limits& limits) {
  Replacer replacer{*root, findings, limits};
  NodePtr resolved = replacer.replaced(root, 0);
  return replacer.failed() ? nullptr : resolved;
}

}  // namespace slipway::pipeline::read
