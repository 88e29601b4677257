"""What a runner is handed for a job: the payload field by field, and sources that git can really fetch."""

import pathlib
import subprocess

from protocol_case import ONE_JOB, Protocol, zipped


class Payload(Protocol):
    maxDiff = None
    CONFIG = """
stages: [build, test]
build:
  stage: build
  script: [make]
  artifacts: {paths: [out]}
unit:
  stage: test
  image: {name: "python:3.12-slim", entrypoint: [""], pull_policy: if-not-present, docker: {user: "1000:1000"}}
  services:
    - {name: "postgres:16", alias: db, command: [postgres, -c, fsync=off], variables: {POSTGRES_PASSWORD: x}}
    - redis:7
  variables: {PLAIN: "a $CI_JOB_NAME", RAW: {value: "$NOT", expand: false}}
  before_script: [pip install]
  script: [pytest, "echo 1\\necho 2"]
  after_script: [down]
  timeout: 30 minutes
  cache: {key: pip, paths: [.cache], policy: pull, when: always, fallback_keys: [old]}
  artifacts: {name: mine, paths: [build/], exclude: ["build/*.o"], untracked: true, when: always, expire_in: 1 week,
              reports: {junit: r.xml}}
  hooks: {pre_get_sources_script: [echo soon]}
bare:
  stage: test
  script: ["true"]
  dependencies: []
"""

    def test_06_a_job_is_told_as_the_protocol_has_it(self):
        self.push(self.CONFIG)
        runner = self.double()
        build = runner.job()
        build.acknowledge()
        archive = zipped(out="x")
        self.assertEqual(build.upload("artifacts.zip", archive).status, 201)
        build.finish()
        unit, bare = (runner.job().payload for _ in range(2))
        server, token = self.server.url, unit["token"]
        self.assertEqual(unit["git_info"], {
            "repo_url": f"http://gitlab-ci-token:{token}@{server.split('//')[1]}/team/app.git",
            "repo_object_format": "sha1", "ref": "main", "sha": self.sha, "before_sha": "0" * 40, "ref_type": "branch",
            "refspecs": ["+refs/heads/main:refs/remotes/origin/main",
                         f"+{self.sha}:refs/pipelines/{self.pipeline_id}"],
            "depth": 20, "protected": True})
        step = {"when": "on_success", "timeout": 1800, "allow_failure": False}
        self.assertEqual(unit["steps"], [
            {"name": "script", "script": ["pip install", "pytest", "echo 1\necho 2"], **step},
            {"name": "after_script", "script": ["down"], "when": "always", "timeout": 1800, "allow_failure": True}])
        self.assertEqual(unit["image"], {
            "name": "python:3.12-slim", "command": None, "entrypoint": [""], "ports": [],
            "pull_policy": ["if-not-present"], "executor_opts": {"docker": {"user": "1000:1000"}}})
        plain = {"entrypoint": None, "command": None, "ports": [], "pull_policy": None, "executor_opts": {}}
        self.assertEqual(unit["services"], [
            {**plain, "name": "postgres:16", "alias": "db", "command": ["postgres", "-c", "fsync=off"],
             "variables": [{"key": "POSTGRES_PASSWORD", "value": "x", "public": True, "masked": False, "file": False,
                            "raw": False}]},
            {**plain, "name": "redis:7"}])
        self.assertEqual(unit["artifacts"], [
            {"name": "mine", "untracked": True, "paths": ["build/"], "exclude": ["build/*.o"], "when": "always",
             "artifact_type": "archive", "artifact_format": "zip", "expire_in": "1 week"},
            {"name": "junit.xml", "untracked": False, "paths": ["r.xml"], "exclude": None, "when": "always",
             "artifact_type": "junit", "artifact_format": "gzip", "expire_in": "1 week"}])
        self.assertEqual(unit["cache"], [
            {"key": "pip-protected", "untracked": False, "policy": "pull", "paths": [".cache"], "when": "always",
             "fallback_keys": ["old-protected"]}])
        self.assertEqual(unit["dependencies"], [
            {"id": build.id, "token": token, "name": "build",
             "artifacts_file": {"filename": "artifacts.zip", "size": len(archive)}}])
        self.assertEqual(unit["hooks"], [{"name": "pre_get_sources_script", "script": ["echo soon"]}])
        self.assertEqual(unit["runner_info"], {"timeout": 1800})
        self.assertEqual(unit["job_info"]["time_in_queue_seconds"] >= 0, True)
        self.assertEqual(unit["features"]["trace_sections"], True)
        variables = {v["key"]: v for v in unit["variables"]}
        flags = {"file": False, "public": True, "masked": False}
        self.assertEqual(variables["PLAIN"], {"key": "PLAIN", "value": "a $CI_JOB_NAME", "raw": False, **flags})
        self.assertEqual(variables["RAW"], {"key": "RAW", "value": "$NOT", "raw": True, **flags})
        for name in ("CI_JOB_TOKEN", "CI_REPOSITORY_URL"):
            self.assertEqual((variables[name]["masked"], variables[name]["public"]), (True, False), name)
        self.assertEqual((bare["image"], bare["services"], bare["cache"], bare["artifacts"], bare["dependencies"],
                          bare["inputs"], bare["hooks"]), (None, [], [], [], [], [], []))


class Sources(Protocol):
    # A newer commit leaves what is older in the queue.
    KEPT = ONE_JOB + "workflow: {auto_cancel: {on_new_commit: none}}\n"

    def fetch(self, job):
        """What an unmodified runner does with git_info, with the real git."""
        self.assertEqual(job.acknowledge().status, 200)
        info = job.payload["git_info"]
        where = pathlib.Path(self.directory) / f"clone-{job.id}"
        git = ["git", "-C", str(where)]
        subprocess.run(["git", "init", "--quiet", str(where)], check=True)
        shallow = ["--depth", str(info["depth"])] if info["depth"] else []
        subprocess.run([*git, "fetch", "--quiet", *shallow, info["repo_url"], *info["refspecs"]], check=True)
        subprocess.run([*git, "checkout", "--quiet", "--force", info["sha"]], check=True, capture_output=True)
        return where

    def test_11_a_branch_that_moved_on_by_thirty_commits(self):
        self.push(self.KEPT, **{"which.txt": "the first\n"})
        runner = self.double()
        for i in range(30):
            self.repo.write({"which.txt": f"later {i}\n"})
            self.repo.commit()
        self.repo.push("The last", branch="main")
        job = runner.job()
        self.assertEqual(job.payload["git_info"]["depth"], 20)
        self.assertEqual((self.fetch(job) / "which.txt").read_text(), "the first\n")

    def test_11_a_commit_that_a_forced_push_took_away(self):
        self.push(self.KEPT, **{"which.txt": "the first\n"})
        runner = self.double()
        self.repo._git(self.repo.work, "commit", "--quiet", "--amend", "--message", "Another history")
        self.repo._git(self.repo.work, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
        job = runner.job()
        self.assertEqual(job.payload["git_info"]["sha"], self.sha)
        self.assertEqual((self.fetch(job) / "which.txt").read_text(), "the first\n")

    def test_11_a_tag(self):
        self.repo = self.repository(
            files={".gitlab-ci.yml": "job:\n  script: ['true']\n  rules: [{if: $CI_COMMIT_TAG}]\n"})
        self.repo.commit()
        self.repo._git(self.repo.work, "tag", "v1")
        self.repo._git(self.repo.work, "push", "--quiet", "origin", "HEAD:refs/heads/main", "v1")
        job = self.double().job()
        info = job.payload["git_info"]
        self.assertEqual((info["ref"], info["ref_type"]), ("v1", "tag"))
        self.fetch(job)
