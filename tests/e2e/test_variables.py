"""Variables of the settings: set over the command line, given to the jobs that may have them, hidden in logs."""

import os
import subprocess
import unittest

from harness import BINARY, SANITIZERS, Api, EndToEnd, wait_for

# Marks that are looked for wherever they must not be.
GROUP = "canary-of-the-group-1f6b"
PROJECT = "canary-of-the-project-9d20"
PROTECTED = "canary-of-main-only-77aa"
FILE = "canary first line\nsecond $line of it\n"

FILE_OF_PIPELINE = """
stages: [test, deploy]
show:
  script:
    - echo "who=$WHO token=$TOKEN"
    - echo "protected=${PROTECTED:-none}"
    - echo "path=$CONFIG"
    - cat "$CONFIG" > config.txt
    - test "$(stat -c %a "$CONFIG")" = 600
    - echo "nested=$NESTED raw=$RAW"
  artifacts: {paths: [config.txt]}
  variables: {NESTED: "<$PLAIN>"}
deploy:
  stage: deploy
  environment: production/eu
  script: ['echo "host=$HOST"']
  rules:
    - if: $GATE == "open"
"""


class Variables(EndToEnd):
    def slipway(self, *arguments, value=None, fails=False):
        environment = {"PATH": os.environ["PATH"], "SLIPWAY_URL": self.server.url,
                       "SLIPWAY_TOKEN": self.api.token, **SANITIZERS}
        done = subprocess.run([BINARY, *arguments], input=value, env=environment, text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode != 0, fails, done.stderr)
        return done.stderr if fails else done.stdout

    def set_variable(self, owner, key, value, *flags):
        return self.slipway("variable", "set", *owner, key, *flags, value=value)

    def set_all(self):
        project = ("--project", "team/web/app")
        self.set_variable(("--instance",), "WHO", "instance\n")
        self.set_variable(("--group", "team"), "WHO", "group\n")
        self.set_variable(("--group", "team"), "TOKEN", GROUP + "\n", "--masked")
        self.set_variable(project, "TOKEN", PROJECT + "\n", "--hidden")
        self.set_variable(project, "PROTECTED", PROTECTED + "\n", "--masked", "--protected")
        self.set_variable(project, "CONFIG", FILE, "--file")
        self.set_variable(project, "PLAIN", "plain\n")
        self.set_variable(project, "RAW", "$PLAIN\n", "--raw")
        self.set_variable(project, "GATE", "open\n", "--protected")
        self.set_variable(project, "HOST", "anywhere\n")
        self.set_variable(project, "HOST", "eu.example\n", "--scope", "production/*")

    def test_jobs_get_what_they_may_have_and_logs_hide_it(self):
        self.runner()
        repository = self.repository("team/web/app", files={".gitlab-ci.yml": FILE_OF_PIPELINE})
        self.set_all()

        on_main = self.finished(repository.id, self.pipeline(repository.id, repository.push()))
        self.assertEqual(on_main["status"], "success")
        shown = self.trace(repository.id, on_main["jobs"]["show"]["id"]).decode()
        self.assertIn("who=group token=[MASKED]", shown)
        self.assertIn("protected=[MASKED]", shown)
        self.assertIn("nested=<plain> raw=$PLAIN", shown)
        self.assertIn("host=eu.example", self.trace(
            repository.id, on_main["jobs"]["deploy"]["id"]).decode())
        _, _, archive = self.api.raw(
            "GET", f"/api/v4/projects/{repository.id}/jobs/{on_main['jobs']['show']['id']}/artifacts")
        self.assertIn("config.txt", archive.decode(errors="replace"))

        on_branch = self.finished(repository.id, self.pipeline(
            repository.id, repository.push("Change", branch="feature/x")))
        self.assertEqual(list(on_branch["jobs"]), ["show"])  # the gate is protected
        self.assertIn("protected=none", self.trace(
            repository.id, on_branch["jobs"]["show"]["id"]).decode())

        self.api.post(f"/api/v4/projects/{repository.id}/protected_branches", {"name": "feature/*"})
        again = self.finished(repository.id, self.pipeline(
            repository.id, repository.push("Again", branch="feature/x")))
        self.assertEqual(sorted(again["jobs"]), ["deploy", "show"])

        uses = self.api.get(f"/api/v4/projects/{repository.id}/variables/PROTECTED/uses")
        self.assertEqual([(use["job"]["name"], use["job"]["ref"]) for use in uses],
                         [("deploy", "feature/x"), ("show", "feature/x"),
                          ("deploy", "main"), ("show", "main")])
        self.assertEqual(self.api.get("/api/v4/groups/team/variables/TOKEN/uses"), [])  # overridden
        self.secrets_are_nowhere()

    def secrets_are_nowhere(self):
        """Neither in the server's files, nor in what server and runner tell of themselves."""
        self.server.stop()
        places = [*self.server.data.rglob("*"), *self.directory.rglob("*.log")]
        files = [place for place in places if place.is_file() and "repositories" not in place.parts]
        self.assertTrue(any(file.name == "slipway.db" for file in files))
        self.assertTrue(any(file.name.startswith("runner-") for file in files))
        for file in files:
            content = file.read_bytes()
            for secret in (GROUP, PROJECT, PROTECTED):
                self.assertNotIn(secret.encode(), content, file)

    def test_the_command_line_lists_changes_and_deletes(self):
        self.repository("team/web/app")
        project = ("--project", "team/web/app")
        self.assertEqual(self.set_variable(project, "TOKEN", PROJECT + "\n", "--hidden"), "created\n")
        self.assertEqual(self.set_variable(project, "TOKEN", PROTECTED + "\n"), "changed\n")
        self.set_variable(project, "HOST", "a", "--scope", "review/*", "--protected")
        listed = self.slipway("variable", "list", *project)
        self.assertEqual(listed, "HOST\treview/*\tenv_var\tprotected\n"
                                 "TOKEN\t*\tenv_var\tmasked\thidden\n")
        self.assertNotIn(PROTECTED, self.slipway("variable", "list", *project, "--json"))
        self.set_variable(project, "HOST", "a", "--scope", "review/*", "--no-protected")
        self.assertIn("HOST\treview/*\tenv_var\n", self.slipway("variable", "list", *project))
        self.slipway("variable", "delete", *project, "HOST", "--scope", "review/*")
        self.assertNotIn("HOST", self.slipway("variable", "list", *project))

        for said, *arguments in (
                ("whose variable it is", "set", "K"),
                ("whose variable it is", "list", "--instance", "--group", "team"),
                ("404 Variable Not Found", "delete", *project, "HOST"),
                ("404 Group Not Found", "list", "--group", "nobody")):
            self.assertIn(said, self.slipway("variable", *arguments, value="v", fails=True))
        refused = self.slipway("variable", "set", *project, "SHORT", "--masked", value="abc\n", fails=True)
        self.assertIn("it has 3 characters", refused)
        empty = self.directory / "value"
        empty.write_text("from a file\n")
        self.set_variable(project, "FROM", None, "--value-file", str(empty))
        self.assertEqual(self.api.get("/api/v4/projects/team%2Fweb%2Fapp/variables/FROM")["value"], "from a file")


class KeyRotation(EndToEnd):
    COUNT = 250

    def rotate(self):
        return subprocess.Popen([BINARY, "admin", "rotate-key", "--data-dir", str(self.server.data)],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={"PATH": os.environ["PATH"], **SANITIZERS}, cwd=self.directory)

    def keys(self):
        return (self.server.data / "secret.key").read_text().splitlines()

    def values(self):
        found = {}
        for page in range(1, self.COUNT // 100 + 2):
            for one in self.api.get(f"/api/v4/admin/ci/variables?per_page=100&page={page}"):
                found[one["key"]] = one["value"]
        return found

    def test_a_rotation_that_is_killed_loses_nothing(self):
        expected = {f"KEY_{i}": f"value-{i}" for i in range(self.COUNT)}
        for key, value in expected.items():
            self.api.post("/api/v4/admin/ci/variables", {"key": key, "value": value})
        running = self.rotate()
        said, _ = running.communicate(timeout=60)
        self.assertNotEqual(running.returncode, 0, said)  # the server has the database
        before = self.keys()

        self.server.stop()
        running = self.rotate()
        wait_for("the new key in the file", lambda: len(self.keys()) == 2 or running.poll() is not None)
        running.kill()
        running.communicate()
        self.assertEqual(self.keys()[-1:] if len(self.keys()) == 2 else before, before)
        self.server.start()
        self.assertEqual(self.values(), expected)

        self.server.stop()
        ended = self.rotate()
        said, _ = ended.communicate(timeout=60)
        self.assertEqual(ended.returncode, 0, said)
        self.assertEqual(len(self.keys()), 1)
        self.assertNotEqual(self.keys(), before)
        self.server.start()
        self.assertEqual(self.values(), expected)

    def test_a_server_does_not_start_without_its_key(self):
        self.server.stop()
        key = self.server.data / "secret.key"
        kept = key.read_bytes()
        key.unlink()
        with self.assertRaisesRegex(AssertionError, "is missing"):
            self.server.start()
        self.assertFalse(key.exists())
        key.touch(mode=0o600)
        key.write_bytes(kept)
        self.server.start()
        Api(self.server.url).get("/api/v4/version")


if __name__ == "__main__":
    unittest.main()
