"""A plain git server: the hook that `slipway hook install` puts there, and what happens where none reaches us."""

import os
import pathlib
import shlex
import stat
import subprocess
import unittest

from harness import BINARY, SANITIZERS, EndToEnd, wait_for

FILE = """
t:
  script: ["true"]
  rules: [{when: always}]
"""


class Hook(EndToEnd):
    def install(self, repository, secret=None, bare=None):
        return subprocess.run(
            [BINARY, "hook", "install", repository.path, "--repository", str(bare or repository.bare)],
            input=(secret or repository.secret) + "\n", capture_output=True, text=True, timeout=60,
            env={"PATH": os.environ["PATH"], **SANITIZERS, "SLIPWAY_URL": self.server.url, "HOME": str(self.directory)})

    def bare(self):
        repository = self.repository(files={".gitlab-ci.yml": FILE})
        hook = repository.bare / "hooks" / "post-receive"
        hook.unlink()
        (repository.bare / "slipway-secret").unlink()
        for name in ("url", "secretFile", "project"):
            repository._git(repository.bare, "config", "--unset", "slipway." + name)
        return repository

    def test_an_installed_hook_tells_of_pushes_with_their_options(self):
        repository = self.bare()
        done = self.install(repository)
        self.assertEqual(done.returncode, 0, done.stderr)
        secret = repository.bare / "slipway-secret"
        self.assertEqual(stat.S_IMODE(secret.stat().st_mode), 0o600)
        self.assertEqual(secret.read_text(), repository.secret + "\n")
        for kept in (repository.bare / "config", repository.bare / "hooks" / "post-receive"):
            self.assertNotIn(repository.secret, kept.read_text())
        self.pipeline(repository.id, repository.push())

        sha = repository.commit("Quiet")
        repository._git(repository.work, "push", "--quiet", "-o", "ci.skip", "origin", "HEAD:main")
        skipped = self.pipeline(repository.id, sha)
        self.assertEqual(self.api.get(f"/api/v4/projects/{repository.id}/pipelines/{skipped}")["status"], "skipped")
        self.assertEqual(self.install(repository).returncode, 0)  # once more: an upgrade

    def test_a_hook_that_is_there_already_is_not_overwritten_and_a_secret_is_wanted(self):
        repository = self.bare()
        hook = repository.bare / "hooks" / "post-receive"
        hook.write_text("#!/bin/sh\ncat\n")
        refused = self.install(repository)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is there already, and not ours", refused.stderr)
        self.assertEqual(hook.read_text(), "#!/bin/sh\ncat\n")
        hook.unlink()
        self.assertEqual(self.install(repository, secret="short").returncode, 3)
        self.assertFalse(hook.exists())
        elsewhere = self.install(repository, bare=self.directory)
        self.assertIn("is no git repository", elsewhere.stderr)

    def test_a_hostile_ref_name_is_a_name_and_nothing_else(self):
        repository = self.bare()
        self.assertEqual(self.install(repository).returncode, 0)
        repository.push()
        proof = pathlib.Path(self.directory) / "pwned"
        for name in (f"$(touch${{IFS}}{proof})", f"`touch${{IFS}}{proof}`", "a;touch${IFS}x", "--upload-pack=x", "é'\"|&"):
            sha = repository.commit("Hostile")
            repository._git(repository.work, "push", "--quiet", "origin", f"HEAD:refs/heads/x{name}")
            self.assertEqual(self.api.get(f"/api/v4/projects/{repository.id}/pipelines/"
                                          f"{self.pipeline(repository.id, sha)}")["ref"], f"x{name}", shlex.quote(name))
        self.assertFalse(proof.exists())


class Watching(EndToEnd):
    def silent(self, **project):
        repository = self.repository(files={".gitlab-ci.yml": FILE}, **project)
        (repository.bare / "hooks" / "post-receive").unlink()
        return repository

    def watch(self, repository):
        return self.api.get(f"/api/v4/projects/{repository.id}/ref_watch")

    def test_what_an_outage_missed_is_found_after_the_start_once_and_said_so(self):
        repository = self.silent()
        wait_for("the first look", lambda: self.watch(repository)["compared_at"])
        self.server.kill()
        sha = repository.push()
        self.server.start()
        pipeline = self.pipeline(repository.id, sha)
        inbox = self.api.get(f"/api/v4/projects/{repository.id}/deliveries")
        self.assertEqual([(one["found_by"], one["pipeline_id"]) for one in inbox], [("reconciler", pipeline)])
        self.assertEqual(wait_for("the note", lambda: self.watch(repository)["found"]), 1)
        before = self.watch(repository)["compared_at"]
        self.server.stop()
        self.server.start()
        wait_for("another look", lambda: self.watch(repository)["compared_at"] != before)
        self.assertEqual(len(self.api.get(f"/api/v4/projects/{repository.id}/pipelines")), 1)


if __name__ == "__main__":
    unittest.main()
