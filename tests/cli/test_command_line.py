"""The command line as scripts see it: exit codes, standard output and standard error."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BINARY = os.environ.get("SLIPWAY_BINARY", "build/dev/slipway")
# What a build with sanitizers must be told; empty for any other.
SANITIZERS = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}


def slipway(*arguments, **environment):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], **SANITIZERS, **environment}, stdin=subprocess.DEVNULL)


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="slipway-cli-")
        self.addCleanup(self.directory.cleanup)

    def file(self, text, name=".gitlab-ci.yml"):
        path = pathlib.Path(self.directory.name) / name
        path.write_text(text)
        return str(path)

    def test_without_a_command_or_with_an_unknown_one_it_is_a_usage_error(self):
        for arguments in ([], ["launch"], ["lint", "--no-such-flag"], ["plan", "--event", "lunch"]):
            done = slipway(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr, arguments)

    def test_every_command_has_help_with_an_example(self):
        for command in ("server", "runner", "lint", "plan", "project", "token"):
            done = slipway(command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertIn("slipway " + command, done.stdout, command)
            self.assertIn("Example", done.stdout, command)

    def test_a_valid_file_lints_clean(self):
        done = slipway("lint", self.file("test:\n  script: [make test]\n"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_an_invalid_file_is_exit_code_3_with_the_place(self):
        path = self.file("test:\n  scirpt: [make test]\n")
        done = slipway("lint", path)
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"{path}:2:3: error:", done.stdout)

        findings = json.loads(slipway("lint", path, "--json").stdout)
        self.assertFalse(findings["valid"])
        self.assertEqual(findings["findings"][0]["line"], 2)

    def test_a_missing_file_is_a_usage_error(self):
        self.assertEqual(slipway("lint", self.directory.name + "/none.yml").returncode, 2)

    def test_the_doctor_names_what_is_wrong_and_what_to_do(self):
        config = self.file("runner_url: http://127.0.0.1:1\nrunner_token: glrt-x\n"
                           f"runner_builds_dir: {self.directory.name}/builds\n"
                           f"runner_cache_dir: {self.directory.name}/cache\n", "slipway-runner.yml")
        done = slipway("runner", "doctor", "--config", config, "--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        found = {check["check"]: check for check in json.loads(done.stdout)}
        self.assertEqual(found["git"]["status"], "ok")
        self.assertIn("GiB free under", found["cache disk"]["text"])
        self.assertEqual(found["server"]["status"], "error")
        self.assertTrue(found["server"]["hint"])
        self.assertEqual(list(pathlib.Path(self.directory.name, "builds").iterdir()), [])

        blocked = self.file("", "a-file")
        done = slipway("runner", "doctor", "--config", config, "--runner-builds-dir", blocked + "/builds")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"error +disk .*a-file")

    def test_a_config_toml_is_read_and_what_is_not_supported_is_named(self):
        config = self.file('[[runners]]\nname = "a"\nurl = "http://127.0.0.1:1"\ntoken = "t"\nexecutor = "shell"\n'
                           'machine = 100\n[[runners]]\nname = "b"\nexecutor = "ssh"\n', "config.toml")
        several = slipway("runner", "run", "--config", config)
        self.assertEqual(several.returncode, 3)
        self.assertIn("several [[runners]] sections", several.stderr)
        self.assertIn("--section NAME: 'a', 'b'", several.stderr)
        done = slipway("runner", "doctor", "--config", config, "--section", "a",
                       "--runner-builds-dir", self.directory.name + "/builds",
                       "--runner-cache-dir", self.directory.name + "/cache")
        self.assertIn("config.toml:6: runners.machine = 100 is not supported", done.stderr)
        other = slipway("runner", "run", "--config", config, "--section", "b")
        self.assertEqual(other.returncode, 3)
        self.assertIn("the executor 'ssh' is not supported", other.stderr)

    def test_plan_shows_jobs_and_why_the_others_are_not_there(self):
        path = self.file("test:\n  script: [make]\ndeploy:\n  script: [make]\n  only: [main]\n")
        done = slipway("plan", path, "--event", "push", "--branch", "feature")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("test", done.stdout)
        self.assertIn("deploy", done.stdout)
        self.assertIn(":5", done.stdout)

    def test_lint_follows_the_include_map_gives_inputs_and_locks(self):
        os.makedirs(os.path.join(self.directory.name, "shared"))
        shared = os.path.join(self.directory.name, "shared", "a.yml")
        with open(shared, "w") as file:
            file.write("spec: {inputs: {name: {default: a}}}\n---\n'$[[ inputs.name ]]': {script: x}\n")
        path = os.path.join(self.directory.name, ".gitlab-ci.yml")
        with open(path, "w") as file:
            file.write("spec: {inputs: {job: }}\n---\n"
                       "include: {project: team/ci, file: a.yml, inputs: {name: '$[[ inputs.job ]]'}}\n")
        cache = {"XDG_CACHE_HOME": os.path.join(self.directory.name, "cache")}
        unknown = slipway("lint", path, "--input", "job=b", **cache)
        self.assertEqual(unknown.returncode, 3)
        self.assertIn("3:35: error: Project `team/ci` not found or access denied!", unknown.stdout)
        self.assertIn("--include-map team/ci=PATH_OR_URL", unknown.stdout)
        known = ["--include-map", f"team/ci={os.path.dirname(shared)}", "--input", "job=b"]
        planned = slipway("plan", path, *known, **cache)
        self.assertEqual(planned.returncode, 0, planned.stdout + planned.stderr)
        self.assertIn("  b", planned.stdout)
        self.assertEqual(slipway("lint", path, "--lock", *known, **cache).returncode, 0)
        with open(shared, "a") as file:
            file.write("# changed\n")
        changed = slipway("lint", path, "--lock", *known, **cache)
        self.assertEqual(changed.returncode, 3)
        self.assertIn("the included file `team/ci@HEAD/a.yml` is not the one that was locked",
                      changed.stdout)

    def test_an_unreachable_server_is_exit_code_4(self):
        done = slipway("project", "list", SLIPWAY_URL="http://127.0.0.1:1", SLIPWAY_TOKEN="x")
        self.assertEqual(done.returncode, 4)
        self.assertIn("no answer from http://127.0.0.1:1", done.stderr)

    def test_a_bad_setting_of_the_server_is_exit_code_3(self):
        done = slipway("server", "--lease", "soon", "--data-dir", self.directory.name)
        self.assertEqual(done.returncode, 3)
        self.assertIn("'--lease' must be a time", done.stderr)

    def test_settings_are_shown_with_their_origins_and_secrets_without_values(self):
        done = slipway("server", "--show-settings", "--poll-hold", "5s", SLIPWAY_LEASE="60s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"poll_hold\s+5s\s+--poll-hold")
        self.assertRegex(done.stdout, r"lease\s+60s\s+SLIPWAY_LEASE")

    def test_completion_knows_the_commands_and_their_options(self):
        script = slipway("completion", "bash").stdout
        words = subprocess.run(
            ["bash", "-c", script + "\nCOMP_WORDS=(slipway project add --vis); COMP_CWORD=3; "
             "_slipway; echo \"${COMPREPLY[@]}\""], capture_output=True, text=True)
        self.assertEqual(words.stdout.strip(), "--visibility")


if __name__ == "__main__":
    unittest.main(verbosity=2)
