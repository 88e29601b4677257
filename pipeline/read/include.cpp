#include <re2/re2.h>

#include <algorithm>

#include "pipeline/read/resolve.h"
#include "pipeline/rules/expression.h"
#include "pipeline/rules/glob.h"

namespace slipway::pipeline::read {
namespace {

constexpr int kMostIncludes = 150;
constexpr std::size_t kMostBytes = std::size_t{8} << 20U;

bool is_yaml(std::string_view path) {
  const auto ends = [&](std::string_view ending) {
    return path.size() > ending.size() && path.substr(path.size() - ending.size()) == ending;
  };
  return ends(".yml") || ends(".yaml");
}

std::string without_leading_slash(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return std::string{path};
}

// In an include, `**` crosses slashes wherever it stands: a third dialect beside the globs of
// `changes` and of artifacts.
std::string wildcard_expression(std::string_view path) {
  std::string expression;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '*' && i + 1 < path.size() && path[i + 1] == '*') {
      expression += ".*";
      ++i;
    } else if (path[i] == '*') {
      expression += "[^/]*";
    } else {
      expression += re2::RE2::QuoteMeta(re2::StringPiece{path.data() + i, 1});
    }
  }
  return expression;
}

class Includer {
 public:
  Includer(IncludeSource& source, const Variables& variables, Diagnostics& findings)
      : source_(source), variables_(variables), findings_(findings) {}

  NodePtr file(std::string_view text, const std::string& name) {
    NodePtr root = parse(text, name, findings_);
    if (!root) return nullptr;
    if (root->kind != Kind::Mapping) {
      if (root->kind == Kind::Null)
        refuse("empty", "Please provide content of " + name, root->at);
      else
        refuse("not_a_mapping", "Invalid configuration format", root->at,
               "the file must be a mapping of keywords and jobs");
      return nullptr;
    }
    const Entry* include = root->find_entry("include");
    if (include == nullptr) return root;
    NodePtr merged = make_mapping({}, root->at);
    const NodePtr& value = include->value;
    if (value->kind == Kind::Sequence)
      for (const NodePtr& item : value->items) merged = one(*item, merged);
    else if (value->kind != Kind::Null)
      merged = one(*value, merged);
    std::vector<Entry> own = root->entries;
    own.erase(own.begin() + (include - root->entries.data()));
    return failed_ ? nullptr : deep_merge(merged, make_mapping(std::move(own), root->at));
  }

 private:
  void refuse(std::string code, std::string message, const SourceSpan& at, std::string hint = {}) {
    failed_ = true;
    findings_.push_back(
        {Severity::Error, std::move(code), std::move(message), at, std::move(hint)});
  }

  NodePtr one(const Node& item, NodePtr merged) {
    if (item.is_scalar()) {
      if (item.text.rfind("http://", 0) == 0 || item.text.rfind("https://", 0) == 0)
        refuse_kind("remote", item.at);
      else
        merged = local(item.text, item.at, std::move(merged));
      return merged;
    }
    if (item.kind != Kind::Mapping) {
      refuse("include", "include should be a string, a hash or an array of them", item.at);
      return merged;
    }
    for (const char* kind : {"remote", "project", "template", "component", "artifact"})
      if (const Entry* entry = item.find_entry(kind)) {
        refuse_kind(kind, entry->at);
        return merged;
      }
    for (const Entry& entry : item.entries)
      if (entry.key != "local" && entry.key != "rules") {
        refuse("include", "include config contains unknown keys: " + entry.key, entry.at,
               "`include: local` takes `local` and `rules`");
        return merged;
      }
    const NodePtr* path = item.find("local");
    if (path == nullptr || !(*path)->is_scalar()) {
      refuse("include", "Included file needs to be a string", item.at,
             "write it as local: path.yml");
      return merged;
    }
    const NodePtr* rules = item.find("rules");
    if (rules != nullptr && !rules_hold(**rules)) return merged;
    return local((*path)->text, (*path)->at, std::move(merged));
  }

  void refuse_kind(const std::string& kind, const SourceSpan& at) {
    refuse("include_kind", "`include: " + kind + "` is not supported yet", at,
           "copy the file into the repository and include it with `local`");
  }

  NodePtr local(const std::string& written, const SourceSpan& at, NodePtr merged) {
    const std::string path = without_leading_slash(written);
    if (!is_yaml(path)) {
      refuse("include", "Included file `" + written + "` does not have YAML extension!", at);
      return merged;
    }
    if (path.find('*') == std::string::npos) return local_file(path, at, std::move(merged));
    const auto paths = source_.local_paths();
    if (!paths) {
      refuse("include", "Included file `" + written + "`: " + paths.error().message, at);
      return merged;
    }
    const re2::RE2 expression{wildcard_expression(path)};
    for (const std::string& candidate : *paths)
      if (re2::RE2::FullMatch(candidate, expression))
        merged = local_file(candidate, at, std::move(merged));
    return merged;
  }

  NodePtr local_file(const std::string& path, const SourceSpan& at, NodePtr merged) {
    if (++count_ > kMostIncludes) {
      if (count_ == kMostIncludes + 1)
        refuse("include_limit", "Maximum of 150 nested includes are allowed!", at,
               "a file that includes itself counts each time");
      return merged;
    }
    const auto text = source_.local_file(path);
    if (!text) {
      refuse("include", "Local file `" + path + "` does not exist!", at);
      return merged;
    }
    bytes_ += text->size();
    if (bytes_ > kMostBytes) {
      if (!failed_)
        refuse("too_big",
               "The parsed YAML is too big: the included files have more than " +
                   std::to_string(kMostBytes) + " bytes",
               at);
      return merged;
    }
    const NodePtr tree = file(*text, path);
    return tree ? deep_merge(merged, tree) : merged;
  }

  bool rules_hold(const Node& rules) {
    if (rules.kind != Kind::Sequence) {
      refuse("include_rules", "include rules should be an array containing hashes", rules.at);
      return false;
    }
    for (const NodePtr& rule : rules.items) {
      const auto matched = rule_holds(*rule);
      if (!matched) return false;
      if (!*matched) continue;
      const NodePtr* when = rule->find("when");
      return when == nullptr || (*when)->text != "never";
    }
    return false;
  }

  // nullopt after an error.
  std::optional<bool> rule_holds(const Node& rule) {
    for (const Entry& entry : rule.entries)
      if (entry.key != "if" && entry.key != "exists" && entry.key != "when") {
        refuse("include_rules", "include rules config contains unknown keys: " + entry.key,
               entry.at, "rules of an include take if, exists and when");
        return std::nullopt;
      }
    if (const NodePtr* condition = rule.find("if")) {
      const auto expression = rules::Expression::parse((*condition)->text);
      if (!expression) {
        refuse("include_rules", "include rules if " + expression.error().message, (*condition)->at,
               expression.error().hint);
        return std::nullopt;
      }
      if (!expression->holds(variables_)) return false;
    }
    const NodePtr* exists = rule.find("exists");
    return exists == nullptr || any_exists(**exists);
  }

  bool any_exists(const Node& patterns) {
    const auto paths = source_.local_paths();
    if (!paths) return true;
    const auto is_there = [&](const std::string& pattern) {
      return std::any_of(paths->begin(), paths->end(), [&](const std::string& path) {
        return rules::glob_matches(pattern, path);
      });
    };
    if (patterns.is_scalar()) return is_there(patterns.text);
    return std::any_of(patterns.items.begin(), patterns.items.end(),
                       [&](const NodePtr& item) { return is_there(item->text); });
  }

  IncludeSource& source_;
  const Variables& variables_;
  Diagnostics& findings_;
  int count_ = 0;
  std::size_t bytes_ = 0;
  bool failed_ = false;
};

}  // namespace

NodePtr parse_with_includes(std::string_view text, const std::string& file, IncludeSource& source,
                            const Variables& variables, Diagnostics& findings) {
  return Includer{source, variables, findings}.file(text, file);
}

}  // namespace slipway::pipeline::read
