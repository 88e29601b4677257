// What a job leaves behind and what it is given: artifacts, caches, releases, sites, secrets.

#include "pipeline/report_kind.h"
#include "tests/pipeline/keyword_checks.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;

TEST_CASE("artifacts may be exposed and closed to others", "[keywords][artifacts]") {
  const Artifacts artifacts =
      *job_with("artifacts: {paths: [a], expose_as: My files, access: maintainer}").artifacts;
  CHECK(artifacts.expose_as == "My files");
  CHECK(artifacts.access == "maintainer");
  CHECK(job_with("artifacts: {public: false}").artifacts->access == "developer");
  CHECK(job_with("artifacts: {public: true}").artifacts->access == "all");
  CHECK(job_with("artifacts: {expire_in: never}").artifacts->expire_in == "never");
}

TEST_CASE("wrong artifacts are told in GitLab's words", "[keywords][artifacts]") {
  const auto row = GENERATE(values<Refused>({
      {"{access: friends}",
       "jobs:job:artifacts access should be one of: none, developer, all, maintainer"},
      {"{access: all, public: true}",
       "jobs:job:artifacts config these keys cannot be used together: access, public"},
      {"{public: maybe}", "jobs:job:artifacts public should be a boolean value"},
      {"{name: [a]}", "jobs:job:artifacts name should be a string"},
      {"{exclude: a}", "jobs:job:artifacts exclude should be an array of strings"},
      {"{expire_in: soon}", "jobs:job:artifacts expire in should be a duration"},
      {"{expose_as: a}", "jobs:job:artifacts paths can't be blank"},
      {"{expose_as: a, paths: ['b/*']}",
       "jobs:job:artifacts paths can't contain '*' when used with 'expose_as'"},
      {"{expose_as: a/b, paths: [c]}",
       "jobs:job:artifacts expose as can contain only letters, digits, '-', '_' and spaces"},
      {"{reports: {junit: {a: b}}}",
       "jobs:job:artifacts:reports junit should be an array of strings or a string"},
      {"{reports: [junit]}", "jobs:job:artifacts:reports config should be a hash"},
      {"{reports: {coverage_report: {coverage_format: clover, path: a}}}",
       "jobs:job:artifacts:reports:coverage_report coverage format must be one of supported "
       "formats: cobertura, jacoco, lcov."},
      {"{reports: {coverage_report: {coverage_format: jacoco}}}",
       "jobs:job:artifacts:reports:coverage_report path can't be blank"},
  }));
  CAPTURE(row.keywords);
  CHECK(errors_of(file_with("artifacts: " + std::string{row.keywords})) == Lines{row.message});
}

TEST_CASE("a long name of exposed artifacts is refused", "[keywords][artifacts]") {
  const std::string longest(100, 'a');
  CHECK(errors_of(file_with("artifacts: {paths: [a], expose_as: " + longest + "}")).empty());
  CHECK(errors_of(file_with("artifacts: {paths: [a], expose_as: " + longest + "a}")) ==
        Lines{"jobs:job:artifacts expose as is too long (maximum is 100 characters)"});
}

TEST_CASE("reports of all kinds are read", "[keywords][artifacts]") {
  const Job job = job_with(
      "artifacts: {reports: {codequality: [a, b], cyclonedx: c, annotations: d, lsif: e, sarif: "
      "f,\n"
      "    requirements_v2: g, coverage_report: {coverage_format: jacoco, path: h}, junit: null}}");
  Lines types;
  for (const Report& report : job.artifacts->reports) types.push_back(report.type);
  CHECK(types == Lines{"codequality", "cyclonedx", "annotations", "lsif", "sarif",
                       "requirements_v2", "jacoco"});
}

TEST_CASE("reports are uploaded under GitLab's names", "[keywords][artifacts]") {
  CHECK(report_kind("codequality").file_name == "gl-code-quality-report.json");
  CHECK(report_kind("cyclonedx").file_name == "gl-sbom.cdx.json");
  CHECK(report_kind("annotations").file_name == "gl-annotations.json");
  CHECK(report_kind("lsif").format == "zip");
  CHECK(report_kind("junit").format == "gzip");
  CHECK(report_kind("sast").format == "raw");
  CHECK(report_kind("of_tomorrow").file_name == "of_tomorrow");
}

TEST_CASE("a cache key may come from files or their commits", "[keywords][cache]") {
  const Cache files = job_with("cache: {key: {files: [/a, b], prefix: p}}").caches.at(0);
  CHECK(files.key_files == Lines{"a", "b"});
  CHECK(files.key_prefix == "p");
  CHECK_FALSE(files.key_by_commits);
  CHECK(job_with("cache: {key: {files_commits: [a]}}").caches.at(0).key_by_commits);
}

TEST_CASE("caches have fallback keys, a policy by variable and may be shared",
          "[keywords][cache]") {
  const Cache cache =
      job_with("cache: {fallback_keys: [a, b, c, d, e], policy: $P, unprotect: true}").caches.at(0);
  CHECK(cache.fallback_keys.size() == 5);
  CHECK(cache.policy == "$P");
  CHECK(cache.unprotect);
  CHECK(job_with("cache: [{key: a}, {key: b}, {key: c}, {key: d}]").caches.size() == 4);
  CHECK(job_with("cache: []").caches.empty());
  CHECK(job_with("cache: {}").caches.empty());
}

TEST_CASE("wrong caches are told in GitLab's words", "[keywords][cache]") {
  const auto row = GENERATE(values<Refused>({
      {"{key: a/b}", "jobs:job:cache:key config cannot contain the \"/\" character"},
      {"{key: a%2Fb}", "jobs:job:cache:key config cannot contain the \"/\" character"},
      {"{key: ..}", "jobs:job:cache:key config cannot be \".\" or \"..\""},
      {"{key: '%2e'}", "jobs:job:cache:key config cannot be \".\" or \"..\""},
      {"{key: {files: a}}", "jobs:job:cache:key:files config should be an array of strings"},
      {"{key: {files: []}}", "jobs:job:cache:key:files config requires at least 1 item"},
      {"{key: {files: [a, b, c]}}",
       "jobs:job:cache:key:files config has too many items (maximum is 2)"},
      {"{key: {files: [a], files_commits: [b]}}",
       "jobs:job:cache:key config these keys cannot be used together: files, files_commits"},
      {"{key: {files: [a], file: [a]}}", "jobs:job:cache:key config contains unknown keys: file"},
      {"{untracked: some}", "jobs:job:cache:untracked config should be a boolean value"},
      {"{unprotect: some}", "jobs:job:cache:unprotect config should be a boolean value"},
      {"{when: later}", "jobs:job:cache when should be one of: on_success, on_failure, always"},
      {"{fallback_keys: [a, b, c, d, e, f]}",
       "jobs:job:cache fallback keys has to many entries (maximum 5)"},
      {"{fallback_keys: a}", "jobs:job:cache:fallback_keys config should be an array of strings"},
      {"[{key: a}, {key: b}, {key: c}, {key: d}, {key: e}]",
       "jobs:job:cache config no more than 4 caches can be created"},
      {"[a]", "jobs:job:cache config should be a hash or an array of hashes"},
  }));
  CAPTURE(row.keywords);
  const Lines errors = errors_of(file_with("cache: " + std::string{row.keywords}));
  REQUIRE_FALSE(errors.empty());
  CHECK(errors.front() == row.message);
}

TEST_CASE("a release is read with its assets", "[keywords][release]") {
  const Release release =
      *job_with(
           "release:\n"
           "    tag_name: v$X\n    tag_message: m\n    name: n\n    description: ./notes.md\n"
           "    ref: $CI_COMMIT_SHA\n    milestones: [m1, m2]\n"
           "    released_at: '2026-03-15T08:00:00Z'\n"
           "    assets:\n      links:\n"
           "        - {name: l, url: 'https://x/$Y', filepath: /f, link_type: package}")
           .release;
  CHECK(release.tag_name == "v$X");
  CHECK(release.description == "./notes.md");
  CHECK(release.milestones == Lines{"m1", "m2"});
  CHECK(release.released_at == "2026-03-15T08:00:00Z");
  REQUIRE(release.links.size() == 1);
  CHECK(release.links[0].link_type == "package");
  CHECK(job_with("release: {tag_name: a, description: b, milestones: c}").release->milestones ==
        Lines{"c"});
}

TEST_CASE("wrong releases are told in GitLab's words", "[keywords][release]") {
  const auto row = GENERATE(values<Refused>({
      {"v1", "jobs:job:release config should be a hash"},
      {"{description: a}", "jobs:job:release tag name can't be blank"},
      {"{tag_name: a}", "jobs:job:release description can't be blank"},
      {"{tag_name: '', description: b}", "jobs:job:release tag name can't be blank"},
      {"{tag_name: [a], description: b}", "jobs:job:release tag name should be a string"},
      {"{tag_name: a, description: b, notes: c}",
       "jobs:job:release config contains unknown keys: notes"},
      {"{tag_name: a, description: b, released_at: tomorrow}",
       "jobs:job:release released at must be a valid datetime"},
      {"{tag_name: a, description: b, released_at: '2026-13-01'}",
       "jobs:job:release released at must be a valid datetime"},
      {"{tag_name: a, description: b, ref: 'a..b'}", "jobs:job:release ref must be a valid ref"},
      {"{tag_name: a, description: b, milestones: {c: d}}",
       "jobs:job:release milestones should be an array of strings or a string"},
      {"{tag_name: a, description: b, assets: {}}",
       "jobs:job:release:assets:links config should be an array of hashes"},
      {"{tag_name: a, description: b, assets: {links: [{name: c}]}}",
       "jobs:job:release:assets:links:link url can't be blank"},
      {"{tag_name: a, description: b, assets: {links: [{name: c, url: 'javascript:d'}]}}",
       "jobs:job:release:assets:links:link url is blocked: Only allowed schemes are http, https, "
       "ftp"},
      {"{tag_name: a, description: b, assets: {links: [{name: c, url: 'https://d', link_type: "
       "e}]}}",
       "jobs:job:release:assets:links:link link type should be one of: other, runbook, image, "
       "package"},
  }));
  CAPTURE(row.keywords);
  CHECK(errors_of(file_with("release: " + std::string{row.keywords})) == Lines{row.message});
}

TEST_CASE("secrets name what keeps them", "[keywords][secrets]") {
  const Job job = job_with(
      "secrets:\n"
      "    A: {vault: production/db/password@ops, file: false, token: $TOKEN}\n"
      "    B: {azure_key_vault: {name: n, version: v}}");
  REQUIRE(job.secrets.size() == 2);
  CHECK(job.secrets[0].provider == "vault");
  CHECK(job.secrets[0].where == R"("production/db/password@ops")");
  CHECK_FALSE(job.secrets[0].file);
  CHECK(job.secrets[0].token == "$TOKEN");
  CHECK(job.secrets[1].where == R"({"name":"n","version":"v"})");
  CHECK(job.secrets[1].file);
}

TEST_CASE("wrong secrets and tokens are told in GitLab's words", "[keywords][secrets]") {
  const auto row = GENERATE(values<Refused>({
      {"secrets: [a]", "jobs:job:secrets config should be a hash"},
      {"secrets: {A: b}", "jobs:job:secrets:A config should be a hash"},
      {"secrets: {A: {file: true}}",
       "jobs:job:secrets:A config must use exactly one of these keys: vault, gcp_secret_manager, "
       "azure_key_vault, aws_secrets_manager, akeyless, gitlab_secrets_manager"},
      {"secrets: {A: {vault: a, akeyless: b}}",
       "jobs:job:secrets:A config must use exactly one of these keys: vault, gcp_secret_manager, "
       "azure_key_vault, aws_secrets_manager, akeyless, gitlab_secrets_manager"},
      {"secrets: {A: {vault: [a]}}",
       "jobs:job:secrets:A:vault config should be a hash or a string"},
      {"secrets: {A: {vault: a, file: b}}", "jobs:job:secrets:A file should be a boolean value"},
      {"secrets: {A: {vault: a, keep: b}}",
       "jobs:job:secrets:A config contains unknown keys: keep"},
      {"id_tokens: [a]", "jobs:job:id_tokens config should be a hash"},
      {"id_tokens: {A: {}}", "jobs:job:id_tokens:A config missing required keys: aud"},
      {"id_tokens: {A: {aud: {b: c}}}",
       "jobs:job:id_tokens:A aud should be an array of strings or a string"},
      {"id_tokens: {A: {aud: b, sub: c}}",
       "jobs:job:id_tokens:A config contains unknown keys: sub"},
  }));
  CAPTURE(row.keywords);
  CHECK(errors_of(file_with(row.keywords)) == Lines{row.message});
}

TEST_CASE("a token has one audience or several, of the job or by default", "[keywords][secrets]") {
  CHECK(job_with("id_tokens: {A: {aud: b}}").id_tokens.at(0).audiences == Lines{"b"});
  CHECK(job_with("id_tokens: {A: {aud: [b, c]}}").id_tokens.at(0).audiences == Lines{"b", "c"});
  const auto configuration =
      configuration_of("default: {id_tokens: {A: {aud: b}}}\njob: {script: x}\n");
  CHECK(configuration.jobs.at(0).id_tokens.at(0).name == "A");
}

TEST_CASE("a site is published by keyword or by the name of the job", "[keywords][pages]") {
  CHECK(job_with("pages: true").pages->publish == "public");
  const Pages pages = *job_with("pages: {publish: out, path_prefix: $B, expire_in: 1 week}").pages;
  CHECK(pages.publish == "out");
  CHECK(pages.path_prefix == "$B");
  CHECK(pages.expire_in == "1 week");
  CHECK_FALSE(job_with("pages: false").pages);
  CHECK(configuration_of("pages: {script: x}\n").jobs.at(0).pages->publish == "public");
  CHECK(configuration_of("pages: {script: x, publish: out}\n").jobs.at(0).pages->publish == "out");
  CHECK_FALSE(configuration_of("pages: {script: x, pages: false}\n").jobs.at(0).pages);
}

TEST_CASE("a site that stays on this server is a warning, once", "[keywords][pages]") {
  CHECK(warnings_of("pages: {script: x}\n") ==
        Lines{"jobs:pages publishes a site on GitLab, and only runs its script here"});
  CHECK(warnings_of("pages: {script: x, pages: false}\n").empty());
}

TEST_CASE("wrong sites are told in GitLab's words", "[keywords][pages]") {
  const auto row = GENERATE(values<Refused>({
      {"pages: public", "jobs:job:pages config should be a hash or a boolean value"},
      {"pages: {directory: a}", "jobs:job:pages config contains unknown keys: directory"},
      {"pages: {expire_in: later}", "jobs:job:pages expire in should be a duration"},
      {"publish: out", "jobs:job:publish config can only be used within a `pages` job"},
  }));
  CAPTURE(row.keywords);
  CHECK(errors_of(file_with(row.keywords)) == Lines{row.message});
}
