#include <functional>
#include <set>
#include <string_view>

#include "base/crypto.h"
#include "pipeline/read/entries.h"
#include "pipeline/read/include_fetch.h"
#include "pipeline/read/include_item.h"
#include "pipeline/read/include_rules.h"
#include "pipeline/read/inputs.h"
#include "pipeline/read/interpolation.h"
#include "pipeline/read/resolve.h"
#include "pipeline/read/spec.h"

namespace slipway::pipeline::read {
namespace {

constexpr std::size_t kMostPipelineInputs = 20;

// A file on its way into the configuration.
struct File {
  std::string text;
  std::string name;    // for findings
  std::string prefix;  // of messages about it as a whole: "`a.yml`: ", "" for the main file
  Origin origin;
  SourceSpan at;  // of the include; of the file's begin for the main file
  std::vector<GivenInput> inputs;
  std::map<std::string, std::string> component;
};

class Includer {
 public:
  Includer(IncludeSource& source, const ReadOptions& options, ReadOutcome& outcome)
      : options_(options),
        limits_(options.limits),
        outcome_(outcome),
        findings_(outcome.findings),
        fetcher_(source, options.variables, options.limits, outcome.findings) {}

  NodePtr main_file(std::string_view text, const std::string& name) {
    File file;
    file.text = text;
    file.name = name;
    file.at = {name, 1, 1};
    if (options_.inputs.size() > kMostPipelineInputs) {
      refuse("input", "There cannot be more than 20 inputs for a pipeline", file.at);
      return nullptr;
    }
    for (const InputValue& input : options_.inputs) file.inputs.push_back(given(input, file.at));
    return tree(file);
  }

 private:
  void refuse(std::string code, const std::string& message, const SourceSpan& at,
              std::string hint = {}) {
    findings_.push_back({Severity::Error, std::move(code), masked(message, options_.variables), at,
                         std::move(hint)});
  }

  static GivenInput given(const InputValue& input, const SourceSpan& at) {
    if (input.json) {
      Diagnostics ignored;
      if (NodePtr value = parse(input.value, at.file, ignored))
        return {input.name, std::move(value), false};
    }
    return {input.name, make_string(input.value, Spot{at}), true};
  }

  // The file with what it includes under it, or with as much of that as could be had. nullptr when
  // the file itself cannot be read.
  NodePtr tree(const File& file) {
    NodePtr root = body(file);
    if (!root) return nullptr;
    const Entry* include = root->find_entry("include");
    if (include == nullptr) return root;
    outcome_.includes.push_back(include->value);
    Entries merged;
    for_each(include->value, [&](const Node& entry) { merge_entry(entry, file.origin, merged); });
    std::vector<Entry> own = root->entries;
    own.erase(own.begin() + (include - root->entries.data()));
    merge_over(merged, *make_mapping(std::move(own), root->at), &merged_);
    return make_mapping(merged.take(), root->at);
  }

  static void for_each(const NodePtr& value, const std::function<void(const Node&)>& take) {
    if (value->kind == Kind::Sequence)
      for (const NodePtr& entry : value->items) take(*entry);
    else if (value->kind != Kind::Null)
      take(*value);
  }

  // The file's own content, a mapping with its inputs put in.
  NodePtr body(const File& file) {
    const auto documents = parse_documents(file.text, file.name, findings_, limits_, values_);
    if (!documents) {
      findings_.back().message.insert(0, file.prefix);
      return nullptr;
    }
    NodePtr root = documents->body;
    values_ += root->weight;
    if (documents->header) {
      values_ += documents->header->weight;
      root = with_inputs(file, *documents->header, root);
      if (!root) return nullptr;
    } else if (!file.inputs.empty()) {
      refuse(
          "input",
          file.prefix +
              "Given inputs not defined in the `spec` section of the included configuration file",
          file.at);
      return nullptr;
    }
    if (root->kind == Kind::Mapping) return root;
    if (root->kind != Kind::Null)
      refuse("not_a_mapping", file.prefix + "Invalid configuration format", root->at,
             "the file must be a mapping of keywords and jobs");
    else if (!file.prefix.empty())
      refuse("empty", "Included file `" + file.name + "` does not have valid YAML syntax!", file.at,
             documents->header ? "it has a header and nothing below it" : "there is nothing in it");
    else
      refuse("empty", "Please provide content of " + file.name, root->at,
             documents->header ? "put the jobs below a line `---` after the header" : "");
    return nullptr;
  }

  NodePtr with_inputs(const File& file, const Node& header, const NodePtr& root) {
    auto spec = read_spec(header, file.prefix, findings_);
    if (!spec || (spec->include && !declare_included(*spec, file))) return nullptr;
    auto values = input_values(spec->inputs, file.inputs, file.at, file.prefix, findings_);
    if (!values) return nullptr;
    InterpolationValues all{{"inputs", std::move(*values)}};
    for (const std::string& fact : spec->component)
      if (const auto known = file.component.find(fact); known != file.component.end())
        all["component"][fact] = make_string(known->second, Spot{file.at});
    NodePtr whole = interpolate(root, all, variables_in(file.origin), file.prefix, findings_,
                                limits_, &interpolated_text_);
    // What the values add.
    if (whole && whole->weight > root->weight) values_ += whole->weight - root->weight;
    if (!whole || values_ <= static_cast<std::size_t>(limits_.values)) return whole;
    refuse("too_big", file.prefix + too_many_values(limits_, Values::OfAllFiles), file.at);
    return nullptr;
  }

  // Inputs from the files that a header includes go before those of the header itself.
  bool declare_included(Spec& spec, const File& file) {
    std::vector<DeclaredInput> declared;
    bool sound = true;
    for_each(spec.include, [&](const Node& entry) {
      const auto items =
          read_include_entry(entry, IncludePlace::Header, variables_in(file.origin), findings_);
      sound = sound && !items.empty();
      for (const IncludeItem& item : items)
        sound = sound && declare_from(item, file.origin, declared);
    });
    if (!sound) return false;
    declared.insert(declared.end(), spec.inputs.begin(), spec.inputs.end());
    std::string twice;
    std::set<std::string_view> known;
    for (const DeclaredInput& input : declared)
      if (!known.insert(input.name).second) twice += (twice.empty() ? "" : ", ") + input.name;
    if (!twice.empty()) {
      refuse("spec",
             file.prefix + "Duplicate input keys found: " + twice +
                 ". Input keys must be unique across all included files and inline specifications.",
             spec.at);
      return false;
    }
    spec.inputs = std::move(declared);
    return true;
  }

  bool declare_from(const IncludeItem& item, const Origin& from,
                    std::vector<DeclaredInput>& declared) {
    const auto file = fetched(item, from);
    if (!file) return false;
    const NodePtr root = parse(file->text, file->address, findings_, limits_, values_);
    if (!root) return false;
    values_ += root->weight;
    const std::string prefix = "`" + file->address + "`: ";
    if (root->kind != Kind::Mapping) {
      refuse("not_a_mapping", prefix + "Invalid configuration format", root->at,
             "the file must be a mapping with `inputs`");
      return false;
    }
    std::string unknown;
    for (const Entry& entry : root->entries)
      if (entry.key != "inputs") unknown += (unknown.empty() ? ":" : ", :") + entry.key;
    if (!unknown.empty()) {
      refuse("spec",
             "Header include file `" + file->address + "` contains unknown keys: [" + unknown + "]",
             item.at, "a file that a header includes has only `inputs`");
      return false;
    }
    const NodePtr* inputs = root->find("inputs");
    return inputs == nullptr || read_declared_inputs(**inputs, prefix, declared, findings_);
  }

  // What an entry of `include` names goes over `merged`.
  void merge_entry(const Node& entry, const Origin& from, Entries& merged) {
    if (const NodePtr* rules = entry.find("rules")) {
      const IncludeFacts facts{
          variables_in(from), options_.changed_paths, [&] { return fetcher_.paths(from); },
          // Its projects are those of this server.
          from.project.host.empty() ? options_.repository : nullptr, glob_work_};
      const auto holds = include_rules_hold(**rules, facts, findings_);
      if (!holds || !*holds) return;
    }
    const auto items = read_include_entry(entry, IncludePlace::Body, variables_in(from), findings_);
    for (const IncludeItem& item : items)
      for (const IncludeItem& one : without_wildcards(item, from))
        if (const NodePtr included = included_tree(one, from)) merge(*included, one, merged);
  }

  // Each file that adds to a mapping has what it held before copied: many small files that add to
  // one that is huge are refused before that takes long.
  void merge(const Node& included, const IncludeItem& item, Entries& merged) {
    constexpr std::size_t kTimesEach = 2;
    const std::size_t most = kTimesEach * static_cast<std::size_t>(limits_.values);
    if (merged_ > most) return;
    merge_over(merged, included, &merged_);
    if (merged_ > most)
      give_up("too_big",
              too_big("merging the included files takes more than " + std::to_string(most) +
                          " steps, two for each value that there may be",
                      "pipeline_value_limit"),
              item, "put a large mapping and what is added to it into the same file");
  }

  std::vector<IncludeItem> without_wildcards(const IncludeItem& item, const Origin& from) {
    if (item.kind != IncludeKind::Local || item.location.find('*') == std::string::npos)
      return {item};
    const auto paths = fetcher_.matching(item, from);
    std::vector<IncludeItem> items;
    for (const std::string& path : paths.value_or(std::vector<std::string>{})) {
      items.push_back(item);
      items.back().location = path;
    }
    return items;
  }

  NodePtr included_tree(const IncludeItem& item, const Origin& from) {
    auto fetched_file = fetched(item, from);
    NodePtr root;
    if (fetched_file) {
      File file;
      file.text = std::move(fetched_file->text);
      file.name = std::move(fetched_file->address);
      file.prefix = "`" + file.name + "`: ";
      file.origin = std::move(fetched_file->origin);
      file.at = item.at;
      file.component = std::move(fetched_file->component);
      if (item.inputs)
        for (const Entry& input : item.inputs->entries)
          file.inputs.push_back({input.key, input.value, false});
      root = tree(file);
    }
    return root;
  }

  // The text of an included file, within the limits on their number and size.
  std::optional<FetchedFile> fetched(const IncludeItem& item, const Origin& from) {
    if (count_ == limits_.includes && !full_)
      give_up("include_limit",
              "Maximum of " + std::to_string(limits_.includes) + " nested includes are allowed!",
              item, "a file that includes itself counts each time; the setting is include_limit");
    if (full_) return std::nullopt;
    ++count_;
    auto file = fetcher_.fetch(item, from);
    if (!file) return file;
    bytes_ += file->text.size();
    if (bytes_ > static_cast<std::size_t>(limits_.include_bytes)) {
      give_up("too_big",
              too_big("the included files have more than " + std::to_string(limits_.include_bytes) +
                          " bytes",
                      "include_size_limit"),
              item);
      return std::nullopt;
    }
    if (file->origin.kind != Origin::Kind::Own)
      outcome_.included.push_back({file->address, sha256_hex(file->text), item.at});
    return file;
  }

  // What ends the reading of further files.
  void give_up(std::string code, const std::string& message, const IncludeItem& item,
               std::string hint = {}) {
    full_ = true;
    refuse(std::move(code), message, item.at, std::move(hint));
  }

  [[nodiscard]] const Variables& variables_in(const Origin& origin) const {
    static const Variables none;
    return origin.kind == Origin::Kind::Nowhere ? none : options_.variables;
  }

  const ReadOptions& options_;
  const Limits& limits_;
  ReadOutcome& outcome_;
  Diagnostics& findings_;
  IncludeFetcher fetcher_;
  rules::GlobWork glob_work_;
  int count_ = 0;
  // One budget for all files.
  std::size_t bytes_ = 0;
  std::size_t values_ = 0;
  std::size_t merged_ = 0;  // entries that merging went through
  std::size_t interpolated_text_ = 0;
  bool full_ = false;
};

}  // namespace

NodePtr parse_with_includes(std::string_view text, const std::string& file, IncludeSource& source,
                            const ReadOptions& options, ReadOutcome& outcome) {
  return Includer{source, options, outcome}.main_file(text, file);
}

}  // namespace slipway::pipeline::read
