#include "pipeline/configuration.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "pipeline/keywords/between_jobs.h"
#include "pipeline/keywords/job_reader.h"
#include "pipeline/keywords/needs_graph.h"
#include "pipeline/keywords/vocabulary.h"
#include "pipeline/read/resolve.h"
#include "pipeline/work.h"

namespace slipway::pipeline {
namespace {

using keywords::Described;
using keywords::Place;
using keywords::value_of;
using keywords::WrittenJob;
using read::Entry;
using read::Kind;
using read::Node;
using read::NodePtr;

const std::vector<std::string> kOldDefaults{"image", "services", "cache", "before_script",
                                            "after_script"};

constexpr std::size_t kLongestName = 255;

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool looks_like_job(const Node& node) {
  return node.kind == Kind::Mapping &&
         (node.find("script") != nullptr || node.find("trigger") != nullptr);
}

// About what a job takes, which has a copy of its own of all that it extends: a few bytes in a base
// may be the script of thousands of jobs, and of each instance of a parallel one. Its conditions it
// shares with others.
std::size_t footprint(const Node& job) {
  constexpr std::size_t kOfValue = 40;
  const auto taken = [](const Node& node) { return node.bytes + kOfValue * node.weight; };
  std::size_t bytes = sizeof(Job) + taken(job);
  for (const char* shared : {"rules", "only", "except"})
    if (const Node* value = value_of(job, shared)) bytes -= taken(*value);
  return bytes;
}

class Builder {
 public:
  Builder(const Node& root, Diagnostics& findings, const Limits& limits)
      : root_(root),
        findings_(findings),
        most_of_jobs_(static_cast<std::size_t>(limits.jobs_bytes)) {}

  Configuration build() {
    read_stages();
    read_global_variables();
    read_workflow();
    read_defaults();
    std::vector<WrittenJob> written;
    written.reserve(root_.entries.size());
    for (const Entry& entry : root_.entries)
      if (is_job(entry)) add_job(entry, written);
    if (jobs_ > most_of_jobs_) written.clear();
    if (written.empty() && !has_errors(findings_))
      place("jobs").error(root_.at, "config should contain at least one visible job",
                          "a name that begins with a dot is hidden", "no_jobs");
    keywords::check_between_jobs(written, configuration_.stages,
                                 configuration_.workflow.rules.has_value(), findings_);
    configuration_.jobs =
        keywords::expand_jobs(std::move(written), configuration_.stages, findings_);
    return std::move(configuration_);
  }

 private:
  Place place(const std::string& path) { return {path, findings_}; }

  // A key that is a keyword only where its value looks like one: `default` and `workflow` with a
  // script are jobs.
  const Node* keyword(const char* name) {
    const Node* value = value_of(root_, name);
    return value != nullptr && looks_like_job(*value) ? nullptr : value;
  }

  bool is_job(const Entry& entry) {
    if (entry.key.empty()) {
      place("jobs:job").error(entry.at, "name can't be blank");
      return false;
    }
    if (entry.key.front() == '.') return false;
    if (entry.key == "default" || entry.key == "workflow") return looks_like_job(*entry.value);
    if (entry.key == "spec")
      place("spec").error(entry.at, "config belongs into a header of its own",
                          "put it at the top of the file and a line `---` below it", "spec");
    return !holds(keywords::keywords_of("global"), entry.key);
  }

  void read_stages() {
    std::vector<std::string> stages{"build", "test", "deploy"};
    if (const Node* node = value_of(root_, "stages"))
      stages = keywords::nested_strings_in(*node, place("stages"), keywords::Single::refused)
                   .value_or(stages);
    configuration_.stages.emplace_back(".pre");
    std::unordered_set<std::string_view> seen{".pre", ".post"};
    for (const std::string& stage : stages)
      if (seen.insert(stage).second) configuration_.stages.push_back(stage);
    configuration_.stages.emplace_back(".post");
  }

  void read_global_variables() {
    if (const Node* node = value_of(root_, "variables"))
      configuration_.variables =
          keywords::read_variables(*node, place("variables"), Described::yes).value_or(Variables{});
  }

  void read_workflow() {
    const Node* node = keyword("workflow");
    if (node == nullptr) return;
    const Place at = place("workflow");
    if (node->kind != Kind::Mapping) {
      at.error(node->at, "config should be a hash");
      return;
    }
    Workflow& workflow = configuration_.workflow;
    keywords::check_family(*node, "workflow", at);
    workflow.name = keywords::text_under(*node, "name", at);
    if (workflow.name.size() > kLongestName)
      at.attribute("name").error(value_of(*node, "name")->at,
                                 "is too long (maximum is 255 characters)");
    if (const Node* rules = value_of(*node, "rules"))
      if (auto read = keywords::read_rules(*rules, at, keywords::RuleKind::Workflow)) {
        workflow.rules.emplace();
        for (auto& rule : *read) workflow.rules->push_back(std::move(rule.rule));
      }
    if (const Node* cancel = value_of(*node, "auto_cancel"))
      workflow.auto_cancel = keywords::read_auto_cancel(*cancel, at.below("auto_cancel"));
  }

  // `default:` and the old top-level keywords, each checked once here so that a mistake in one is
  // not found again in every job.
  void read_defaults() {
    std::vector<Entry> entries;
    if (const Node* node = keyword("default")) {
      if (node->kind == Kind::Mapping) {
        keywords::check_keys(*node, keywords::keywords_of("default"), place("default"));
        entries = node->entries;
      } else {
        place("default").error(node->at, "config should be a hash");
      }
    }
    for (const std::string& key : kOldDefaults) {
      const Entry* entry = root_.find_entry(key);
      if (entry == nullptr) continue;
      if (std::any_of(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; }))
        place("default").error(entry->at, key + " is defined in top-level and `default:` entry",
                               "keep the one in `default:`");
      else
        entries.push_back(*entry);
    }
    std::vector<Entry> sound;
    for (const Entry& entry : entries) {
      const bool at_top = root_.find_entry(entry.key) != nullptr &&
                          holds(kOldDefaults, entry.key) &&
                          root_.find_entry(entry.key)->value == entry.value;
      if (!holds(keywords::keywords_of("default"), entry.key)) continue;
      Diagnostics found;
      const NodePtr alone = read::make_mapping({entry}, entry.at);
      const Entry anonymous{"", Kind::String, entry.at, entry.value};
      keywords::KnownRules none;
      WrittenJob unused;
      keywords::read_job(anonymous, *alone, {at_top ? "" : "default", found}, none, unused);
      if (!has_errors(found)) sound.push_back(entry);
      std::move(found.begin(), found.end(), std::back_inserter(findings_));
    }
    defaults_ = read::make_mapping(std::move(sound), root_.at);
  }

  void add_job(const Entry& entry, std::vector<WrittenJob>& written) {
    const Place at = place("jobs:" + entry.key);
    if (entry.key_kind != Kind::String) {
      at.error(entry.at, "name should be a symbol", "put the name in quotes");
      return;
    }
    const bool is_bridge = keywords::names_bridge(*entry.value);
    const bool runs =
        entry.value->kind == Kind::Mapping &&
        (entry.value->find("script") != nullptr || entry.value->find("run") != nullptr);
    if (!is_bridge && !runs) {
      refuse_non_job(entry);
      return;
    }
    if (entry.key.size() > 255) at.error(entry.at, "name is too long (maximum is 255 characters)");
    const NodePtr effective = keywords::with_defaults(entry.value, *defaults_, at);
    if (jobs_ > most_of_jobs_) return;
    WrittenJob& job = written.emplace_back();
    keywords::read_job(entry, *effective, at, known_rules_, job);
    std::size_t bytes = footprint(*effective);
    if (job.job.inherit_all_variables)
      for (const Variable& variable : configuration_.variables) bytes += variable.value.size();
    jobs_ += bytes * std::max<std::size_t>(job.instances.size(), 1);
    if (jobs_ > most_of_jobs_)
      place("jobs").plain_error(
          entry.at,
          too_big("its jobs come to more than " + std::to_string(most_of_jobs_) + " bytes",
                  "pipeline_jobs_limit"),
          "each job has a copy of what it extends, and so has each instance "
          "of a parallel job",
          "too_big");
  }

  // A misspelt keyword inside a job that has no script, or a misspelt global keyword.
  void refuse_non_job(const Entry& entry) {
    SourceSpan at = entry.at;
    std::string hint;
    if (findings_.size() >= kMostFindings) {
      // Nobody will read more hints, and seeking them is dear.
    } else if (const Entry* inner = misspelt_script(*entry.value)) {
      at = inner->at;
      hint = "did you mean 'script' instead of '" + inner->key + "'?";
    } else if (const std::string near = nearest(entry.key, keywords::keywords_of("global"));
               !near.empty()) {
      hint = "did you mean the keyword '" + near + "'?";
    }
    place("jobs").plain_error(
        at, "jobs " + entry.key + " config should implement the script:, run:, or trigger: keyword",
        std::move(hint), "not_a_job");
  }

  static const Entry* misspelt_script(const Node& node) {
    static const std::vector<std::string> words{"script", "trigger"};
    const auto found =
        std::find_if(node.entries.begin(), node.entries.end(),
                     [](const Entry& inner) { return nearest(inner.key, words) == "script"; });
    return found == node.entries.end() ? nullptr : &*found;
  }

  const Node& root_;
  Diagnostics& findings_;
  Configuration configuration_;
  NodePtr defaults_;
  keywords::KnownRules known_rules_;
  const std::size_t most_of_jobs_;
  std::size_t jobs_ = 0;  // bytes of all jobs so far
};

}  // namespace

namespace {

Error not_configured(const std::string& kind) {
  return fail(ErrorKind::NotFound, "there are no other projects")
      .with_hint("`include: " + kind +
                 "` is not available here; copy the file into the repository");
}

// What is wrong with the file while a part of it could not be included: of that only what no other
// part could put right.
void check_without_includes(const NodePtr& root, const Limits& limits, Diagnostics& findings) {
  Diagnostics more;
  const NodePtr extended = read::resolve_extends(root, more, limits);
  const NodePtr whole = extended ? read::resolve_references(extended, more, limits) : nullptr;
  if (!whole) return;
  (void)Builder{*whole, more, limits}.build();
  const std::unordered_set<std::string> mended{"invalid_need", "no_jobs", "unknown_stage"};
  for (Diagnostic& finding : more)
    if (!mended.contains(finding.code) && (finding.code != "not_a_job" || !finding.hint.empty()))
      findings.push_back(std::move(finding));
}

}  // namespace

Result<std::string> IncludeSource::project_commit(const IncludeProject& /*project*/,
                                                  const std::string& /*ref*/) {
  return not_configured("project");
}

Result<std::string> IncludeSource::project_file(const IncludeProject& /*project*/,
                                                const std::string& /*commit*/,
                                                const std::string& /*path*/) {
  return not_configured("project");
}

Result<std::vector<std::string>> IncludeSource::project_paths(const IncludeProject& /*project*/,
                                                              const std::string& /*commit*/) {
  return not_configured("project");
}

Result<std::vector<std::string>> IncludeSource::project_tags(const IncludeProject& /*project*/) {
  return not_configured("component");
}

Result<std::string> IncludeSource::remote_file(const std::string& /*url*/) {
  return fail(ErrorKind::Denied, "remote files are not available here")
      .with_hint("copy the file into the repository and include it with `local`");
}

Result<std::string> IncludeSource::template_file(const std::string& /*name*/) {
  return fail(ErrorKind::NotFound, "there are no templates")
      .with_hint(
          "no templates are shipped; copy the file into the repository and include it with "
          "`local`");
}

ReadOutcome read_configuration(std::string_view text, const std::string& file,
                               IncludeSource& source, const Variables& variables) {
  return read_configuration(text, file, source, ReadOptions{variables, {}, {}});
}

ReadOutcome read_configuration(std::string_view text, const std::string& file,
                               IncludeSource& source, const ReadOptions& options) {
  const Work work;
  ReadOutcome outcome;
  NodePtr root = read::parse_with_includes(text, file, source, options, outcome);
  if (root && has_errors(outcome.findings)) {
    check_without_includes(root, options.limits, outcome.findings);
    sort_by_place(outcome.findings);
    limit_findings(outcome.findings);
    return outcome;
  }
  if (root) root = read::resolve_extends(root, outcome.findings, options.limits);
  if (root) root = read::resolve_references(root, outcome.findings, options.limits);
  if (root) {
    Configuration configuration = Builder{*root, outcome.findings, options.limits}.build();
    sort_by_place(outcome.findings);
    if (!has_errors(outcome.findings)) outcome.configuration = std::move(configuration);
    outcome.tree = std::move(root);
  }
  limit_findings(outcome.findings);
  if (Work::exhausted() && !has_errors(outcome.findings)) {
    outcome.findings.push_back(
        {Severity::Error, "too_much_work", Work::too_much(), {file, 0, 0}, {}});
    outcome.configuration.reset();
  }
  return outcome;
}

ReadOutcome refuse_large_file(const std::string& file, const Limits& limits) {
  ReadOutcome outcome;
  outcome.findings.push_back({Severity::Error, "too_big", file_too_big(limits), {file, 0, 0}, {}});
  return outcome;
}

}  // namespace slipway::pipeline
