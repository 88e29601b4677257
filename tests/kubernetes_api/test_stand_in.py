"""The stand-in's own parts: patches, credentials, its control paths."""

import tempfile
import unittest
import urllib.error

from patching import PatchError, json_patch, merge_patch, strategic_merge_patch
from stand_in import StandIn


class Patching(unittest.TestCase):
    def test_a_merge_patch_changes_adds_and_removes(self):
        self.assertEqual(merge_patch({"a": 1, "b": {"c": 2, "d": 3}, "l": [1]}, {"a": 5, "b": {"c": None}, "l": [2]}),
                         {"a": 5, "b": {"d": 3}, "l": [2]})

    def test_a_json_patch_works_on_maps_and_lists(self):
        self.assertEqual(json_patch({"a": [1, 3], "b/c": 0}, [
            {"op": "add", "path": "/a/1", "value": 2}, {"op": "add", "path": "/a/-", "value": 4},
            {"op": "replace", "path": "/b~1c", "value": 9}, {"op": "move", "from": "/b~1c", "path": "/d"},
            {"op": "remove", "path": "/a/0"}, {"op": "test", "path": "/d", "value": 9}]), {"a": [2, 3, 4], "d": 9})

    def test_a_json_patch_that_does_not_fit_is_refused(self):
        for operation in ({"op": "replace", "path": "/x", "value": 1}, {"op": "remove", "path": "/a/7"},
                          {"op": "test", "path": "/a", "value": 0}, {"op": "twist", "path": "/a"}):
            with self.assertRaises(PatchError):
                json_patch({"a": [1]}, [operation])

    def test_a_strategic_patch_merges_containers_by_name_in_the_order_asked_for(self):
        before = {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "1"}]}
        patch = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
                 "containers": [{"name": "a", "image": "2", "args": ["y"]}]}
        self.assertEqual(strategic_merge_patch(before, patch), {
            "containers": [{"name": "b", "image": "1"}, {"name": "a", "image": "2", "args": ["y"]}]})

    def test_a_strategic_patch_deletes_and_replaces_as_told(self):
        before = {"env": [{"name": "A"}, {"name": "B"}], "strategy": {"type": "R", "rollingUpdate": {}}, "f": ["x", "y"]}
        self.assertEqual(strategic_merge_patch(before, {
            "env": [{"name": "A", "$patch": "delete"}], "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
            "$deleteFromPrimitiveList/f": ["x"]}), {"env": [{"name": "B"}], "strategy": {"type": "Recreate"}, "f": ["y"]})
        self.assertEqual(strategic_merge_patch(before, {"env": [{"$patch": "replace"}, {"name": "C"}]})["env"],
                         [{"name": "C"}])


class ControlPaths(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="stand-in-")
        self.addCleanup(directory.cleanup)
        self.cluster = self.enterContext(StandIn(directory.name))

    def refused(self, *arguments, **named):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.cluster.call(*arguments, **named)
        self.addCleanup(caught.exception.close)
        return caught.exception.code

    def test_a_wrong_token_is_refused_everywhere(self):
        for path in ("/version", "/api/v1/pods", "/stand-in/requests"):
            self.assertEqual(self.refused("GET", path, token="wrong"), 401)

    def test_requests_are_kept_until_they_are_forgotten(self):
        self.cluster.call("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "m"}})
        self.assertEqual([(r["method"], r["path"]) for r in self.cluster.requests()],
                         [("POST", "/api/v1/namespaces/default/configmaps")])
        self.cluster.call("DELETE", "/stand-in/requests")
        self.assertEqual(self.cluster.requests(), [])

    def test_an_unknown_behaviour_is_refused(self):
        self.assertEqual(self.refused("PUT", "/stand-in/behaviour", {"rollout": "explode"}), 422)

    def test_what_it_does_not_know_is_not_found(self):
        self.assertEqual(self.refused("GET", "/apis/batch/v1/jobs"), 404)

    def test_the_kubeconfig_is_for_its_owner_only(self):
        for name in ("kubeconfig", "token", "server.key", "ca.key"):
            self.assertEqual((self.cluster.directory / name).stat().st_mode & 0o777, 0o600, name)
