"""A job outlives its agent: agents that are killed and upgraded, slots that die, what is left behind."""

import os
import pathlib
import shutil
import signal
import subprocess
import unittest

from harness import BINARY, EndToEnd, wait_for

# Prints lines for as long as it is let, then a last one; the gate is a file.
COUNTING = """
variables: {GIT_STRATEGY: none}
t:
  parallel: %d
  script:
    - "n=0; while [ ! -e %s ]; do n=$((n+1)); echo line $n; sleep 0.02; done; echo all $n said"
"""


class RunnerLife(EndToEnd):
    server_settings = {"lease": "30s", "ack_timeout": "15s"}

    def counting(self, runner, jobs=1):
        """Jobs that run in `runner` until self.gate is there; (repository, pipeline)."""
        self.gate = self.directory / "gate"
        repository = self.repository(files={".gitlab-ci.yml": COUNTING % (jobs, self.gate)})
        pipeline = self.pipeline(repository.id, repository.push())
        return repository, pipeline

    def running(self, repository, pipeline, count):
        def there():
            found = [job for job in self.jobs(repository.id, pipeline).values() if job["status"] == "running"]
            return len(found) == count and all(
                b"line 5\n" in self.trace(repository.id, job["id"]) for job in found) and found
        return wait_for(f"{count} jobs that run", there)

    def assert_whole(self, log):
        """No line is missing, doubled or torn."""
        lines = [line for line in log.decode().splitlines() if line.startswith("line ")]
        self.assertEqual(lines, [f"line {n + 1}" for n in range(len(lines))])
        self.assertEqual(log.decode().count(f"all {len(lines)} said\n"), 1)

    def test_an_agent_that_is_killed_and_comes_back_loses_nothing(self):
        runner = self.runner()
        repository, pipeline = self.counting(runner)
        self.running(repository, pipeline, 1)
        slots = runner.slots()

        runner.kill()
        before = self.running(repository, pipeline, 1)[0]
        grown = len(self.trace(repository.id, before["id"]))
        wait_for("more of the log, without an agent",
                 lambda: len(self.trace(repository.id, before["id"])) > grown)
        runner.start()
        wait_for("the agent to find its slot", lambda: b"slot.found_busy" in runner.log_path.read_bytes())
        self.gate.touch()

        result = self.finished(repository.id, pipeline)
        self.assertEqual(result["status"], "success")
        self.assertEqual(list(runner.slots().values()), list(slots.values()))
        log = self.trace(repository.id, before["id"])
        self.assert_whole(log)
        self.assertEqual(log.count(b"Running with slipway-runner"), 1)

    def test_a_job_ends_while_there_is_no_agent(self):
        runner = self.runner()
        repository, pipeline = self.counting(runner)
        self.running(repository, pipeline, 1)
        runner.kill()
        self.gate.touch()
        result = self.finished(repository.id, pipeline)
        self.assertEqual(result["status"], "success")
        self.assert_whole(self.trace(repository.id, next(iter(result["jobs"].values()))["id"]))
        wait_for("the slot to leave", lambda: not runner.marked(), 20)

    def test_an_agent_is_upgraded_with_three_of_four_slots_busy(self):
        runner = self.runner(runner_concurrent="4")
        repository, pipeline = self.counting(runner, 3)
        self.running(repository, pipeline, 3)
        old = runner.slots()
        other = self.directory / "slipway-of-another-build"
        shutil.copy(BINARY, other)

        runner.kill()
        runner.start(str(other))
        more = self.repository("team/more", {".gitlab-ci.yml": "t: {script: [echo new]}\n"})
        quick = self.finished(more.id, self.pipeline(more.id, more.push()))
        self.assertEqual(quick["status"], "success")  # in the fourth
        self.assertEqual(len(self.running(repository, pipeline, 3)), 3)
        self.gate.touch()

        result = self.finished(repository.id, pipeline)
        self.assertEqual(result["status"], "success")
        for job in result["jobs"].values():
            self.assert_whole(self.trace(repository.id, job["id"]))
        wait_for("the old slots to leave", lambda: not set(old.values()) & set(runner.marked()))
        again = self.finished(more.id, self.pipeline(more.id, more.push()))
        self.assertEqual(again["status"], "success")
        self.assertTrue(all(os.readlink(f"/proc/{pid}/exe") == str(other) for pid in runner.slots().values()))

    def test_a_slot_that_dies_fails_its_job_at_once_and_leaves_nothing(self):
        runner = self.runner()
        repository = self.repository(files={".gitlab-ci.yml": """
variables: {GIT_STRATEGY: none}
t:
  script:
    - setsid sleep 1000 &
    - (setsid sh -c 'sleep 1000' &)
    - echo ready
    - sleep 1000
"""})
        pipeline = self.pipeline(repository.id, repository.push())
        job = self.job_in(repository.id, pipeline, "t", "running")
        wait_for("the job's output", lambda: b"\nready\n" in self.trace(repository.id, job["id"]))

        os.kill(runner.slots()[0], signal.SIGKILL)

        failed = self.job_in(repository.id, pipeline, "t", "failed", 10)
        self.assertEqual(failed["failure_reason"], "runner_system_failure")
        self.assertIn(b"the process that ran the job has died", self.trace(repository.id, job["id"]))
        # What was killed is in /proc until its parent has been told.
        wait_for("the end of all that it ran", lambda: not runner.marked(), 10)
        # The runner goes on with another slot.
        self.write_and_succeed(repository)

    def write_and_succeed(self, repository):
        repository.write({".gitlab-ci.yml": "t: {script: [echo fine]}\n"})
        result = self.finished(repository.id, self.pipeline(repository.id, repository.push()))
        self.assertEqual(result["status"], "success")

    def test_what_a_job_leaves_behind_ends_with_it(self):
        runner = self.runner()
        repository = self.repository(files={".gitlab-ci.yml": """
t:
  script:
    - env -i setsid /bin/sh -c '>one; sleep 987654; true' &
    - (env -i setsid /bin/sh -c '>two; sleep 987654; true' &)
    - until [ -e one ] && [ -e two ]; do sleep 0.02; done
"""})
        result = self.finished(repository.id, self.pipeline(repository.id, repository.push()))
        self.assertEqual(result["status"], "success")

        def left():
            commands = (path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline") if path.exists())
            return sum(b"987654" in command for command in commands)
        wait_for("their end", lambda: left() == 0, 10)
        self.assertEqual(len(runner.slots()), 1)

    def test_what_outlived_its_slot_and_its_agent_is_swept_by_the_next_agent(self):
        runner = self.runner()
        repository = self.repository(files={".gitlab-ci.yml": "t: {script: [echo ready, sleep 1000]}\n"})
        pipeline = self.pipeline(repository.id, repository.push())
        job = self.job_in(repository.id, pipeline, "t", "running")
        wait_for("the job's output", lambda: b"\nready\n" in self.trace(repository.id, job["id"]))
        runner.kill()
        slot = runner.slots()[0]
        os.kill(slot, signal.SIGKILL)
        wait_for("the slot's end", lambda: slot not in runner.marked())
        self.assertTrue(runner.marked())  # the script goes on, for nobody
        stranger = subprocess.Popen(["sleep", "1000"], env={"SLIPWAY_SLOT": "of-another/0"})
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)

        runner.start()

        wait_for("the end of all that was left", lambda: not runner.marked())
        self.assertIsNone(stranger.poll())

    def test_a_second_agent_is_kept_out(self):
        runner = self.runner()
        wait_for("the agent's lock", lambda: list(runner.builds.glob("*/.slots/lock")))
        second = subprocess.run([BINARY, "runner", "run", "--config", str(runner.config)], capture_output=True,
                                text=True, timeout=60)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"another agent of this runner works in '{runner.builds}'", second.stderr)

    def test_no_argument_or_environment_of_a_slot_bears_a_secret(self):
        runner = self.runner()
        repository, pipeline = self.counting(runner)
        self.running(repository, pipeline, 1)
        pid = runner.slots()[0]
        for name in ("cmdline", "environ"):
            self.assertNotIn(b"glrt-", pathlib.Path(f"/proc/{pid}/{name}").read_bytes())
        self.gate.touch()
        self.assertEqual(self.finished(repository.id, pipeline)["status"], "success")


if __name__ == "__main__":
    unittest.main(verbosity=2)
