// Finds the row of the route table for a path. Pure; the table must outlive it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/route.h"

namespace slipway::server::http {

struct RouteMatch {
  const Route* route = nullptr;  // null: see `allowed`
  std::map<std::string, std::string, std::less<>> params;
  // Methods that this path has, when it has not the one that was asked for: "GET, HEAD".
  std::string allowed;
  bool malformed =
      false;  // a slash came encoded where only names of projects, groups and refs may hold one
};

class Router {
 public:
  explicit Router(std::span<const Route> routes);

  // HEAD finds the row of GET. The first row that fits wins.
  [[nodiscard]] RouteMatch find(std::string_view method,
                                const std::vector<std::string>& segments) const;

 private:
  struct Row {
    const Route* route;
    std::vector<std::string> pattern;
  };
  std::vector<Row> rows_;
};

}  // namespace slipway::server::http
