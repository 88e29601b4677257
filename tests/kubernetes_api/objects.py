"""The objects of the stand-in cluster: kept in memory, versioned, watchable from any number of threads."""

import copy
import datetime
import threading
import uuid


class ApiError(Exception):
    """What Kubernetes answers as a Status."""

    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """Objects by (resource, namespace, name). Every change gets the next resourceVersion and becomes an event."""

    def __init__(self):
        self._changed = threading.Condition()
        self._objects = {}
        self._events = []
        self._version = 0

    def get(self, resource, namespace, name):
        with self._changed:
            found = self._objects.get((resource, namespace, name))
            if found is None:
                raise ApiError(404, "NotFound", f'{resource} "{name}" not found')
            return copy.deepcopy(found)

    def list(self, resource, namespace, matches):
        """(the version of the list, its objects); a namespace of None means all."""
        with self._changed:
            found = [copy.deepcopy(item) for (kind, where, _), item in sorted(self._objects.items())
                     if kind == resource and namespace in (None, where) and matches(item)]
            return self._version, found

    def create(self, resource, namespace, item):
        item = copy.deepcopy(item)
        metadata = item.setdefault("metadata", {})
        if "name" not in metadata and "generateName" in metadata:
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        key = (resource, namespace, metadata["name"])
        with self._changed:
            if key in self._objects:
                raise ApiError(409, "AlreadyExists", f'{resource} "{key[2]}" already exists')
            if namespace:
                metadata["namespace"] = namespace
            metadata.update(uid=str(uuid.uuid4()), creationTimestamp=now(), generation=1)
            return self._put("ADDED", key, item)

    def change(self, resource, namespace, name, change):
        """Replaces the object by change(copy of it). What changes nothing makes no event; a new spec is a new generation."""
        with self._changed:
            before = self.get(resource, namespace, name)
            after = change(copy.deepcopy(before))
            given = after["metadata"].get("resourceVersion", before["metadata"]["resourceVersion"])
            if given != before["metadata"]["resourceVersion"]:
                raise ApiError(409, "Conflict", f'{resource} "{name}": the object has been modified')
            for field in ("uid", "creationTimestamp", "resourceVersion", "generation"):
                after["metadata"][field] = before["metadata"][field]
            if after == before:
                return after
            if after.get("spec") != before.get("spec"):
                after["metadata"]["generation"] += 1
            return self._put("MODIFIED", (resource, namespace, name), after)

    def delete(self, resource, namespace, name):
        """Removes the object and what it owns."""
        with self._changed:
            gone = self.get(resource, namespace, name)
            del self._objects[(resource, namespace, name)]
            self._record("DELETED", (resource, namespace, name), gone)
            for (kind, where, child), item in list(self._objects.items()):
                owners = item["metadata"].get("ownerReferences", [])
                if any(owner["uid"] == gone["metadata"]["uid"] for owner in owners) and \
                        (kind, where, child) in self._objects:
                    self.delete(kind, where, child)
            return gone

    def events_after(self, version, seconds):
        """(type, key, object) of each change after a version; waits up to `seconds` for the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > version, seconds)
            return [(kind, key, copy.deepcopy(item)) for number, kind, key, item in self._events
                    if number > version], self._version

    def _put(self, kind, key, item):
        self._objects[key] = item
        self._record(kind, key, item)
        return copy.deepcopy(item)

    def _record(self, kind, key, item):
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self._events.append((self._version, kind, key, copy.deepcopy(item)))
        self._changed.notify_all()
