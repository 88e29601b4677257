#include "pipeline/read/include_item.h"

#include <re2/re2.h>

#include <algorithm>

#include "pipeline/variables.h"

namespace slipway::pipeline::read {
namespace {

constexpr std::string_view kMask = "[MASKED]";

struct KindOfEntry {
  const char* key;
  IncludeKind kind;
  std::vector<std::string> keys;  // what may stand beside `rules` and `inputs`
};

const std::vector<KindOfEntry>& kinds() {
  static const std::vector<KindOfEntry> all{
      {"local", IncludeKind::Local, {"local"}},
      {"project", IncludeKind::Project, {"project", "file", "ref"}},
      {"remote", IncludeKind::Remote, {"remote", "integrity"}},
      {"template", IncludeKind::Template, {"template"}},
      {"component", IncludeKind::Component, {"component"}},
  };
  return all;
}

bool is_url(std::string_view text) {
  static const re2::RE2 form{R"([A-Za-z][A-Za-z0-9+.-]*://\S*)"};
  return re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, form);
}

bool is_yaml(std::string_view path) {
  static const re2::RE2 form{R"((?is)(?:.*/)?[^/]+\.(?:yml|yaml))"};
  return re2::RE2::FullMatch(re2::StringPiece{path.data(), path.size()}, form);
}

std::string without_leading_slashes(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return std::string{path};
}

class EntryReader {
 public:
  EntryReader(IncludePlace place, const Variables& variables, Diagnostics& findings)
      : place_(place), variables_(variables), findings_(findings) {}

  std::vector<IncludeItem> read(const Node& entry) {
    if (entry.is_scalar()) {
      IncludeItem item;
      item.kind = is_url(entry.text) ? IncludeKind::Remote : IncludeKind::Local;
      return located(std::move(item), entry);
    }
    if (entry.kind != Kind::Mapping) {
      refuse("include", "include should be a string, a hash or an array of them", entry.at);
      return {};
    }
    const KindOfEntry* kind = kind_of(entry);
    if (kind == nullptr || !keys_fit(entry, *kind)) return {};
    IncludeItem item;
    item.kind = kind->kind;
    if (const NodePtr* inputs = entry.find("inputs"); inputs && (*inputs)->kind != Kind::Null)
      item.inputs = *inputs;
    if (const NodePtr* integrity = entry.find("integrity")) item.integrity = (*integrity)->text;
    if (item.kind != IncludeKind::Project) return located(std::move(item), **entry.find(kind->key));
    return of_project(std::move(item), entry);
  }

 private:
  void refuse(std::string code, const std::string& message, const SourceSpan& at,
              std::string hint = {}) {
    findings_.push_back(
        {Severity::Error, std::move(code), masked(message, variables_), at, std::move(hint)});
  }

  [[nodiscard]] std::string expanded(const std::string& text) const {
    return expand_text(text, variables_, true);
  }

  // A key counts when something stands there once variables are expanded.
  [[nodiscard]] bool names_something(const Node& entry, const char* key) const {
    const NodePtr* value = entry.find(key);
    if (value == nullptr) return false;
    return (*value)->is_scalar() ? !expanded((*value)->text).empty() : !(*value)->items.empty();
  }

  [[nodiscard]] bool asks_for(const Node& entry, const KindOfEntry& kind) const {
    return names_something(entry, kind.key) &&
           (kind.kind != IncludeKind::Project || names_something(entry, "file"));
  }

  [[nodiscard]] bool is_known_here(const KindOfEntry& kind) const {
    return place_ == IncludePlace::Body ||
           (kind.kind != IncludeKind::Template && kind.kind != IncludeKind::Component);
  }

  [[nodiscard]] std::string subkeys() const {
    std::string text;
    for (const KindOfEntry& kind : kinds())
      if (is_known_here(kind)) {
        if (kind.kind == IncludeKind::Component) text += ", `artifact`";
        text += std::string{text.empty() ? "`" : ", `"} + kind.key + "`";
      }
    return text;
  }

  const KindOfEntry* kind_of(const Node& entry) {
    const KindOfEntry* found = nullptr;
    for (const KindOfEntry& kind : kinds()) {
      if (!is_known_here(kind) || !asks_for(entry, kind)) continue;
      if (found != nullptr) {
        refuse("include", "Each include must use only one of: " + subkeys(), entry.at);
        return nullptr;
      }
      found = &kind;
    }
    if (found != nullptr) return found;
    if (place_ == IncludePlace::Body && names_something(entry, "artifact"))
      refuse("include",
             "Including configs from artifacts is only allowed when triggering child pipelines",
             entry.at, "move it below `trigger: include` of a job");
    else
      refuse("include",
             "`" + as_json(entry) +
                 "` does not have a valid subkey for include. Valid subkeys are: " + subkeys(),
             entry.at,
             entry.find("project") && !entry.find("file") ? "`project` needs `file`" : "");
    return nullptr;
  }

  [[nodiscard]] std::vector<std::string> keys_beside(const KindOfEntry& kind) const {
    std::vector<std::string> keys = kind.keys;
    if (place_ == IncludePlace::Body) keys.insert(keys.end(), {"rules", "inputs"});
    return keys;
  }

  static bool belongs_to_another(const std::string& key) {
    return key == "job" || key == "artifact" ||
           std::any_of(kinds().begin(), kinds().end(), [&](const KindOfEntry& kind) {
             return std::find(kind.keys.begin(), kind.keys.end(), key) != kind.keys.end();
           });
  }

  // A key of another kind of include is without effect, as on GitLab; one of no kind is a mistake.
  bool keys_fit(const Node& entry, const KindOfEntry& kind) {
    const std::vector<std::string> allowed = keys_beside(kind);
    for (const Entry& inner : entry.entries) {
      if (std::find(allowed.begin(), allowed.end(), inner.key) != allowed.end()) continue;
      if (place_ == IncludePlace::Body && belongs_to_another(inner.key)) {
        findings_.push_back({Severity::Warning, "include",
                             "`" + inner.key + "` has no effect beside `" + kind.key + "`",
                             inner.at, "take it out"});
        continue;
      }
      const std::string near = nearest(inner.key, allowed);
      refuse("include", "include config contains unknown keys: " + inner.key, inner.at,
             near.empty() ? "" : "did you mean '" + near + "'?");
      return false;
    }
    const NodePtr* inputs = entry.find("inputs");
    if (inputs && (*inputs)->kind != Kind::Mapping && (*inputs)->kind != Kind::Null) {
      refuse("include", "Given inputs must be a hash", (*inputs)->at);
      return false;
    }
    for (const char* key : {"project", "ref", "integrity"})
      if (const NodePtr* value = entry.find(key);
          value && !(*value)->is_scalar() && (*value)->kind != Kind::Null) {
        refuse("include", std::string{"include:"} + key + " config should be a string",
               (*value)->at);
        return false;
      }
    return true;
  }

  std::vector<IncludeItem> of_project(IncludeItem item, const Node& entry) {
    item.project = expanded((*entry.find("project"))->text);
    const NodePtr* ref = entry.find("ref");
    item.ref = ref && (*ref)->is_scalar() ? expanded((*ref)->text) : "HEAD";
    if (item.ref.empty()) item.ref = "HEAD";
    const Node& file = **entry.find("file");
    if (file.kind != Kind::Sequence) return located(std::move(item), file);
    std::vector<IncludeItem> all;
    for (const NodePtr& path : file.items)
      for (IncludeItem& one : located(item, *path)) all.push_back(std::move(one));
    return all;
  }

  // The item with its location, when that is one.
  std::vector<IncludeItem> located(IncludeItem item, const Node& location) {
    item.at = location.at;
    if (location.kind != Kind::String) {
      refuse("include", "Included file `" + shown(location) + "` needs to be a string",
             location.at);
      return {};
    }
    item.location = expanded(location.text);
    if (item.kind == IncludeKind::Local || item.kind == IncludeKind::Project)
      item.location = without_leading_slashes(item.location);
    if (item.kind == IncludeKind::Component) return {std::move(item)};
    if (!is_yaml(item.location)) {
      refuse("include", "Included file `" + item.location + "` does not have YAML extension!",
             location.at);
      return {};
    }
    static constexpr std::string_view kTemplate = ".gitlab-ci.yml";
    if (item.kind == IncludeKind::Template &&
        !std::string_view{item.location}.ends_with(kTemplate)) {
      refuse("include", "Template file `" + item.location + "` is not a valid location!",
             location.at, "the name of a template ends in " + std::string{kTemplate});
      return {};
    }
    return {std::move(item)};
  }

  static std::string shown(const Node& node) {
    return node.is_scalar() ? node.text : as_json(node);
  }

  IncludePlace place_;
  const Variables& variables_;
  Diagnostics& findings_;
};

}  // namespace

std::vector<IncludeItem> read_include_entry(const Node& entry, IncludePlace place,
                                            const Variables& variables, Diagnostics& findings) {
  const std::size_t before = findings.size();
  auto items = EntryReader{place, variables, findings}.read(entry);
  if (std::any_of(findings.begin() + static_cast<std::ptrdiff_t>(before), findings.end(),
                  [](const Diagnostic& one) { return one.severity == Severity::Error; }))
    items.clear();
  return items;
}

std::string masked(std::string text, const Variables& variables) {
  for (const Variable& variable : variables) {
    if (!variable.masked || variable.value.empty()) continue;
    std::string mask{kMask};
    if (variable.value.size() > mask.size()) mask.resize(variable.value.size(), 'x');
    for (auto at = text.find(variable.value); at != std::string::npos;
         at = text.find(variable.value, at + mask.size()))
      text.replace(at, variable.value.size(), mask);
  }
  return text;
}

}  // namespace slipway::pipeline::read
