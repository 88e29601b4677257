// One page of a longer list, with the length of the whole.
#pragma once

#include <vector>

namespace slipway::server {

// Pages count from 1. The HTTP layer keeps both numbers in range.
struct PageRequest {
  int page = 1;
  int per_page = 20;
};

template <typename Row>
struct Page {
  std::vector<Row> rows;
  long long total = 0;
};

}  // namespace slipway::server
