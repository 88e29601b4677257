"""The three kinds of PATCH that kubectl sends. Pure: each takes a document and a patch and returns a new document."""

import copy

# Lists whose elements a strategic merge patch matches by a field; any other list is replaced as a whole.
MERGE_KEYS = {
    "conditions": ["type"],
    "containers": ["name"],
    "env": ["name"],
    "ephemeralContainers": ["name"],
    "hostAliases": ["ip"],
    "imagePullSecrets": ["name"],
    "initContainers": ["name"],
    "ownerReferences": ["uid"],
    "ports": ["containerPort", "port"],  # of a container, of a service
    "topologySpreadConstraints": ["topologyKey"],
    "volumeDevices": ["devicePath"],
    "volumeMounts": ["mountPath"],
    "volumes": ["name"],
}
ORDER, DELETE_FROM = "$setElementOrder/", "$deleteFromPrimitiveList/"


class PatchError(Exception):
    """The patch does not fit the document."""


def merge_patch(document, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = copy.deepcopy(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def json_patch(document, operations):
    """RFC 6902."""
    result = copy.deepcopy(document)
    for operation in operations:
        kind, path = operation["op"], _steps(operation["path"])
        if kind == "test":
            if _at(result, path) != operation["value"]:
                raise PatchError(f"{operation['path']} is not what the patch tests for")
        elif kind in ("copy", "move"):
            source = _steps(operation["from"])
            value = copy.deepcopy(_at(result, source))
            if kind == "move":
                result = _removed(result, source)
            result = _added(result, path, value)
        elif kind == "remove":
            result = _removed(result, path)
        elif kind == "replace":
            _at(result, path)  # only what is there can be replaced
            result = _added(_removed(result, path) if path else result, path, operation["value"])
        elif kind == "add":
            result = _added(result, path, operation["value"])
        else:
            raise PatchError(f"unknown operation {kind}")
    return result


def _steps(pointer):
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _at(document, path):
    for step in path:
        try:
            document = document[int(step)] if isinstance(document, list) else document[step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise PatchError(f"there is nothing at /{'/'.join(path)}") from None
    return document


def _added(document, path, value):
    if not path:
        return copy.deepcopy(value)
    parent, last = _at(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else int(last), copy.deepcopy(value))
    else:
        parent[last] = copy.deepcopy(value)
    return document


def _removed(document, path):
    _at(document, path)
    parent, last = _at(document, path[:-1]), path[-1]
    del parent[int(last) if isinstance(parent, list) else last]
    return document


def strategic_merge_patch(document, patch):
    """Kubernetes' own: like a merge patch, but lists of named things are merged by name."""
    if patch.get("$patch") == "replace":
        return {name: copy.deepcopy(value) for name, value in patch.items() if name != "$patch"}
    result = copy.deepcopy(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = strategic_merge_patch(result.get(name), value)
        elif isinstance(value, list) and name in MERGE_KEYS:
            result[name] = _merged_list(result.get(name) or [], value, name)
        else:
            result[name] = copy.deepcopy(value)
    _apply_directives(result, patch)
    return result


def _key_of(element, list_name):
    if isinstance(element, dict):
        for key in MERGE_KEYS.get(list_name, []):
            if key in element:
                return element[key]
        raise PatchError(f"an element of {list_name} lacks its merge key {MERGE_KEYS.get(list_name)}")
    return element


def _merged_list(current, patch, name):
    if {"$patch": "replace"} in patch:
        return [copy.deepcopy(element) for element in patch if element != {"$patch": "replace"}]
    merged = {_key_of(element, name): element for element in current}
    for element in patch:
        key = _key_of(element, name)
        if element.get("$patch") == "delete":
            merged.pop(key, None)
        else:
            merged[key] = strategic_merge_patch(merged.get(key), element)
    return list(merged.values())


def _apply_directives(result, patch):
    for name, value in patch.items():
        if name.startswith(DELETE_FROM):
            field = name[len(DELETE_FROM):]
            result[field] = [element for element in result.get(field, []) if element not in value]
        elif name.startswith(ORDER):
            field = name[len(ORDER):]
            order = [_key_of(element, field) for element in value]
            if isinstance(result.get(field), list):
                result[field].sort(key=lambda e: order.index(_key_of(e, field))
                                   if _key_of(e, field) in order else len(order))
    if "$retainKeys" in patch:
        for name in set(result) - set(patch["$retainKeys"]):
            del result[name]
