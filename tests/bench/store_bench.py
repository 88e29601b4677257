"""The two databases beside each other: jobs a second through the coordinator, the time of a job's four commits, and how
questions grow from 1,000 pipelines with 10,000 jobs to 100,000 with 1,000,000. Both sync every commit."""

import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["SLIPWAY_SOURCE"])
PIPELINES = "2000" if "--quick" in sys.argv else "100000"
JOBS = "500" if "--quick" in sys.argv else "5000"


def run(title, *command):
    print(title, flush=True)
    subprocess.run(command, check=True, env={**os.environ, "DURABLE": "1"})


def on_postgresql(script):
    return [SOURCE / "tests/environment/with_postgresql", "sh", "-c", script]


coordinator, store = os.environ["SLIPWAY_COORDINATOR_BENCH"], os.environ["SLIPWAY_STORE_BENCH"]
run("SQLite: jobs through the coordinator", coordinator, JOBS)
run("PostgreSQL: jobs through the coordinator", *on_postgresql(f'"{coordinator}" {JOBS} "$SLIPWAY_TEST_DATABASE"'))
with tempfile.TemporaryDirectory() as folder:
    run("SQLite: a store that grows", store, folder, PIPELINES)
run("PostgreSQL: a store that grows", *on_postgresql(f'"{store}" "$SLIPWAY_TEST_DATABASE" {PIPELINES}'))
