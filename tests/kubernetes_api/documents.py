"""What the stand-in says about itself: version, discovery, schema, and tables for `kubectl get`. Pure."""

import datetime

VERSION = {"major": "1", "minor": "30", "gitVersion": "v1.30.0", "gitCommit": "0" * 40, "gitTreeState": "clean",
           "buildDate": "2024-04-17T00:00:00Z", "goVersion": "none", "compiler": "none", "platform": "linux/amd64"}

# group version -> resource -> (kind, namespaced, short names)
RESOURCES = {
    "v1": {
        "configmaps": ("ConfigMap", True, ["cm"]),
        "namespaces": ("Namespace", False, ["ns"]),
        "pods": ("Pod", True, ["po"]),
        "secrets": ("Secret", True, []),
        "services": ("Service", True, ["svc"]),
    },
    "apps/v1": {
        "deployments": ("Deployment", True, ["deploy"]),
        "replicasets": ("ReplicaSet", True, ["rs"]),
    },
}
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]

# An OpenAPI v2 document without any definition, as the protocol buffer that kubectl asks for: swagger "2.0" and an
# info of title "k" and version "1". kubectl checks only the kinds that the document describes.
OPENAPI_PROTOBUF = b"\x0a\x032.0\x12\x06\x0a\x01k\x12\x011"
OPENAPI_JSON = {"swagger": "2.0", "info": {"title": "k", "version": "1"}, "paths": {}, "definitions": {}}


def discovery(path):
    """The document at a discovery path, None elsewhere."""
    if path == "/version":
        return VERSION
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        version = {"groupVersion": "apps/v1", "version": "v1"}
        return {"kind": "APIGroupList", "apiVersion": "v1",
                "groups": [{"name": "apps", "versions": [version], "preferredVersion": version}]}
    if path in ("/api/v1", "/apis/apps/v1"):
        group_version = path.split("/", 2)[2]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
                "resources": [{"name": name, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind,
                               "verbs": VERBS, "shortNames": short,
                               "categories": ["all"] if name in ("pods", "services", "deployments", "replicasets") else []}
                              for name, (kind, namespaced, short) in RESOURCES[group_version].items()]}
    return None


def age(item):
    created = datetime.datetime.strptime(item["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    seconds = int((datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - created).total_seconds())
    return f"{seconds}s" if seconds < 120 else f"{seconds // 60}m"


def _deployment(item):
    status = item.get("status", {})
    return [f"{status.get('readyReplicas', 0)}/{item['spec']['replicas']}", status.get("updatedReplicas", 0),
            status.get("availableReplicas", 0)]


def _replica_set(item):
    return [item["spec"]["replicas"], item["status"].get("replicas", 0), item["status"].get("readyReplicas", 0)]


def _pod(item):
    containers = item.get("status", {}).get("containerStatuses", [])
    ready = sum(container["ready"] for container in containers)
    return [f"{ready}/{len(item['spec']['containers'])}", item.get("status", {}).get("phase", "Pending"),
            sum(container["restartCount"] for container in containers)]


COLUMNS = {"deployments": (["Ready", "Up-to-date", "Available"], _deployment),
           "replicasets": (["Desired", "Current", "Ready"], _replica_set),
           "pods": (["Ready", "Status", "Restarts"], _pod)}


def table(resource, items, version):
    """The Table of a list, None for a resource that has no columns of its own."""
    if resource not in COLUMNS:
        return None
    names, cells = COLUMNS[resource]
    columns = [{"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "",
                "priority": 0} for name in ["Name", *names, "Age"]]
    rows = [{"cells": [item["metadata"]["name"], *cells(item), age(item)],
             "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}}
            for item in items]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": str(version)},
            "columnDefinitions": columns, "rows": rows}
