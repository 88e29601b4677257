#include <algorithm>
#include <cctype>

#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {
namespace {

const std::vector<std::string> kLinkTypes{"other", "runbook", "image", "package"};

// "2026-03-15", alone or with a time: what ISO 8601 begins with.
bool looks_like_date(const std::string& text) {
  static constexpr std::string_view kShape = "dddd-dd-dd";
  if (text.size() < kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return false;
  }
  const int month = std::stoi(text.substr(5, 2));
  const int day = std::stoi(text.substr(8, 2));
  const bool date = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  return date && (text.size() == kShape.size() || text[10] == 'T' || text[10] == ' ');
}

// As git has it, or with variables, which are not known yet.
bool looks_like_ref(const std::string& ref) {
  return ref.find('$') != std::string::npos ||
         (ref.front() != '-' && ref.front() != '/' && ref.back() != '/' &&
          ref.find("..") == std::string::npos &&
          ref.find_first_of(" ~^:?*[\\") == std::string::npos);
}

std::optional<ReleaseLink> read_link(const Node& node, const Place& place) {
  if (!check_family(node, "release_link", place)) return std::nullopt;
  ReleaseLink link;
  link.name = required_text_under(node, "name", place);
  link.url = required_text_under(node, "url", place);
  const bool address = link.url.empty() || link.url.find('$') != std::string::npos ||
                       link.url.rfind("http://", 0) == 0 || link.url.rfind("https://", 0) == 0 ||
                       link.url.rfind("ftp://", 0) == 0;
  if (!address)
    place.attribute("url").error(value_of(node, "url")->at,
                                 "is blocked: Only allowed schemes are http, https, ftp");
  link.filepath = text_under(node, "filepath", place);
  if (const Node* type = value_of(node, "link_type"))
    link.link_type = word_in(*type, kLinkTypes, place.attribute("link_type")).value_or("");
  return link;
}

std::vector<ReleaseLink> read_links(const Node& assets, const Place& place) {
  std::vector<ReleaseLink> links;
  if (!check_family(assets, "release_assets", place)) return links;
  const Node* list = value_of(assets, "links");
  if (list == nullptr || list->kind != Kind::Sequence) {
    place.entry("links").error(list == nullptr ? assets.at : list->at,
                               "should be an array of hashes");
    return links;
  }
  for (const NodePtr& item : list->items)
    if (auto link = read_link(*item, place.below("links:link"))) links.push_back(std::move(*link));
  return links;
}

}  // namespace

std::optional<Release> read_release(const Node& node, const Place& place) {
  if (!check_family(node, "release", place)) return std::nullopt;
  Release release;
  release.tag_name = required_text_under(node, "tag_name", place);
  release.description = required_text_under(node, "description", place);
  release.tag_message = text_under(node, "tag_message", place);
  release.name = text_under(node, "name", place);
  release.ref = text_under(node, "ref", place);
  if (!release.ref.empty() && !looks_like_ref(release.ref))
    place.attribute("ref").error(value_of(node, "ref")->at, "must be a valid ref");
  release.released_at = text_under(node, "released_at", place);
  if (!release.released_at.empty() && !looks_like_date(release.released_at) &&
      release.released_at.find('$') == std::string::npos)
    place.attribute("released_at")
        .error(value_of(node, "released_at")->at, "must be a valid datetime",
               "for example '2026-03-15T08:00:00Z'");
  if (const Node* milestones = value_of(node, "milestones"))
    release.milestones = strings_in(*milestones, place.attribute("milestones"), Single::accepted)
                             .value_or(std::vector<std::string>{});
  if (const Node* assets = value_of(node, "assets"))
    release.links = read_links(*assets, place.below("assets"));
  return release;
}

}  // namespace slipway::pipeline::keywords
