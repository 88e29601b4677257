#include "pipeline/keywords/families.h"

namespace slipway::pipeline::keywords {

std::optional<Pages> read_pages(const Node& node, const Place& place) {
  Pages pages;
  if (node.kind == Kind::Bool) return pages;
  if (node.kind != Kind::Mapping) {
    place.error(node.at, "config should be a hash or a boolean value");
    return std::nullopt;
  }
  check_family(node, "pages", place);
  if (value_of(node, "publish") != nullptr) pages.publish = text_under(node, "publish", place);
  pages.path_prefix = text_under(node, "path_prefix", place);
  if (const Node* expire = value_of(node, "expire_in"))
    pages.expire_in = expiry_in(*expire, place.attribute("expire_in")).value_or("");
  return pages;
}

void read_job_pages(const Node& node, const std::string& name, const Place& place, Job& job) {
  const Node* keyword = value_of(node, "pages");
  const Entry* publish = node.find_entry("publish");
  const bool by_name = name == "pages";
  const bool off = keyword != nullptr && keyword->kind == Kind::Bool && keyword->text == "false";
  if (keyword != nullptr && !off) {
    if (auto pages = read_pages(*keyword, place.below("pages"))) job.pages = std::move(*pages);
  } else if (by_name && !off) {
    job.pages.emplace();
  }
  if (publish != nullptr && publish->value->kind != Kind::Null) {
    if (!by_name && !job.pages)
      place.entry("publish").error(publish->at, "can only be used within a `pages` job");
    else if (const auto path = string_in(*publish->value, place.entry("publish"));
             path && job.pages)
      job.pages.own().publish = *path;
  }
  if (job.pages)
    place.unsupported(keyword != nullptr ? keyword->at : job.at,
                      "publishes a site on GitLab, and only runs its script here",
                      "its files can be downloaded as artifacts");
}

}  // namespace slipway::pipeline::keywords
