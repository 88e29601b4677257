"""Rolls deployments out as a cluster's controllers would, or not: see Behaviour. One thread of its own."""

import hashlib
import json
import threading
import time

from objects import ApiError, now

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
STEP_SECONDS = 0.2  # long enough for a client to see that a rollout is under way


class Behaviour:
    """What rollouts do: `ok` they complete, `hang` they never do, `fail` they exceed their progress deadline."""

    KINDS = ("ok", "hang", "fail")

    def __init__(self):
        self.rollout = "ok"


def condition(kind, status, reason, message):
    return {"type": kind, "status": status, "reason": reason, "message": message,
            "lastUpdateTime": now(), "lastTransitionTime": now()}


class Controller(threading.Thread):
    def __init__(self, store, behaviour):
        super().__init__(daemon=True)
        self._store = store
        self._behaviour = behaviour
        self._due = {}  # key of a deployment -> when its rollout takes its second step

    def behaviour_changed(self):
        _, deployments = self._store.list("deployments", None, lambda item: True)
        for item in deployments:
            self._due[(item["metadata"]["namespace"], item["metadata"]["name"])] = time.monotonic()

    def run(self):
        version = 0
        while True:
            events, version = self._store.events_after(version, 0.05)
            for kind, (resource, namespace, name), item in events:
                if resource == "deployments" and kind != "DELETED":
                    self._attempt(self._begin, namespace, name)
            for key, due in list(self._due.items()):
                if due <= time.monotonic():
                    self._due.pop(key, None)
                    self._attempt(self._finish, *key)

    def _attempt(self, step, namespace, name):
        """A deployment may be deleted or changed under our hands; its next event brings it here again."""
        try:
            step(namespace, name)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _begin(self, namespace, name):
        """First step: a replica set for the template, and the generation observed."""
        deployment = self._store.get("deployments", namespace, name)
        if deployment.get("status", {}).get("observedGeneration") == deployment["metadata"]["generation"]:
            return
        revision = self._ensure_replica_set(deployment)
        replicas = deployment["spec"]["replicas"]
        old = deployment.get("status", {}).get("availableReplicas", 0)
        status = {"observedGeneration": deployment["metadata"]["generation"], "replicas": replicas,
                  "updatedReplicas": 0, "readyReplicas": old, "availableReplicas": old,
                  "unavailableReplicas": max(replicas - old, 0),
                  "conditions": [condition("Progressing", "True", "ReplicaSetUpdated",
                                           f'Deployment "{name}" is progressing.')]}

        def change(item):
            item["metadata"].setdefault("annotations", {})[REVISION] = str(revision)
            item["status"] = status
            return item
        self._store.change("deployments", namespace, name, change)
        self._due[(namespace, name)] = time.monotonic() + STEP_SECONDS

    def _finish(self, namespace, name):
        """Second step: what the behaviour says becomes of the rollout."""
        if self._behaviour.rollout == "hang":
            return
        deployment = self._store.get("deployments", namespace, name)
        if self._behaviour.rollout == "fail":
            def change(item):
                item["status"]["conditions"] = [condition(
                    "Progressing", "False", "ProgressDeadlineExceeded",
                    f'Deployment "{name}" has timed out progressing.')]
                return item
        else:
            self._scale(deployment)
            replicas = deployment["spec"]["replicas"]

            def change(item):
                item["status"] = {
                    "observedGeneration": item["metadata"]["generation"], "replicas": replicas,
                    "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                    "conditions": [
                        condition("Available", "True", "MinimumReplicasAvailable",
                                  "Deployment has minimum availability."),
                        condition("Progressing", "True", "NewReplicaSetAvailable",
                                  f'Deployment "{name}" has successfully progressed.')]}
                return item
        generation = deployment["metadata"]["generation"]
        self._store.change("deployments", namespace, name,
                           lambda item: change(item) if item["metadata"]["generation"] == generation else item)

    def _replica_sets(self, deployment):
        uid = deployment["metadata"]["uid"]
        return self._store.list(
            "replicasets", deployment["metadata"]["namespace"],
            lambda item: any(o["uid"] == uid for o in item["metadata"].get("ownerReferences", [])))[1]

    def _ensure_replica_set(self, deployment):
        """The revision of the template: a known template gets the newest number anew, as undo shows."""
        digest = template_hash(deployment)
        sets = self._replica_sets(deployment)
        newest = max((int(item["metadata"]["annotations"][REVISION]) for item in sets), default=0)
        for item in sets:
            if item["metadata"]["labels"][HASH] != digest:
                continue
            revision = int(item["metadata"]["annotations"][REVISION])
            if revision == newest:
                return revision
            item["metadata"]["annotations"][REVISION] = str(newest + 1)
            self._store.change("replicasets", item["metadata"]["namespace"], item["metadata"]["name"],
                               lambda _, item=item: item)
            return newest + 1
        self._store.create("replicasets", deployment["metadata"]["namespace"],
                           replica_set(deployment, digest, newest + 1))
        return newest + 1

    def _scale(self, deployment):
        """All replicas to the current template's set, with running pods; none to the others."""
        namespace = deployment["metadata"]["namespace"]
        for item in self._replica_sets(deployment):
            current = item["metadata"]["labels"][HASH] == template_hash(deployment)
            replicas = deployment["spec"]["replicas"] if current else 0

            def change(found, replicas=replicas):
                found["spec"]["replicas"] = replicas
                found["status"] = {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                                   "observedGeneration": found["metadata"]["generation"]}
                return found
            self._store.change("replicasets", namespace, item["metadata"]["name"], change)
            self._fit_pods(item, replicas)

    def _fit_pods(self, replica_set_, replicas):
        namespace, uid = replica_set_["metadata"]["namespace"], replica_set_["metadata"]["uid"]
        _, pods = self._store.list(
            "pods", namespace,
            lambda item: any(o["uid"] == uid for o in item["metadata"].get("ownerReferences", [])))
        for pod_ in pods[replicas:]:
            self._store.delete("pods", namespace, pod_["metadata"]["name"])
        for _ in range(replicas - len(pods)):
            self._store.create("pods", namespace, pod(replica_set_))


def without_empty(value):
    """What a cluster would store: `kubectl rollout undo` sends nulls and empty maps that nobody wrote."""
    if isinstance(value, dict):
        kept = {name: without_empty(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, {}, [])}
    return [without_empty(inner) for inner in value] if isinstance(value, list) else value


def template_hash(deployment):
    template = json.dumps(without_empty(deployment["spec"]["template"]), sort_keys=True)
    return hashlib.sha256(template.encode()).hexdigest()[:10]


def owner(item, api_version, kind):
    return [{"apiVersion": api_version, "kind": kind, "name": item["metadata"]["name"],
             "uid": item["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}]


def replica_set(deployment, digest, revision):
    template = json.loads(json.dumps(deployment["spec"]["template"]))
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels[HASH] = digest
    annotations = {name: value for name, value in deployment["metadata"].get("annotations", {}).items()
                   if name == "kubernetes.io/change-cause"}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": f"{deployment['metadata']['name']}-{digest}", "labels": dict(labels),
                         "annotations": {**annotations, REVISION: str(revision)},
                         "ownerReferences": owner(deployment, "apps/v1", "Deployment")},
            "spec": {"replicas": 0, "template": template,
                     "selector": {"matchLabels": {**deployment["spec"]["selector"]["matchLabels"], HASH: digest}}},
            "status": {"replicas": 0}}


def pod(replica_set_):
    template = replica_set_["spec"]["template"]
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"generateName": replica_set_["metadata"]["name"] + "-",
                         "labels": dict(template["metadata"]["labels"]),
                         "ownerReferences": owner(replica_set_, "apps/v1", "ReplicaSet")},
            "spec": template["spec"],
            "status": {"phase": "Running", "startTime": now(),
                       "conditions": [{"type": "Ready", "status": "True"}],
                       "containerStatuses": [
                           {"name": container["name"], "image": container["image"], "ready": True, "restartCount": 0,
                            "state": {"running": {"startedAt": now()}}}
                           for container in template["spec"]["containers"]]}}
