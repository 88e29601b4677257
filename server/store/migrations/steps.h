// The steps of the schema, by the number that a database has after them; migrations.h says what
// they are. The files beside this one hold them by subject.
#pragma once

#include "server/store/migrations.h"

namespace slipway::server::steps {

// 1: projects, pipelines, jobs, runners, people, deliveries, artifacts, outbox, audit, settings.
Migration first();
// 2: how often a delivery was begun: one that ends the process each time must not be met for ever.
Migration delivery_attempts();
// 3: jobs that exclude each other, tries that were asked for, and what a newer commit cancels.
Migration exclusion();
// 4: variables that a job hands to later ones.
Migration dotenv();
// 5: where a project's git host is told of its pipelines.
Migration forge();
// 6: variables of instance, groups and projects, who was handed them, and which refs are protected.
// The table of the first step could not be filled from outside.
Migration variables();
// 7: which of a runner's processes has a job: its calls are that process's signs of life.
Migration job_manager();
// 8: trigger jobs and what they trigger, schedules, trigger tokens, modes of resource groups.
Migration downstream();
// 9: what the tests of jobs said.
Migration tests();
// 10: which merge request a pipeline is of.
Migration merge_requests();
// 11: what became of artifacts that are not there any more, and the files that are to follow their
// rows.
Migration retention();
// 12: several people: members of projects and groups, invitations, bots that own project tokens.
Migration people();
// 13: logins through other sites, and the chain that shows what was done to the audit log.
Migration identities();
// 14: where jobs deploy to, what they deployed, who approved it, and when nothing is deployed.
Migration deployments();
// 15: merge requests from forks, commit by commit; job tokens of other projects; refs that no
// webhook told of.
Migration forks();
// 16: what jobs brought in and stored, as their runners told.
Migration transfers();
// 17: two kinds of database: texts that leave case aside have an index that both know, and the
// length of the audit log is kept by itself, where SQLite's own count of numbers was asked before.
Migration two_databases();
// 18: which lines the tests of jobs ran: a row for each report, and one for each of its files.
Migration coverage();
// 19: who started each job, and where the window of a freeze begins.
Migration starters();
// 20: what scanners found: a row for each report, and one for each finding; and the gate that new
// ones close.
Migration findings();

}  // namespace slipway::server::steps
