// Protected branches and tags of a project. Who may push is the git host's business; here they say
// whose jobs get protected variables and protected runners.
#pragma once

#include "server/coordinator/coordinator.h"
#include "server/http/route.h"
#include "server/store/database.h"

namespace slipway::server::http {

class ProtectionRoutes {
 public:
  ProtectionRoutes(Database& database, Coordinator& coordinator)
      : database_(database), coordinator_(coordinator) {}

  Result<Response> list_branches(const Call& call) { return list(call, RefKind::Branch); }
  Result<Response> list_tags(const Call& call) { return list(call, RefKind::Tag); }
  Result<Response> show_branch(const Call& call) { return show(call, RefKind::Branch); }
  Result<Response> show_tag(const Call& call) { return show(call, RefKind::Tag); }
  // Conflict when the name is protected already.
  Result<Response> protect_branch(const Call& call) { return protect(call, RefKind::Branch); }
  Result<Response> protect_tag(const Call& call) { return protect(call, RefKind::Tag); }
  Result<Response> unprotect_branch(const Call& call) { return unprotect(call, RefKind::Branch); }
  Result<Response> unprotect_tag(const Call& call) { return unprotect(call, RefKind::Tag); }

 private:
  Result<Response> list(const Call& call, RefKind kind);
  Result<Response> show(const Call& call, RefKind kind);
  Result<Response> protect(const Call& call, RefKind kind);
  Result<Response> unprotect(const Call& call, RefKind kind);

  Database& database_;
  Coordinator& coordinator_;
};

}  // namespace slipway::server::http
