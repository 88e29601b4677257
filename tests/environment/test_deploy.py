"""The scripts of deploy/ and tests/environment, run for real on small inputs."""

import hashlib
import hmac
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
import xml.etree.ElementTree as xml

SOURCE = pathlib.Path(__file__).parents[2]
DEPLOY = SOURCE / "deploy"
SECRET = "s3cret of the hook"


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options)


class InDirectory(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="slipway-deploy-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps deliveries and answers the codes that it was given, then 202."""

    def __init__(self, codes=()):
        self.codes, self.deliveries = list(codes), []
        super().__init__(("127.0.0.1", 0), Delivery)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self):
        self.shutdown()
        self.server_close()


class Delivery(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.deliveries.append((self.headers, body))
        answer = b'{"message": "no such project"}'
        self.send_response(self.server.codes.pop(0) if self.server.codes else 202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Hook(InDirectory):
    def setUp(self):
        super().setUp()
        self.bare, self.work = self.directory / "app.git", self.directory / "work"
        self.git(self.directory, "init", "--quiet", "--bare", self.bare)
        self.git(self.directory, "init", "--quiet", "--initial-branch=main", self.work)
        shutil.copy(DEPLOY / "hooks" / "post-receive", self.bare / "hooks")
        (self.directory / "secret").write_text(SECRET + "\n")

    def git(self, where, *arguments):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "GIT_AUTHOR_NAME": "Ann",
                       "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Ann",
                       "GIT_COMMITTER_EMAIL": "ann@example.com"}
        done = run("git", "-C", where, *arguments, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def configure(self, receiver):
        self.addCleanup(receiver.end)
        for name, value in (("url", f"http://127.0.0.1:{receiver.server_port}/hooks/team/app"),
                            ("secretFile", self.directory / "secret"), ("project", "team/app")):
            self.git(self.bare, "config", "slipway." + name, value)
        return receiver

    def push(self, *refs):
        self.git(self.work, "commit", "--quiet", "--allow-empty", "--message", "Größer\n\nand better")
        return self.git(self.work, "push", "--quiet", self.bare, *refs)

    def test_a_push_is_told_in_githubs_shape_with_a_signature(self):
        receiver = self.configure(Receiver())
        self.push("HEAD:refs/heads/main")
        [(headers, body)] = receiver.deliveries
        self.assertEqual(headers["X-Hub-Signature-256"],
                         "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest())
        self.assertEqual(headers["X-GitHub-Event"], "push")
        push, sha = json.loads(body), self.git(self.work, "rev-parse", "HEAD").strip()
        self.assertEqual((push["ref"], push["before"], push["after"]), ("refs/heads/main", "0" * 40, sha))
        self.assertEqual(push["repository"], {"name": "app", "full_name": "team/app", "clone_url": str(self.bare)})
        self.assertEqual(push["head_commit"]["id"], sha)
        self.assertEqual(push["head_commit"]["message"], "Größer\n\nand better")
        self.assertEqual(push["head_commit"]["author"], {"name": "Ann", "email": "ann@example.com"})

    def test_each_branch_and_tag_is_a_delivery_and_a_deleted_one_has_no_commit(self):
        receiver = self.configure(Receiver())
        self.push("HEAD:refs/heads/main", "HEAD:refs/tags/v1")
        self.push(":refs/tags/v1")
        pushes = [json.loads(body) for _, body in receiver.deliveries]
        self.assertEqual([push["ref"] for push in pushes], ["refs/heads/main", "refs/tags/v1", "refs/tags/v1"])
        self.assertEqual((pushes[2]["deleted"], pushes[2]["head_commit"]), (True, None))

    def test_a_busy_server_is_asked_again_with_the_same_delivery(self):
        receiver = self.configure(Receiver([503]))
        self.push("HEAD:refs/heads/main")
        first, second = [headers["X-GitHub-Delivery"] for headers, _ in receiver.deliveries]
        self.assertEqual(first, second)

    def test_a_refusal_is_printed_and_not_repeated_and_the_push_stands(self):
        receiver = self.configure(Receiver([404]))
        self.assertRegex(self.push("HEAD:refs/heads/main"), "not told of refs/heads/main: .* answered 404: no such project")
        self.assertEqual(len(receiver.deliveries), 1)
        self.assertIn("refs/heads/main", self.git(self.bare, "for-each-ref"))

    def test_a_missing_setting_is_named(self):
        self.assertIn("`git config slipway.url` is not set", self.push("HEAD:refs/heads/main"))


class Packages(InDirectory):
    def wanted(self, text, code=0):
        shutil.copy(DEPLOY / "packages" / "install", self.directory)
        (self.directory / "debian.txt").write_text(text)
        done = run(self.directory / "install", "--print")
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.split() if code == 0 else done.stderr

    def test_what_is_there_is_not_installed(self):
        self.assertEqual(self.wanted("# comment\nbash\ncommand:sh | zsh-of-nobody\n\nno-such-package | bash # either\n"), [])

    def test_a_program_that_is_too_old_counts_as_missing(self):
        self.assertIn("none of these can be had from this system's package sources: command:bash>=99 no-such-package",
                      self.wanted("command:bash>=99 | no-such-package\ncommand:bash>=2 | no-such-other\n", code=1))

    def test_our_own_list_is_satisfied_where_tests_run(self):
        done = run(DEPLOY / "packages" / "install", "--print")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


class Scanner(InDirectory):
    # In two parts, so that no scanner takes this file for a leak.
    PLANTED = {"a.env": "KEY=AKI" + "AIOSFODNN7EXAMPLE\n", "deep/id": "x\n-----BEGIN RSA " + "PRIVATE KEY-----\n",
               "t.txt": "glp" + "at-0123456789abcdefghij\n"}

    def scan(self, *arguments):
        return run("sh", DEPLOY / "sample" / "scanner" / "scan", *arguments)

    def plant(self, folder=""):
        for name, text in self.PLANTED.items():
            path = self.directory / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def test_each_kind_of_secret_is_found_by_place_and_never_shown(self):
        self.plant()
        done = self.scan(self.directory)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines(), [
            "a.env:1: AWS access key", "deep/id:2: private key", "t.txt:1: GitLab token",
            "secrets found: 3, in 3 files"])

    def test_the_history_is_not_looked_at_and_the_sample_is_clean(self):
        self.plant(".git")
        self.assertEqual(self.scan(self.directory).stdout, "no secrets in 0 files\n")
        self.assertEqual(self.scan(DEPLOY / "sample").returncode, 0)

    def test_what_cannot_be_looked_at_is_not_called_clean(self):
        self.assertEqual(self.scan(self.directory / "nothing").returncode, 2)


class Sample(InDirectory):
    def setUp(self):
        super().setUp()
        shutil.copytree(DEPLOY / "sample", self.directory / "app", ignore=shutil.ignore_patterns("reports"))
        self.app = self.directory / "app"

    def npm(self, *arguments):
        return run("npm", *arguments, cwd=self.app)

    def test_both_kinds_of_tests_pass_and_say_how_much_they_cover(self):
        for command, kind in ((["test"], "unit"), (["run", "e2e-test"], "e2e")):
            done = self.npm(*command)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stdout.splitlines()[-1], r"^Coverage: (8|9)\d\.\d\d$")
            self.assertTrue(list(xml.parse(self.app / "reports" / f"{kind}.xml").iter("testcase")))

    def test_coverage_counts_lines_that_no_test_ran(self):
        before = self.npm("test").stdout.splitlines()[-1]
        with open(self.app / "src" / "quote.js", "a") as file:
            file.write("export function unused() {\n" + "  console.log(1);\n" * 100 + "}\n")
        after = self.npm("test").stdout.splitlines()[-1]
        self.assertLess(float(after.split()[1]), float(before.split()[1]) - 30)

    def test_a_failing_test_fails_the_command_and_the_report(self):
        source = self.app / "src" / "quote.js"
        source.write_text(source.read_text().replace("BASE = 390", "BASE = 391"))
        self.assertEqual(self.npm("test").returncode, 1)
        self.assertTrue(list(xml.parse(self.app / "reports" / "unit.xml").iter("failure")))


class Processes(InDirectory):
    def bash(self, script):
        return run("bash", "-euo", "pipefail", "-c",
                   f"RUN_DIR={self.directory}/run LOG_DIR={self.directory}/log\nsource {DEPLOY}/lib/common.sh\n{script}")

    def test_a_process_is_started_once_and_ended_by_its_pid(self):
        done = self.bash("start_process nap sleep 300; pid=$(pid_of nap); is_running nap; stop_process nap 10\n"
                         "is_running nap || kill -0 $pid 2>/dev/null || echo ended")
        self.assertEqual(done.stdout, "ended\n", done.stderr)

    def test_a_pid_that_another_process_has_by_now_is_left_alone(self):
        done = self.bash("mkdir $RUN_DIR; sleep 300 & other=$!; echo $other 1 >$RUN_DIR/nap.pid\n"
                         "stop_process nap; kill $other && echo was alive")
        self.assertEqual(done.stdout, "was alive\n", done.stderr)

    def test_a_process_that_ended_before_its_start_was_noted_is_gone(self):
        done = self.bash("mkdir $RUN_DIR; sleep 0 & wait; echo $! '' >$RUN_DIR/brief.pid; is_running brief || echo gone")
        self.assertEqual(done.stdout, "gone\n", done.stderr)

    def test_what_ignores_term_is_killed(self):
        done = self.bash("start_process deaf bash -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done'\n"
                         "wait_until 10 grep -q ready $LOG_DIR/deaf.log; pid=$(pid_of deaf); stop_process deaf 1\n"
                         "kill -0 $pid 2>/dev/null || echo ended")
        self.assertEqual((done.stdout, "killing it" in done.stderr), ("ended\n", True))

    def test_a_start_that_fails_shows_its_log(self):
        done = self.bash("start_process bad sh -c 'echo no such luck; exit 3'; require_started bad 10 false")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such luck", done.stderr)
        self.assertIn("bad did not start; its log is", done.stderr)

    def test_a_busy_port_names_its_holder_and_the_way_out(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
            done = self.bash(f"require_free_port {port} PORT")
        self.assertRegex(done.stderr, rf"port {port} is held by python\S* \(pid {os.getpid()}\); .*make up PORT={port + 1}")

    def test_a_full_disk_is_one_clear_line(self):
        done = self.bash(f"require_disk_space {self.directory} 999999999")
        self.assertRegex(done.stderr, r"^slipway: \S+ has \d+ MB of disk space left, and 999999999 MB are needed")
        self.assertEqual(len(done.stderr.splitlines()), 1)


class Engine(InDirectory):
    """start_docker with a dockerd that starts only with the options that its kernel can do."""

    def start(self, needed):
        up, programs = self.directory / "up", self.directory / "bin"
        programs.mkdir()
        dockerd = programs / "dockerd"
        dockerd.write_text(f'#!/bin/bash\n[[ "$*" == *"{needed}"* ]] || {{ echo "no overlay here"; exit 1; }}\n'
                           f'trap "rm -f {up}; exit" TERM\ntouch {up}\nwhile :; do sleep 0.1; done\n')
        dockerd.chmod(0o755)
        return run("bash", "-euo", "pipefail", "-c",
                   f"RUN_DIR={self.directory}/run LOG_DIR={self.directory}/log PATH={programs}:$PATH\n"
                   f"source {DEPLOY}/lib/common.sh; source {DEPLOY}/lib/docker.sh\n"
                   f"docker_answers() {{ [[ -f {up} ]]; }}\n"
                   "start_docker; tr '\\0' ' ' </proc/$(pid_of dockerd)/cmdline; stop_process dockerd")

    def test_it_falls_back_to_what_the_kernel_can_do(self):
        done = self.start("--storage-driver=vfs")
        self.assertIn("--storage-driver=vfs", done.stdout)
        self.assertNotIn("--bridge=none", done.stdout)
        self.assertFalse((self.directory / "up").exists())

    def test_an_engine_that_does_not_start_at_all_is_one_clear_line_after_its_log(self):
        done = self.start("--never")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no overlay here", done.stderr)
        self.assertIn("the Docker engine does not start; its log is", done.stderr.splitlines()[-1])


    def test_a_missing_right_to_use_docker_is_one_clear_line(self):
        docker = self.directory / "docker"
        docker.write_text("#!/bin/sh\necho 'permission denied while trying to connect to the Docker daemon socket' >&2\n"
                          "exit 1\n")
        docker.chmod(0o755)
        done = run("bash", "-euo", "pipefail", "-c", f"PATH={self.directory}:$PATH\nsource {DEPLOY}/lib/common.sh\n"
                   f"source {DEPLOY}/lib/docker.sh; require_docker_right")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^slipway: the Docker engine runs, but user \S+ may not use it; .*\n$")


class Count(InDirectory):
    def count(self, **environment):
        done = run(SOURCE / "tests" / "environment" / "count", self.directory,
                   env={"PATH": os.environ["PATH"], **environment})
        return done.returncode, done.stdout.splitlines()[-1]

    def suite(self, name, code, log="", report=None):
        (self.directory / f"{name}.exit").write_text(f"{code}\n")
        (self.directory / f"{name}.log").write_text(log)
        if report:
            (self.directory / f"{name}.xml").write_text(report)

    def test_programs_count_with_all_their_cases(self):
        self.suite("ctest", 8, report='<testsuite><testcase status="run"><system-out>\n'
                   'All tests passed (45 assertions in 12 test cases)\n</system-out></testcase>'
                   '<testcase status="fail"><failure/><system-out>\ntest cases: 4 | 3 passed | 1 failed\n</system-out>'
                   '</testcase><testcase status="run"><system-out>\nRan 5 tests in 1.0s\n\nOK (skipped=2)\n'
                   '</system-out></testcase></testsuite>')
        self.suite("browser", 0, "ℹ pass 8\nℹ fail 0\n")
        self.assertEqual(self.count(), (1, "26 passed, 1 failed"))
        self.assertEqual(self.count(CI="true"), (1, "26 passed, 3 failed"))

    def test_a_suite_that_ends_badly_or_counts_nothing_is_a_failure(self):
        self.suite("web", 1, "ℹ pass 8\n")
        self.assertEqual(self.count(), (1, "8 passed, 1 failed"))
        self.suite("empty", 0, "hello\n")
        self.assertEqual(self.count(), (1, "8 passed, 2 failed"))

    def test_what_a_sanitizer_found_is_a_failure_though_every_test_passed(self):
        self.suite("ctest", 0, "# pass 3\n# fail 0\n")
        (self.directory / "finding.4711").write_text("ERROR: LeakSanitizer: detected memory leaks\n")
        self.assertEqual(self.count(), (1, "3 passed, 1 failed"))

    def test_all_well(self):
        self.suite("web", 0, "# pass 3\n# fail 0\n")
        self.assertEqual(self.count(), (0, "3 passed, 0 failed"))


if __name__ == "__main__":
    unittest.main()
