#include "pipeline/read/include_fetch.h"

#include <re2/re2.h>

#include "base/crypto.h"
#include "pipeline/read/component.h"

namespace slipway::pipeline::read {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

std::string name_of(const IncludeProject& project) {
  return project.host.empty() ? project.path : project.host + "/" + project.path;
}

std::string address_of(const Origin& origin, const std::string& path) {
  if (origin.kind != Origin::Kind::Project) return path;
  return name_of(origin.project) + "@" + origin.ref + "/" + path;
}

// In an include, `**` crosses slashes wherever it stands: a third dialect beside the globs of
// `changes` and of artifacts.
std::string wildcard_expression(std::string_view path) {
  std::string expression = "(?s)";
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

bool is_too_large(const Result<std::string>& text) {
  return !text && text.error().kind == ErrorKind::TooLarge;
}

std::string hex_decoded(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

std::string integrity_of(const std::string& text) {
  return "sha256-" + base64_encode(hex_decoded(sha256_hex(text)));
}

}  // namespace

std::nullopt_t IncludeFetcher::refuse(const IncludeItem& item, const std::string& message,
                                      std::string hint) {
  findings_.push_back(
      {Severity::Error, "include", masked(message, variables_), item.at, std::move(hint)});
  return std::nullopt;
}

std::nullopt_t IncludeFetcher::refuse_large(const IncludeItem& item) {
  findings_.push_back({Severity::Error,
                       "too_big",
                       masked("`" + item.location + "`: ", variables_) + file_too_big(limits_),
                       item.at,
                       {}});
  return std::nullopt;
}

std::optional<FetchedFile> IncludeFetcher::fetch(const IncludeItem& item, const Origin& from) {
  auto file = [&] {
    switch (item.kind) {
      case IncludeKind::Local: return local(item, from);
      case IncludeKind::Project: return of_project(item, from);
      case IncludeKind::Remote: return remote(item);
      case IncludeKind::Template: return from_template(item);
      case IncludeKind::Component: break;
    }
    return component(item, from);
  }();
  if (file) file->address = masked(std::move(file->address), variables_);
  return file;
}

Result<std::string> IncludeFetcher::commit_of(const IncludeProject& project,
                                              const std::string& ref) {
  const std::string key = name_of(project) + "@" + ref;
  const auto known = commits_.find(key);
  if (known != commits_.end()) return known->second;
  return commits_.emplace(key, source_.project_commit(project, ref)).first->second;
}

Result<std::vector<std::string>> IncludeFetcher::paths_of(const Origin& origin) {
  if (origin.kind == Origin::Kind::Nowhere)
    return fail(ErrorKind::NotFound, "the file does not come from a project");
  const bool own = origin.kind == Origin::Kind::Own;
  const std::string key = own ? "" : name_of(origin.project) + "@" + origin.commit;
  const auto known = paths_.find(key);
  if (known != paths_.end()) return known->second;
  auto paths = own ? source_.local_paths() : source_.project_paths(origin.project, origin.commit);
  return paths_.emplace(key, std::move(paths)).first->second;
}

std::optional<std::vector<std::string>> IncludeFetcher::paths(const Origin& from) {
  auto paths = paths_of(from);
  if (!paths) return std::nullopt;
  return std::move(*paths);
}

std::optional<std::vector<std::string>> IncludeFetcher::matching(const IncludeItem& item,
                                                                 const Origin& from) {
  const auto paths = paths_of(from);
  if (!paths && from.kind == Origin::Kind::Nowhere)
    return refuse(item, "Local file `" + item.location + "` does not have project!");
  if (!paths)
    return refuse(item, "Included file `" + item.location + "`: " + paths.error().message,
                  paths.error().hint);
  const re2::RE2 expression{wildcard_expression(item.location), re2::RE2::Quiet};
  std::vector<std::string> found;
  for (const std::string& path : *paths)
    if (re2::RE2::FullMatch(path, expression)) found.push_back(path);
  return found;
}

std::optional<FetchedFile> IncludeFetcher::local(const IncludeItem& item, const Origin& from) {
  const std::string name = "Local file `" + item.location + "`";
  if (from.kind == Origin::Kind::Nowhere)
    return refuse(item, name + " does not have project!",
                  "a remote file and a template have no files beside them; include it with "
                  "`remote` or `project`");
  auto text = from.kind == Origin::Kind::Own
                  ? source_.local_file(item.location)
                  : source_.project_file(from.project, from.commit, item.location);
  if (is_too_large(text)) return refuse_large(item);
  if (!text && text.error().kind != ErrorKind::NotFound)
    return refuse(item, name + " cannot be read: " + text.error().message, text.error().hint);
  if (!text) return refuse(item, name + " does not exist!", text.error().hint);
  if (is_blank(*text)) return refuse(item, name + " is empty!");
  return FetchedFile{address_of(from, item.location), std::move(*text), from, {}};
}

std::optional<FetchedFile> IncludeFetcher::of_project(const IncludeItem& item, const Origin& from) {
  const std::string name = "Project `" + item.project + "`";
  const IncludeProject project{from.project.host, item.project};
  const auto commit = commit_of(project, item.ref);
  if (!commit) {
    const Error& error = commit.error();
    if (error.kind == ErrorKind::InvalidInput)
      return refuse(item, name + " reference `" + item.ref + "` does not exist!", error.hint);
    if (error.kind == ErrorKind::NotFound || error.kind == ErrorKind::Denied)
      return refuse(item,
                    name +
                        " not found or access denied! Make sure any includes in the pipeline "
                        "configuration are correctly defined.",
                    error.hint);
    return refuse(item, name + " cannot be read: " + error.message, error.hint);
  }
  const Origin origin{Origin::Kind::Project, project, *commit, item.ref};
  const std::string file = name + " file `" + item.location + "`";
  auto text = source_.project_file(project, *commit, item.location);
  if (is_too_large(text)) return refuse_large(item);
  if (!text && text.error().kind != ErrorKind::NotFound)
    return refuse(item, file + " cannot be read: " + text.error().message, text.error().hint);
  if (!text) return refuse(item, file + " does not exist!", text.error().hint);
  if (is_blank(*text)) return refuse(item, file + " is empty!");
  return FetchedFile{address_of(origin, item.location), std::move(*text), origin, {}};
}

std::optional<FetchedFile> IncludeFetcher::remote(const IncludeItem& item) {
  auto known = remote_.find(item.location);
  if (known == remote_.end())
    known = remote_.emplace(item.location, source_.remote_file(item.location)).first;
  const Result<std::string>& text = known->second;
  if (is_too_large(text)) return refuse_large(item);
  const std::string name = "Remote file `" + item.location + "`";
  if (!text) {
    const Error& error = text.error();
    if (error.kind == ErrorKind::Denied)
      return refuse(item,
                    "Remote file could not be fetched because URL '" + item.location +
                        "' is blocked: " + error.message + "!",
                    error.hint);
    if (error.kind == ErrorKind::InvalidInput)
      return refuse(item, name + " does not have a valid address!", error.hint);
    return refuse(item, name + " could not be fetched because of " + error.message + "!",
                  error.hint);
  }
  if (!item.integrity.empty()) {
    const std::string actual = integrity_of(*text);
    if (actual != item.integrity)
      return refuse(item, name + " does not match its integrity hash!",
                    "it is " + actual + " now; look at what changed before you write that");
  }
  if (is_blank(*text))
    return refuse(item, "Included file `" + item.location + "` is empty or does not exist!");
  return FetchedFile{item.location, *text, {Origin::Kind::Nowhere, {}, {}, {}}, {}};
}

std::optional<FetchedFile> IncludeFetcher::from_template(const IncludeItem& item) {
  auto text = source_.template_file(item.location);
  if (is_too_large(text)) return refuse_large(item);
  if (!text || is_blank(*text))
    return refuse(item, "Included file `" + item.location + "` is empty or does not exist!",
                  text ? "" : text.error().hint);
  return FetchedFile{
      "template:" + item.location, std::move(*text), {Origin::Kind::Nowhere, {}, {}, {}}, {}};
}

std::optional<FetchedFile> IncludeFetcher::component(const IncludeItem& item, const Origin& from) {
  const std::string prefix = "Component '" + item.location + "' - ";
  if (from.kind == Origin::Kind::Nowhere)
    return refuse(item, "Unable to use components outside of a project context");
  const auto address = parse_component(item.location);
  if (!address)
    return refuse(item, prefix + "the component path is not supported",
                  "write it as host/group/project/name@version");
  std::string version = address->version;
  if (is_version_range(version)) {
    const auto tags = source_.project_tags(address->project);
    if (!tags)
      return refuse(item,
                    prefix + "project does not exist or you don't have sufficient permissions",
                    tags.error().hint);
    const std::string highest = highest_version(version, *tags);
    if (highest.empty() && version == "~latest")
      return refuse(item, prefix + "content not found",
                    "the project has no tag that is a version such as 1.0.0");
    if (!highest.empty()) version = highest;
  }
  const auto commit = commit_of(address->project, version);
  if (!commit && commit.error().kind == ErrorKind::InvalidInput)
    return refuse(item, prefix + "content not found",
                  "the project has no tag, branch or commit '" + version + "'");
  if (!commit)
    return refuse(item, prefix + "project does not exist or you don't have sufficient permissions",
                  commit.error().hint);
  const Origin origin{Origin::Kind::Project, address->project, *commit, version};
  for (const std::string& path : component_paths(address->name)) {
    auto text = source_.project_file(address->project, *commit, path);
    if (is_too_large(text)) return refuse_large(item);
    if (!text || is_blank(*text)) continue;
    return FetchedFile{address_of(origin, path),
                       std::move(*text),
                       origin,
                       {{"name", address->name},
                        {"sha", *commit},
                        {"version", version},
                        {"reference", address->version}}};
  }
  return refuse(item, prefix + "content not found",
                "the project has neither templates/" + address->name + ".yml nor templates/" +
                    address->name + "/template.yml at '" + version + "'");
}

}  // namespace slipway::pipeline::read
