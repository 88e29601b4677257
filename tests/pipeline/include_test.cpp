// Includes from other places than the commit itself: projects, remote files, templates, components.

#include "pipeline/read/component.h"
#include "tests/pipeline/support.h"

using namespace slipway::pipeline;
using namespace slipway::pipeline::test;
using slipway::ErrorKind;
using slipway::fail;
using slipway::Result;

namespace {

using Lines = std::vector<std::string>;

// A world in memory. Projects are "host/path" or "path", references "project@reference".
class World : public IncludeSource {
 public:
  std::map<std::string, std::string> own;
  std::map<std::string, std::string> commits;  // by project@reference
  std::map<std::string, std::string> files;    // by project@commit/path
  std::map<std::string, Lines> tags;
  std::map<std::string, std::string> remote;
  std::map<std::string, std::string> templates;
  slipway::Error remote_error = fail(ErrorKind::Unavailable, "HTTP code `404` error");
  std::vector<std::string> asked;

  Result<std::string> local_file(const std::string& path) override { return look_up(own, path); }
  Result<Lines> local_paths() override {
    Lines paths;
    for (const auto& [path, text] : own) paths.push_back(path);
    return paths;
  }
  Result<std::string> project_commit(const IncludeProject& project,
                                     const std::string& ref) override {
    asked.push_back(name_of(project) + "@" + ref);
    const auto known = commits.find(asked.back());
    if (known != commits.end()) return known->second;
    const auto next = commits.lower_bound(name_of(project) + "@");
    const bool exists = next != commits.end() && next->first.rfind(name_of(project) + "@", 0) == 0;
    return exists ? fail(ErrorKind::InvalidInput, "no such reference")
                  : fail(ErrorKind::NotFound, "no such project").with_hint("map the project");
  }
  Result<std::string> project_file(const IncludeProject& project, const std::string& commit,
                                   const std::string& path) override {
    return look_up(files, name_of(project) + "@" + commit + "/" + path);
  }
  Result<Lines> project_paths(const IncludeProject& project, const std::string& commit) override {
    const std::string prefix = name_of(project) + "@" + commit + "/";
    Lines paths;
    for (const auto& [path, text] : files)
      if (path.rfind(prefix, 0) == 0) paths.push_back(path.substr(prefix.size()));
    return paths;
  }
  Result<Lines> project_tags(const IncludeProject& project) override {
    const auto known = tags.find(name_of(project));
    if (known == tags.end()) return fail(ErrorKind::NotFound, "no such project");
    return known->second;
  }
  Result<std::string> remote_file(const std::string& url) override {
    asked.push_back(url);
    const auto known = remote.find(url);
    if (known == remote.end()) return remote_error;
    return known->second;
  }
  Result<std::string> template_file(const std::string& name) override {
    return look_up(templates, name);
  }

 private:
  static std::string name_of(const IncludeProject& project) {
    return project.host.empty() ? project.path : project.host + "/" + project.path;
  }
  static Result<std::string> look_up(const std::map<std::string, std::string>& texts,
                                     const std::string& key) {
    const auto known = texts.find(key);
    if (known == texts.end()) return fail(ErrorKind::NotFound, "no such file");
    return known->second;
  }
};

World world() {
  World world;
  world.commits = {{"team/ci@HEAD", "c1"},
                   {"team/ci@v2", "c2"},
                   {"host/lib/parts@1.2.0", "p12"},
                   {"host/lib/parts@1.10.0", "p110"},
                   {"host/lib/parts@2.0.0-rc1", "p2"},
                   {"host/lib/parts@main", "pm"},
                   {"host/lib/parts@abc123", "pa"}};
  world.tags = {{"host/lib/parts", {"1.2.0", "1.10.0", "2.0.0-rc1", "nightly"}},
                {"host/lib/untagged", {}}};
  world.files = {{"team/ci@c1/a.yml", "a: {script: head}\n"},
                 {"team/ci@c2/a.yml", "a: {script: v2}\n"},
                 {"team/ci@c2/b.yml", "b: {script: v2}\n"},
                 {"team/ci@c2/blank.yml", " \n"},
                 {"team/ci@c2/nested.yml", "include: [/parts/*.yml]\n"},
                 {"team/ci@c2/parts/one.yml", "one: {script: of the project}\n"},
                 {"team/ci@c2/parts/two.yml", "two: {script: of the project}\n"}};
  const std::string component =
      "spec: {inputs: {stage: {default: test}}, component: [name, version, sha, reference]}\n---\n"
      "'$[[ component.name ]]': {stage: '$[[ inputs.stage ]]', script: ['$[[ component.version ]] "
      "$[[ component.sha ]] $[[ component.reference ]]']}\n";
  for (const char* commit : {"p12", "p110", "p2", "pm", "pa"})
    world.files[std::string{"host/lib/parts@"} + commit + "/templates/scan.yml"] = component;
  world.files["host/lib/parts@pm/templates/deep/template.yml"] =
      "spec: {component: [name]}\n---\ndeep: {script: '$[[ component.name ]]'}\n";
  world.remote = {{"https://x.org/a.yml", "a: {script: remote}\n"},
                  {"https://x.org/local.yml", "include: beside.yml\n"},
                  {"https://x.org/more.yml", "include: 'https://x.org/a.yml'\n"},
                  {"https://x.org/variable.yml",
                   "include: {local: none.yml, rules: [{if: $WHAT}]}\na: {script: b}\n"}};
  world.templates = {{"Go.gitlab-ci.yml", "go: {script: template}\n"}};
  return world;
}

ReadOutcome outcome_with(World& world, const std::string& include,
                         const ReadOptions& options = {}) {
  return read_configuration("include: " + include + "\n", "ci.yml", world, options);
}

std::string script_of(const std::string& include, const std::string& job = "a") {
  World all = world();
  const auto outcome = outcome_with(all, include);
  for (const Diagnostic& finding : outcome.findings) UNSCOPED_INFO(finding.message);
  REQUIRE(outcome.configuration);
  return job_of(*outcome.configuration, job).script.at(0);
}

Diagnostic error_of(World& world, const std::string& include, const ReadOptions& options = {}) {
  const auto outcome = outcome_with(world, include, options);
  REQUIRE(outcome.findings.size() == 1);
  return outcome.findings[0];
}

}  // namespace

TEST_CASE("a file of another project is included, at its default branch or at a reference",
          "[include]") {
  CHECK(script_of("{project: team/ci, file: /a.yml}") == "head");
  CHECK(script_of("{project: team/ci, file: a.yml, ref: v2}") == "v2");
  CHECK(script_of("{project: team/ci, file: [a.yml, /b.yml], ref: v2}", "b") == "v2");
}

TEST_CASE("local files of an included project are those of that project's commit", "[include]") {
  World all = world();
  all.own["parts/own.yml"] = "own: {script: x}\n";
  const auto outcome = outcome_with(all, "{project: team/ci, file: nested.yml, ref: v2}");
  REQUIRE(outcome.configuration);
  CHECK(outcome.configuration->jobs.size() == 2);
  CHECK(job_of(*outcome.configuration, "two").script == Lines{"of the project"});
}

TEST_CASE("what a project does not have is said with GitLab's words", "[include]") {
  struct Row {
    const char* include;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"{project: no/where, file: a.yml}",
       "Project `no/where` not found or access denied! Make sure any includes in the pipeline "
       "configuration are correctly defined."},
      {"{project: team/ci, file: a.yml, ref: v3}",
       "Project `team/ci` reference `v3` does not exist!"},
      {"{project: team/ci, file: c.yml, ref: v2}",
       "Project `team/ci` file `c.yml` does not exist!"},
      {"{project: team/ci, file: blank.yml, ref: v2}",
       "Project `team/ci` file `blank.yml` is empty!"},
      {"{project: team/ci, file: c.txt}", "Included file `c.txt` does not have YAML extension!"},
      {"{project: team/ci, file: a.yml, ref: [v2]}", "include:ref config should be a string"},
  }));
  World all = world();
  const Diagnostic error = error_of(all, row.include);
  CHECK(error.message == row.message);
  CHECK(error.span.file == "ci.yml");
  CHECK(error.span.line == 1);
}

TEST_CASE("the hint of the source is shown", "[include]") {
  World all = world();
  CHECK(error_of(all, "{project: no/where, file: a.yml}").hint == "map the project");
}

TEST_CASE("a mistake in another project's file names project, reference and line", "[include]") {
  World all = world();
  all.files["team/ci@c2/a.yml"] = "a:\n  scirpt: x\n";
  CHECK(error_of(all, "{project: team/ci, file: a.yml, ref: v2}").span ==
        slipway::SourceSpan{"team/ci@v2/a.yml", 2, 3});
}

TEST_CASE("a file that is no YAML is named in front of what is wrong in it", "[include]") {
  World all = world();
  all.own["a.yml"] = "a: b: c\n";
  const Diagnostic error = error_of(all, "a.yml");
  CHECK(error.message ==
        "`a.yml`: (<unknown>): mapping values are not allowed in this context at line 1 column 5");
  CHECK(error.span == slipway::SourceSpan{"a.yml", 1, 5});
}

TEST_CASE("variables are expanded in what an include names", "[include]") {
  World all = world();
  const ReadOptions options{
      {{"P", "team/ci"}, {"R", "v2"}, {"F", "a"}, {"H", "https://x.org"}}, {}, {}};
  const auto outcome = outcome_with(
      all, "[{project: $P, file: ['${F}.yml'], ref: $R}, '$H/$F.yml', {remote: $H/a.yml}]",
      options);
  REQUIRE(outcome.findings.size() == 1);  // a text becomes a URL only by what is written
  CHECK(outcome.findings[0].message == "Local file `https://x.org/a.yml` does not exist!");
  CHECK(error_of(all, "{project: $NONE, file: a.yml}").message ==
        "`{\"project\":\"$NONE\",\"file\":\"a.yml\"}` does not have a valid subkey for include. "
        "Valid subkeys are: `local`, `project`, `remote`, `template`, `artifact`, `component`");
}

TEST_CASE("masked variables do not show in messages", "[include]") {
  World all = world();
  const ReadOptions options{{{"T", "secret-token", false, false, true}}, {}, {}};
  CHECK(error_of(all, "{local: 'a-$T.yml'}", options).message ==
        "Local file `a-[MASKED]xxxx.yml` does not exist!");
}

TEST_CASE("a remote file is included, and what it includes has no project", "[include]") {
  CHECK(script_of("'https://x.org/a.yml'") == "remote");
  CHECK(script_of("{remote: 'https://x.org/more.yml'}") == "remote");
  World all = world();
  all.own["beside.yml"] = "a: {script: x}\n";
  const Diagnostic error = error_of(all, "'https://x.org/local.yml'");
  CHECK(error.message == "Local file `beside.yml` does not have project!");
  CHECK(error.span == slipway::SourceSpan{"https://x.org/local.yml", 1, 10});
  const auto outcome = outcome_with(all, "'https://x.org/variable.yml'", {{{"WHAT", "x"}}, {}, {}});
  CHECK(outcome.configuration);
}

TEST_CASE("a remote file is asked for once", "[include]") {
  World all = world();
  CHECK(outcome_with(all, "['https://x.org/a.yml', 'https://x.org/a.yml']").configuration);
  CHECK(all.asked == Lines{"https://x.org/a.yml"});
}

TEST_CASE("why a remote file could not be had is said with GitLab's words", "[include]") {
  World all = world();
  const auto message = [&](slipway::Error error) {
    all.remote_error = std::move(error);
    return error_of(all, "'https://x.org/none.yml'").message;
  };
  CHECK(message(fail(ErrorKind::Unavailable, "HTTP code `404` error")) ==
        "Remote file `https://x.org/none.yml` could not be fetched because of HTTP code `404` "
        "error!");
  CHECK(message(fail(ErrorKind::Unavailable, "a timeout error")) ==
        "Remote file `https://x.org/none.yml` could not be fetched because of a timeout error!");
  CHECK(message(fail(ErrorKind::Denied, "Requests to localhost are not allowed")) ==
        "Remote file could not be fetched because URL 'https://x.org/none.yml' is blocked: "
        "Requests to localhost are not allowed!");
  CHECK(message(fail(ErrorKind::InvalidInput, "no host")) ==
        "Remote file `https://x.org/none.yml` does not have a valid address!");
}

TEST_CASE("a remote file must have the content that its integrity hash says", "[include]") {
  World all = world();
  all.remote["https://x.org/a.yml"] = "a: {script: remote}";
  const auto with = [&](const std::string& hash) {
    return outcome_with(all, "{remote: 'https://x.org/a.yml', integrity: '" + hash + "'}");
  };
  const auto wrong = with("sha256-AAAA");
  REQUIRE(wrong.findings.size() == 1);
  CHECK(wrong.findings[0].message ==
        "Remote file `https://x.org/a.yml` does not match its integrity hash!");
  const std::string hint = wrong.findings[0].hint;
  REQUIRE(hint.rfind("it is sha256-", 0) == 0);
  CHECK(with(hint.substr(6, hint.find(" now") - 6)).configuration);
}

TEST_CASE("a template comes from the source's collection", "[include]") {
  CHECK(script_of("{template: Go.gitlab-ci.yml}", "go") == "template");
}

TEST_CASE("a component is included at a tag, a branch, a commit or the highest version",
          "[include]") {
  struct Row {
    const char* version;
    const char* line;
  };
  const auto row = GENERATE(values<Row>({
      {"1.2.0", "1.2.0 p12 1.2.0"},
      {"main", "main pm main"},
      {"abc123", "abc123 pa abc123"},
      {"~latest", "1.10.0 p110 ~latest"},
      {"1", "1.10.0 p110 1"},
      {"1.2", "1.2.0 p12 1.2"},
      {"2", "2.0.0-rc1 p2 2"},
  }));
  CHECK(script_of(std::string{"{component: host/lib/parts/scan@"} + row.version + "}", "scan") ==
        row.line);
}

TEST_CASE("a component takes inputs and may stand in a directory", "[include]") {
  World all = world();
  const auto outcome =
      outcome_with(all,
                   "[{component: host/lib/parts/scan@main, inputs: {stage: build}}, {component: "
                   "host/lib/parts/deep@main}]");
  REQUIRE(outcome.configuration);
  CHECK(job_of(*outcome.configuration, "scan").stage == "build");
  CHECK(job_of(*outcome.configuration, "deep").script == Lines{"deep"});
}

TEST_CASE("what is wrong with a component is said with GitLab's words", "[include]") {
  struct Row {
    const char* address;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"host/no/where/scan@1.0.0",
       "project does not exist or you don't have sufficient permissions"},
      {"host/no/where/scan@1", "project does not exist or you don't have sufficient permissions"},
      {"host/lib/parts/scan@9.9.9", "content not found"},
      {"host/lib/parts/scan@3", "content not found"},
      {"host/lib/parts/none@main", "content not found"},
      {"host/lib/untagged/scan@~latest", "content not found"},
      {"host/lib/parts/scan", "the component path is not supported"},
      {"scan@1", "the component path is not supported"},
  }));
  World all = world();
  CHECK(error_of(all, std::string{"{component: "} + row.address + "}").message ==
        "Component '" + std::string{row.address} + "' - " + row.message);
}

TEST_CASE("a remote file cannot include a component", "[include]") {
  World all = world();
  all.remote["https://x.org/a.yml"] = "include: {component: host/lib/parts/scan@main}\n";
  CHECK(error_of(all, "'https://x.org/a.yml'").message ==
        "Unable to use components outside of a project context");
}

TEST_CASE("a component's project is named without the host inside it", "[include]") {
  World all = world();
  all.commits["host/lib/other@HEAD"] = "o1";
  all.files["host/lib/other@o1/x.yml"] = "x: {script: other}\n";
  all.files["host/lib/parts@pm/templates/scan.yml"] =
      "include: {project: lib/other, file: x.yml}\n";
  CHECK(outcome_with(all, "{component: host/lib/parts/scan@main}").configuration);
}

TEST_CASE("changes in the rules of an include hold when a changed path matches", "[include]") {
  World all = world();
  all.own["a.yml"] = "a: {script: x}\n";
  const auto included = [&](const std::string& changes, std::optional<Lines> changed) {
    const auto outcome = read_configuration(
        "include: {local: a.yml, rules: [{changes: " + changes + "}]}\nb: {script: x}\n", "ci.yml",
        all, ReadOptions{{{"DIR", "docs"}}, {}, std::move(changed)});
    REQUIRE(outcome.configuration);
    return outcome.configuration->jobs.size() == 2;
  };
  CHECK(included("[docs/*]", Lines{"docs/a.md"}));
  CHECK(included("['$DIR/*']", Lines{"docs/a.md"}));
  CHECK(included("{paths: [docs/*]}", Lines{"docs/a.md"}));
  CHECK_FALSE(included("[docs/*]", Lines{"src/a.c"}));
  CHECK_FALSE(included("[docs/*]", Lines{}));
  CHECK(included("[docs/*]", std::nullopt));
  CHECK(included("{paths: [docs/*], compare_to: main}", Lines{}));
}

TEST_CASE("exists in the rules of an include looks at the project of the including file",
          "[include]") {
  World all = world();
  all.own["only-here.md"] = "";
  all.files["team/ci@c2/nested.yml"] =
      "include:\n"
      "  - {local: a.yml, rules: [{exists: [only-here.md]}]}\n"
      "  - {local: b.yml, rules: [{exists: {paths: ['parts/*'], project: team/ci, ref: v2}}]}\n";
  const auto outcome = outcome_with(all, "{project: team/ci, file: nested.yml, ref: v2}");
  REQUIRE(outcome.configuration);
  REQUIRE(outcome.configuration->jobs.size() == 1);
  CHECK(outcome.configuration->jobs[0].name == "b");
}

TEST_CASE("mistakes in changes and exists are refused", "[include]") {
  struct Row {
    const char* rule;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"{changes: {path: [a]}}", "include:rules:rule:changes config contains unknown keys: path"},
      {"{changes: {compare_to: a}}",
       "include:rules:rule:changes config missing required keys: paths"},
      {"{exists: [[a]]}", "include:rules:rule:exists config should be an array of strings"},
  }));
  World all = world();
  CHECK(error_of(all, std::string{"{local: a.yml, rules: ["} + row.rule + "]}").message ==
        row.message);
}

TEST_CASE("too many comparisons count as a match, too many patterns are refused", "[include]") {
  World all = world();
  for (int i = 0; i < 1001; ++i) all.own["f" + std::to_string(i)] = "";
  all.own["a.yml"] = "a: {script: x}\n";
  const auto patterns = [](int count) {
    std::string text = "{local: a.yml, rules: [{exists: [";
    for (int i = 0; i < count; ++i) text += "none, ";
    return text + "]}]}";
  };
  CHECK(outcome_with(all, patterns(50)).configuration);
  CHECK(outcome_with(all, patterns(49)).findings.at(0).message.find("at least one visible job") !=
        std::string::npos);
  CHECK(error_of(all, patterns(51)).message ==
        "include:rules:rule:exists config is too long (maximum is 50)");
}

TEST_CASE("files from outside are listed with the hash of their text", "[include]") {
  World all = world();
  all.own["own.yml"] = "own: {script: x}\n";
  const auto outcome =
      outcome_with(all,
                   "[own.yml, 'https://x.org/a.yml', {project: team/ci, file: b.yml, ref: "
                   "v2}, {template: Go.gitlab-ci.yml}]");
  REQUIRE(outcome.included.size() == 3);
  CHECK(outcome.included[0].address == "https://x.org/a.yml");
  CHECK(outcome.included[0].sha256.size() == 64);
  CHECK(outcome.included[1].address == "team/ci@v2/b.yml");
  CHECK(outcome.included[2].address == "template:Go.gitlab-ci.yml");
  CHECK(outcome.included[2].at.line == 1);
}

TEST_CASE("projects that include each other end at the limit", "[include]") {
  World all = world();
  all.files["team/ci@c2/a.yml"] = "include: {project: team/ci, file: b.yml, ref: v2}\n";
  all.files["team/ci@c2/b.yml"] = "include: a.yml\n";
  CHECK(error_of(all, "{project: team/ci, file: a.yml, ref: v2}").message ==
        "Maximum of 150 nested includes are allowed!");
}

TEST_CASE("no bytes in an include or a header lead astray", "[include]") {
  const std::string alphabet = "[]{}:,$'\"*&!|>-@#%/~. \n\tab0inputs.speclocal\xff\xc3";
  std::uint32_t state = 1;
  const auto next = [&] { return state = state * 1664525U + 1013904223U; };
  World all = world();
  for (int round = 0; round < 2000; ++round) {
    std::string noise;
    for (int i = 0; i < 40; ++i) noise += alphabet[(next() >> 16U) % alphabet.size()];
    const std::string text =
        round % 2 == 0 ? "include: [" + noise + "]\nx: {script: y}\n"
                       : "spec: {inputs: {x: " + noise + "}}\n---\n$[[ " + noise + " ]]\n";
    const auto outcome = read_configuration(text, "ci.yml", all, ReadOptions{});
    CHECK(outcome.configuration.has_value() != has_errors(outcome.findings));
  }
}

TEST_CASE("the address of a component is host, project, name and version", "[component]") {
  const auto address = read::parse_component("git.example.com:8443/a/b.c/d-e/my_scan@~latest");
  REQUIRE(address);
  CHECK(address->project.host == "git.example.com:8443");
  CHECK(address->project.path == "a/b.c/d-e");
  CHECK(address->name == "my_scan");
  CHECK(address->version == "~latest");
  for (const char* wrong :
       {"", "a@1", "a/b@1", "h/p/n", "h/p/n@", "h/p/n@1@2", "h//n@1", "h/p/n n@1"})
    CHECK_FALSE(read::parse_component(wrong));
}

TEST_CASE("of versions the highest counts, as numbers and releases first", "[component]") {
  const Lines tags{"1.9.0",     "v1.10.0", "1.10.0-rc2", "2.0.0-rc1",
                   "2.0.0-rc2", "10.0",    "x1.0.0",     "99999999999.0.0"};
  CHECK(read::highest_version("~latest", tags) == "v1.10.0");
  CHECK(read::highest_version("1", tags) == "v1.10.0");
  CHECK(read::highest_version("1.9", tags) == "1.9.0");
  CHECK(read::highest_version("2", tags) == "2.0.0-rc2");
  CHECK(read::highest_version("3", tags).empty());
  CHECK(read::highest_version("10", tags).empty());
}
