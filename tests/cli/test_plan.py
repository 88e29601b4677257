"""`slipway plan`: the pipeline of an event, in the JSON that scripts rely on, and the merged file."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BINARY = os.environ.get("SLIPWAY_BINARY", "build/dev/slipway")

FILE = """\
stages: [build, test, deploy]
variables: {LEVEL: debug}
build:
  stage: build
  image: alpine:3.19
  services: [postgres:16]
  tags: [linux]
  script:
    - make
unit:
  stage: test
  needs: [build]
  script: [make test]
  variables: {LEVEL: info}
  rules:
    - if: $CI_COMMIT_TAG
      when: never
    - if: $CI_COMMIT_BRANCH == "main"
      allow_failure: true
deploy:
  stage: deploy
  script: [make deploy]
  only: [main]
"""


class Plan(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="slipway-plan-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.file(FILE)

    def file(self, text, name=".gitlab-ci.yml"):
        (self.directory / name).write_text(text)

    def plan(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([BINARY, "plan", *arguments], capture_output=True, text=True,
                              timeout=60, cwd=self.directory, **options)

    def json(self, *arguments, code=0):
        done = self.plan("--json", *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_the_plan_of_a_child_pipeline_stands_with_its_trigger_job(self):
        self.file("variables: {FROM: parent}\n"
                  "generate: {stage: build, script: [make child.yml], artifacts: {paths: [child.yml]}}\n"
                  "bridge: {trigger: {include: ci/child.yml, strategy: depend}}\n"
                  "made: {trigger: {include: [{artifact: child.yml, job: generate}]}}\n"
                  "other: {trigger: {project: group/x, branch: dev}}\n"
                  "wrong: {trigger: {include: missing.yml}}\n")
        (self.directory / "ci").mkdir()
        self.file("unit: {script: ['echo $FROM']}\n"
                  "never: {script: [x], rules: [{if: '$CI_PIPELINE_SOURCE == \"push\"'}]}\n"
                  "deeper: {trigger: {include: ci/grandchild.yml}}\n", "ci/child.yml")
        self.file("last: {script: [x]}\ntoo_deep: {trigger: {include: ci/child.yml}}\n", "ci/grandchild.yml")
        jobs = {job["name"]: job for job in self.json()["jobs"]}
        self.assertIsNone(jobs["generate"]["trigger"])
        bridge = jobs["bridge"]["trigger"]
        self.assertEqual((bridge["files"], bridge["strategy"]), (["ci/child.yml"], "depend"))
        child = {job["name"]: job for job in bridge["child"]["jobs"]}
        self.assertEqual(set(child), {"unit", "deeper"})
        self.assertEqual([job["name"] for job in bridge["child"]["left_out"]], ["never"])
        grandchild = {job["name"]: job for job in child["deeper"]["trigger"]["child"]["jobs"]}
        self.assertEqual(grandchild["too_deep"]["trigger"]["child"],
                         {"refused": "Child pipelines may be nested two deep, and this one would be deeper."})
        self.assertEqual(jobs["made"]["trigger"]["child"], {"refused": "its file is made by job 'generate'"})
        self.assertEqual(jobs["other"]["trigger"]["project"], "group/x")
        self.assertIsNone(jobs["other"]["trigger"]["child"])
        self.assertIn("missing.yml", jobs["wrong"]["trigger"]["child"]["refused"])

        text = self.plan().stdout
        self.assertIn("    trigger   a child pipeline of ci/child.yml, strategy depend\n", text)
        self.assertIn("        unit  on_success\n", text)
        self.assertIn("    trigger   a pipeline of group/x, branch dev\n", text)
        self.assertIn("      not planned: its file is made by job 'generate'\n", text)

    def test_json_has_the_fields_that_scripts_rely_on(self):
        self.assertEqual(self.json("--branch", "main"), {
            "created": True,
            "reason": {"code": "none", "text": ""},
            "stages": ["build", "test", "deploy"],
            "jobs": [
                {"name": "build", "stage": "build", "when": "on_success", "allow_failure": False,
                 "needs": [], "image": "alpine:3.19", "services": ["postgres:16"],
                 "tags": ["linux"], "variables": {"LEVEL": "debug"}, "script": ["make"],
                 "rule": None, "trigger": None},
                {"name": "unit", "stage": "test", "when": "on_success", "allow_failure": True,
                 "needs": ["build"], "image": None, "services": [], "tags": [],
                 "variables": {"LEVEL": "info"}, "script": ["make test"],
                 "rule": {"at": ".gitlab-ci.yml:18", "text": 'if: $CI_COMMIT_BRANCH == "main"'},
                 "trigger": None},
                {"name": "deploy", "stage": "deploy", "when": "on_success",
                 "allow_failure": False, "needs": [], "image": None, "services": [], "tags": [],
                 "variables": {"LEVEL": "debug"}, "script": ["make deploy"],
                 "rule": {"at": ".gitlab-ci.yml:23", "text": "only: [main]"},
                 "trigger": None}],
            "left_out": []})

    def test_a_job_that_is_left_out_has_the_rule_and_the_values(self):
        left_out = {job["name"]: job for job in self.json("--branch", "feature")["left_out"]}
        self.assertEqual(set(left_out), {"unit", "deploy"})
        self.assertEqual(set(left_out["unit"]), {"name", "code", "text", "at"})
        self.assertEqual(left_out["unit"]["code"], "no_rule_matched")
        self.assertEqual(left_out["unit"]["at"], ".gitlab-ci.yml:16")
        self.assertIn('$CI_COMMIT_BRANCH == "main"', left_out["unit"]["text"])
        self.assertIn('"feature"', left_out["unit"]["text"])
        self.assertIn("branch 'feature'", left_out["deploy"]["text"])
        tagged = {job["name"]: job for job in self.json("--event", "tag", "--tag", "v1")["left_out"]}
        self.assertEqual((tagged["unit"]["code"], tagged["unit"]["at"]),
                         ("rule_never", ".gitlab-ci.yml:16"))

    def test_it_is_said_why_there_is_no_pipeline(self):
        self.file("workflow: {rules: [{if: $CI_COMMIT_TAG}]}\na: {script: x}\n")
        plan = self.json("--branch", "x")
        self.assertFalse(plan["created"])
        self.assertEqual(plan["reason"]["code"], "workflow_filtered")
        self.assertEqual((plan["stages"], plan["jobs"]), ([], []))
        self.assertIn("no pipeline: ", self.plan("--branch", "x").stdout)

    def test_a_file_that_is_not_valid_has_the_same_shape_with_its_findings(self):
        self.file("a: {scirpt: x}\n")
        plan = self.json(code=3)
        self.assertFalse(plan["created"])
        self.assertEqual(plan["reason"]["code"], "configuration_invalid")
        self.assertEqual(plan["findings"][0]["line"], 1)
        self.file("a: {script: x, needs: [b]}\nb: {script: x, only: [tags]}\n")
        self.assertEqual(self.json(code=3)["findings"][0]["code"], "missing_need")
        self.assertIn("error: 'a' job needs 'b' job", self.plan().stdout)

    def test_the_text_shows_each_job_with_what_it_is_made_of(self):
        done = self.plan("--branch", "main")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('  unit  on_success, may fail\n'
                      '    needs     build\n'
                      '    rule      if: $CI_COMMIT_BRANCH == "main" (.gitlab-ci.yml:18)\n'
                      '    variable  LEVEL=info\n'
                      '    script    make test\n', done.stdout)
        self.assertIn("    image     alpine:3.19\n    service   postgres:16\n    tags      linux\n",
                      done.stdout)
        self.assertIn("left out\n", self.plan("--branch", "feature").stdout)

    def test_events_changes_and_variables_decide(self):
        self.file("a: {script: x, rules: [{changes: [docs/*]}]}\n"
                  "b: {script: x, rules: [{if: '$X == \"1\"'}]}\n"
                  "c: {script: x, rules: [{if: $CI_PIPELINE_SOURCE == \"schedule\"}]}\n"
                  "d: {script: x}\n")

        def names(*arguments):
            return [job["name"] for job in self.json(*arguments)["jobs"]]

        self.assertEqual(names("--changed", "src/a"), ["d"])
        self.assertEqual(names("--changed", "src/a", "--changed", "docs/b"), ["a", "d"])
        self.assertEqual(names("--changed", "x", "--var", "X=1"), ["b", "d"])
        self.assertEqual(names("--changed", "x", "--event", "schedule"), ["c", "d"])

    def test_exists_looks_at_the_files_beside_the_pipeline_file(self):
        self.file("a: {script: x, rules: [{exists: [Dockerfile]}]}\nb: {script: x}\n")
        self.assertEqual(len(self.json()["jobs"]), 1)
        self.file("", "Dockerfile")
        self.assertEqual(len(self.json()["jobs"]), 2)

    def git(self, *arguments):
        subprocess.run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com",
                        *arguments], cwd=self.directory, check=True, capture_output=True,
                       env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null"})

    def branch_with_changes(self):
        self.git("init", "--quiet", "--initial-branch=main", ".")
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "First")
        self.git("checkout", "--quiet", "-b", "feature")
        self.file("x", "committed.c")
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "Second")
        self.file("x", "untracked.c")

    def names(self, *arguments, **options):
        return [job["name"] for job in self.json(*arguments, **options)["jobs"]]

    def test_compare_to_asks_git_what_differs(self):
        job = ("{}: {{script: x, rules: [{{changes: {{paths: [{}], compare_to: "
               "refs/heads/main}}}}]}}\n")
        self.file(job.format("c", "committed.c") + job.format("u", "untracked.c") +
                  job.format("n", "none") + "any: {script: x}\n")
        self.branch_with_changes()
        self.assertEqual(self.names("--branch", "feature"), ["c", "u", "any"])
        self.git("branch", "-D", "--quiet", "main")
        refused = self.json("--branch", "feature", code=3)
        self.assertEqual(refused["findings"][0]["message"],
                         "Failed to parse rule for c: rules:changes:compare_to is not a valid ref")

    def test_without_a_repository_compare_to_is_taken_to_hold_and_that_is_said(self):
        self.file("c: {script: x, rules: [{changes: {paths: [a], compare_to: main}}]}\n")
        done = self.plan("--json")
        self.assertEqual([job["name"] for job in json.loads(done.stdout)["jobs"]], ["c"])
        self.assertIn("job 'c': what has changed since 'main' is not known: ", done.stderr)
        self.assertIn(" is no git repository; the clause is taken to hold", done.stderr)

    def test_a_merge_request_changes_what_its_target_does_not_have(self):
        self.file("c: {script: x, rules: [{changes: [committed.c]}]}\n"
                  "n: {script: x, rules: [{changes: [none]}]}\n"
                  "m: {script: x, rules: [{if: $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == 'main'}]}\n"
                  "i: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID}]}\n")
        self.branch_with_changes()
        event = ["--event", "merge_request", "--branch", "feature"]
        self.assertEqual(self.names(*event), ["c", "m", "i"])
        self.assertEqual(self.names(*event, "--target-branch", "feature"), ["i"])
        self.assertEqual(self.names(*event, "--changed", "none"), ["n", "m", "i"])
        done = self.plan("--target-branch", "main")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--target-branch is for --event merge_request", done.stderr)

    def test_exists_looks_into_projects_of_the_include_map(self):
        self.file("a: {script: x, rules: [{exists: {paths: [lib/*.c], project: g/lib}}]}\n"
                  "b: {script: x, rules: [{exists: {paths: [src/*.c], project: g/lib}}]}\n")
        (self.directory / "other" / "lib").mkdir(parents=True)
        self.file("x", "other/lib/a.c")
        self.assertEqual(self.names("--include-map", "g/lib=other"), ["a"])
        done = self.plan("--json")
        self.assertEqual([job["name"] for job in json.loads(done.stdout)["jobs"]], ["a", "b"])
        self.assertIn("say where it is with --include-map g/lib=PATH_OR_URL", done.stderr)

    def test_inputs_reach_the_file(self):
        self.file("spec: {inputs: {n: {type: number}}}\n---\njob-$[[ inputs.n ]]: {script: x}\n")
        self.assertEqual(self.names("--input", "n=3"), ["job-3"])
        refused = self.json("--input", "n=three", code=3)
        self.assertEqual(refused["findings"][0]["message"],
                         "`n` input: provided value is not a number")

    def test_usage_is_checked(self):
        for arguments in (["--event", "tag"], ["--var", "=x"], ["--merged", "--json"],
                          ["--event", "lunch"], ["none.yml"]):
            self.assertEqual(self.plan(*arguments).returncode, 2, arguments)

    def test_the_merged_file_makes_the_same_plan(self):
        self.file(".base: {image: 'alpine:3.19', variables: {A: '010'}}\n.s: {x: ['echo \"a: b\"']}\n", "inc.yml")
        self.file("include: inc.yml\n" + FILE + "e:\n  extends: .base\n  script: [!reference [.s, x]]\n")
        merged = self.plan("--merged")
        self.assertEqual(merged.returncode, 0, merged.stderr)
        for word in ("include", "extends", "!reference"):
            self.assertNotIn(word, merged.stdout)
        plan = self.json("--branch", "main")
        again = subprocess.run([BINARY, "plan", "-", "--branch", "main", "--json"], text=True,
                               input=merged.stdout, capture_output=True, timeout=60)
        again = json.loads(again.stdout)
        for job in plan["jobs"] + again["jobs"]:
            if job["rule"]:
                del job["rule"]["at"]
        self.assertEqual(again, plan)


if __name__ == "__main__":
    unittest.main(verbosity=2)
