"""`slipway run`: pipelines on this machine with real shell jobs, driven as a person would."""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
import time
import unittest

BINARY = os.path.abspath(os.environ.get("SLIPWAY_BINARY", "build/dev/slipway"))


class LocalRun(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="slipway-run-")
        self.addCleanup(directory.cleanup)
        self.top = pathlib.Path(directory.name)
        self.directory = self.top / "project"
        self.directory.mkdir()
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.top / "cache"),
                            "HOME": str(self.top), "GIT_CONFIG_NOSYSTEM": "1"}

    def file(self, text, name=".gitlab-ci.yml"):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def git(self, *arguments):
        return subprocess.run(
            ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments],
            cwd=self.directory, env=self.environment, check=True, capture_output=True,
            text=True).stdout.strip()

    def repository(self):
        self.git("init", "--quiet", "--initial-branch=main", ".")

    def commit(self, message="change"):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def run_it(self, *arguments, code=0, executor="shell", cwd=None):
        done = self.start_it(*arguments, code=code, executor=executor, cwd=cwd)
        return done.stdout + done.stderr

    def start_it(self, *arguments, code=0, executor="shell", cwd=None):
        done = subprocess.run([BINARY, "run", "--executor", executor, *arguments],
                              capture_output=True, text=True, timeout=120,
                              cwd=cwd or self.directory, env=self.environment,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def events(self, *arguments, code=0):
        done = self.start_it("--json", *arguments, code=code)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def statuses(self, *arguments, code=0):
        """The last status of each job."""
        return {event["job"]: event["status"] for event in self.events(*arguments, code=code)
                if event["event"] == "job"}


class Tree(LocalRun):
    def test_changed_and_new_files_take_part_and_ignored_ones_do_not(self):
        self.repository()
        self.file("job:\n  script: [cat kept changed new, ls -a, git status --porcelain]\n")
        self.file("ignored\n", ".gitignore")
        self.file("kept\n", "kept")
        self.file("old\n", "changed")
        self.file("gone\n", "removed")
        self.commit()
        self.file("changed now\n", "changed")
        self.file("new file\n", "new")
        self.file("secret\n", "ignored")
        (self.directory / "removed").unlink()
        before = self.git("status", "--porcelain")

        output = self.run_it()

        for line in ("[job] kept", "[job] changed now", "[job] new file"):
            self.assertIn(line, output.splitlines())
        self.assertNotIn("[job] ignored", output.splitlines())
        self.assertNotIn("[job] removed", output.splitlines())
        self.assertEqual(self.git("status", "--porcelain"), before)
        self.assertEqual(self.git("stash", "list"), "")

    def test_nothing_is_written_into_the_repository(self):
        self.repository()
        self.file("job:\n  script: ['echo x > made', 'git tag mine', 'git commit --allow-empty -m x']\n"
                  "  variables: {GIT_AUTHOR_NAME: a, GIT_AUTHOR_EMAIL: a@b, GIT_COMMITTER_NAME: a,"
                  " GIT_COMMITTER_EMAIL: a@b}\n")
        self.commit()
        (self.directory / "new").write_text("not added\n")
        listing = lambda: sorted(  # noqa: E731
            (str(path), path.read_bytes() if path.is_file() else b"")
            for path in (self.directory / ".git").rglob("*"))
        before = listing()

        self.run_it()

        self.assertEqual(listing(), before)
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()),
                         [".git", ".gitlab-ci.yml", ".slipway", "new"])

    def test_a_tree_without_changes_is_its_commit(self):
        self.repository()
        self.file("job:\n  script: ['echo sha=$CI_COMMIT_SHA', 'git rev-parse HEAD']\n")
        sha = self.commit()

        lines = self.run_it().splitlines()

        self.assertIn("[job] sha=" + sha, lines)
        self.assertIn("[job] " + sha, lines)

    def test_a_changed_tree_is_a_commit_after_the_last_one(self):
        self.repository()
        self.file("job:\n  script: ['git rev-parse HEAD^', 'git describe --tags']\n")
        sha = self.commit()
        self.git("tag", "v1")
        self.file("new\n", "new")

        lines = self.run_it("--var", "GIT_DEPTH=0").splitlines()

        self.assertIn("[job] " + sha, lines)
        self.assertTrue(any(line.startswith("[job] v1-1-g") for line in lines), lines)

    def test_the_second_run_sees_what_has_changed_since_the_first(self):
        self.repository()
        self.file("job:\n  script: [cat a, ls]\n")
        self.file("one\n", "a")
        self.file("b\n", "b")
        self.commit()
        self.assertIn("[job] one", self.run_it().splitlines())
        self.file("two\n", "a")
        (self.directory / "b").unlink()

        lines = self.run_it().splitlines()

        self.assertIn("[job] two", lines)
        self.assertNotIn("[job] b", lines)

    def test_a_repository_without_commits_and_a_plain_directory_work(self):
        self.file("job:\n  script: [cat file]\n")
        self.file("content\n", "file")
        self.file("x\n", "sub/.gitignore")

        output = self.run_it()
        self.assertIn("note: '%s' is no git repository" % self.directory, output)
        self.assertIn("[job] content", output)

        self.repository()
        output = self.run_it()
        self.assertIn("note: the repository has no commit yet", output)
        self.assertIn("[job] content", output)

    def test_a_directory_below_the_root_runs_the_same_pipeline(self):
        self.repository()
        self.file("job:\n  script: [ls]\n")
        self.file("x\n", "sub/file")
        self.commit()
        self.assertIn("[job] sub", self.run_it(cwd=self.directory / "sub"))

    def test_changes_are_those_since_the_upstream(self):
        self.repository()
        self.file("docs:\n  script: [echo docs]\n  rules: [{changes: [docs/**]}]\n"
                  "code:\n  script: [echo code]\n  rules: [{changes: [src/**]}]\n")
        self.commit()
        self.file("x\n", "docs/index.md")
        self.assertEqual(self.statuses(), {"docs": "success"})

    def test_only_one_run_of_a_tree_is_under_way(self):
        self.file("job:\n  script: [echo started, sleep 60]\n")
        with subprocess.Popen([BINARY, "run"], cwd=self.directory, env=self.environment,
                              stdout=subprocess.PIPE, text=True) as first:
            while "[job] started" not in first.stdout.readline():
                pass
            output = self.run_it(code=1)
            first.send_signal(signal.SIGINT)
            first.communicate(timeout=60)
        self.assertIn("slipway: another run of this work tree is under way", output)


class Pipeline(LocalRun):
    def test_what_is_kept_of_trees_that_are_gone_or_not_run_any_more_goes(self):
        self.file("job: {script: 'true'}\n")
        stores = self.top / "cache" / "slipway" / "run"
        def store(name, tree, days):
            folder = stores / name
            (folder / "builds").mkdir(parents=True)
            (folder / "lock").touch()
            (folder / "tree").write_text(str(tree))
            then = time.time() - days * 24 * 3600
            os.utime(folder / "lock", (then, then))
            return folder
        kept = store("kept", self.top, 29)
        in_use = store("in-use", self.top / "gone", 31)
        old = store("old", self.top, 31)
        gone = store("gone", self.top / "gone", 0)
        with open(in_use / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.run_it()
        self.assertEqual([folder.exists() for folder in (kept, in_use, old, gone)],
                         [True, True, False, False])

    def test_artifacts_and_dotenv_variables_are_handed_on_and_left(self):
        self.file("""\
stages: [build, test]
make it:
  stage: build
  script: [mkdir out, echo data > out/file, echo VERSION=1.2 > v.env]
  artifacts: {paths: [out], reports: {dotenv: v.env}}
check:
  stage: test
  script: [cat out/file, echo v=$VERSION]
""")
        lines = self.run_it().splitlines()

        self.assertIn("[check] data", lines)
        self.assertIn("[check] v=1.2", lines)
        kept = self.directory / ".slipway" / "artifacts" / "make it"
        self.assertEqual((kept / "out" / "file").read_text(), "data\n")
        self.assertEqual((self.directory / ".slipway" / ".gitignore").read_text(),
                         "*\n!/include.lock\n")

    def test_a_job_alone_takes_what_an_earlier_run_left(self):
        self.file("stages: [build, test]\n"
                  "build:\n  stage: build\n  script: [date +%N > stamp, cat stamp]\n"
                  "  artifacts: {paths: [stamp]}\n"
                  "test:\n  stage: test\n  script: [echo got $(cat stamp)]\n")
        self.run_it()
        stamp = (self.directory / ".slipway/artifacts/build/stamp").read_text().strip()

        output = self.run_it("--job", "test")
        self.assertIn("[test] got " + stamp, output)
        self.assertNotIn("[build]", output)
        self.assertEqual(self.statuses("--from-stage", "test"), {"test": "success"})
        self.assertEqual(self.statuses("test"), {"build": "success", "test": "success"})

    def test_artifacts_of_a_job_that_runs_again_are_not_taken_from_the_run_before(self):
        self.file("stages: [build, test]\n"
                  "build:\n  stage: build\n  script: ['test -z \"$FAIL\"', echo x > stamp]\n"
                  "  artifacts: {paths: [stamp]}\n  allow_failure: true\n"
                  "test:\n  stage: test\n  script: ['ls', 'test -e stamp']\n")
        self.assertEqual(self.statuses()["test"], "success")
        self.assertEqual(self.statuses("--var", "FAIL=1", code=1),
                         {"build": "failed", "test": "failed"})

    def test_needs_start_a_job_before_its_stage(self):
        self.file("""\
stages: [build, test]
slow: {stage: build, script: ['while ! test -e "$MARK"; do sleep 0.05; done']}
quick: {stage: build, script: ['true']}
early: {stage: test, needs: [quick], script: ['echo x > "$MARK"']}
""")
        self.assertEqual(
            self.statuses("--concurrent", "2", "--var", "MARK=" + str(self.top / "mark")),
            {"slow": "success", "quick": "success", "early": "success"})

    def test_when_failure_retry_and_allow_failure_are_those_of_a_server(self):
        self.file("""\
stages: [build, test, end]
breaks: {stage: build, script: [exit 7]}
may break: {stage: build, script: [exit 8], allow_failure: {exit_codes: 8}}
tries: {stage: build, script: [exit 1], retry: 2, allow_failure: true}
after: {stage: test, script: ['true']}
cleans: {stage: end, script: ['true'], when: always}
mends: {stage: end, script: ['true'], when: on_failure}
""")
        events = self.events(code=1)

        jobs = [event for event in events if event["event"] == "job"]
        last = {event["job"]: event for event in jobs}
        self.assertEqual({name: event["status"] for name, event in last.items()}, {
            "breaks": "failed", "may break": "failed", "tries": "failed", "after": "skipped",
            "cleans": "success", "mends": "success"})
        self.assertEqual(last["breaks"]["exit_code"], 7)
        self.assertEqual(last["breaks"]["reason"]["code"], "script_failure")
        self.assertTrue(last["may break"]["allow_failure"])
        self.assertEqual(last["tries"]["attempt"], 3)
        self.assertEqual(events[-1]["event"], "end")
        self.assertEqual(events[-1]["status"], "failed")

    def test_the_summary_has_a_failed_job_s_reason_and_last_lines(self):
        self.file("job:\n  script: [for i in $(seq 30); do echo line $i; done, exit 7]\n")

        output = self.run_it(code=1)

        summary = output[output.rindex("✗ job"):]
        self.assertIn("failed (exit code 7)", summary)
        self.assertIn("    | line 30\n", summary)
        self.assertNotIn("    | line 2\n", summary)
        self.assertIn("the whole log: .slipway/logs/job.log", summary)
        self.assertIn("slipway shell 'job'", summary)
        self.assertIn("line 1\n", (self.directory / ".slipway/logs/job.log").read_text())

    def test_the_summary_has_what_the_runner_says_of_a_failure_and_the_coverage(self):
        self.file("""\
lost: {script: [no-such-command], allow_failure: true}
covered: {script: ['echo total 87.5%'], coverage: '/total (\\d+\\.\\d+)%/'}
""")
        output = self.run_it()
        self.assertIn("failed (exit code 127): a command was not found, see the end of the log, "
                      "which is allowed", output)
        self.assertRegex(output, r"covered +[\d.]+ s +success, coverage 87\.50 %")
        ends = {event["job"]: event for event in self.events() if event["event"] == "job"}
        self.assertEqual(ends["covered"]["coverage"], 87.5)
        self.assertIsNone(ends["lost"]["coverage"])

    def test_manual_jobs_wait_and_run_when_named_and_delayed_ones_run_at_once(self):
        self.file("deploy: {script: [echo deployed], when: manual}\n"
                  "later: {script: [echo later], when: delayed, start_in: 2 hours}\n")
        output = self.run_it()
        self.assertIn("note: later would be delayed by 2 h; here it starts at once", output)
        self.assertIn("it waits for a hand: slipway run --job 'deploy'", output)
        self.assertNotIn("[deploy] deployed", output)
        self.assertIn("[deploy] deployed", self.run_it("deploy"))

    def test_a_time_out_and_what_is_not_run_yet_have_their_reasons(self):
        self.file("slow: {script: [sleep 60], timeout: 1 second}\n"
                  "steps: {run: [{name: a, script: b}]}\n")
        last = {event["job"]: event for event in self.events(code=1) if event["event"] == "job"}
        self.assertEqual(last["slow"]["reason"]["code"], "job_execution_timeout")
        self.assertEqual(last["steps"]["reason"]["code"], "unsupported_on_slipway")

    def test_a_trigger_job_counts_as_done_and_says_so(self):
        self.file("stages: [trigger, after]\n"
                  "bridge: {stage: trigger, trigger: {project: a/b, strategy: depend}}\n"
                  "after: {stage: after, script: [echo went on]}\n")
        output = self.run_it()
        self.assertIn("note: bridge would trigger a pipeline, which is not run here; it counts as done", output)
        self.assertIn("[after] went on", output)

    def test_a_resource_group_runs_one_job_at_a_time(self):
        job = ("{script: ['mkdir \"$LOCK\"', sleep 0.3, 'rmdir \"$LOCK\"'], resource_group: board}\n")
        self.file("".join("job%d: %s" % (i, job) for i in range(3)))
        self.assertEqual(
            set(self.statuses("--concurrent", "3", "--var", "LOCK=%s/lock" % self.top).values()),
            {"success"})

    def test_a_cache_comes_back_in_the_next_run(self):
        self.file("job:\n  cache: {key: k, paths: [dir]}\n"
                  "  script: ['cat dir/f || echo none', mkdir -p dir, echo cached > dir/f]\n")
        self.assertIn("[job] none", self.run_it())
        self.assertIn("[job] cached", self.run_it())
        self.assertTrue((self.directory / ".slipway" / "caches").is_dir())

    def test_a_broken_dotenv_report_fails_its_job(self):
        self.file("job:\n  script: [echo no variable > v.env]\n  artifacts: {reports: {dotenv: v.env}}\n")
        self.assertEqual(self.statuses(code=1), {"job": "failed"})


class Options(LocalRun):
    def test_secrets_come_from_a_private_file_and_are_masked(self):
        self.file("job:\n  script: ['echo \"it is $PASSWORD\"']\n")
        secrets = self.file("PASSWORD=correct-horse\n", "secrets.env")
        secrets.chmod(0o644)
        output = self.run_it("--secrets", "secrets.env", code=2)
        self.assertIn("'secrets.env' can be read by others than its owner", output)
        self.assertIn("hint: chmod 600 secrets.env", output)

        secrets.chmod(0o600)
        output = self.run_it("--secrets", "secrets.env")
        self.assertIn("[job] it is [MASKED]", output)
        self.assertNotIn("correct-horse", output)
        self.assertNotIn("correct-horse",
                         (self.directory / ".slipway/logs/job.log").read_text())

        secrets.write_text("PIN=1234\n")
        output = self.run_it("--secrets", "secrets.env", code=2)
        self.assertIn("secrets.env: the value of 'PIN' has less than 8 characters", output)

    def test_the_event_and_the_branch_decide_which_jobs_there_are(self):
        self.repository()
        self.file("mr:\n  script: ['echo $CI_PIPELINE_SOURCE']\n"
                  "  rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]\n"
                  "tagged:\n  script: ['echo $CI_COMMIT_TAG']\n  rules: [{if: $CI_COMMIT_TAG}]\n"
                  "topic:\n  script: ['true']\n  rules: [{if: $CI_COMMIT_BRANCH == \"topic\"}]\n")
        self.commit()
        self.assertIn("[mr] merge_request_event", self.run_it("--event", "merge_request"))
        self.assertIn("[tagged] v7", self.run_it("--event", "tag", "--tag", "v7"))
        self.assertEqual(self.statuses("--branch", "topic"), {"topic": "success"})

    def test_list_and_dry_run_run_nothing(self):
        self.file("stages: [build, test]\n"
                  "a: {stage: build, script: [exit 1]}\nb: {stage: test, script: [exit 1]}\n"
                  "c: {stage: test, script: ['true'], rules: [{if: $NEVER}]}\n")
        listing = self.run_it("--list")
        self.assertRegex(listing, r"a +build +on_success +shell\n")
        self.assertRegex(listing, r"c +test +left out: ")
        self.assertEqual(self.run_it("--dry-run", "a").split(), ["a", "build", "on_success", "shell"])
        self.assertFalse((self.directory / ".slipway").exists())

    def test_wrong_use_has_exit_code_2_and_an_invalid_file_3(self):
        self.file("job: {script: ['true'], rules: [{if: $NEVER}]}\nother: {script: ['true']}\n")
        output = self.run_it("nope", code=2)
        self.assertIn("slipway: there is no job 'nope' in this pipeline", output)
        self.assertIn("hint: its jobs are other", output)
        self.assertIn("hint: it was left out: ", self.run_it("job", code=2))
        self.assertIn("no job of this pipeline is in a stage 'x'",
                      self.run_it("--from-stage", "x", code=2))
        self.assertIn("--var must be NAME=VALUE", self.run_it("--var", "x", code=2))
        self.assertIn("--shell-on-failure needs a terminal",
                      self.run_it("--shell-on-failure", code=2))
        self.file("job: {script: 1.5}\n")
        self.run_it(code=3)
        (self.directory / ".gitlab-ci.yml").unlink()
        self.run_it(code=2)

    def test_a_job_with_an_image_does_not_run_on_this_machine_unasked(self):
        self.file("job: {image: alpine, script: [touch /tmp/was-here]}\n")
        self.environment["DOCKER_HOST"] = "tcp://127.0.0.1:1"
        output = self.run_it(executor="auto", code=1)
        self.assertIn("the job 'job' runs in a container, and Docker does not answer", output)
        self.assertIn("--executor shell", output)


class Signals(LocalRun):
    def start(self):
        return subprocess.Popen([BINARY, "run", "--concurrent", "2"], cwd=self.directory,
                                env=self.environment, stdout=subprocess.PIPE, text=True)

    def wait_for(self, process, text):
        seen = ""
        while text not in seen:
            line = process.stdout.readline()
            self.assertNotEqual(line, "", seen)
            seen += line
        return seen

    def assert_gone(self, mark):
        # A killed process is gone a moment after the signal.
        until = time.monotonic() + 30
        while time.monotonic() < until:
            left = subprocess.run(["pgrep", "--full", mark], capture_output=True, text=True).stdout
            if not left:
                return
        self.fail("still there: " + left)

    def test_the_first_signal_asks_and_lets_the_after_script_run(self):
        mark = "sleep 4%d" % (10 ** 6 + os.getpid())
        self.file("job:\n  script: [\"trap 'echo asked; exit 1' TERM\", 'echo up; %s & wait']\n"
                  "  after_script: ['echo after $CI_JOB_STATUS']\n"
                  "next: {stage: deploy, script: ['true']}\n" % mark)
        with self.start() as process:
            self.wait_for(process, "[job] up")
            process.send_signal(signal.SIGINT)
            output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 1)
        self.assertIn("[job] asked", output)
        self.assertIn("[job] after canceled", output)
        self.assertIn("[job] canceled: Was canceled by a user.", output)
        self.assertIn("Pipeline: canceled", output)
        self.assert_gone(mark)

    def test_the_second_signal_kills_at_once(self):
        mark = "sleep 5%d" % (10 ** 6 + os.getpid())
        self.file("job:\n  script: [\"trap '' TERM\", 'echo up; %s; %s']\n"
                  "  after_script: ['%s']\n" % (mark, mark, mark))
        with self.start() as process:
            self.wait_for(process, "[job] up")
            process.send_signal(signal.SIGTERM)
            self.wait_for(process, "[job] canceling")
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assert_gone(mark)


class Terminal(LocalRun):
    def run_in_terminal(self, *arguments, keys="", command="run"):
        """Everything the program writes into a terminal, and its exit code."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.directory)
            os.execve(BINARY, [BINARY, command, *arguments], {**self.environment, "TERM": "xterm"})
        output = b""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            ready = select.select([terminal], [], [], 1)[0]
            if not ready:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            output += piece
            if keys and re.search(rb"[$#] $", output.rsplit(b"\n", 1)[-1]):
                os.write(terminal, keys.encode())
                keys = ""
        os.close(terminal)
        return output.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_the_live_view_follows_one_log_and_ends_with_the_summary(self):
        self.file("job:\n  script: [\"printf 'red \\\\033[31mtext\\\\033[0m \\\\033[2Jgone\\\\n'\", sleep 0.7]\n")

        output, code = self.run_in_terminal("--executor", "shell")

        self.assertEqual(code, 0)
        self.assertIn("── job ──", output)
        self.assertIn("red \x1b[31mtext\x1b[0m gone", output)  # colours stay, and nothing else
        self.assertNotIn("\x1b[2J", output)
        self.assertIn("0 of 1 jobs have ended", output)
        self.assertRegex(output, r"\x1b\[\dA\r\x1b\[J")
        self.assertIn("✓ job", output)
        self.assertIn("Pipeline: success", output)

    def test_a_shell_opens_where_a_job_has_failed(self):
        self.file("job:\n  variables: {ANSWER: '42'}\n  script: [echo x > left-behind, exit 1]\n")

        output, code = self.run_in_terminal("--executor", "shell", "--shell-on-failure",
                                            keys="ls; echo answer=$ANSWER; exit\n")

        self.assertEqual(code, 1)
        self.assertIn("left-behind", re.sub(r"echo x > left-behind", "", output))
        self.assertIn("answer=42", output)
        self.assertIn("job has failed: this shell is in its tree; `exit` goes on", output)

    def test_a_shell_opens_in_what_a_failed_job_has_left(self):
        secrets = self.top / "secrets"
        secrets.write_text("KEY=very-secret-value\n")
        secrets.chmod(0o600)
        self.file("""\
breaks: {variables: {ANSWER: '42', COPY: "<$KEY>"}, script: [echo x > left-behind, exit 1], allow_failure: true}
works: {script: [echo y > of-works]}
last: {needs: [works], script: ['true']}
""")
        self.run_it("--secrets", str(secrets), "--concurrent", "1")

        listed = subprocess.run([BINARY, "shell"], cwd=self.directory, env=self.environment,
                                capture_output=True, text=True, check=True).stdout
        self.assertEqual([line.split()[0] for line in listed.splitlines()], ["breaks", "last"])
        for file in (self.directory / ".slipway" / "places").iterdir():
            self.assertNotIn("very-secret-value", file.read_text())
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)

        output, code = self.run_in_terminal(
            "breaks", command="shell", keys="ls; echo answer=$ANSWER key=$KEY.; exit\n")
        self.assertEqual(code, 0)
        self.assertIn("left-behind", output)
        self.assertIn("answer=42 key=.", output)
        output, code = self.run_in_terminal("breaks", "--secrets", str(secrets), command="shell",
                                            keys="echo key=$KEY; exit\n")
        self.assertIn("key=very-secret-value", output)

        refused = subprocess.run([BINARY, "shell", "works"], cwd=self.directory,
                                 env=self.environment, capture_output=True, text=True)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("has left no work tree of 'works'", refused.stderr)
        self.assertIn("there are those of: breaks, last", refused.stderr)


if __name__ == "__main__":
    unittest.main()
