#include "server/intake/fork_trust.h"

#include <algorithm>
#include <cctype>

namespace slipway::server {
namespace {

std::string lower(std::string_view text) {
  std::string made{text};
  std::transform(made.begin(), made.end(), made.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

bool is_listed(const std::vector<std::string>& authors, const ForgePerson& person) {
  return std::any_of(authors.begin(), authors.end(), [&](const std::string& entry) {
    if (entry.starts_with("id:")) return !person.id.empty() && entry.substr(3) == person.id;
    return !person.login.empty() && lower(entry) == lower(person.login);
  });
}

bool is_repository_name(std::string_view text) {
  const auto slash = text.find('/');
  const auto is_plain = [](std::string_view part) {
    return !part.empty() && part.front() != '.' && part.front() != '-' &&
           std::all_of(part.begin(), part.end(), [](unsigned char c) {
             return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
           });
  };
  return slash != std::string_view::npos && is_plain(text.substr(0, slash)) &&
         is_plain(text.substr(slash + 1));
}

}  // namespace

bool are_trusted(const std::vector<std::string>& authors, const MergeRequestEvent& event) {
  return is_listed(authors, event.opener) && is_listed(authors, event.actor);
}

Result<std::string> fork_url(std::string_view repository_url, std::string_view target,
                             std::string_view fork) {
  if (!is_repository_name(fork))
    return fail(ErrorKind::InvalidInput, "'" + std::string{fork} + "' is no name of a repository");
  std::string_view suffix;
  if (repository_url.ends_with(".git")) suffix = ".git";
  const std::string_view base = repository_url.substr(0, repository_url.size() - suffix.size());
  const bool follows =
      !target.empty() && base.size() > target.size() && lower(base).ends_with(lower(target)) &&
      std::string_view{"/:"}.find(base[base.size() - target.size() - 1]) != std::string_view::npos;
  if (!follows)
    return fail(ErrorKind::InvalidInput, "the address of the fork '" + std::string{fork} +
                                             "' does not follow from the project's")
        .with_hint("the project's repository address should end in " + std::string{target});
  std::string url{base.substr(0, base.size() - target.size())};
  url += fork;
  url += suffix;
  return url;
}

}  // namespace slipway::server
