"""Speed and memory of Slipway beside the physical floor: prints medians, asserts nothing.

Every figure is the median of at least 30 rounds (5 with --quick). The floor of a shell job is
`sh -c true`, of a docker job `docker run --rm IMAGE true`, both started from here. Jobs are timed by
stopwatch.cpp, from the trigger over HTTP to what the server's event streams tell.
"""

import argparse

import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import socket
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from harness import PASSWORD, Api, Runner, Server  # noqa: E402

PARSER = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
PARSER.add_argument("--quick", action="store_true", help="5 rounds and fewer jobs")
PARSER.add_argument("--only", metavar="NAME", action="append",
                    choices=["start_up", "shell", "throughput", "big_log", "held_polls", "docker"],
                    help="one of start_up, shell, throughput, big_log, held_polls, docker; repeatable")
ARGUMENTS = PARSER.parse_args()
QUICK = ARGUMENTS.quick
ROUNDS = 5 if QUICK else 30
STOPWATCH = os.environ.get("SLIPWAY_STOPWATCH", "build/release/tests/bench/stopwatch")
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


def single_jobs(executor, floor_command):
    bench = Bench(concurrent=1)
    try:
        bench.runner(executor)
        project = bench.project("bench/" + executor, f"variables: {{GIT_STRATEGY: none}}\n"
                                f"noop:\n  tags: [{executor}]\n  script: ['true']\n")
        # The first round fetches the repository.
        rounds = bench.stopwatch("single", project, ROUNDS + 1)[1:]
        floor = median_ms([timed(floor_command) for _ in range(ROUNDS)])
        first, end = (statistics.median(column) for column in zip(*rounds))
        row(f"no-op {executor} job: trigger to first log line", f"{first:.1f} ms")
        row(f"no-op {executor} job: trigger to finished", f"{end:.1f} ms",
            f"floor {floor:.1f} ms, {end / floor:.2f} times")
    finally:
        bench.close()


def throughput():
    pipelines = 1 if QUICK else 5
    bench = Bench(concurrent=4)
    try:
        runner = bench.runner("shell")
        pids = bench.server.process.pid, runner.process.pid
        project = bench.project("bench/many", "variables: {GIT_STRATEGY: none}\n"
                                "noop:\n  tags: [shell]\n  parallel: 100\n  script: ['true']\n")
        idle = resident_mb(*pids)
        seconds = []
        for _ in range(1 if QUICK else 30):
            seconds.append(bench.stopwatch("many", project, pipelines)[0][0])
            if len(seconds) * pipelines == 10:
                after = resident_mb(*pids)
        rate = pipelines * 100 / statistics.median(seconds)
        row(f"{pipelines * 100} no-op shell jobs, 4 slots", f"{rate:.0f} jobs/s")
        row("resident memory idle: server + runner", idle)
        if not QUICK:
            row("  after 1,000 jobs", after)
        row(f"  after {pipelines * 100 * len(seconds):,} jobs", resident_mb(*pids))
    finally:
        bench.close()


def big_log():
    bench = Bench(concurrent=1)
    try:
        runner = bench.runner("shell")
        server = bench.server.process.pid
        line = "a line of output that is as long as they usually are"
        project = bench.project("bench/log", "variables: {GIT_STRATEGY: none}\n"
                                "log:\n  tags: [shell]\n  script:\n"
                                f"    - yes '{line}' | head -c 50000000 || true\n")
        floor = [timed(["sh", "-c", f"yes '{line}' | head -c 50000000 > /dev/null"])
                 for _ in range(ROUNDS)]
        bench.stopwatch("single", project, 1)
        before = cpu_seconds(server)
        rounds = bench.stopwatch("single", project, ROUNDS)
        cpu = (cpu_seconds(server) - before) / ROUNDS * 1000
        row("a job that prints 50 MB", f"{statistics.median(end for _, end in rounds):.0f} ms",
            f"floor {median_ms(floor):.0f} ms (to /dev/null)")
        row("  server CPU time of it, mean", f"{cpu:.0f} ms")
        row("  resident memory after them", resident_mb(server, runner.process.pid))
    finally:
        bench.close()


def held_polls():
    """Requests for jobs that the server holds because there are none: what each costs it."""
    count = 500 if QUICK else 5000
    # The server is started from here, and has the limit from here.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2 * count), most))
    bench = Bench(concurrent=1)
    polls = []
    try:
        server = bench.server.process.pid
        made = bench.api.post("/api/v4/user/runners", {"runner_type": "instance_type",
                                                       "description": "polls"})
        host, port = bench.server.url.split("//")[1].split(":")
        body = json.dumps({"token": made["token"]})
        request = (f"POST /api/v4/jobs/request HTTP/1.1\r\nHost: bench\r\n"
                   f"RUNNER-TOKEN: {made['token']}\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
        before = rss_mb(server)
        for _ in range(count):
            poll = socket.create_connection((host, int(port)))
            poll.sendall(request)
            polls.append(poll)
        answers = [timed_request(bench) for _ in range(ROUNDS)]
        row(f"{count} held polls: server memory for each",
            f"{(rss_mb(server) - before) * 1024 / count:.1f} KB")
        row("  an answer of /healthz meanwhile", f"{median_ms(answers):.2f} ms")
    finally:
        for poll in polls:
            poll.close()
        bench.close()


def timed_request(bench):
    start = time.perf_counter()
    Api(bench.server.url).raw("GET", "/healthz")
    return time.perf_counter() - start


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


def docker_jobs():
    make_image()
    single_jobs("docker", ["docker", "run", "--rm", IMAGE, "true"])


def main():
    parts = {"start_up": start_up, "shell": lambda: single_jobs("shell", ["sh", "-c", "true"]),
             "throughput": throughput, "big_log": big_log, "held_polls": held_polls,
             "docker": docker_jobs}
    print(f"medians of {ROUNDS} rounds unless said otherwise; {os.cpu_count()} cores\n")
    for name, part in parts.items():
        if not ARGUMENTS.only or name in ARGUMENTS.only:
            part()


if __name__ == "__main__":
    main()
