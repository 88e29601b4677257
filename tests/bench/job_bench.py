"""What a job's parts cost beside the plain tools that do the same: containers and services, checkouts, caches,
artifacts, logs. Prints medians and ratios, asserts nothing.

A checkout is measured from the trigger to the end of a job that does nothing else, so it carries what a job costs by
itself; caches by the seconds that the job's log names. The plain tools run in the same file system.
"""

import json
import re
import shutil
import statistics
import subprocess
import tempfile

from house import IMAGE, QUICK, ROUNDS, Bench, cpu_seconds, make_image, median_ms, resident_mb, row, run_parts, timed

FEW = 2 if QUICK else 5


def end_of(bench, project, rounds=1):
    """The median of the milliseconds from trigger to end."""
    return statistics.median(end for _, end in bench.stopwatch("single", project, rounds))


def docker_pipeline():
    """Three stages of ten jobs that do nothing, each in a container of its own."""
    make_image()
    bench = Bench(concurrent=4)
    try:
        bench.runner("docker")
        config = "stages: [a, b, c]\nvariables: {GIT_STRATEGY: none}\ndefault: {tags: [docker]}\n" + "".join(
            f"{stage}:\n  stage: {stage}\n  parallel: 10\n  script: ['true']\n" for stage in "abc")
        project = bench.project("bench/thirty", config)
        bench.stopwatch("many", project, 1)
        seconds = statistics.median(bench.stopwatch("many", project, 1)[0][0] for _ in range(FEW))
        floor = statistics.median(timed(["docker", "run", "--rm", "--network", "none", IMAGE, "true"])
                                  for _ in range(ROUNDS))
        row("a pipeline of 3 times 10 no-op docker jobs, 4 slots", f"{seconds:.2f} s",
            f"30 docker runs in a row {30 * floor:.2f} s")
    finally:
        bench.close()


def service():
    make_image()
    bench = Bench(concurrent=1)
    try:
        bench.runner("docker")
        project = bench.project("bench/service", "variables: {GIT_STRATEGY: none}\nwith:\n  tags: [docker]\n"
                                f"  services: [{{name: '{IMAGE}', alias: db, command: [sleep, '1000']}}]\n"
                                "  script: ['true']\n")
        end_of(bench, project)
        took = end_of(bench, project, FEW)
        floor = median_ms([timed(["docker", "run", "--rm", IMAGE, "true"]) for _ in range(ROUNDS)])
        row("no-op docker job with one service", f"{took:.0f} ms",
            f"docker run {floor:.0f} ms, {took / floor:.2f} times")
    finally:
        bench.close()


def many_files(count, size):
    def write(folder):
        for number in range(count):
            target = folder / f"dir{number % 97}" / f"sub{number % 13}" / f"file{number}.txt"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((f"file {number}\n" * (size // 10))[:size].encode())
    return write


def checkout():
    bench = Bench(concurrent=1)
    try:
        project = bench.project("bench/sources", "variables: {GIT_DEPTH: 20}\nsources:\n  tags: [shell]\n"
                                "  script: ['true']\n", many_files(5000, 2000))
        first, second, clones, fetches = [], [], [], []
        for number in range(FEW):
            runner = bench.runner("shell")
            first.append(end_of(bench, project))
            clone = bench.directory / f"clone{number}"
            clones.append(timed(["git", "clone", "-q", "--depth", "20", f"file://{bench.bare}", str(clone)]))
            (bench.work / "dir1" / "changed.txt").write_text(f"change {number}\n")
            bench.commit()
            bench.git("push", "-q", "origin", "main")
            second.append(end_of(bench, project))
            fetches.append(timed(["sh", "-c", 'git -C "$0" fetch -q --depth 20 origin main && '
                                  'git -C "$0" checkout -q -f FETCH_HEAD', str(clone)]))
            runner.stop()
        for name, jobs, tools, tool in (("first", first, clones, "git clone --depth 20"),
                                        ("second", second, fetches, "git fetch, git checkout")):
            took, floor = statistics.median(jobs), median_ms(tools)
            row(f"shell job with a repository of 5,000 files, {name} time", f"{took:.0f} ms",
                f"{tool} {floor:.0f} ms, {took / floor:.2f} times")
    finally:
        bench.close()


def cache():
    files = 5_000 if QUICK else 100_000
    make = ("for d in $(seq 1 100); do mkdir -p node_modules/p$d; "
            f"for f in $(seq 1 {files // 100}); do echo \"module.exports = $d * $f // $RANDOM$RANDOM$RANDOM\" "
            "> node_modules/p$d/f$f.js; done; done")
    bench = Bench(concurrent=1)
    try:
        bench.runner("shell")
        # What lies in the tree is what the cache brought: it is not made again, so the second save has nothing new.
        project = bench.project("bench/cache", "variables: {GIT_STRATEGY: none}\nmodules:\n  tags: [shell]\n"
                                "  cache: {key: modules, paths: [node_modules]}\n  script:\n"
                                f"    - test -d node_modules || {{ {make}; }}\n    - rm -rf ../kept && cp -a node_modules ../kept\n")
        end_of(bench, project)
        saved = bench.last_log(project)
        tree = next(bench.directory.glob("runner-*/builds/**/kept"), None)
        end_of(bench, project)
        again = bench.last_log(project)
        first = float(re.search(r"Created cache: .* in ([\d.]+) s", saved).group(1))
        unchanged = float(re.search(r"Cache is up to date: .* in ([\d.]+) s", again).group(1))
        restored = float(re.search(r"extracted cache: hit, .* in ([\d.]+) s", again).group(1))
        with tempfile.TemporaryDirectory(dir=bench.directory) as folder:
            tools = {
                "pack": ["sh", "-c", 'tar -C "$0" -c . | zstd -q > "$1/all.tar.zst"', str(tree), folder],
                "zip": ["sh", "-c", 'cd "$0" && zip -q -r "$1/all.zip" .', str(tree), folder],
                "unpack": ["sh", "-c", 'mkdir "$1/out" && zstd -q -d < "$1/all.tar.zst" | tar -C "$1/out" -x', "", folder]}
            took = {name: timed(command) for name, command in tools.items() if name != "zip" or shutil.which("zip")}
        row(f"cache of {files:,} files: first save, once", f"{first:.2f} s",
            f"tar | zstd {took['pack']:.2f} s, {first / took['pack']:.2f} times")
        if "zip" in took:
            row("  beside zip", f"{first:.2f} s", f"zip {took['zip']:.2f} s, {first / took['zip']:.2f} times")
        row("  unchanged, saved again", f"{unchanged:.2f} s", f"{unchanged / first:.2f} times the first save")
        row("  restored", f"{restored:.2f} s", f"zstd | tar {took['unpack']:.2f} s, {restored / took['unpack']:.2f} times")
    finally:
        bench.close()


def artifacts():
    megabytes = 100 if QUICK else 1000
    bench = Bench(concurrent=1)
    try:
        runner = bench.runner("shell")
        server = bench.server.process.pid
        config = ("variables: {GIT_STRATEGY: none}\nmake:\n  tags: [shell]\n  script:\n"
                  f"    - head -c {megabytes}000000 /dev/urandom > big.bin\n")
        plain = bench.project("bench/plain", config)
        kept = bench.project("bench/kept", config + "  artifacts: {paths: [big.bin]}\n")
        end_of(bench, plain)
        without = end_of(bench, plain)
        before = cpu_seconds(server)
        took = (end_of(bench, kept) - without) / 1000
        with tempfile.TemporaryDirectory(dir=bench.directory) as folder:
            source = f"{folder}/big.bin"
            subprocess.run(["sh", "-c", f"head -c {megabytes}000000 /dev/urandom > {source}"], check=True)
            floor = timed(["sh", "-c", 'zip -q -5 "$0/a.zip" "$0/big.bin" && sync "$0/a.zip"', folder])
        row(f"artifacts of {megabytes:,} MB: packed, sent, stored, once", f"{took:.1f} s",
            f"zip -5 {floor:.1f} s, {took / floor:.2f} times")
        row("  server CPU time", f"{cpu_seconds(server) - before:.1f} s")
        row("  resident memory after it", resident_mb(server, runner.process.pid))
    finally:
        bench.close()


def huge_log():
    bench = Bench(concurrent=1)
    try:
        runner = bench.runner("shell")
        size = 50_000_000 if QUICK else 500_000_000
        lines = 1_000_000 if QUICK else 10_000_000
        bench.server.stop()
        bench.server.settings["trace_limit"] = "2G"
        bench.server.start()
        for name, title, printed, command in (
                ("huge", f"a job that prints {size // 1_000_000} MB", size,
                 f"yes 'a line of output that is as long as they usually are' | head -c {size} || true"),
                ("long", f"  {size // 500_000} MB in one line", 2 * size,
                 f"head -c {2 * size} /dev/zero | tr '\\0' x"),
                ("lines", f"  {lines // 1_000_000} million lines", (len(str(lines)) + 1) * lines,
                 f"seq -w {lines}")):
            project = bench.project("bench/" + name, "variables: {GIT_STRATEGY: none}\nlog:\n  tags: [shell]\n"
                                    "  script:\n    - " + json.dumps(command) + "\n")
            took = end_of(bench, project)
            row(f"{title}, once", f"{took:.0f} ms", f"{printed / 1000 / took:.0f} MB/s")
        row("  resident memory after it", resident_mb(bench.server.process.pid, runner.process.pid))
    finally:
        bench.close()


if __name__ == "__main__":
    run_parts({"docker_pipeline": docker_pipeline, "service": service, "checkout": checkout, "cache": cache,
               "artifacts": artifacts, "huge_log": huge_log})
