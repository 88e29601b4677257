"""A push becomes a pipeline that ends as it should and says why."""

import re
import subprocess
import unittest

from harness import Api, EndToEnd, wait_for


def sh_jobs(*jobs):
    return "stages: [build, test, security, deploy]\n" + "\n".join(jobs)


class PushToResult(EndToEnd):
    def test_a_push_runs_all_stages_and_reports_coverage(self):
        self.runner()
        repository = self.repository(files={".gitlab-ci.yml": sh_jobs(
            "build:\n  stage: build\n  script:\n    - echo hello > out.txt\n"
            "  artifacts:\n    paths: [out.txt]\n",
            "test:\n  stage: test\n  script:\n    - test \"$(cat out.txt)\" = hello\n"
            "    - 'echo \"Coverage: 87.50\"'\n  coverage: '/Coverage: \\d+\\.\\d+/'\n")})
        sha = repository.push("Make it work")

        result = self.finished(repository.id, self.pipeline(repository.id, sha))

        self.assertEqual(result["status"], "success")
        self.assertEqual(result["source"], "push")
        self.assertEqual(result["commit"]["title"], "Make it work")
        self.assertEqual(result["commit"]["author_name"], "Ann")
        self.assertEqual(result["coverage"], "87.50")
        self.assertEqual([s["name"] for s in result["stages"]], ["build", "test"])
        history = self.api.get(f"/api/v4/projects/{repository.id}/coverage?ref=main")
        self.assertEqual([p["coverage"] for p in history], [87.5])
        status, headers, svg = self.api.raw("GET", "/team/app/badges/main/coverage.svg")
        self.assertEqual(status, 200)
        self.assertIn(b"87.50", svg)

    def test_a_runner_counts_the_jobs_that_it_ran(self):
        runner = self.runner(runner_listen="127.0.0.1:0")
        repository = self.repository(files={".gitlab-ci.yml": sh_jobs(
            "good:\n  script: ['true']\n", "bad:\n  script: ['false']\n")})
        self.finished(repository.id, self.pipeline(repository.id, repository.push()))
        port = re.search(r"signs\.served .*port=(\d+)", runner.log_path.read_text()).group(1)
        signs = Api(f"http://127.0.0.1:{port}")
        self.assertEqual(signs.raw("GET", "/healthz")[0], 200)
        wait_for("both jobs to be counted", lambda: all(
            f'slipway_runner_jobs_total{{result="{result}"}} 1'.encode() in signs.raw("GET", "/metrics")[2]
            for result in ("success", "script_failure")))

    def test_a_failing_test_stops_the_later_stages_and_says_so(self):
        self.runner()
        repository = self.repository(files={".gitlab-ci.yml": sh_jobs(
            "test:\n  stage: test\n  script: [exit 42]\n",
            "deploy:\n  stage: deploy\n  script: [echo deployed]\n")})
        sha = repository.push()

        result = self.finished(repository.id, self.pipeline(repository.id, sha))

        self.assertEqual(result["status"], "failed")
        test, deploy = result["jobs"]["test"], result["jobs"]["deploy"]
        self.assertEqual((test["status"], test["failure_reason"], test["exit_code"]),
                         ("failed", "script_failure", 42))
        self.assertIn("42", test["reason"]["text"])
        self.assertEqual(deploy["status"], "skipped")
        self.assertEqual(deploy["reason"]["code"], "previous_stage_failed")

    def test_a_branch_leaves_the_deploy_job_out_and_names_the_rule(self):
        self.runner()
        repository = self.repository(files={".gitlab-ci.yml": sh_jobs(
            "test:\n  stage: test\n  script: [\"true\"]\n",
            "deploy:\n  stage: deploy\n  script: [\"true\"]\n  only:\n    - main\n")})
        sha = repository.push(branch="feature/x")

        result = self.finished(repository.id, self.pipeline(repository.id, sha))

        self.assertEqual(result["status"], "success")
        self.assertEqual(list(result["jobs"]), ["test"])
        left_out = result["left_out"][0]
        self.assertEqual(left_out["name"], "deploy")
        self.assertEqual(left_out["file"], ".gitlab-ci.yml")
        self.assertEqual(left_out["line"], 9)
        self.assertIn("feature/x", left_out["reason"]["text"])

    def test_an_invalid_file_makes_a_failed_pipeline_with_located_findings(self):
        repository = self.repository(files={".gitlab-ci.yml":
                                            "test:\n  scirpt: [\"true\"]\n"})
        sha = repository.push()

        result = self.finished(repository.id, self.pipeline(repository.id, sha))

        self.assertEqual(result["status"], "failed")
        self.assertEqual(result["reason"]["code"], "configuration_invalid")
        self.assertEqual([(f["file"], f["line"]) for f in result["diagnostics"]
                          if "scirpt" in f["message"] or "script" in f["hint"]][:1],
                         [(".gitlab-ci.yml", 2)])

    def test_skip_ci_in_the_commit_message_makes_a_skipped_pipeline(self):
        repository = self.repository(files={".gitlab-ci.yml": "t:\n  script: [\"true\"]\n"})
        sha = repository.push("Fix a typo [skip ci]")
        result = self.finished(repository.id, self.pipeline(repository.id, sha))
        self.assertEqual(result["status"], "skipped")
        self.assertEqual(result["reason"]["code"], "skip_ci")

    def test_a_job_without_a_runner_says_what_it_waits_for(self):
        self.runner(tags=["linux"])
        repository = self.repository(files={
            ".gitlab-ci.yml": "t:\n  tags: [gpu]\n  script: [\"true\"]\n"})
        sha = repository.push()
        job = self.job_in(repository.id, self.pipeline(repository.id, sha), "t", "pending")
        self.assertEqual(job["reason"]["code"], "no_matching_runner")
        self.assertIn("gpu", job["reason"]["text"])


class Webhooks(EndToEnd):
    def push_body(self, repository, sha):
        return {"ref": "refs/heads/main", "before": "0" * 40, "after": sha,
                "repository": {"full_name": repository.path, "clone_url": str(repository.bare)},
                "head_commit": {"id": sha, "message": "Change", "timestamp":
                                "2026-01-01T00:00:00Z", "author": {"name": "A", "email": "a@b"}},
                "pusher": {"name": "ann"}}

    def quiet_repository(self):
        repository = self.repository(files={".gitlab-ci.yml": "t:\n  script: [\"true\"]\n"})
        (repository.bare / "hooks" / "post-receive").unlink()
        return repository, repository.push()

    def test_a_redelivery_makes_no_second_pipeline(self):
        repository, sha = self.quiet_repository()
        body = self.push_body(repository, sha)
        first = repository.deliver(body, delivery="d-1")
        again = [repository.deliver(body, delivery="d-1") for _ in range(5)]

        self.assertEqual((first[0], first[1]["verdict"]), (202, "accepted"))
        self.assertEqual({(status, answer["verdict"]) for status, answer in again},
                         {(202, "duplicate")})
        self.pipeline(repository.id, sha)
        found = self.api.get(f"/api/v4/projects/{repository.id}/pipelines?sha={sha}")
        self.assertEqual(len(found), 1)

    def test_a_wrong_signature_changes_nothing(self):
        repository, sha = self.quiet_repository()
        status, _ = repository.deliver(self.push_body(repository, sha), secret="wrong")
        self.assertIn(status, (401, 403))
        self.assertEqual(self.api.get(f"/api/v4/projects/{repository.id}/pipelines"), [])

    def test_a_payload_of_another_repository_is_refused(self):
        repository, sha = self.quiet_repository()
        body = self.push_body(repository, sha)
        body["repository"] = {"full_name": "other/app", "clone_url": "https://other/app.git"}
        status, _ = repository.deliver(body)
        self.assertEqual(status, 403)
        self.assertEqual(self.api.get(f"/api/v4/projects/{repository.id}/pipelines"), [])


class Cancelling(EndToEnd):
    def test_a_canceled_job_leaves_no_process(self):
        runner = self.runner()
        repository = self.repository(files={".gitlab-ci.yml":
            "t:\n  script:\n    - echo pid=$$\n    - sleep 600 & sleep 601\n"})
        sha = repository.push()
        pipeline = self.pipeline(repository.id, sha)
        job = self.job_in(repository.id, pipeline, "t", "running")
        wait_for("the job's first words", lambda: b"pid=" in self.trace(repository.id, job["id"]))

        self.api.post(f"/api/v4/projects/{repository.id}/jobs/{job['id']}/cancel")
        result = self.finished(repository.id, pipeline)

        self.assertEqual(result["status"], "canceled")
        self.assertEqual(result["jobs"]["t"]["reason"]["code"], "canceled_by_user")
        wait_for("the job's processes to be gone", lambda: not self.processes(str(runner.builds)))

    def processes(self, directory):
        found = subprocess.run(["pgrep", "-f", "sleep 60[01]"], capture_output=True, text=True)
        mine = []
        for pid in found.stdout.split():
            try:
                with open(f"/proc/{pid}/environ", "rb") as environ:
                    if directory.encode() in environ.read():
                        mine.append(pid)
            except OSError:
                continue
        return mine


class Crashes(EndToEnd):
    server_settings = {"lease": "5s", "ack_timeout": "5s"}

    def test_a_killed_server_loses_no_byte_of_a_running_jobs_log(self):
        runner = self.runner()
        count = 400
        repository = self.repository(files={".gitlab-ci.yml":
            # Bytes of all kinds, and beside the log a copy of what was written.
            f"t:\n  script:\n    - for i in $(seq 1 {count}); do printf 'line %d \\377\\001\\r\\n' $i;"
            " sleep 0.01; done | tee ../written\n"})
        sha = repository.push()
        pipeline = self.pipeline(repository.id, sha)
        job = self.job_in(repository.id, pipeline, "t", "running")
        wait_for("some output", lambda: b"line 20 " in self.trace(repository.id, job["id"]))

        self.server.kill()
        wait_for("the job to write on while the server is away",
                 lambda: any(b"line 120 " in spool.read_bytes()
                             for spool in runner.builds.rglob("trace")))
        self.server.start()

        result = self.finished(repository.id, pipeline)
        self.assertEqual(result["status"], "success")
        written = next(runner.builds.rglob("written")).read_bytes()
        self.assertEqual(written, b"".join(b"line %d \xff\x01\r\n" % i
                                           for i in range(1, count + 1)))
        log = self.trace(repository.id, job["id"])
        before, _, behind = log.partition(b"line 1 ")
        self.assertTrue(before.endswith(b"\x1b[0;m\n"), before[-100:])
        self.assertEqual(b"line 1 " + behind[:len(written) - len(b"line 1 ")], written)
        self.assertTrue(behind[len(written) - len(b"line 1 "):].startswith(b"section_end:"))

    def test_a_dotenv_report_reaches_the_jobs_that_take_its_artifacts(self):
        self.runner()
        repository = self.repository(files={".gitlab-ci.yml": """
variables: {VERSION: from the file}
make:
  stage: build
  script:
    - echo 'VERSION=1.2 $HOME' > build.env
  artifacts: {reports: {dotenv: build.env}}
use:
  stage: test
  script:
    - test "$VERSION" = '1.2 $HOME'
alone:
  stage: test
  dependencies: []
  script:
    - test "$VERSION" = "from the file"
"""})
        pipeline = self.pipeline(repository.id, repository.push())
        self.assertEqual(self.finished(repository.id, pipeline)["status"], "success")

    def test_a_broken_dotenv_report_fails_its_job_and_says_where(self):
        self.runner()
        repository = self.repository(files={".gitlab-ci.yml": """
make:
  script:
    - echo A=1 > build.env
    - echo >> build.env
  artifacts: {reports: {dotenv: build.env}}
"""})
        pipeline = self.pipeline(repository.id, repository.push())
        result = self.finished(repository.id, pipeline)
        self.assertEqual(result["status"], "failed")
        log = self.trace(repository.id, result["jobs"]["make"]["id"]).decode()
        self.assertIn("dotenv line 2: expected KEY=value", log)

    def test_a_machine_that_goes_down_ends_its_job_as_lost(self):
        runner = self.runner()
        repository = self.repository(files={".gitlab-ci.yml": "t:\n  script: [sleep 30]\n"})
        sha = repository.push()
        pipeline = self.pipeline(repository.id, sha)
        self.job_in(repository.id, pipeline, "t", "running")

        runner.kill_all()

        result = self.finished(repository.id, pipeline)
        self.assertEqual(result["status"], "failed")
        self.assertEqual(result["jobs"]["t"]["reason"]["code"], "runner_lost")


if __name__ == "__main__":
    unittest.main(verbosity=2)
