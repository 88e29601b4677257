#include <unordered_set>

#include "pipeline/read/resolve.h"

namespace slipway::pipeline::read {
namespace {

constexpr int kLongestChain = 10;
constexpr std::size_t kMostNodes = 400'000;

class Replacer {
 public:
  Replacer(const Node& root, Diagnostics& findings) : root_(root), findings_(findings) {}

  // `node` without references; the node itself when it holds none. nullptr after an error.
  NodePtr replaced(const NodePtr& node, int chain) {
    if (too_big_ || !node->holds_reference) return node;
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
  NodePtr target_of(const Node& reference, int chain) {
    if (chain >= kLongestChain) return refuse(reference, " is part of a circular chain");
    const Node* at = &root_;
    NodePtr found;
    for (const NodePtr& step : reference.items) {
      const NodePtr* next =
          at->kind == Kind::Mapping && step->is_scalar() ? at->find(step->text) : nullptr;
      if (next == nullptr) return refuse(reference, " could not be found");
      found = *next;
      // A path may lead through another reference.
      if (found->reference && !(found = target_of(*found, chain + 1))) return nullptr;
      at = found.get();
    }
    if (!found) return refuse(reference, " could not be found");
    return replaced(found, chain + 1);
  }

  // Named once for each reference in the file, however often it is met.
  NodePtr refuse(const Node& reference, const std::string& what) {
    failed_ = true;
    if (!told_.insert(&reference).second) return nullptr;
    std::string path;
    for (const NodePtr& step : reference.items)
      path += (path.empty() ? "\"" : ", \"") + step->text + "\"";
    findings_.push_back({Severity::Error, "reference", "!reference [" + path + "]" + what,
                         reference.at,
                         "a reference is a path from the top of the file: [job, keyword]"});
    return nullptr;
  }

  NodePtr bounded(NodePtr node) {
    if (node->weight <= kMostNodes || too_big_) return node;
    failed_ = too_big_ = true;
    findings_.push_back({Severity::Error,
                         "too_big",
                         "The parsed YAML is too big: references expand to more than " +
                             std::to_string(kMostNodes) + " values",
                         node->at,
                         {}});
    return nullptr;
  }

  const Node& root_;
  Diagnostics& findings_;
  std::unordered_set<const Node*> told_;
  bool failed_ = false;
  bool too_big_ = false;  // nothing is followed any more
};

}  // namespace

NodePtr resolve_references(const NodePtr& root, Diagnostics& findings) {
  Replacer replacer{*root, findings};
  NodePtr resolved = replacer.replaced(root, 0);
  return replacer.failed() ? nullptr : resolved;
}

}  // namespace slipway::pipeline::read
