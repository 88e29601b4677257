"""`slipway run --server`: a work tree on a server's runners."""

import json
import os
import pathlib
import signal
import subprocess
import unittest

from harness import BINARY, EndToEnd

FILE = """\
stages: [build, test]
build:
  stage: build
  script: ['cat new.txt changed.txt', 'test ! -e ignored.txt', 'mkdir out', 'echo made > out/x']
  artifacts: {paths: [out]}
look:
  stage: test
  script:
    - test "$(cat out/x)" = made
    - test "$CI_COMMIT_BRANCH/$CI_PIPELINE_SOURCE/$CI_COMMIT_REF_PROTECTED" = main/push/false
    - test "$GIVEN" = "a value"
    - test -z "$SECRET"
"""


def contents(directory):
    """Every file below it, git's own included, with its bytes."""
    return {str(path.relative_to(directory)): path.read_bytes()
            for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file() and not path.is_symlink()}


class WorkTree(EndToEnd):
    def setUp(self):
        super().setUp()
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.directory / "cache"),
                            "HOME": str(self.directory), "SLIPWAY_TOKEN": self.api.token}

    def command(self, *arguments):
        return [BINARY, "run", "--server", self.server.url, "--project", self.repo.path, *arguments]

    def run_there(self, *arguments, **more):
        return subprocess.run(self.command(*arguments), cwd=self.repo.work, capture_output=True, text=True,
                              timeout=120, env=self.environment, **more)

    def prepare(self, file=FILE):
        self.runner()
        self.repo = self.repository(files={".gitlab-ci.yml": "stub: {script: ['true']}\n", ".gitignore": "ignored.txt\n",
                                           "changed.txt": "old\n"})
        self.finished(self.repo.id, self.pipeline(self.repo.id, self.repo.push()))
        self.repo.write({".gitlab-ci.yml": file, "new.txt": "brand-new\n", "changed.txt": "changed\n",
                         "ignored.txt": "ignored\n"})


class ServerRun(WorkTree):
    def test_the_tree_as_it_is_runs_there_and_nothing_here_changes(self):
        self.prepare()
        self.api.post(f"/api/v4/projects/{self.repo.id}/variables",
                      {"key": "SECRET", "value": "only-for-protected-refs", "protected": True})
        before = contents(self.repo.work)
        done = self.run_there("--var", "GIVEN=a value")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("[build] brand-new\n", done.stdout)
        self.assertIn("[build] changed\n", done.stdout)
        self.assertIn("[look] success\n", done.stdout)
        self.assertIn("Pipeline: success", done.stdout)
        self.assertEqual(contents(self.repo.work), before)
        made = self.api.get(f"/api/v4/projects/{self.repo.id}/pipelines")[0]
        self.assertEqual((made["source"], made["user"]["username"]), ("run", "root"))
        self.assertRegex(made["ref"], r"^refs/slipway/runs/[0-9a-f]+/main$")
        # The branch and what is known of it are as they were.
        project = self.api.get(f"/api/v4/projects/{self.repo.id}")
        self.assertNotEqual(project["last_pipeline"]["id"], made["id"])
        # A second run sends the rest only: here nothing, since the tree is the same.
        self.assertEqual(self.run_there("--var", "GIVEN=a value").returncode, 0)

    def test_a_failure_is_the_exit_code_and_events_are_json(self):
        self.prepare("fails: {script: ['echo said', 'exit 7']}\nhand: {script: ['true'], when: manual}\n")
        done = self.run_there("--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(events[0]["event"], "pipeline")
        self.assertEqual({job["name"] for job in events[0]["jobs"]}, {"fails", "hand"})
        self.assertIn("said", [event["line"] for event in events if event["event"] == "log"])
        last = [event for event in events if event["event"] == "job" and event["job"] == "fails"][-1]
        self.assertEqual((last["status"], last["exit_code"]), ("failed", 7))
        self.assertEqual((events[-1]["event"], events[-1]["status"]), ("end", "failed"))

    def test_an_interrupt_cancels_there(self):
        self.prepare("slow: {script: ['echo begun', 'sleep 600']}\n")
        process = subprocess.Popen(self.command("--json"), cwd=self.repo.work, stdout=subprocess.PIPE, text=True,
                                   env=self.environment)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if json.loads(line).get("line") == "begun":
                break
        process.send_signal(signal.SIGINT)
        events = [json.loads(line) for line in process.stdout]
        self.assertEqual(process.wait(60), 1)
        self.assertEqual((events[-1]["status"], events[-1]["canceled"]), ("canceled", True))
        made = self.api.get(f"/api/v4/projects/{self.repo.id}/pipelines")[0]
        self.assertEqual(made["status"], "canceled")

    def test_a_server_that_restarts_meanwhile_is_waited_for(self):
        self.prepare("job: {script: ['echo begun', 'while [ ! -e \"$GATE\" ]; do sleep 0.1; done', 'echo after']}\n")
        gate = self.directory / "gate"
        process = subprocess.Popen(self.command("--json", "--var", f"GATE={gate}"), cwd=self.repo.work,
                                   stdout=subprocess.PIPE, text=True, env=self.environment)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if json.loads(line).get("line") == "begun":
                break
        self.server.kill()
        for line in process.stdout:
            if "does not answer" in json.loads(line).get("text", ""):
                break
        self.server.start()
        gate.touch()
        events = [json.loads(line) for line in process.stdout]
        self.assertEqual(process.wait(60), 0)
        self.assertEqual([event["line"] for event in events if event.get("line") == "after"], ["after"])

    def test_what_cannot_be_is_told(self):
        self.prepare("broken: {scirpt: x}\n")
        cases = [((), ".gitlab-ci.yml:1:10: error: jobs broken config", 3), (("--job", "x"), "excludes", 2)]
        for arguments, text, code in cases:
            done = self.run_there(*arguments)
            self.assertIn(text, done.stdout + done.stderr, arguments)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.repo.path = "no/such"
        self.assertIn("404 Project Not Found", self.run_there().stderr)
        self.environment["SLIPWAY_TOKEN"] = "glpat-wrong"
        self.assertIn("SLIPWAY_TOKEN", self.run_there().stderr)
        self.server.stop()
        self.assertEqual(self.run_there().returncode, 4)


class SmallLimit(WorkTree):
    server_settings = {"run_limit": "64K"}

    def test_what_is_too_large_is_refused(self):
        self.prepare()
        (self.repo.work / "large").write_bytes(os.urandom(1 << 20))
        done = self.run_there()
        self.assertEqual(done.returncode, 1)
        self.assertIn("run_limit", done.stderr)


if __name__ == "__main__":
    unittest.main()
