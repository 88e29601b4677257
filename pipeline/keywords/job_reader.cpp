#include "pipeline/keywords/job_reader.h"

#include <algorithm>

#include "pipeline/keywords/vocabulary.h"

namespace slipway::pipeline::keywords {
namespace {

constexpr std::size_t kTagsLimit = 50;
const std::vector<std::string> kJobWhens{"on_success", "on_failure", "always", "manual", "delayed"};
const std::vector<std::string> kBridgeWhens{"on_success", "on_failure", "always", "manual"};

class Reader {
 public:
  Reader(const Node& node, const Place& place, KnownRules& known_rules, WrittenJob& out)
      : node_(node),
        place_(place),
        known_rules_(known_rules),
        out_(out),
        is_bridge_(names_bridge(node)) {}

  void all() {
    check_known();
    basics();
    control();
    selection();
    if (is_bridge_)
      bridge();
    else
      job_only();
    check_combinations();
  }

 private:
  using Where = Place (Place::*)(const std::string& key) const;

  // Reads `key` by `read` into `target` when it is there and right.
  template <typename Target, typename Read>
  void take(const char* key, Target& target, const Read& read, Where where = &Place::below) {
    if (value_of(node_, key) != nullptr) take_at(key, target, read, (place_.*where)(key));
  }
  template <typename Target, typename Read>
  void take_at(const char* key, Target& target, const Read& read, const Place& at) {
    const Node* value = value_of(node_, key);
    if (value == nullptr) return;
    if (auto result = read(*value, at)) target = std::move(*result);
  }

  // Beside a script, `trigger` is told as what may not stand together, not as unknown.
  void check_known() {
    const bool runs = node_.find("script") != nullptr || node_.find("run") != nullptr;
    check_keys(node_, keywords_of(is_bridge_ ? "bridge" : "job"), place_, runs ? "trigger" : "");
  }

  void basics() {
    take("stage", out_.job.stage, string_in, &Place::entry);
    const Node* stage = value_of(node_, "stage");
    out_.stage_at = stage == nullptr ? out_.job.at : stage->at;
    if (out_.job.stage.size() > 255)
      place_.entry("stage").error(out_.stage_at, "is too long (maximum is 255 characters)");
    take("variables", out_.job.variables,
         [](const Node& n, const Place& p) { return read_variables(n, p, Described::no); });
    const Node* inherit = value_of(node_, "inherit");
    const Node* variables = inherit == nullptr ? nullptr : value_of(*inherit, "variables");
    if (variables == nullptr) return;
    out_.job.inherit_all_variables = variables->kind == Kind::Bool && variables->text == "true";
    if (variables->kind == Kind::Sequence)
      out_.job.inherited_variables = strings_in(*variables, place_.entry("inherit:variables"))
                                         .value_or(std::vector<std::string>{});
  }

  void control() {
    const auto& whens = is_bridge_ ? kBridgeWhens : kJobWhens;
    take(
        "when", out_.job.when,
        [&](const Node& n, const Place& p) { return read_when(n, whens, p); }, &Place::attribute);
    take_at("allow_failure", out_.job.allow_failure, read_allow_failure, place_);
    take("resource_group", out_.job.resource_group, string_in, &Place::attribute);
    take("interruptible", out_.job.interruptible, bool_in, &Place::entry);
    take("environment", out_.job.environment, read_environment);
    out_.instances = {Instance{}};
    take("parallel", out_.instances, read_parallel);
  }

  void selection() {
    rules();
    take("only", out_.job.only, read_ref_policy);
    take("except", out_.job.except, read_ref_policy);
    // What a person is pointed to is the keyword, not its first item.
    if (out_.job.only) out_.job.only.own().at = node_.find_entry("only")->at;
    if (out_.job.except) out_.job.except.own().at = node_.find_entry("except")->at;
    const Node* needs = value_of(node_, "needs");
    if (needs == nullptr) return;
    if (auto read = read_needs(*needs, is_bridge_ ? NeedsOf::Bridge : NeedsOf::Job,
                               place_.below("needs"))) {
      out_.job.foreign_needs = std::move(read->foreign);
      upstream_ = std::move(read->upstream);
      // Taking over another pipeline's status is not a need that orders jobs.
      if (upstream_.empty() || !read->jobs.empty()) out_.needs = std::move(read->jobs);
    }
  }

  void rules() {
    const Node* value = value_of(node_, "rules");
    if (value == nullptr) return;
    if (const auto known = known_rules_.find(value); known != known_rules_.end()) {
      out_.rules = known->second;
      return;
    }
    const std::size_t found = place_.findings();
    take_at(
        "rules", out_.rules,
        [](const Node& n, const Place& p) { return read_rules(n, p, RuleKind::Job); }, place_);
    if (place_.findings() == found) known_rules_.emplace(value, out_.rules);
  }

  void bridge() {
    Bridge& bridge = out_.job.bridge.emplace();
    take("trigger", bridge, read_trigger);
    bridge.upstream = upstream_;
    out_.trigger_at =
        value_of(node_, "trigger") == nullptr ? out_.job.at : node_.find_entry("trigger")->at;
    const Node* allow = value_of(node_, "allow_failure");
    if (allow != nullptr && allow->kind == Kind::Mapping)
      place_.attribute("allow_failure").error(allow->at, "should be a boolean value");
    if (value_of(node_, "trigger") == nullptr && upstream_.empty())
      place_.error(out_.job.at, "config should contain either a trigger or a needs:pipeline",
                   "a job that runs something has a `script`");
  }

  void job_only() {
    scripts();
    surroundings();
    results();
    credentials();
  }

  void scripts() {
    std::vector<std::string> before;
    take("before_script", before, read_script);
    std::vector<std::string> script;
    take("script", script, read_script);
    take("after_script", out_.job.after_script, read_script);
    take("run", out_.job.steps_json, read_run);
    const Entry* entry = node_.find_entry("script");
    const bool blank = entry != nullptr && node_.find("run") == nullptr &&
                       (entry->value->kind == Kind::Null ||
                        (entry->value->kind == Kind::Sequence && entry->value->items.empty()) ||
                        (entry->value->kind == Kind::String && entry->value->text.empty()));
    if (blank) place_.attribute("script").error(entry->value->at, "can't be blank");
    out_.job.script = std::move(before);
    out_.job.script.insert(out_.job.script.end(), script.begin(), script.end());
    const Node* hooks = value_of(node_, "hooks");
    if (hooks == nullptr || !check_family(*hooks, "hooks", place_.below("hooks"))) return;
    for (const char* name : {"pre_get_sources_script", "post_get_sources_script"})
      if (const Node* hook = value_of(*hooks, name))
        if (auto lines = read_script(*hook, place_.below("hooks:" + std::string{name})))
          out_.job.hooks.emplace_back(name, std::move(*lines));
  }

  void surroundings() {
    take("image", out_.job.image, read_image);
    take("services", out_.job.services, read_services);
    take("cache", out_.job.caches, read_caches);
    take("timeout", out_.job.timeout, duration_in, &Place::entry);
    take("start_in", out_.job.start_in, delay_in, &Place::attribute);
    take("retry", out_.job.retry, read_retry);
    take(
        "tags", out_.job.tags,
        [](const Node& n, const Place& p) { return strings_in(n, p, Single::refused); },
        &Place::entry);
    if (out_.job.tags.size() >= kTagsLimit)
      place_.entry("tags").error(value_of(node_, "tags")->at,
                                 "must be less than the limit of 50 tags");
    if (const Node* dependencies = value_of(node_, "dependencies")) {
      out_.job.dependencies = strings_in(*dependencies, place_.attribute("dependencies"));
      out_.dependencies_at = dependencies->at;
    }
  }

  void results() {
    take("artifacts", out_.job.artifacts, read_artifacts);
    take("coverage", out_.job.coverage, read_coverage);
    take("release", out_.job.release, read_release);
    take("inputs", out_.job.inputs, read_job_inputs);
    take("manual_confirmation", out_.job.manual_confirmation, string_in, &Place::attribute);
    read_job_pages(node_, out_.job.base_name, place_, out_.job);
  }

  void credentials() {
    take("secrets", out_.job.secrets, read_secrets);
    take("id_tokens", out_.job.id_tokens, read_id_tokens);
    if (const Node* identity = value_of(node_, "identity")) {
      const Place at = place_.entry("identity");
      if (!identity->is_scalar() || identity->text != "google_cloud")
        at.error(identity->at, "should be one of: google_cloud");
      else
        place_.below("identity")
            .unsupported(identity->at,
                         "signs in to Google Cloud through GitLab, and has no effect here",
                         "give the job credentials by variables of the project");
    }
    const Node* scan = value_of(node_, "dast_configuration");
    if (scan == nullptr) return;
    const Place at = place_.below("dast_configuration");
    if (!check_family(*scan, "dast_configuration", at)) return;
    text_under(*scan, "site_profile", at);
    text_under(*scan, "scanner_profile", at);
    at.unsupported(scan->at, "names profiles that GitLab keeps, and has no effect here",
                   "give the scanner its settings by variables");
  }

  void check_combinations() {
    for (const auto& [a, b] : {std::pair{"script", "trigger"},
                               {"run", "trigger"},
                               {"script", "run"},
                               {"before_script", "run"},
                               {"after_script", "run"}})
      check_exclusive(node_, a, b, place_);
    if (value_of(node_, "rules") != nullptr) {
      for (const char* other : {"only", "except", "start_in"})
        if (value_of(node_, other) != nullptr)
          place_.error(node_.find_entry(other)->at,
                       std::string{"config key may not be used with `rules`: "} + other,
                       "say it with `rules` alone", "exclusive_keywords");
      return;
    }
    const char* hint = "`when: delayed` and `start_in` belong together";
    const Entry* start = node_.find_entry("start_in");
    if (out_.job.when == When::Delayed && value_of(node_, "start_in") == nullptr)
      place_.attribute("start_in").error(out_.job.at, "should be a duration", hint);
    if (out_.job.when != When::Delayed && value_of(node_, "start_in") != nullptr && !is_bridge_)
      place_.attribute("start_in").error(start->at, "must be blank", hint);
  }

  const Node& node_;
  const Place& place_;
  KnownRules& known_rules_;
  WrittenJob& out_;
  bool is_bridge_;
  std::string upstream_;
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
  if (!check_family(*inherit, "inherit", at)) return;
  for (const char* key : {"default", "variables"}) {
    const Node* value = value_of(*inherit, key);
    if (value == nullptr || value->kind == Kind::Bool) continue;
    if (value->kind != Kind::Sequence) {
      at.below(key).error(value->at, "should be a bool or array of strings");
      continue;
    }
    if (std::string_view{key} != "default") continue;  // read with the job's other basics
    const auto names = strings_in(*value, at.entry(key));
    if (!names) continue;
    const auto& known = keywords_of("default");
    for (const std::string& name : *names)
      if (std::find(known.begin(), known.end(), name) == known.end())
        at.entry(key).error(value->at, "contains unknown values: " + name);
  }
}

}  // namespace

bool names_bridge(const Node& node) {
  if (node.kind != Kind::Mapping || node.find("script") != nullptr || node.find("run") != nullptr)
    return false;
  return node.find("trigger") != nullptr || node.find("needs") != nullptr;
}

NodePtr with_defaults(const NodePtr& node, const Node& defaults, const Place& place) {
  check_inherit(*node, place);
  if (defaults.entries.empty()) return node;
  const bool bridge = names_bridge(*node);
  std::vector<Entry> entries;
  entries.reserve(node->entries.size() + defaults.entries.size());
  entries = node->entries;
  for (const Entry& entry : defaults.entries) {
    if (entry.value->kind == Kind::Null || !inherits(*node, entry.key)) continue;
    // A trigger job runs nothing, so of the defaults only this one concerns it.
    if (bridge && entry.key != "interruptible") continue;
    const auto own = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& e) { return e.key == entry.key; });
    if (own == entries.end())
      entries.push_back(entry);
    else if (own->value->kind == Kind::Null)
      *own = entry;
  }
  return read::make_mapping(std::move(entries), node->at);
}

void read_job(const Entry& entry, const Node& node, const Place& place, KnownRules& known_rules,
              WrittenJob& written) {
  written.job.base_name = entry.key;
  written.job.name = entry.key;
  written.job.at = entry.at;
  Reader{node, place, known_rules, written}.all();
}

}  // namespace slipway::pipeline::keywords
