"""Pipelines that start pipelines, with a real server, runner and git, over the end of the server."""

import unittest

from harness import EndToEnd, wait_for

PARENT = """\
stages: [generate, trigger, after]
generate:
  stage: generate
  script:
    - mkdir out
    - echo from the parent > out/data.txt
    - cp child.template out/child.yml
  artifacts: {paths: [out]}
bridge:
  stage: trigger
  variables: {PARENT_PIPELINE_ID: $CI_PIPELINE_ID}
  trigger:
    include: [{artifact: out/child.yml, job: generate}]
    strategy: depend
after:
  stage: after
  script: [echo the child is done]
"""

CHILD = """\
use:
  needs: [{pipeline: $PARENT_PIPELINE_ID, job: generate}]
  script:
    - test "$CI_PIPELINE_SOURCE" = parent_pipeline
    - test "$(cat out/data.txt)" = "from the parent"
"""


class Downstream(EndToEnd):
    def pushed(self, repository):
        """The pipeline of a push; its child, of the same commit, may be there already."""
        sha = repository.push()
        self.pipeline(repository.id, sha)
        return min(found["id"] for found in self.api.get(
            f"/api/v4/projects/{repository.id}/pipelines?sha={sha}"))

    def bridge(self, project, pipeline, status):
        def there():
            bridges = self.api.get(f"/api/v4/projects/{project}/pipelines/{pipeline}/bridges")
            return bridges[0] if bridges and bridges[0]["status"] == status else None
        return wait_for(f"the trigger job to be {status}", there)

    def test_a_child_made_by_a_job_takes_the_parents_artifacts_and_lets_it_go_on(self):
        self.runner()
        repository = self.repository(files={".gitlab-ci.yml": PARENT, "child.template": CHILD})
        parent = self.pushed(repository)
        result = self.finished(repository.id, parent)
        self.assertEqual(result["status"], "success", result)
        bridge = self.bridge(repository.id, parent, "success")
        child = self.finished(repository.id, bridge["downstream_pipeline"]["id"])
        self.assertEqual((child["status"], child["source"]), ("success", "parent_pipeline"))
        self.assertEqual(child["upstream_pipeline"]["id"], parent)
        self.assertEqual(child["sha"], result["sha"])

    def test_a_server_that_is_killed_loses_no_child_and_makes_none_twice(self):
        repository = self.repository(files={
            ".gitlab-ci.yml": "bridge: {trigger: {include: child.yml, strategy: depend}}\n",
            "child.yml": "unit: {script: ['true']}\n"})
        parent = self.pushed(repository)
        child = self.bridge(repository.id, parent, "running")["downstream_pipeline"]["id"]
        self.server.kill()
        self.server.start()
        self.runner()
        self.assertEqual(self.finished(repository.id, child)["status"], "success")
        self.assertEqual(self.bridge(repository.id, parent, "success")["downstream_pipeline"]["id"], child)
        self.assertEqual(len(self.api.get(f"/api/v4/projects/{repository.id}/pipelines")), 2)


if __name__ == "__main__":
    unittest.main()
