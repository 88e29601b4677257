"""What the benchmarks share: a house of a server and runners to measure, and how a figure is printed."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from harness import PASSWORD, Api, Runner, Server  # noqa: E402

PARSER = argparse.ArgumentParser(formatter_class=argparse.RawTextHelpFormatter)
PARSER.add_argument("--quick", action="store_true", help="few rounds, small jobs")
PARSER.add_argument("--only", metavar="NAME", action="append", help="one part alone; repeatable")
ARGUMENTS = PARSER.parse_args()
QUICK = ARGUMENTS.quick
STOPWATCH = os.environ.get("SLIPWAY_STOPWATCH", "build/release/tests/bench/stopwatch")
IMAGE = "slipway-bench-busybox:latest"
ROUNDS = 5 if QUICK else 30


def median_ms(samples):
    return statistics.median(samples) * 1000


def timed(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def rss_mb(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def resident_mb(*pids):
    """Each alone, and together: pages of libraries that both have mapped stand in memory once."""
    shared = []
    for pid in pids:
        rollup = open(f"/proc/{pid}/smaps_rollup").read()
        shared.append(int(rollup.split("Shared_Clean:")[1].split()[0]) / 1024)
    each = [rss_mb(pid) for pid in pids]
    together = sum(each) - min(shared)
    return " + ".join(f"{mb:.1f}" for mb in each) + f" MB, together {together:.1f} MB"


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, concurrent):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="slipway-bench-"))
        self.server = Server(self.directory).start()
        token = (self.server.data / "setup-token").read_text().strip()
        made = Api(self.server.url).post(
            "/api/v4/setup", {"token": token, "username": "root", "password": PASSWORD})
        self.token = made["token"]
        self.api = Api(self.server.url, self.token)
        self.runners = []
        self.concurrent = concurrent

    def runner(self, executor):
        made = self.api.post("/api/v4/user/runners",
                             {"runner_type": "instance_type", "description": executor,
                              "tag_list": [executor], "run_untagged": False})
        directory = pathlib.Path(tempfile.mkdtemp(prefix="runner-", dir=self.directory))
        runner = Runner(self.server, made["token"], directory, executor,
                        runner_concurrent=str(self.concurrent), runner_default_image=IMAGE)
        self.runners.append(runner)
        return runner

    def project(self, path, config, files=lambda work: None):
        """A project whose repository has that pipeline file, and what `files` writes into the folder."""
        self.bare = self.directory / "git" / (path + ".git")
        self.work = self.directory / "work" / path
        self.work.mkdir(parents=True)
        (self.work / ".gitlab-ci.yml").write_text(config)
        files(self.work)
        self.git("init", "-q", "-b", "main")
        self.commit()
        subprocess.run(["git", "clone", "-q", "--bare", str(self.work), str(self.bare)], check=True)
        self.git("remote", "add", "origin", str(self.bare))
        return self.api.post("/api/v4/projects", {"path": path, "url": str(self.bare)})["id"]

    def git(self, *arguments):
        git = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "gc.auto=0", "-C", str(self.work)]
        subprocess.run(git + list(arguments), check=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "Bench")

    def last_log(self, project):
        job = self.api.get(f"/api/v4/projects/{project}/jobs?per_page=1")[0]
        return self.api.raw("GET", f"/api/v4/projects/{project}/jobs/{job['id']}/trace")[2].decode(errors="replace")

    def stopwatch(self, mode, project, count):
        port = self.server.url.rsplit(":", 1)[1]
        done = subprocess.run([STOPWATCH, mode, port, str(project), str(count)], text=True,
                              env={"STOPWATCH_TOKEN": self.token}, stdout=subprocess.PIPE)
        if done.returncode != 0:
            raise SystemExit("bench: the stopwatch gave up")
        return [[float(word) for word in line.split()] for line in done.stdout.splitlines()]

    def close(self):
        for runner in self.runners:
            runner.stop()
        self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def make_image():
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode == 0:
        return
    with tempfile.TemporaryDirectory() as root:
        bin_directory = pathlib.Path(root) / "bin"
        bin_directory.mkdir()
        shutil.copy(shutil.which("busybox"), bin_directory / "busybox")
        for name in ("sh", "true", "cat", "echo", "sleep", "mkdir", "rm", "env", "test"):
            (bin_directory / name).symlink_to("busybox")
        tar = subprocess.run(["tar", "-C", root, "-c", "."], check=True, capture_output=True).stdout
        subprocess.run(["docker", "import", "-", IMAGE], input=tar, check=True, capture_output=True)


def row(name, value, floor=""):
    print(f"  {name:<58} {value:>14} {floor:>34}")


def run_parts(parts):
    names = ARGUMENTS.only or list(parts)
    for name in names:
        if name not in parts:
            raise SystemExit(f"there is no part {name}; there are {', '.join(parts)}")
    print(f"medians of {ROUNDS} rounds unless said otherwise; {os.cpu_count()} cores\n")
    for name in names:
        parts[name]()
