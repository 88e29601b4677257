#!/usr/bin/env python3
"""What `make up` asks of the server: the first administrator, a runner's token, and how a pipeline goes.

    server_calls.py setup SETUP_TOKEN_FILE PASSWORD_FILE     prints the administrator's token
    server_calls.py new-runner DESCRIPTION                   prints the runner's token
    server_calls.py token-works                              exits 0 or 1
    server_calls.py follow PROJECT SHA                       shows the pipeline's jobs until it ends; exits 0 or 1

The server is SLIPWAY_URL, the token stands in the file SLIPWAY_TOKEN_FILE. Standard library only.
"""

import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["SLIPWAY_URL"]
FINAL = {"success", "failed", "canceled", "skipped"}
SIGNS = {"success": "✔", "failed": "✘", "canceled": "■", "skipped": "»", "running": "●", "pending": "…", "created": "·",
         "manual": "▶", "waiting_for_resource": "…", "canceling": "■", "scheduled": "…", "preparing": "…"}
COLOURS = {"success": 32, "failed": 31, "running": 34, "canceled": 33}
PIPELINE_SECONDS = 30
LONGEST_SECONDS = 1800
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the server is on loopback


class Problem(Exception):
    """Ends the program with its text as the one line that is printed."""


def send(method, path, body=None):
    request = urllib.request.Request(URL + path, method=method)
    token_file = os.environ.get("SLIPWAY_TOKEN_FILE")
    if token_file and os.path.exists(token_file):
        request.add_header("PRIVATE-TOKEN", pathlib.Path(token_file).read_text().strip())
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with OPENER.open(request, data, timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise Problem(f"{method} {path} answered {error.code}: {error.read(300).decode(errors='replace')}") from None
    except OSError as error:
        raise Problem(f"{URL} cannot be reached: {getattr(error, 'reason', error)}") from None


def call(method, path, body=None):
    return json.loads(send(method, path, body))


def setup(setup_token_file, password_file):
    if not call("GET", "/api/v4/setup")["needed"]:
        raise Problem("the server has an administrator, but var/admin-token is missing or no longer valid; "
                      "put it back, or begin anew: make down && rm -r var")
    made = call("POST", "/api/v4/setup", {"token": pathlib.Path(setup_token_file).read_text().strip(),
                                          "username": "root",
                                          "password": pathlib.Path(password_file).read_text().strip()})
    print(made["token"])


def new_runner(description):
    print(call("POST", "/api/v4/user/runners",
               {"runner_type": "instance_type", "description": description, "run_untagged": True})["token"])


def token_works():
    call("GET", "/api/v4/user")


class Screen:
    """Job states: in place on a terminal, one line for each change elsewhere."""

    def __init__(self):
        self.live = sys.stdout.isatty()
        self.start = time.monotonic()
        self.shown = {}
        self.lines = 0

    def _line(self, job):
        sign = f"{SIGNS.get(job['status'], '?')} {job['status']:<9}"
        if self.live and job["status"] in COLOURS:
            sign = f"\033[{COLOURS[job['status']]}m{sign}\033[0m"
        seconds = f"{job['duration']:6.1f} s" if job["duration"] is not None else " " * 8
        why = job["reason"]["text"] if job["status"] in ("failed", "skipped", "canceled", "manual") else ""
        return f"  {job['stage']:<10} {job['name']:<12} {sign} {seconds}  {why}".rstrip()

    def show(self, jobs):
        if self.live:
            sys.stdout.write(f"\033[{self.lines}A" if self.lines else "")
            sys.stdout.write("".join(f"\033[2K{self._line(job)}\n" for job in jobs))
            self.lines = len(jobs)
        else:
            for job in jobs:
                if self.shown.get(job["id"]) != job["status"]:
                    print(f"{time.monotonic() - self.start:6.1f} s{self._line(job)}")
        self.shown = {job["id"]: job["status"] for job in jobs}
        sys.stdout.flush()


def pipeline_of(project, sha):
    deadline = time.monotonic() + PIPELINE_SECONDS
    while time.monotonic() < deadline:
        found = call("GET", f"/api/v4/projects/{project}/pipelines?sha={sha}")
        if found:
            return found[0]
        time.sleep(0.1)
    deliveries = call("GET", f"/api/v4/projects/{project}/deliveries?per_page=1")
    why = f"the last delivery: {deliveries[0]['verdict']}, {deliveries[0]['reason']}" if deliveries \
        else "no webhook delivery arrived"
    raise Problem(f"no pipeline for {sha[:8]} within {PIPELINE_SECONDS} s; {why}")


def show_failures(project, pipeline, jobs):
    for job in jobs:
        if job["status"] == "failed":
            log = send("GET", f"/api/v4/projects/{project}/jobs/{job['id']}/trace").decode(errors="replace")
            print(f"\nLast lines of {job['name']} ({job['web_url']}):")
            print("\n".join(log.splitlines()[-15:]))
    if not jobs:
        print(f"no job was made: {pipeline['reason']['text']}")


def follow(project, sha):
    project = urllib.parse.quote(project, safe="")
    pipeline = pipeline_of(project, sha)
    path = f"/api/v4/projects/{project}/pipelines/{pipeline['id']}"
    print(f"Pipeline #{pipeline['id']}: {pipeline['web_url']}")
    screen = Screen()
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        pipeline = call("GET", path)  # before the jobs, so that its end shows their last state
        jobs = call("GET", path + "/jobs?per_page=100")
        screen.show(jobs)
        if pipeline["status"] in FINAL:
            break
        if time.monotonic() > deadline:
            raise Problem(f"the pipeline did not end within {LONGEST_SECONDS} s: {pipeline['web_url']}")
        time.sleep(0.25)
    if pipeline["status"] != "success":
        show_failures(project, pipeline, jobs)
    coverage = f"{pipeline['coverage']} %" if pipeline["coverage"] is not None else "none"
    seconds = f" in {pipeline['duration']:.1f} s" if pipeline["duration"] is not None else ""
    print(f"\nresult    {pipeline['status']}{seconds}\ncoverage  {coverage}\npage      {pipeline['web_url']}")
    return 0 if pipeline["status"] == "success" else 1


COMMANDS = {"setup": setup, "new-runner": new_runner, "token-works": token_works, "follow": follow}

try:
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
except Problem as problem:
    sys.exit(f"up: {problem}")
except KeyboardInterrupt:
    sys.exit("\nup: no longer following; the pipeline goes on")
