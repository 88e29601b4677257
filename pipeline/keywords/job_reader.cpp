#include "pipeline/keywords/job_reader.h"

#include <algorithm>

namespace slipway::pipeline::keywords {
namespace {

const std::vector<std::string> kKnown{
    "after_script", "allow_failure", "artifacts", "before_script", "cache", "coverage",
    "dependencies", "environment", "except", "extends", "hooks", "image", "inherit",
    "interruptible", "needs", "only", "parallel", "resource_group", "retry", "rules", "script",
    "services", "stage", "start_in", "tags", "timeout", "variables", "when",
    // Known to GitLab, and refused below with a sentence of their own.
    "dast_configuration", "id_tokens", "identity", "inputs", "manual_confirmation", "pages",
    "publish", "release", "run", "secrets", "trigger"};
const std::vector<std::string> kNotYet{"dast_configuration",
                                       "id_tokens",
                                       "identity",
                                       "inputs",
                                       "manual_confirmation",
                                       "pages",
                                       "publish",
                                       "release",
                                       "run",
                                       "secrets",
                                       "trigger"};

class Reader {
 public:
  Reader(const Node& node, const Place& place, WrittenJob& out)
      : node_(node), place_(place), out_(out) {}

  void all() {
    check_keys(node_, kKnown, place_);
    for (const Entry& entry : node_.entries)
      if (std::find(kNotYet.begin(), kNotYet.end(), entry.key) != kNotYet.end())
        place_.below(entry.key).error(entry.at, "is not supported yet",
                                      "remove it, or keep this job on GitLab for now",
                                      "unsupported_keyword");
    basics();
    scripts();
    surroundings();
    control();
    selection();
    results();
    check_combinations();
  }

 private:
  // Reads `key` by `read` into `target` when it is there and right.
  template <typename Target, typename Read>
  void take(const char* key, Target& target, const Read& read) {
    const Node* value = value_of(node_, key);
    if (value == nullptr) return;
    if (auto result = read(*value, place_.below(key))) target = std::move(*result);
  }

  void basics() {
    take("stage", out_.job.stage, string_in);
    const Node* stage = value_of(node_, "stage");
    out_.stage_at = stage == nullptr ? out_.job.at : stage->at;
    take("tags", out_.job.tags,
         [](const Node& n, const Place& p) { return strings_in(n, p, Single::refused); });
    take("variables", out_.job.variables,
         [](const Node& n, const Place& p) { return read_variables(n, p, Described::no); });
    if (const Node* inherit = value_of(node_, "inherit"))
      if (const Node* variables = value_of(*inherit, "variables")) {
        out_.job.inherit_all_variables = variables->kind == Kind::Bool && variables->text == "true";
        if (variables->kind == Kind::Sequence)
          out_.job.inherited_variables = strings_in(*variables, place_.below("inherit:variables"))
                                             .value_or(std::vector<std::string>{});
      }
  }

  void scripts() {
    std::vector<std::string> before;
    take("before_script", before, read_script);
    std::vector<std::string> script;
    take("script", script, read_script);
    take("after_script", out_.job.after_script, read_script);
    const Node* value = value_of(node_, "script");
    if (value != nullptr && value->kind == Kind::Sequence && value->items.empty())
      place_.below("script").error(value->at, "config can't be blank");
    out_.job.script = std::move(before);
    out_.job.script.insert(out_.job.script.end(), script.begin(), script.end());
    if (const Node* hooks = value_of(node_, "hooks")) {
      const std::vector<std::string> known{"pre_get_sources_script", "post_get_sources_script"};
      check_keys(*hooks, known, place_.below("hooks"));
      for (const std::string& name : known)
        if (const Node* hook = value_of(*hooks, name))
          if (auto lines = read_script(*hook, place_.below("hooks:" + name)))
            out_.job.hooks.emplace_back(name, std::move(*lines));
    }
  }

  void surroundings() {
    take("image", out_.job.image, read_image);
    take("services", out_.job.services, read_services);
    take("cache", out_.job.caches, read_caches);
    take("environment", out_.job.environment, read_environment);
    take("resource_group", out_.job.resource_group, string_in);
    take("timeout", out_.job.timeout, duration_in);
    take("interruptible", out_.job.interruptible, bool_in);
  }

  void control() {
    take("when", out_.job.when, read_when);
    take("start_in", out_.job.start_in, duration_in);
    take("allow_failure", out_.job.allow_failure, read_allow_failure);
    take("retry", out_.job.retry, read_retry);
    out_.instances = {Instance{}};
    take("parallel", out_.instances, read_parallel);
  }

  void selection() {
    take("rules", out_.rules,
         [](const Node& n, const Place& p) { return read_rules(n, p, RuleKind::Job); });
    take("only", out_.job.only, read_ref_policy);
    take("except", out_.job.except, read_ref_policy);
    // What a person is pointed to is the keyword, not its first item.
    if (out_.job.only) out_.job.only->at = node_.find_entry("only")->at;
    if (out_.job.except) out_.job.except->at = node_.find_entry("except")->at;
    take("needs", out_.needs, read_needs);
    if (const Node* dependencies = value_of(node_, "dependencies")) {
      out_.job.dependencies = strings_in(*dependencies, place_.below("dependencies"));
      out_.dependencies_at = dependencies->at;
    }
  }

  void results() {
    take("artifacts", out_.job.artifacts, read_artifacts);
    take("coverage", out_.job.coverage, read_coverage);
  }

  void check_combinations() {
    if (value_of(node_, "rules") != nullptr)
      for (const char* other : {"only", "except", "start_in"})
        if (value_of(node_, other) != nullptr)
          place_.error(node_.find_entry(other)->at,
                       std::string{"config key may not be used with `rules`: "} + other,
                       "say it with `rules` alone");
    const bool has_rules = out_.rules.has_value();
    if (!has_rules && (out_.job.when == When::Delayed) != out_.job.start_in.has_value())
      place_.error(out_.job.at,
                   out_.job.start_in ? "start in must be blank" : "start in should be a duration",
                   "`when: delayed` and `start_in` belong together");
  }

  const Node& node_;
  const Place& place_;
  WrittenJob& out_;
};

bool inherits(const Node& node, const std::string& key) {
  const Node* inherit = value_of(node, "inherit");
  const Node* defaults = inherit == nullptr ? nullptr : value_of(*inherit, "default");
  if (defaults == nullptr) return true;
  if (defaults->kind == Kind::Bool) return defaults->text == "true";
  return std::any_of(defaults->items.begin(), defaults->items.end(),
                     [&](const NodePtr& item) { return item->text == key; });
}

void check_inherit(const Node& node, const Place& place) {
  const Node* inherit = value_of(node, "inherit");
  if (inherit == nullptr) return;
  const Place at = place.below("inherit");
  if (inherit->kind != Kind::Mapping) {
    at.error(inherit->at, "config should be a hash");
    return;
  }
  check_keys(*inherit, {"default", "variables"}, at);
  for (const Entry& entry : inherit->entries)
    if (entry.value->kind != Kind::Bool && entry.value->kind != Kind::Sequence)
      at.below(entry.key).error(entry.value->at, "should be a bool or array of strings");
}

}  // namespace

const std::vector<std::string>& default_keywords() {
  static const std::vector<std::string> keywords{
      "after_script", "artifacts", "before_script", "cache",         "hooks",
      "id_tokens",    "identity",  "image",         "interruptible", "retry",
      "services",     "tags",      "timeout"};
  return keywords;
}

NodePtr with_defaults(const NodePtr& node, const Node& defaults, const Place& place) {
  check_inherit(*node, place);
  std::vector<Entry> entries = node->entries;
  for (const Entry& entry : defaults.entries) {
    if (entry.value->kind == Kind::Null || !inherits(*node, entry.key)) continue;
    const auto own = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& e) { return e.key == entry.key; });
    if (own == entries.end())
      entries.push_back(entry);
    else if (own->value->kind == Kind::Null)
      *own = entry;
  }
  return read::make_mapping(std::move(entries), node->at);
}

WrittenJob read_job(const Entry& entry, const Node& node, const Place& place) {
  WrittenJob written;
  written.job.base_name = entry.key;
  written.job.name = entry.key;
  written.job.at = entry.at;
  Reader{node, place, written}.all();
  return written;
}

}  // namespace slipway::pipeline::keywords
