"""Speed and memory of Slipway beside the physical floor: prints medians, asserts nothing.

Every figure is the median of at least 30 rounds (5 with --quick). The floor of a shell job is
`sh -c true`, of a docker job `docker run --rm IMAGE true`, both started from here. Jobs are timed by
stopwatch.cpp, from the trigger over HTTP to what the server's event streams tell.
"""

import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from house import (IMAGE, QUICK, ROUNDS, Api, Bench, Server, cpu_seconds, make_image, median_ms, resident_mb, row, rss_mb,
                   run_parts, timed)


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


def masking():
    program = os.environ.get("SLIPWAY_MASKING", "build/release/tests/bench/masking")
    masked, copied = subprocess.check_output([program, "100"], text=True).split()
    row("masking of 200 secrets in 100 MB, best of 5", f"{masked} MB/s", f"plain copy {copied} MB/s")


def docker_jobs():
    make_image()
    single_jobs("docker", ["docker", "run", "--rm", IMAGE, "true"])


if __name__ == "__main__":
    run_parts({"start_up": start_up, "shell": lambda: single_jobs("shell", ["sh", "-c", "true"]),
               "throughput": throughput, "big_log": big_log, "held_polls": held_polls, "docker": docker_jobs,
               "masking": masking})
