"""`slipway lint`: the forms of its findings and --strict."""

import json
import os
import pathlib
import pty
import subprocess
import tempfile
import unittest

BINARY = os.environ.get("SLIPWAY_BINARY", "build/dev/slipway")
SAMPLE = "stages: [build]\nbuild:\n  stage: biuld\n  scirpt: [make]\n"


class Files(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="slipway-lint-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def file(self, text, name=".gitlab-ci.yml"):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def slipway(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([BINARY, *arguments], capture_output=True, timeout=60,
                              cwd=self.directory, **options)

    def lint(self, text, *arguments):
        self.file(text)
        return self.slipway("lint", *arguments)


class Limits(Files):
    """Each limit is a flag, a variable and a key of the project's file, in that order."""

    MAIN = "include: [a.yml, a.yml, a.yml]\nj: {script: x}\n"

    def lint_including(self, *arguments, **variables):
        self.file(".a: 1\n", "a.yml")
        return self.slipway("lint", *arguments, env={**os.environ, **variables})

    def test_a_limit_is_set_by_flag_variable_and_file(self):
        self.file(self.MAIN)
        refusal = b"Maximum of 2 nested includes are allowed!"
        self.assertEqual(self.lint_including().returncode, 0)
        done = self.lint_including("--include-limit", "2")
        self.assertEqual(done.returncode, 3)
        self.assertIn(refusal, done.stdout)
        self.assertIn(b"the setting is include_limit", done.stdout)
        self.assertIn(refusal, self.lint_including(SLIPWAY_INCLUDE_LIMIT="2").stdout)
        (self.directory / ".slipway").mkdir()
        self.file("include_limit: 2\n", ".slipway/config.yml")
        self.assertIn(refusal, self.lint_including().stdout)
        self.assertEqual(self.lint_including(SLIPWAY_INCLUDE_LIMIT="3").returncode, 0)
        self.assertEqual(self.lint_including("--include-limit", "3", SLIPWAY_INCLUDE_LIMIT="2").returncode, 0)

    def test_plan_and_run_know_it_too(self):
        self.file(self.MAIN)
        self.file(".a: 1\n", "a.yml")
        for command in ("plan", "run"):
            with self.subTest(command):
                done = self.slipway(command, "--include-limit", "2", *(["--list"] if command == "run" else []))
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(b"Maximum of 2 nested includes are allowed!", done.stdout + done.stderr)

    def test_a_child_pipeline_is_held_to_the_same(self):
        self.file("j: {trigger: {include: child.yml}}\n")
        self.file(self.MAIN, "child.yml")
        self.file(".a: 1\n", "a.yml")
        self.assertNotIn(b"nested includes", self.slipway("plan").stdout)
        self.assertIn(b"Maximum of 2 nested includes are allowed!",
                      self.slipway("plan", "--include-limit", "2").stdout)

    def test_what_is_no_limit_is_refused_with_its_place(self):
        self.file("j: {script: x}\n")
        done = self.slipway("lint", "--pipeline-depth-limit", "5")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"'--pipeline-depth-limit' must be a number from 10 to 500", done.stderr)
        (self.directory / ".slipway").mkdir()
        self.file("pipeline_depth_limit: deep\n", ".slipway/config.yml")
        done = self.slipway("lint")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"config.yml:1:1: ", done.stderr)
        self.assertIn(b"'pipeline_depth_limit' must be a number from 10 to 500", done.stderr)
        self.file("pipeline_dept_limit: 20\n", ".slipway/config.yml")
        done = self.slipway("lint")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"unknown setting 'pipeline_dept_limit'", done.stderr)
        self.assertIn(b"did you mean 'pipeline_depth_limit'?", done.stderr)

    def test_a_file_of_more_than_two_megabytes_can_be_let_in(self):
        self.file("j: {script: x}\n" + "#" * (2 << 20))
        done = self.slipway("lint")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"the file has more than 2097152 bytes (setting pipeline_file_limit)", done.stdout)
        self.assertEqual(self.slipway("lint", "--pipeline-file-limit", "3M").returncode, 0)


class Forms(Files):
    def test_all_findings_come_in_one_go_with_line_caret_and_hint(self):
        done = self.lint("a:\n  script: make\n  stage: tset\n  needs: [bb]\nb:\n  script: x\n  imgae: y\n")
        self.assertEqual(done.returncode, 3)
        text = done.stdout.decode()
        self.assertIn(".gitlab-ci.yml:7:3: error: jobs:b config contains unknown keys: imgae\n"
                      "    7 |   imgae: y\n"
                      "      |   ^\n"
                      "hint: did you mean 'image'?\n", text)
        self.assertIn("hint: did you mean 'test'?", text)
        self.assertIn("hint: did you mean 'b'?", text)

    def test_json_has_the_fields_that_scripts_rely_on(self):
        done = self.lint(SAMPLE, "--json")
        self.assertEqual(done.returncode, 3)
        report = json.loads(done.stdout)
        self.assertEqual(set(report), {"valid", "findings"})
        self.assertIs(report["valid"], False)
        for finding in report["findings"]:
            self.assertEqual(set(finding),
                             {"severity", "code", "message", "file", "line", "column", "hint"})
        self.assertEqual(json.loads(self.lint("a: {script: x}\n", "--json").stdout),
                         {"valid": True, "findings": []})

    def test_sarif_names_rules_places_and_levels(self):
        done = self.lint("test:\n  scirpt: x\n", "--sarif")
        self.assertEqual(done.returncode, 3)
        log = json.loads(done.stdout)
        self.assertEqual(log["version"], "2.1.0")
        run = log["runs"][0]
        self.assertEqual(run["tool"]["driver"]["name"], "slipway")
        known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        result = run["results"][0]
        self.assertIn(result["ruleId"], known)
        self.assertEqual(result["level"], "error")
        self.assertIn("Hint: did you mean 'script'", result["message"]["text"])
        self.assertEqual(result["locations"][0]["physicalLocation"],
                         {"artifactLocation": {"uri": ".gitlab-ci.yml"},
                          "region": {"startLine": 2, "startColumn": 3}})

    def test_sarif_writes_a_path_as_a_uri(self):
        path = self.file("[", "a b%.yml")
        log = json.loads(self.slipway("lint", "a b%.yml", "--sarif").stdout)
        place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "a%20b%25.yml")
        log = json.loads(self.slipway("lint", path, "--sarif").stdout)
        place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        self.assertTrue(place["artifactLocation"]["uri"].startswith("file:///"))

    def test_github_annotations_are_escaped(self):
        self.file("a:\n  script: x\n  \"b,c:%\\n::error::\": 1\n", "x,y:%.yml")
        done = self.slipway("lint", "x,y:%.yml", "--github")
        self.assertEqual(done.returncode, 3)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(len(lines), 1)
        self.assertEqual(lines[0], "::error file=x%2Cy%3A%25.yml,line=3,col=3,title=unknown_keyword::"
                                   "jobs:a config contains unknown keys: b,c:%25%0A::error::")

    def test_only_one_form_at_a_time(self):
        self.assertEqual(self.lint(SAMPLE, "--json", "--sarif").returncode, 2)

    def test_a_directory_and_standard_input_are_read(self):
        self.file(SAMPLE)
        self.assertEqual(self.slipway("lint", str(self.directory)).returncode, 3)
        done = self.slipway("lint", "-", input=b"a:\n  scirpt: x\n", stdin=None)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"<stdin>:2:3: error:", done.stdout)
        self.assertIn(b"  scirpt: x\n", done.stdout)

    def test_colours_are_for_terminals_without_no_color(self):
        self.file(SAMPLE)
        self.assertNotIn(b"\033", self.slipway("lint").stdout)
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            ours, theirs = pty.openpty()
            with subprocess.Popen([BINARY, "lint"], cwd=self.directory, stdout=theirs,
                                  env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment}):
                os.close(theirs)
                shown = b""
                try:
                    while piece := os.read(ours, 65536):
                        shown += piece
                except OSError:  # the other end is closed
                    pass
            os.close(ours)
            self.assertIn(b"error", shown)
            self.assertEqual(b"\033[" in shown, coloured)

    def test_what_would_disturb_a_terminal_is_shown_as_spaces(self):
        done = self.lint('a:\n  script: x\n  "\\e[31m\\u202E": 1 # \u202e\n')
        self.assertIn(b"unknown keys:  [31m \n", done.stdout)
        self.assertNotIn(b"\033", done.stdout)
        self.assertNotIn("\u202e".encode(), done.stdout)

    def test_of_a_long_line_the_part_around_the_caret_is_shown(self):
        done = self.lint("a: {script: x, tags: [" + "漢, " * 200 + "{}, b]}\n")
        line, caret = done.stdout.decode().splitlines()[1:3]
        self.assertLess(len(line), 200)
        at = line.index("{}")
        wide = sum(2 if letter == "漢" else 1 for letter in line[:at])
        self.assertEqual(caret.index("^"), wide)

    def test_hints_say_what_was_probably_meant(self):
        for text, hint in (("a:\n  script:\n    - echo \"x: y\"\n", "put the whole line in quotes"),
                           ("a:\n\tscript: x\n", "indent with spaces, not tabs"),
                           ("a:\n  script: x\n  coverage: x: y\n", "needs quotes"),
                           ("a: {script: x, needs: [tset]}\ntest: {script: x}\n", "did you mean 'test'?")):
            self.assertIn(hint, self.lint(text).stdout.decode(), text)


class Strict(Files):
    def test_warnings_are_shown_by_strict_only_and_make_exit_code_3(self):
        text = "a:\n  image: node\n  script: x\n  script: y\n"
        done = self.lint(text)
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        done = self.lint(text, "--strict")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b".gitlab-ci.yml:2:10: warning: the image 'node' has no tag", done.stdout)
        self.assertIn(b".gitlab-ci.yml:4:3: warning: the key 'script' stands here again", done.stdout)
        report = json.loads(self.lint(text, "--strict", "--json").stdout)
        self.assertTrue(report["valid"])
        self.assertEqual([finding["code"] for finding in report["findings"]],
                         ["mutable_image", "duplicate_key"])

    def test_a_file_without_warnings_is_exit_code_0(self):
        done = self.lint("a: {script: x, image: 'alpine:3.19'}\n", "--strict")
        self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_the_sample_has_no_doubtful_place_but_the_one_that_gitlab_refuses(self):
        sample = pathlib.Path("tests/pipeline/corpus/seed.yml").resolve()
        report = json.loads(self.slipway("lint", str(sample), "--strict", "--json").stdout)
        self.assertEqual({finding["code"] for finding in report["findings"]}, {"coverage_quotes"})

    def test_the_line_of_an_included_file_is_shown(self):
        (self.directory / "ci").mkdir()
        self.file("x:\n  script: y\n  image: node\n", "ci/a.yml")
        done = self.lint("include: ci/a.yml\n", "--strict")
        self.assertIn(b"ci/a.yml:3:10: warning", done.stdout)
        self.assertIn(b"    3 |   image: node\n", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
