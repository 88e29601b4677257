"""The stand-in satisfies real kubectls: the machine's, its oldest and newest neighbours, and Debian's."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from stand_in import StandIn

SOURCE = pathlib.Path(__file__).parents[2]
MANIFEST = SOURCE / "deploy" / "sample" / "kubernetes" / "app.yaml"
FIRST = "127.0.0.1:5000/sample/app:first"


def debian_kubectl():
    """Debian's kubectl without installing it, kept in the build directory; None where there is no such package."""
    kept = SOURCE / "build" / "kubernetes-client"
    if not kept.exists() and shutil.which("apt-get"):
        kept.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as directory:
            subprocess.run(["apt-get", "--quiet=2", "download", "kubernetes-client"], cwd=directory,
                           capture_output=True, timeout=300)
            for package in pathlib.Path(directory).glob("*.deb"):
                unpacked = pathlib.Path(directory) / "unpacked"
                subprocess.run(["dpkg", "--extract", str(package), str(unpacked)], check=True)
                with contextlib.suppress(OSError):  # another run of the tests was faster
                    unpacked.rename(kept)
    program = kept / "usr" / "bin" / "kubectl"
    return program if program.exists() else None


def kubectls():
    """Programs by a name for the report."""
    machine = shutil.which("kubectl")
    assert machine, "there is no kubectl in PATH"
    found = {"machine": pathlib.Path(machine)}
    neighbours = sorted(pathlib.Path(os.path.realpath(machine)).parent.glob("kubectl.1.[0-9][0-9]"))
    for neighbour in neighbours[:1] + neighbours[-1:]:
        found[neighbour.name] = neighbour
    debian = debian_kubectl()
    if debian:
        found["debian"] = debian
    return found


class KubectlTest(unittest.TestCase):
    program = None  # set by load_tests

    def __str__(self):
        return f"{self._testMethodName} ({self.label})"

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="stand-in-")
        self.addCleanup(directory.cleanup)
        self.cluster = self.enterContext(StandIn(directory.name))

    def kubectl(self, *arguments, code=0):
        done = self.cluster.kubectl(self.program, *arguments)
        self.assertEqual(done.returncode, code, f"kubectl {arguments}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def image(self):
        return self.kubectl("get", "deployment", "app", "-o", "jsonpath={.spec.template.spec.containers[0].image}")

    def deployed(self):
        self.kubectl("apply", "-f", str(MANIFEST))
        self.kubectl("rollout", "status", "deployment/app", "--timeout=30s")

    def test_version_names_the_server(self):
        self.assertIn("v1.30.0", self.kubectl("version"))

    def test_apply_creates_and_a_second_apply_changes_nothing(self):
        self.assertIn("deployment.apps/app created", self.kubectl("apply", "-f", str(MANIFEST)))
        self.assertIn("deployment.apps/app unchanged", self.kubectl("apply", "-f", str(MANIFEST)))

    def test_apply_brings_a_change_and_keeps_what_it_does_not_name(self):
        self.deployed()
        changed = self.cluster.directory / "app.yaml"
        changed.write_text(MANIFEST.read_text().replace("replicas: 2", "replicas: 3"))
        self.kubectl("annotate", "deployment", "app", "note=kept")
        self.assertIn("deployment.apps/app configured", self.kubectl("apply", "-f", str(changed)))
        app = json.loads(self.kubectl("get", "deployment", "app", "-o", "json"))
        self.assertEqual(app["spec"]["replicas"], 3)
        self.assertEqual(app["metadata"]["annotations"]["note"], "kept")

    def test_get_shows_what_runs(self):
        self.deployed()
        self.assertRegex(self.kubectl("get", "deployments"), r"app\s+2/2\s+2\s+2")
        self.assertRegex(self.kubectl("get", "pods", "-l", "app=app"), r"(app-\S+\s+1/1\s+Running\s+0\s+\S+\s*){2}")
        self.assertIn("No resources found", self.kubectl("get", "pods", "-l", "app=other"))

    def test_what_is_not_there_is_an_error(self):
        self.assertIn('"app" not found', self.kubectl("get", "deployment", "app", code=1))

    def test_set_image_rolls_out(self):
        self.deployed()
        self.assertIn("image updated", self.kubectl("set", "image", "deployment/app", "app=registry/app:2"))
        self.assertIn("successfully rolled out",
                      self.kubectl("rollout", "status", "deployment/app", "--timeout=30s"))
        self.assertEqual(self.image(), "registry/app:2")
        asked = [request for request in self.cluster.requests() if request["method"] == "PATCH"]
        self.assertIn("registry/app:2", asked[-1]["body"])
        self.assertTrue(asked[-1]["path"].startswith("/apis/apps/v1/namespaces/default/deployments/app"))

    def test_a_hanging_rollout_is_waited_for_until_the_time_is_over(self):
        self.deployed()
        self.cluster.behave("hang")
        self.kubectl("set", "image", "deployment/app", "app=registry/app:2")
        self.assertIn("timed out", self.kubectl("rollout", "status", "deployment/app", "--timeout=1s", code=1))

    def test_a_failed_rollout_is_reported_and_can_be_undone(self):
        self.deployed()
        self.cluster.behave("fail")
        self.kubectl("set", "image", "deployment/app", "app=registry/app:bad")
        self.assertIn("exceeded its progress deadline",
                      self.kubectl("rollout", "status", "deployment/app", "--timeout=30s", code=1))
        self.cluster.behave("ok")
        self.kubectl("rollout", "undo", "deployment/app")
        self.kubectl("rollout", "status", "deployment/app", "--timeout=30s")
        self.assertEqual(self.image(), FIRST)

    def test_undo_makes_the_old_revision_the_newest(self):
        self.deployed()
        self.kubectl("set", "image", "deployment/app", "app=registry/app:2")
        self.kubectl("rollout", "status", "deployment/app", "--timeout=30s")
        self.kubectl("rollout", "undo", "deployment/app")
        self.kubectl("rollout", "status", "deployment/app", "--timeout=30s")
        history = self.kubectl("rollout", "history", "deployment/app")
        self.assertEqual([line.split()[0] for line in history.splitlines() if line[:1].isdigit()], ["2", "3"])
        self.assertEqual(self.image(), FIRST)

    def test_delete_removes_the_deployment_with_its_pods(self):
        self.deployed()
        self.kubectl("delete", "deployment", "app", "--timeout=20s")
        self.assertIn("No resources found", self.kubectl("get", "pods"))


def load_tests(loader, _, __):
    suite = unittest.TestSuite()
    for label, program in kubectls().items():
        case = type(KubectlTest.__name__, (KubectlTest,), {"program": program, "label": label})
        suite.addTests(loader.loadTestsFromTestCase(case))
    return suite
