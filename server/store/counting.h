// How far the rows of a long list are counted: to count a million takes longer than to show twenty.
#pragma once

#include <algorithm>

#include "server/store/paging.h"

namespace slipway::server {

// As GitLab, which names no total beyond it. A Page's total that is larger says only that there are
// more rows than the page and this number.
inline constexpr long long kMostCounted = 10'000;

// Where counting for a page stops: behind its end, so that a next page is known of.
inline long long count_limit(PageRequest page) {
  return std::max(kMostCounted, static_cast<long long>(page.page) * page.per_page) + 1;
}

}  // namespace slipway::server
