"""Speed and memory of Slipway beside the physical floor: prints medians, asserts nothing.

    python3 tests/bench/bench.py [--quick]

Every figure is the median of at least 30 rounds (5 with --quick). The floor of a shell job is
`sh -c true`, of a docker job `docker run --rm IMAGE true`, both started from here.
"""

import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from harness import FINAL, PASSWORD, Api, Runner, Server  # noqa: E402

QUICK = "--quick" in sys.argv
ROUNDS = 5 if QUICK else 30
IMAGE = "slipway-bench-busybox:latest"


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


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Events(threading.Thread):
    """The server's event stream; keeps when each (kind, id, status) was first seen."""

    def __init__(self, server, token):
        super().__init__(daemon=True)
        self.seen = {}
        self.jobs = {}
        self.changed = threading.Condition()
        self.connection = http.client.HTTPConnection(server.url.split("//")[1])
        self.connection.request("GET", "/api/v4/events", headers={"PRIVATE-TOKEN": token})
        self.answer = self.connection.getresponse()
        self.start()

    def run(self):
        kind = None
        for raw in self.answer:
            line = raw.decode().rstrip("\n").rstrip("\r")
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: ") and kind in ("job", "pipeline"):
                value = json.loads(line[6:])
                now = time.perf_counter()
                with self.changed:
                    self.seen.setdefault((kind, value["id"], value["status"]), now)
                    if kind == "job":
                        self.jobs.setdefault(value["pipeline"]["id"], value["id"])
                    self.changed.notify_all()

    def when(self, condition, seconds=60):
        with self.changed:
            if not self.changed.wait_for(condition, seconds):
                raise SystemExit("bench: waited in vain for an event")
            return condition()


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
        self.client = http.client.HTTPConnection(self.server.url.split("//")[1])

    def runner(self, executor):
        made = self.api.post("/api/v4/user/runners",
                             {"runner_type": "instance_type", "description": executor,
                              "tag_list": [executor], "run_untagged": False})
        directory = pathlib.Path(tempfile.mkdtemp(prefix="runner-", dir=self.directory))
        runner = Runner(self.server, made["token"], directory, executor,
                        runner_concurrent=str(self.concurrent), runner_default_image=IMAGE)
        self.runners.append(runner)
        return runner

    def project(self, path, config):
        bare = self.directory / "git" / (path + ".git")
        work = self.directory / "work" / path
        work.mkdir(parents=True)
        (work / ".gitlab-ci.yml").write_text(config)
        git = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-C", str(work)]
        for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "Bench"]):
            subprocess.run(git + arguments, check=True)
        subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
        return self.api.post("/api/v4/projects", {"path": path, "url": str(bare)})["id"]

    def trigger(self, project):
        body = json.dumps({"ref": "main"})
        self.client.request("POST", f"/api/v4/projects/{project}/pipeline", body,
                            {"PRIVATE-TOKEN": self.token, "Content-Type": "application/json"})
        answer = self.client.getresponse()
        content = answer.read()
        if answer.status != 201:
            raise SystemExit(f"bench: trigger answered {answer.status}: {content[:300]}")
        return json.loads(content)["id"]

    def first_log_byte(self, project, job):
        connection = http.client.HTTPConnection(self.server.url.split("//")[1])
        connection.request("GET", f"/api/v4/projects/{project}/jobs/{job}/trace/events",
                           headers={"PRIVATE-TOKEN": self.token})
        for line in connection.getresponse():
            if line.startswith(b"event: trace"):
                return time.perf_counter()
        raise SystemExit("bench: the log stream ended without a log")

    def one_job(self, project, events):
        start = time.perf_counter()
        pipeline = self.trigger(project)
        job = events.when(lambda: events.jobs.get(pipeline))
        first = self.first_log_byte(project, job)
        end = events.when(lambda: next((events.seen[key] for status in FINAL
                                        if (key := ("pipeline", pipeline, status)) in events.seen), None))
        if ("pipeline", pipeline, "success") not in events.seen:
            raise SystemExit(f"bench: pipeline {pipeline} did not succeed")
        return first - start, end - start

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


def single_jobs(executor, floor_command):
    bench = Bench(concurrent=1)
    try:
        bench.runner(executor)
        project = bench.project("bench/" + executor, f"variables: {{GIT_STRATEGY: none}}\n"
                                f"noop:\n  tags: [{executor}]\n  script: ['true']\n")
        events = Events(bench.server, bench.token)
        bench.one_job(project, events)  # warms the mirror and the page cache
        firsts, ends, floors = [], [], []
        for _ in range(ROUNDS):
            first, end = bench.one_job(project, events)
            firsts.append(first)
            ends.append(end)
            floors.append(timed(floor_command))
        floor = median_ms(floors)
        row(f"no-op {executor} job: trigger to first log line", f"{median_ms(firsts):.1f} ms")
        row(f"no-op {executor} job: trigger to finished", f"{median_ms(ends):.1f} ms",
            f"floor {floor:.1f} ms, {median_ms(ends) / floor:.2f} times")
    finally:
        bench.close()


def throughput():
    count = 100 if QUICK else 500
    bench = Bench(concurrent=4)
    try:
        runner = bench.runner("shell")
        server = bench.server.process.pid
        project = bench.project("bench/many", "variables: {GIT_STRATEGY: none}\n"
                                "noop:\n  tags: [shell]\n  parallel: 100\n  script: ['true']\n")
        events = Events(bench.server, bench.token)
        idle = rss_mb(server), rss_mb(runner.process.pid)
        start = time.perf_counter()
        pipelines = [bench.trigger(project) for _ in range(count // 100)]
        for pipeline in pipelines:
            events.when(lambda p=pipeline: ("pipeline", p, "success") in events.seen, 300)
        seconds = time.perf_counter() - start
        row(f"{count} no-op shell jobs, 4 slots", f"{count / seconds:.0f} jobs/s")
        for _ in range(max(0, (1000 - count) // 100) if not QUICK else 0):
            pipeline = bench.trigger(project)
            events.when(lambda p=pipeline: ("pipeline", p, "success") in events.seen, 300)
        row("resident memory idle: server + runner", f"{idle[0]:.1f} + {idle[1]:.1f} MB")
        row("resident memory after the jobs: server + runner",
            f"{rss_mb(server):.1f} + {rss_mb(runner.process.pid):.1f} MB")
    finally:
        bench.close()


def big_log():
    bench = Bench(concurrent=1)
    try:
        runner = bench.runner("shell")
        project = bench.project("bench/log", "variables: {GIT_STRATEGY: none}\n"
                                "log:\n  tags: [shell]\n  script:\n"
                                "    - yes 'a line of output that is as long as they usually are' | head -c 50000000 || true\n")
        events = Events(bench.server, bench.token)
        floor = [timed(["sh", "-c", "yes 'a line of output that is as long as they usually are' | "
                        "head -c 50000000 > /dev/null"]) for _ in range(5)]
        walls, cpus = [], []
        for _ in range(3 if QUICK else 10):
            before = cpu_seconds(bench.server.process.pid)
            _, end = bench.one_job(project, events)
            walls.append(end)
            cpus.append(cpu_seconds(bench.server.process.pid) - before)
        row("a job that prints 50 MB", f"{median_ms(walls):.0f} ms",
            f"floor {median_ms(floor):.0f} ms (to /dev/null)")
        row("  server CPU time of it", f"{median_ms(cpus):.0f} ms")
        row("  resident memory after it: server + runner",
            f"{rss_mb(bench.server.process.pid):.1f} + {rss_mb(runner.process.pid):.1f} MB")
    finally:
        bench.close()


def start_up():
    samples = []
    for _ in range(ROUNDS):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="slipway-bench-"))
        server = Server(directory)
        start = time.perf_counter()
        server.start()
        Api(server.url).raw("GET", "/healthz")
        samples.append(time.perf_counter() - start)
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    row("start of the server to first 200", f"{median_ms(samples):.0f} ms")


def main():
    print(f"medians of {ROUNDS} rounds unless said otherwise; {os.cpu_count()} cores\n")
    start_up()
    single_jobs("shell", ["sh", "-c", "true"])
    throughput()
    big_log()
    make_image()
    single_jobs("docker", ["docker", "run", "--rm", IMAGE, "true"])


if __name__ == "__main__":
    main()
