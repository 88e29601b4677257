"""The whole way: a push becomes a built, tested, scanned and deployed image, on real parts.

Needs a Docker engine, a registry on 127.0.0.1:5000 and the sample's images: tests/environment/with_services
brings them. The cluster is the stand-in of tests/kubernetes_api, kubectl is the real one.
"""

import shutil
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
import uuid

from harness import SOURCE, EndToEnd, wait_for

sys.path.insert(0, str(SOURCE / "tests" / "kubernetes_api"))
from stand_in import StandIn  # noqa: E402

REGISTRY = "127.0.0.1:5000"


def docker(*arguments):
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120)


def registry_has(path, tag):
    try:
        with urllib.request.urlopen(f"http://{REGISTRY}/v2/{path}/manifests/{tag}", timeout=10) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


class Deployment(EndToEnd):
    def setUp(self):
        super().setUp()
        state = self.directory / "kubernetes"
        state.mkdir()
        self.cluster = StandIn(state)
        self.cluster.__enter__()
        self.addCleanup(self.cluster.__exit__, None, None, None)
        applied = self.cluster.kubectl("kubectl", "apply", "-f",
                                       str(SOURCE / "deploy" / "sample" / "kubernetes"))
        self.assertEqual(applied.returncode, 0, applied.stderr)
        self.runner(environment=[f"KUBECONFIG={self.cluster.kubeconfig}", "DOCKER_BUILDKIT=0"])
        # A path of its own for each test, so that none finds another's image.
        self.path = f"e2e/app-{uuid.uuid4().hex[:8]}"

    def sample(self, pipeline_file=None):
        """The sample project as a repository; with another pipeline file when one is given."""
        repository = self.repository(self.path)
        shutil.copytree(SOURCE / "deploy" / "sample", repository.work, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("node_modules", "reports"))
        if pipeline_file:
            shutil.copy(pipeline_file, repository.work / ".gitlab-ci.yml")
        return repository

    def deployed_image(self):
        done = self.cluster.kubectl("kubectl", "get", "deployment", "app", "-o",
                                    "jsonpath={.spec.template.spec.containers[0].image}")
        return done.stdout.strip()

    def failed_logs(self, repository, result):
        return "\n".join(self.trace(repository.id, job["id"]).decode(errors="replace")[-1500:]
                         for job in result["jobs"].values() if job["status"] == "failed")

    def run_to_the_end(self, repository, branch="main"):
        sha = repository.push("Change something", branch)
        return sha, self.finished(repository.id, self.pipeline(repository.id, sha), 240)

    def assert_deployed(self, repository, sha, result):
        self.assertEqual(result["status"], "success", self.failed_logs(repository, result))
        self.assertEqual([s["name"] for s in result["stages"]],
                         ["build", "test", "security", "deploy"])
        self.assertTrue(registry_has(self.path, sha))
        self.assertEqual(self.deployed_image(), f"{REGISTRY}/{self.path}:{sha}")
        self.assertRegex(result["coverage"], r"^\d+\.\d\d$")

    def test_the_reference_pipeline_runs_word_for_word(self):
        repository = self.sample(SOURCE / "deploy" / "sample" / "seed.gitlab-ci.yml")
        sha, result = self.run_to_the_end(repository)
        self.assert_deployed(repository, sha, result)
        self.assertEqual([(f["severity"], f["line"]) for f in result["diagnostics"]],
                         [("warning", 21)])

    def test_the_sample_is_built_tested_scanned_and_deployed(self):
        repository = self.sample()
        sha, result = self.run_to_the_end(repository)
        self.assert_deployed(repository, sha, result)
        reports = {artifact["file_type"] for artifact in result["jobs"]["test"]["artifacts"]}
        self.assertEqual(reports, {"archive", "junit"})

    def test_a_planted_secret_stops_the_deployment(self):
        repository = self.sample()
        key = "AKIA" + "ABCDEFGHIJKLMNOP"
        repository.write({"src/config.js": f"module.exports = {{ key: '{key}' }};\n"})
        before = self.deployed_image()
        _, result = self.run_to_the_end(repository)

        self.assertEqual(result["status"], "failed")
        self.assertEqual(result["jobs"]["security"]["failure_reason"], "script_failure")
        self.assertEqual(result["jobs"]["deploy"]["status"], "skipped")
        self.assertIn("security", result["jobs"]["deploy"]["reason"]["text"])
        self.assertEqual(self.deployed_image(), before)

    def test_a_branch_is_built_and_tested_and_not_deployed(self):
        repository = self.sample()
        before = self.deployed_image()
        sha, result = self.run_to_the_end(repository, "feature/colour")
        self.assertEqual(result["status"], "success", self.failed_logs(repository, result))
        self.assertNotIn("deploy", result["jobs"])
        self.assertEqual([job["name"] for job in result["left_out"]], ["deploy"])
        self.assertTrue(registry_has(self.path, sha))
        self.assertEqual(self.deployed_image(), before)

    def test_a_rollout_that_fails_fails_the_job(self):
        repository = self.sample()
        self.cluster.behave("fail")
        _, result = self.run_to_the_end(repository)
        self.assertEqual(result["jobs"]["deploy"]["status"], "failed")


class DockerExecutor(EndToEnd):
    def docker_runner(self):
        return self.runner("docker", runner_default_image="slipway-busybox:latest")

    def containers(self, runner):
        return docker("ps", "--all", "--quiet", "--filter", "label=slipway.runner=" + runner.label).stdout.split()

    def test_a_job_runs_in_its_image_with_its_sources_and_leaves_nothing(self):
        runner = self.docker_runner()
        repository = self.repository("team/docker", files={
            "hello.txt": "hello from the repository\n",
            ".gitlab-ci.yml": "t:\n  image: slipway-busybox\n  script:\n    - cat hello.txt\n"
                              "    - echo made > out.txt\n  after_script:\n    - echo \"was $CI_JOB_STATUS\"\n"
                              "  artifacts:\n    paths: [out.txt]\n"})
        sha = repository.push()
        result = self.finished(repository.id, self.pipeline(repository.id, sha))
        log = self.trace(repository.id, result["jobs"]["t"]["id"]).decode()
        self.assertEqual(result["status"], "success", log)
        self.assertIn("hello from the repository", log)
        self.assertIn("was success", log)
        self.assertEqual([a["file_type"] for a in result["jobs"]["t"]["artifacts"]], ["archive"])
        self.assertEqual(self.containers(runner), [])

    def test_a_missing_image_is_told_as_such(self):
        self.docker_runner()
        repository = self.repository("team/docker", files={
            ".gitlab-ci.yml": "t:\n  image:\n    name: slipway-no-such-image\n    pull_policy: never\n"
                              "  script: [\"true\"]\n"})
        sha = repository.push()
        result = self.finished(repository.id, self.pipeline(repository.id, sha))
        self.assertEqual(result["jobs"]["t"]["failure_reason"], "image_pull_failure")

    def test_cancel_while_it_runs_leaves_no_container(self):
        runner = self.docker_runner()
        repository = self.repository("team/docker", files={
            ".gitlab-ci.yml": "t:\n  script:\n    - echo begun\n    - sleep 600\n"})
        sha = repository.push()
        pipeline = self.pipeline(repository.id, sha)
        job = self.job_in(repository.id, pipeline, "t", "running")
        wait_for("its first word", lambda: b"begun\n" in self.trace(repository.id, job["id"]))
        self.assertEqual(len(self.containers(runner)), 1)
        self.api.post(f"/api/v4/projects/{repository.id}/pipelines/{pipeline}/cancel")
        result = self.finished(repository.id, pipeline)
        self.assertEqual(result["status"], "canceled")
        wait_for("the container to be gone", lambda: not self.containers(runner))


if __name__ == "__main__":
    unittest.main(verbosity=2)
