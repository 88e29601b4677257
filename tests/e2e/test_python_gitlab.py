"""A client written for GitLab, python-gitlab, at work with a real server and runner."""

import subprocess
import sys
import unittest

# Debian's package and what it needs, also for a python3 that is not Debian's own.
sys.path.insert(0, "/usr/lib/python3/dist-packages")

import gitlab  # noqa: E402

from harness import BINARY, EndToEnd, wait_for

PIPELINE = """\
stages: [build, test]
build:
  stage: build
  script: [echo built here]
flaky:
  stage: test
  script:
    - test -e "$AGAIN" || { touch "$AGAIN"; exit 1; }
    - echo passed at last
"""


class PythonGitlab(EndToEnd):
    def client(self, **credential):
        return gitlab.Gitlab(self.server.url, **credential)

    def run_pipeline(self):
        self.runner(environment=[f"AGAIN={self.directory}/again"])
        repository = self.repository(files={".gitlab-ci.yml": PIPELINE})
        pipeline = self.pipeline(repository.id, repository.push())
        self.finished(repository.id, pipeline)
        return repository, pipeline

    def test_it_lists_reads_a_trace_and_retries_a_job(self):
        _, pipeline = self.run_pipeline()
        client = self.client(private_token=self.api.token)
        client.auth()
        self.assertTrue(client.user.is_admin)

        project = client.projects.get("team/app")
        self.assertEqual([found.path_with_namespace for found in client.projects.list(get_all=True)],
                         ["team/app"])
        self.assertEqual([found.id for found in project.pipelines.list(get_all=True)],
                         [pipeline])
        jobs = {job.name: job for job in project.pipelines.get(pipeline).jobs.list(get_all=True)}
        self.assertEqual({name: job.status for name, job in jobs.items()},
                         {"build": "success", "flaky": "failed"})
        self.assertIn(b"built here", project.jobs.get(jobs["build"].id).trace())

        again = project.jobs.get(jobs["flaky"].id).retry()
        ended = wait_for("the retried job", lambda: (
            lambda job: job if job.status in ("success", "failed") else None)(
                project.jobs.get(again["id"])))
        self.assertEqual(ended.status, "success")
        self.assertIn(b"passed at last", ended.trace())

    def test_people_members_and_tokens_as_it_knows_them(self):
        repository = self.repository(files={".gitlab-ci.yml": PIPELINE})
        admin = self.client(private_token=self.api.token)
        bea = admin.users.create({"username": "bea", "name": "Bea"})
        project = admin.projects.get(repository.id)
        member = project.members.create({"user_id": bea.id,
                                         "access_level": gitlab.const.AccessLevel.DEVELOPER})
        self.assertEqual([found.username for found in project.members_all.list(get_all=True)],
                         ["bea"])
        member.access_level = gitlab.const.AccessLevel.MAINTAINER
        member.save()
        self.assertEqual(project.members.get(bea.id).access_level, 40)
        token = project.access_tokens.create({"name": "bot", "scopes": ["read_api"],
                                              "access_level": 20})
        reader = self.client(private_token=token.token)
        self.assertEqual([found.id for found in reader.projects.list(get_all=True)], [project.id])
        with self.assertRaises(gitlab.GitlabCreateError) as refused:
            reader.projects.get(project.id).pipelines.create({"ref": "main"})
        self.assertEqual(refused.exception.response_code, 403)
        bearer = self.client(oauth_token=self.api.token)
        bearer.auth()
        bea.block()
        self.assertEqual(admin.users.get(bea.id).state, "blocked")
        member.delete()
        token.delete()
        self.assertEqual(list(project.members.list(get_all=True)), [])

    def test_the_audit_log_is_verified_and_a_change_is_found(self):
        self.repository(files={".gitlab-ci.yml": PIPELINE})
        entries = self.api.get("/api/v4/audit_events")
        self.server.stop()
        command = [BINARY, "admin", "verify-audit", "--data-dir", str(self.server.data)]
        fine = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(fine.returncode, 0, fine.stderr)
        self.assertIn(entries[0]["hash"], fine.stdout)
        victim = entries[-1]["id"]
        subprocess.run(["sqlite3", str(self.server.data / "slipway.db"),
                        "DROP TRIGGER audit_is_not_changed;"
                        f"UPDATE audit SET actor = 'user/9' WHERE seq = {victim}"], check=True)
        broken = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(broken.returncode, 1)
        self.assertEqual(broken.stderr,
                         f"the audit log is broken at entry {victim}: it is not as it was written\n")
        self.server.start()


if __name__ == "__main__":
    unittest.main()
