// The browser application and its stream of events.
#pragma once

#include "server/http/event_feed.h"
#include "server/http/ports.h"
#include "server/http/route.h"

namespace slipway::server::http {

class PageRoutes {
 public:
  PageRoutes(const StaticFiles& files, EventFeed& feed, const Viewer::Parts& viewing)
      : files_(files), feed_(feed), viewing_(viewing) {}

  // A file of the application; or, for a browser that asks for a page, the application itself,
  // which reads the address.
  Result<Response> page(const Call& call);
  Result<Response> events(const Call& call);

 private:
  const StaticFiles& files_;
  EventFeed& feed_;
  Viewer::Parts viewing_;
};

}  // namespace slipway::server::http
