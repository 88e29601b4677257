"""`slipway run` beside the server, and in containers."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest
import uuid

from harness import BINARY, EndToEnd

FILE = """\
stages: [build, test, deploy, end]
variables: {LEVEL: global}
build:
  stage: build
  script: [mkdir out, echo "$LEVEL" > out/level, echo "VERSION=1.2" > v.env]
  artifacts: {paths: [out], reports: {dotenv: v.env}}
breaks: {stage: build, script: [exit 8], allow_failure: {exit_codes: [8]}}
tries: {stage: build, script: [exit 1], retry: 1, allow_failure: true}
reads: {stage: test, script: ['test "$(cat out/level)" = global', 'test "$VERSION" = 1.2']}
early: {stage: test, needs: [], script: ['test ! -e out', 'test -z "$VERSION"']}
without: {stage: test, dependencies: [], script: ['test ! -e out']}
quoted: {stage: test, script: ['test "$CI_COMMIT_BRANCH/$CI_JOB_NAME/$CI_PIPELINE_SOURCE" = main/quoted/push']}
piped: {stage: test, script: ['false | true'], allow_failure: true}
slow: {stage: test, script: [sleep 30], timeout: 1 second, allow_failure: true}
fails: {stage: deploy, script: ['false']}
hand: {stage: deploy, script: ['true'], when: manual}
mends: {stage: end, script: ['true'], when: on_failure}
never: {stage: end, script: ['true']}
left out: {stage: end, script: ['true'], rules: [{if: $CI_COMMIT_TAG}]}
many: {stage: test, parallel: 2, script: ['test "$CI_NODE_TOTAL" = 2']}
"""


def run_here(directory, *arguments, **more):
    done = subprocess.run([BINARY, "run", "--json", *arguments], cwd=directory,
                          capture_output=True, text=True, timeout=300, **more)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


class SameAsServer(EndToEnd):
    maxDiff = None

    def test_one_file_ends_the_same_here_and_there(self):
        self.runner(runner_concurrent=2)
        repository = self.repository(files={".gitlab-ci.yml": FILE})
        there = self.finished(repository.id, self.pipeline(repository.id, repository.push()))

        code, events = run_here(repository.work, "--executor", "shell",
                                env={**os.environ, "XDG_CACHE_HOME": str(self.directory / "cache")})

        jobs = {event["job"]: event for event in events if event["event"] == "job"}
        self.assertEqual({name: job["status"] for name, job in jobs.items()},
                         {name: job["status"] for name, job in there["jobs"].items()})
        self.assertEqual({name: job["reason"] for name, job in jobs.items()},
                         {name: job["reason"] for name, job in there["jobs"].items()})
        self.assertEqual((code, events[-1]["status"]), (1, there["status"]))


class InContainers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = "slipway-run-%s:busybox" % uuid.uuid4().hex[:8]
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            for part in ("bin", "etc", "tmp"):
                (root / part).mkdir()
            shutil.copy("/bin/busybox", root / "bin/busybox")
            for command in ("sh", "cat", "echo", "httpd", "ls", "mkdir", "sleep", "test", "wget"):
                (root / "bin" / command).symlink_to("busybox")
            (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
            archive = subprocess.run(["tar", "--create", "--directory", name, "bin", "etc", "tmp"],
                                     check=True, capture_output=True).stdout
        subprocess.run(["docker", "import", "-", cls.image], input=archive, check=True,
                       capture_output=True)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["docker", "rmi", "--force", cls.image], capture_output=True, check=False)

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="slipway-run-")
        self.addCleanup(directory.cleanup)
        self.top = pathlib.Path(directory.name)
        self.directory = self.top / "project"
        self.directory.mkdir()
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.top / "cache")}

    def file(self, text):
        (self.directory / ".gitlab-ci.yml").write_text(text.replace("IMAGE", self.image))

    def containers(self):
        return subprocess.run(["docker", "ps", "--all", "--quiet", "--filter",
                               "ancestor=" + self.image], check=True, capture_output=True,
                              text=True).stdout.split()

    def test_jobs_with_an_image_run_in_it_and_those_without_here(self):
        self.file("""\
stages: [build, test]
inside:
  stage: build
  image: IMAGE
  script: ['ls -d /etc/passwd /usr || true', echo made > result]
  artifacts: {paths: [result]}
here:
  stage: test
  script: ['test -d /usr', 'test "$(cat result)" = made']
""")
        code, events = run_here(self.directory, env=self.environment)

        self.assertEqual(code, 0, events)
        self.assertEqual({job["name"]: job["executor"] for job in events[0]["jobs"]},
                         {"inside": "docker", "here": "shell"})
        self.assertTrue(any("/usr: No such file" in event.get("line", "") for event in events))
        self.assertEqual(self.containers(), [])

    def test_a_job_reaches_its_services(self):
        self.file("""\
job:
  image: IMAGE
  services:
    - {name: IMAGE, alias: web, command: [sh, -c, 'mkdir /tmp/w; echo hello > /tmp/w/index.html; httpd -f -p 8000 -h /tmp/w']}
  script:
    - for i in 1 2 3 4 5 6 7 8 9 10; do wget -q -O - http://web:8000/ && exit 0; sleep 1; done; exit 1
""")
        code, events = run_here(self.directory, env=self.environment)

        self.assertEqual(code, 0, events)
        self.assertTrue(any(event.get("line") == "hello" for event in events))
        self.assertEqual(self.containers(), [])

    def test_cancelled_once_or_twice_no_container_is_left(self):
        self.file("job:\n  image: IMAGE\n  script: [echo up, sleep 300]\n"
                  "stubborn:\n  image: IMAGE\n  script: [\"trap '' TERM\", echo up, sleep 300; sleep 300]\n")
        for signals in (1, 2):
            with self.subTest(signals=signals), \
                    subprocess.Popen([BINARY, "run", "--concurrent", "2"], cwd=self.directory,
                                     env=self.environment, stdout=subprocess.PIPE,
                                     text=True) as process:
                up = 0
                while up < 2:
                    line = process.stdout.readline()
                    self.assertNotEqual(line, "")
                    up += line.rstrip().endswith("] up")
                process.send_signal(signal.SIGINT)
                if signals == 2:
                    while "canceling" not in process.stdout.readline():
                        pass
                    process.send_signal(signal.SIGINT)
                output = process.communicate(timeout=120)[0]
                self.assertEqual(process.returncode, 1)
                self.assertIn("Pipeline: canceled", output)
                self.assertEqual(self.containers(), [])


if __name__ == "__main__":
    unittest.main()
