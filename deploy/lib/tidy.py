#!/usr/bin/env python3
"""Checks our C++ with clang-tidy, and only what changed since it was last found clean.

    deploy/lib/tidy.py BUILD_FOLDER [PART_OF_A_PATH...]

A source file is visited again when it, a header of ours that it includes, its compile command, .clang-tidy or the
installed clang-tidy differs from the last clean visit; the digests of clean visits are the names of the files in
BUILD_FOLDER/tidy. Exit code: 0 clean, 1 findings, 2 it could not be run. A whole visit takes about half an hour on
two cores, which is why clean files are remembered.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("base", "cli", "pipeline", "runner", "server")


def find_tool():
    for name in ("clang-tidy-14", "clang-tidy"):
        if path := shutil.which(name):
            return path
    sys.exit("tidy: clang-tidy is missing; deploy/packages/install installs it")


def our_headers(build):
    """For each object file, what of ours it is made of: Ninja knows from the compiler."""
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout
    found, current = {}, None
    for line in listing.splitlines():
        if line.startswith("    "):
            path = (pathlib.Path(build) / line.strip()).resolve()
            if path.is_relative_to(ROOT):
                found[current].append(path)
        elif match := re.match(r"(\S+): #deps", line):
            current = match.group(1)
            found[current] = []
    return found


def object_of(entry):
    words = shlex.split(entry["command"])
    return words[words.index("-o") + 1]


def digest_of(command, parts, tool_version):
    digest = hashlib.sha256(tool_version + (ROOT / ".clang-tidy").read_bytes() + command.encode())
    for path in sorted(set(parts)):
        digest.update(path.as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def visit(tool, build, source):
    done = subprocess.run([tool, "--quiet", "-p", build, str(source)], capture_output=True, text=True, errors="replace")
    # On standard error it counts the warnings of the system's headers, which nobody asked for.
    noise = re.compile(r"^\d+ warnings? (generated|treated as error)|^Suppressed |^Use -header-filter")
    said = done.stdout + "".join(line for line in done.stderr.splitlines(True) if not noise.match(line))
    return done.returncode == 0, said


def main(build, wanted):
    tool = find_tool()
    version = subprocess.run([tool, "--version"], check=True, capture_output=True).stdout
    stamps = pathlib.Path(build) / "tidy"
    stamps.mkdir(exist_ok=True)
    headers = our_headers(build)
    waiting, known = [], set()
    for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        inside = source.relative_to(ROOT).as_posix() if source.is_relative_to(ROOT) else ""
        if inside.split("/")[0] not in ROOMS or (wanted and not any(part in inside for part in wanted)):
            continue
        stamp = stamps / digest_of(entry["command"], [source, *headers.get(object_of(entry), [])], version)
        known.add(stamp)
        if not stamp.exists():
            waiting.append((source, inside, stamp))
    if not wanted:
        for old in set(stamps.iterdir()) - known:
            old.unlink()

    print(f"tidy: {len(waiting)} of {len(known)} files to visit", flush=True)
    dirty = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        visits = {pool.submit(visit, tool, build, source): (inside, stamp) for source, inside, stamp in waiting}
        for number, finished in enumerate(concurrent.futures.as_completed(visits), 1):
            inside, stamp = visits[finished]
            clean, said = finished.result()
            print(f"[{number}/{len(visits)}] {inside}{'' if clean else ': findings'}", flush=True)
            if clean:
                stamp.touch()
            else:
                dirty += 1
                print(said, flush=True)
    print(f"tidy: {len(known) - dirty} of {len(known)} files clean", flush=True)
    return 1 if dirty else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
