"""Environments: approvals, rollback and stopping, over the API and by the pages of a real server."""

import os
import subprocess
import unittest

from harness import PASSWORD, SOURCE, EndToEnd, wait_for

PIPELINE = """
deploy:
  script:
    - echo "$CI_ENVIRONMENT_NAME gets $CI_COMMIT_SHORT_SHA"
    - echo "HOST=shop.example.test" > deploy.env
  artifacts: {reports: {dotenv: deploy.env}}
  environment: {name: production, url: "https://$HOST/$CI_COMMIT_REF_SLUG", on_stop: remove}
remove:
  script: ["echo $CI_ENVIRONMENT_NAME goes"]
  when: manual
  allow_failure: true
  environment: {name: production, action: stop}
"""


class Deployments(EndToEnd):
    def environment(self, project):
        found = self.api.get(f"/api/v4/projects/{project}/environments")
        return found[0] if found else None

    def test_production_is_approved_rolled_back_and_stopped(self):
        self.runner()
        repository = self.repository("demo/shop", files={".gitlab-ci.yml": PIPELINE})
        project = repository.id
        first = repository.push("The first")
        deployed = wait_for("the first deployment", lambda: (self.environment(project) or {}).get("last_deployment"))
        self.assertEqual(deployed["sha"], first)
        # The part that only the job knew is there.
        self.assertEqual(self.environment(project)["external_url"], "https://shop.example.test/main")
        # From here on nobody deploys alone.
        self.api.post(f"/api/v4/projects/{project}/protected_environments",
                      {"name": "production", "required_approval_count": 1})
        second = repository.push("The second")
        waiting = wait_for("a deployment that is blocked", lambda: next(
            (d for d in self.api.get(f"/api/v4/projects/{project}/deployments?status=blocked")), None))
        self.assertEqual(waiting["sha"], second)
        self.assertEqual(waiting["deployable"]["reason"]["code"], "waiting_for_approval")
        token = self.person("bob", project)

        environment = {**os.environ, "SLIPWAY_URL": self.server.url, "SLIPWAY_USERNAME": "root",
                       "SLIPWAY_PASSWORD": PASSWORD, "SLIPWAY_PROJECT": "demo/shop",
                       "SLIPWAY_FIRST_SHA": first, "SLIPWAY_SECOND_SHA": second, "SLIPWAY_SECOND_PERSON": token}
        done = subprocess.run(["node", "--test", "tests/browser/real/deployments.test.mjs"], cwd=SOURCE,
                              env=environment, capture_output=True, text=True, timeout=400)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        history = self.api.get(f"/api/v4/projects/{project}/deployments?status=success")
        self.assertEqual([(d["sha"], d["kind"]) for d in history],
                         [(first, "rollback"), (second, "deploy"), (first, "deploy")])
        self.assertEqual(self.environment(project)["state"], "stopped")


if __name__ == "__main__":
    unittest.main(verbosity=2)
