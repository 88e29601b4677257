// The database: one writer session for the coordinator, a few read-only sessions for everybody
// else. SQLite in WAL with synchronous=FULL, or PostgreSQL: a commit that returned survives a power
// cut.
//
// Only the writer checkpoints (SQLite 3.40.1 can corrupt a WAL when two connections do). Broken SQL
// and broken disks are thrown as StoreFailure: nobody below can mend them, so they are caught at
// the top of a request or of the coordinator's round. A connection to PostgreSQL that was lost is
// made again by itself: a reader reads again, the writer begins its next transaction.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "server/store/artifact_store.h"
#include "server/store/bridge_store.h"
#include "server/store/coverage_store.h"
#include "server/store/delivery_store.h"
#include "server/store/deployment_rule_store.h"
#include "server/store/deployment_store.h"
#include "server/store/effect_store.h"
#include "server/store/environment_store.h"
#include "server/store/failure.h"
#include "server/store/findings_store.h"
#include "server/store/fork_store.h"
#include "server/store/job_store.h"
#include "server/store/job_token_store.h"
#include "server/store/member_store.h"
#include "server/store/pipeline_store.h"
#include "server/store/place.h"
#include "server/store/project_store.h"
#include "server/store/protection_store.h"
#include "server/store/runner_store.h"
#include "server/store/schedule_store.h"
#include "server/store/test_store.h"
#include "server/store/trigger_store.h"
#include "server/store/user_store.h"
#include "server/store/variable_store.h"
#include "server/store/watch_store.h"

namespace slipway::server {

// Every repository over one session.
struct Stores {
  explicit Stores(Session& session)
      : projects(session),
        pipelines(session),
        jobs(session),
        runners(session),
        users(session),
        members(session),
        sessions(session),
        identities(session),
        tokens(session),
        deliveries(session),
        fork_requests(session),
        artifacts(session),
        outbox(session),
        audit(session),
        settings(session),
        variables(session),
        protections(session),
        bridges(session),
        schedules(session),
        trigger_tokens(session),
        resource_groups(session),
        job_tokens(session),
        watches(session),
        tests(session),
        coverage(session),
        findings(session),
        environments(session),
        deployments(session),
        deployment_rules(session) {}

  ProjectStore projects;
  PipelineStore pipelines;
  JobStore jobs;
  RunnerStore runners;
  UserStore users;
  MemberStore members;
  SessionStore sessions;
  IdentityStore identities;
  TokenStore tokens;
  DeliveryStore deliveries;
  ForkRequestStore fork_requests;
  ArtifactStore artifacts;
  OutboxStore outbox;
  AuditStore audit;
  SettingStore settings;
  VariableStore variables;
  ProtectionStore protections;
  BridgeStore bridges;
  ScheduleStore schedules;
  TriggerTokenStore trigger_tokens;
  ResourceGroupStore resource_groups;
  JobTokenStore job_tokens;
  WatchStore watches;
  TestStore tests;
  CoverageStore coverage;
  FindingsStore findings;
  EnvironmentStore environments;
  DeploymentStore deployments;
  DeploymentRuleStore deployment_rules;
};

class Database;

// A read-only session, borrowed for as long as this lives; use it on one thread and give it back
// soon: `auto read = database.read(); read->jobs.find(id)`. Each statement sees the newest commit.
class Reader {
 public:
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) = delete;
  ~Reader();
  Stores* operator->() { return &stores_; }
  Stores& operator*() { return stores_; }

 private:
  friend class Database;
  Reader(Database& database, std::unique_ptr<Session> session);

  Database* database_;
  std::unique_ptr<Session> session_;
  Stores stores_;
};

struct DatabaseOptions {
  int readers = 4;
};

class Database {
 public:
  // Creates or migrates what is at `place`. Unavailable when another server has it open; Conflict
  // when it was written by a newer version of Slipway.
  static Result<std::unique_ptr<Database>> open(const DatabasePlace& place,
                                                DatabaseOptions options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Thread-safe; waits while all readers are borrowed.
  [[nodiscard]] Reader read();

  // For the coordinator's thread only. A transaction that was begun is ended by exactly one of
  // commit() and rollback(); after a commit() that threw, call rollback().
  [[nodiscard]] Stores& writer();
  void begin();
  void commit();
  void rollback() noexcept;
  // Part of a transaction that can be undone alone.
  void savepoint();
  void release_savepoint();
  void rollback_to_savepoint();
  // Moves what the WAL holds into the database file, when there is much of it.
  void checkpoint_when_large();

  // For what goes over all tables; only in server/store.
  [[nodiscard]] Session& writer_session();

  // For tests: the next commit() throws as a full disk would.
  void fail_next_commit();
  // For tests, which end the program there: called before and after each commit.
  void watch_commits(std::function<void()> watch);

 private:
  friend class Reader;
  struct State;
  explicit Database(std::unique_ptr<State> state);
  void give_back(std::unique_ptr<Session> session) noexcept;

  std::unique_ptr<State> state_;
};

}  // namespace slipway::server
