"""Caches that the runners of a project share through the server."""

import unittest

from harness import EndToEnd

# A cache of 3 MB and a file that says which job made it.
CONFIG = """
job:
  tags: [$HOST]
  cache:
    key: deps
    paths: [vendor/]
    fallback_keys: [other]
  script:
    - if [ -e vendor/by ]; then echo "found what $(cat vendor/by) made"; else echo "found nothing"; fi
    - mkdir -p vendor
    - test -e vendor/lib || head -c 3000000 /dev/urandom > vendor/lib
    - test -e vendor/by || echo $CI_COMMIT_BRANCH > vendor/by
"""


class SharedCaches(EndToEnd):
    def setUp(self):
        super().setUp()
        for host in ("one", "two"):
            self.runner(tags=[host], runner_cache_place="server")
        # Its default branch is protected.
        self.repo = self.repository(files={".gitlab-ci.yml": CONFIG})
        self.repo.push()

    def run_on(self, host, branch):
        """The log of a job on that machine, and what its page says of its caches."""
        pipeline = self.api.post(f"/api/v4/projects/{self.repo.id}/pipeline",
                                 {"ref": branch, "variables": [{"key": "HOST", "value": host}]})
        ended = self.finished(self.repo.id, pipeline["id"])
        self.assertEqual(ended["status"], "success")
        job = self.jobs(self.repo.id, pipeline["id"])["job"]
        shown = self.api.get(f"/api/v4/projects/{self.repo.id}/jobs/{job['id']}")
        return self.trace(self.repo.id, job["id"]).decode(), shown["transfers"]

    def branch(self, name):
        self.repo.write({"file": name})
        self.repo.push(branch=name)

    def test_one_machine_s_cache_is_the_other_s_and_only_differences_are_sent(self):
        log, (restored, saved) = self.run_on("one", "main")
        self.assertIn("found nothing", log)
        self.assertEqual((restored["kind"], restored["result"]), ("cache_restore", "miss"))
        self.assertEqual(restored["keys"], ["deps-protected", "other-protected"])
        self.assertEqual((saved["kind"], saved["result"], saved["files"]), ("cache_save", "stored", 2))
        self.assertGreater(saved["moved_bytes"], 3_000_000)

        log, (restored, saved) = self.run_on("two", "main")
        self.assertIn("found what main made", log)
        self.assertEqual((restored["result"], restored["keys"]), ("hit", ["deps-protected"]))
        self.assertGreater(restored["moved_bytes"], 3_000_000)
        self.assertEqual((saved["result"], saved["moved_bytes"]), ("unchanged", 0))

        _, (restored, _) = self.run_on("two", "main")
        self.assertEqual((restored["result"], restored["moved_bytes"]), ("hit", 0))

    def test_branches_that_are_not_protected_have_caches_of_their_own(self):
        self.run_on("one", "main")
        self.branch("feature")
        log, (restored, _) = self.run_on("two", "feature")
        self.assertIn("found nothing", log)
        self.assertEqual(restored["keys"], ["deps-non_protected", "other-non_protected"])
        log, _ = self.run_on("one", "feature")
        self.assertIn("found what feature made", log)
        log, _ = self.run_on("two", "main")
        self.assertIn("found what main made", log)

    def test_a_server_that_was_killed_keeps_its_caches(self):
        self.run_on("one", "main")
        self.server.kill()
        self.server.start()
        log, _ = self.run_on("two", "main")
        self.assertIn("found what main made", log)

    def test_caches_that_were_removed_are_not_found_on_any_machine(self):
        self.run_on("one", "main")
        self.api.call("DELETE", f"/api/v4/projects/{self.repo.id}/caches")
        log, (restored, _) = self.run_on("one", "main")
        self.assertIn("found nothing", log)
        self.assertEqual(restored["result"], "miss")


class ServerWithoutCaches(EndToEnd):
    server_settings = {"cache_size": "0"}

    def test_jobs_run_without_them_and_say_so(self):
        self.runner(runner_cache_place="server", tags=["one"])
        repo = self.repository(files={".gitlab-ci.yml": CONFIG.replace("$HOST", "one")})
        pipeline = self.pipeline(repo.id, repo.push())
        self.assertEqual(self.finished(repo.id, pipeline)["status"], "success")
        job = self.jobs(repo.id, pipeline)["job"]
        self.assertIn(b"this server keeps no caches", self.trace(repo.id, job["id"]))


if __name__ == "__main__":
    unittest.main()
