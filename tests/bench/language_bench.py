"""Time and memory of `slipway lint` and `slipway plan` for generated files of 10 to 10,000 jobs.

Beside each: the floor, which is a bare libyaml event parse of the same bytes (yaml_floor.cpp), and `gitlab-ci-local --list`, which
npm installs into a cache folder of the user's when it is not there; without npm it is left out. Prints medians and their ratios;
asserts nothing. Ratios are of processor time, which other
work on the machine disturbs least, less what the same program takes for a file of one job: they speak of the file, not
of starting a process.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

PARSER = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
PARSER.add_argument("--rounds", type=int, default=15, help="of each measurement (15)")
PARSER.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 1000, 10000], help="numbers of jobs")
PARSER.add_argument("--local", default=shutil.which("gitlab-ci-local"), help="path of gitlab-ci-local")
PARSER.add_argument("--no-local", action="store_true", help="without gitlab-ci-local")
ARGUMENTS = PARSER.parse_args()
BINARY = os.environ.get("SLIPWAY_BINARY", "build/release/slipway")
# The newest that runs on the Node of Debian 12.
LOCAL = "gitlab-ci-local@4.61.1"
FLOOR = os.environ.get("SLIPWAY_YAML_FLOOR", "build/release/tests/bench/yaml_floor")


def pipeline(jobs):
    """A file as large projects have it: hidden bases, rules, and needs on the stage before."""
    lines = ["stages: [build, test, deploy]", "default:", "  image: alpine:3.20", "variables:", "  MODE: fast", "",
             ".base:", "  before_script:", "    - echo begin", "  retry: 1", "",
             ".rules:", "  rules:", "    - if: $CI_COMMIT_TAG", "      when: never",
             "    - if: '$CI_COMMIT_BRANCH == \"main\" || $CI_PIPELINE_SOURCE =~ /^merge/'",
             "    - changes: ['src/**/*', '*.md']", ""]
    for number in range(jobs):
        stage = ("build", "test", "deploy")[number * 3 // jobs]
        lines += [f"job-{number}:", f"  extends: [.base, .rules]", f"  stage: {stage}", "  script:",
                  f"    - make part-{number}", f"    - echo 'done {number}'", "  variables:", f"    PART: part-{number}"]
        if stage != "build":
            earlier = number - jobs // 3 - 1
            lines.append(f"  needs: [job-{max(earlier, 0)}]")
        lines.append("")
    return "\n".join(lines) + "\n"


def measure(command, directory, rounds):
    """Medians of seconds on the clock and of processor seconds, and the largest resident set in bytes."""
    clock = []
    busy = []
    peak = 0
    for _ in range(rounds):
        began = time.perf_counter()
        child = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        clock.append(time.perf_counter() - began)
        busy.append(usage.ru_utime + usage.ru_stime)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
        peak = max(peak, usage.ru_maxrss * 1024)
    return statistics.median(clock), statistics.median(busy), peak


def gitlab_ci_local():
    """Its path, or None after a line that says why there is none."""
    if ARGUMENTS.no_local or ARGUMENTS.local:
        return None if ARGUMENTS.no_local else ARGUMENTS.local
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    directory = pathlib.Path(cache, "slipway", "bench", LOCAL)
    program = directory / "node_modules/.bin/gitlab-ci-local"
    if not program.exists():
        if shutil.which("npm") is None:
            print("gitlab-ci-local is left out: there is no npm to install it with")
            return None
        directory.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix", directory, LOCAL],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"gitlab-ci-local is left out: npm cannot install it: {done.stderr.strip().splitlines()[:1]}")
            return None
    return str(program)


def contestants():
    commands = {
        "libyaml events": [os.path.abspath(FLOOR), ".gitlab-ci.yml"],
        "slipway lint": [os.path.abspath(BINARY), "lint", ".gitlab-ci.yml"],
        "slipway plan": [os.path.abspath(BINARY), "plan", ".gitlab-ci.yml", "--event", "push", "--branch", "main"],
    }
    if local := gitlab_ci_local():
        commands["gitlab-ci-local"] = [local, "--list"]
    return commands


def main():
    commands = contestants()
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, ".gitlab-ci.yml")
        # gitlab-ci-local wants a repository.
        subprocess.run("git init -q -b main . && git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m one"
                       " && git remote add origin https://git.example.com/team/app.git", shell=True, cwd=directory,
                       check=True)
        file.write_text("a: {script: x}\n")
        idle = {name: measure(command, directory, ARGUMENTS.rounds) for name, command in commands.items()}
        print("one job")
        for name, (clock, busy, peak) in idle.items():
            print(f"  {name:16} {clock * 1000:9.2f} ms, busy {busy * 1000:9.2f} ms {peak / 2**20:8.1f} MB")
        for jobs in ARGUMENTS.sizes:
            text = pipeline(jobs)
            file.write_text(text)
            print(f"\n{jobs} jobs, {len(text) / 1024:.0f} KB")
            floor = None
            clocks = {}
            for name, command in commands.items():
                rounds = ARGUMENTS.rounds if jobs <= 1000 else max(3, ARGUMENTS.rounds // 3)
                if name == "gitlab-ci-local":
                    if jobs > 1000:
                        continue
                    rounds = 3
                clock, busy, peak = measure(command, directory, rounds)
                clocks[name] = clock
                own = max(busy - idle[name][1], 1e-6)
                floor = floor or own
                print(f"  {name:16} {clock * 1000:9.2f} ms, busy {busy * 1000:9.2f} ms {peak / 2**20:8.1f} MB   "
                      f"per job {own / jobs * 1e6:8.2f} us {max(peak - idle[name][2], 0) / jobs / 1024:7.2f} KB   "
                      f"{own / floor:7.1f} x the floor")
            if "gitlab-ci-local" in clocks:
                times = clocks["gitlab-ci-local"] / clocks["slipway lint"]
                print(f"  slipway lint answers {times:.0f} times as fast as gitlab-ci-local --list")


main()
