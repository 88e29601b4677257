"""Docker jobs on an engine that remaps users: one of the test's own, beside the one that is there."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import BINARY, wait_for

# The first user of the container is this one on the machine.
FIRST = 900000

# The engine sees a user `dockremap` that the machine has not: in a mount namespace of its own. It has a network of its
# own as well, since an engine without a bridge takes away the bridge of the one that is there.
START = """\
set -e
touch /etc/subuid /etc/subgid
for file in passwd group subuid subgid; do sed '/^dockremap:/d' "/etc/$file" > "$0/$file"; done
echo 'dockremap:x:64997:64997::/nonexistent:/usr/sbin/nologin' >> "$0/passwd"
echo 'dockremap:x:64997:' >> "$0/group"
echo 'dockremap:%d:65536' | tee -a "$0/subuid" >> "$0/subgid"
mount --make-rprivate /
for file in passwd group subuid subgid; do mount --bind "$0/$file" "/etc/$file"; done
exec dockerd --userns-remap=default --host="unix://$0/docker.sock" --data-root="$0/root" --exec-root="$0/exec" \
  --pidfile="$0/pid" --bridge=none --iptables=false --storage-driver=vfs
""" % FIRST

FILE = """\
stages: [make, use]
make:
  stage: make
  image: slipway-userns:busybox
  cache: {key: k, paths: [cached]}
  artifacts: {paths: [out]}
  script:
    - test "$(id -u)" = 0
    - cat /proc/self/uid_map
    - echo changed >> README
    - mkdir -p out/deep cached left
    - echo made > out/deep/file
    - chmod 600 out/deep/file
    - chmod 700 out/deep
    - echo cached > cached/file
    - echo left > left/file
    - chmod 0 left/file
    - chmod 500 left
use:
  stage: use
  image: slipway-userns:busybox
  cache: {key: k, paths: [cached]}
  script:
    - test "$(cat out/deep/file)" = made
    - test "$(cat cached/file)" = cached
    - test "$(cat README)" = read
    - test ! -e left
"""


class UserNamespaces(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="slipway-userns-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.directory.chmod(0o711)  # the engine asks for that
        self.engine = self.directory / "engine"
        self.engine.mkdir()
        with open(self.directory / "dockerd.log", "wb") as log:
            process = subprocess.Popen(["unshare", "--mount", "--net", "sh", "-c", START, str(self.engine)],
                                       stdout=log, stderr=log)
        self.addCleanup(process.wait, 60)
        self.addCleanup(process.terminate)
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{self.engine}/docker.sock",
                            "XDG_CACHE_HOME": str(self.directory / "cache")}

        def up():
            self.assertIsNone(process.poll(), (self.directory / "dockerd.log").read_text())
            return self.docker("version", check=False).returncode == 0
        wait_for("the engine", up)
        self.assertIn("name=userns", self.docker("info", "--format", "{{.SecurityOptions}}").stdout)
        self.make_image()

    def docker(self, *arguments, check=True, **more):
        return subprocess.run(["docker", *arguments], env=self.environment, check=check, capture_output=True,
                              text=more.pop("text", True), **more)

    def make_image(self):
        root = self.directory / "image"
        for part in ("bin", "etc", "tmp"):
            (root / part).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin/busybox")
        for command in ("sh", "cat", "chmod", "echo", "id", "mkdir", "test"):
            (root / "bin" / command).symlink_to("busybox")
        (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
        archive = subprocess.run(["tar", "-C", str(root), "-c", "bin", "etc", "tmp"], check=True,
                                 capture_output=True).stdout
        self.docker("import", "-", "slipway-userns:busybox", input=archive, text=False)

    def test_tree_cache_and_artifacts_work_and_nothing_stays(self):
        project = self.directory / "project"
        project.mkdir()
        (project / ".gitlab-ci.yml").write_text(FILE)
        (project / "README").write_text("read\n")
        for time in ("first", "second"):
            with self.subTest(time=time):
                done = subprocess.run([BINARY, "run", "--json"], cwd=project, env=self.environment, check=False,
                                      capture_output=True, text=True, timeout=300)
                events = [json.loads(line) for line in done.stdout.splitlines()]
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                lines = [event["line"].split() for event in events if event["event"] == "log"]
                self.assertIn(["0", str(FIRST), "65536"], lines)
        # What jobs kept to themselves went with their trees: `left` is nowhere.
        self.assertEqual(list((self.directory / "cache").rglob("left")), [])
        self.assertEqual(self.docker("ps", "--all", "--quiet").stdout, "")

    def test_the_doctor_says_what_user_namespaces_mean(self):
        def finding(**settings):
            config = self.directory / "runner.yml"
            lines = {"runner_executor": "docker", "runner_builds_dir": str(self.directory / "builds"),
                     "runner_cache_dir": str(self.directory / "kept"), "runner_url": "http://127.0.0.1:1",
                     "runner_token": "glrt-none", **settings}
            config.touch(mode=0o600)
            config.write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items()))
            done = subprocess.run([BINARY, "runner", "doctor", "--config", str(config), "--json"], check=False,
                                  env=self.environment, capture_output=True, text=True, timeout=120)
            return next(found for found in json.loads(done.stdout) if found["check"] == "user namespaces")
        self.assertIn("is nobody on this machine", json.dumps(finding()))
        self.assertIn("runner_docker_socket", json.dumps(finding(runner_docker_socket="true")))
        self.assertIn("host", json.dumps(finding(runner_docker_network_mode="host")))


if __name__ == "__main__":
    unittest.main()
