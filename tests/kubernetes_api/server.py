#!/usr/bin/env python3
"""A stand-in for a Kubernetes API server, for tests and the quick start: what kubectl 1.20 to 1.33 needs to work on
deployments and pods, over TLS with a bearer token. It keeps everything in memory and runs no container.

    server.py --data DIR [--port 0] [--token-file FILE]

Once it listens it prints one line of JSON, {"port": …, "kubeconfig": …}. Beside the cluster's paths it has, with the
same token:

    GET    /stand-in/requests     every request so far: method, path (with query), body
    DELETE /stand-in/requests     forgets them
    PUT    /stand-in/behaviour    {"rollout": "ok" | "hang" | "fail"}; what rollouts do from now on
"""

import argparse
import base64
import hmac
import http.server
import json
import os
import pathlib
import re
import secrets
import signal
import ssl
import subprocess
import sys
import threading
import urllib.parse

import documents
import patching
from controller import Behaviour, Controller
from objects import ApiError, Store

TABLE = "as=Table"
PATCHES = {"application/json-patch+json": patching.json_patch,
           "application/merge-patch+json": patching.merge_patch,
           "application/strategic-merge-patch+json": patching.strategic_merge_patch}
OBJECT_PATH = re.compile(
    r"/(?:api|apis)/(?P<version>v1|apps/v1)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?"
    r"/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<part>status|scale))?")


class Cluster:
    """All that the requests share."""

    def __init__(self, token):
        self.token = token
        self.store = Store()
        self.behaviour = Behaviour()
        self.controller = Controller(self.store, self.behaviour)
        self.requests = []
        self.lock = threading.Lock()  # guards requests
        self.store.create("namespaces", None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"},
                                               "status": {"phase": "Active"}})
        self.controller.start()


def with_defaults(resource, item):
    """What a cluster fills in, as far as kubectl looks at it."""
    if resource == "deployments":
        spec = item["spec"]
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        spec.setdefault("strategy", {"type": "RollingUpdate",
                                     "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})
    return item


def selector(labels, fields):
    """A predicate for labelSelector (a=b, a!=b, a, !a, a in (b,c), a notin (b,c)) and fieldSelector on metadata."""
    tests = []
    for part in re.findall(r"(?:[^,(]|\([^)]*\))+", labels):
        among = re.fullmatch(r"\s*(\S+)\s+(in|notin)\s+\((.*)\)\s*", part)
        equal = re.fullmatch(r"\s*([^=!\s]+)\s*(==?|!=)\s*(\S*)\s*", part)
        if among:
            name, wanted = among[1], {value.strip() for value in among[3].split(",")}
            tests.append(lambda found, n=name, w=wanted, i=among[2] == "in": (found.get(n) in w) == i)
        elif equal:
            tests.append(lambda found, n=equal[1], v=equal[3], i=equal[2] != "!=": (found.get(n) == v) == i)
        else:
            name = part.strip()
            tests.append(lambda found, n=name.lstrip("!"), i=not name.startswith("!"): (n in found) == i)
    exact = [field.split("=", 1) for field in fields.replace("==", "=").split(",") if field.startswith("metadata.")]

    def matches(item):
        metadata = item["metadata"]
        return all(metadata.get(name.split(".", 1)[1]) == value for name, value in exact) and \
            all(test(metadata.get("labels", {})) for test in tests)
    return matches


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster = None  # set before the server starts
    timeout = 600

    def log_message(self, *_):
        """Requests are kept, not printed."""

    def do_GET(self):
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _serve(self):
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not hmac.compare_digest(self.headers.get("Authorization", "").encode(),
                                       b"Bearer " + self.cluster.token):
                raise ApiError(401, "Unauthorized", "Unauthorized")
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            if url.path.startswith("/stand-in/"):
                self._control(url.path, body)
                return
            with self.cluster.lock:
                self.cluster.requests.append(
                    {"method": self.command, "path": self.path, "body": body.decode(errors="replace")})
            self._cluster_path(url.path, query, body)
        except ApiError as error:
            self._json(error.code, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                                    "message": error.message, "reason": error.reason, "code": error.code})
        except (json.JSONDecodeError, patching.PatchError, KeyError, TypeError) as error:
            self._json(400, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 400,
                             "message": f"cannot use this request: {error!r}", "reason": "BadRequest"})
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True  # a watcher left

    def _control(self, path, body):
        if path == "/stand-in/requests" and self.command in ("GET", "DELETE"):
            with self.cluster.lock:
                kept = list(self.cluster.requests)
                if self.command == "DELETE":
                    self.cluster.requests.clear()
            self._json(200, kept)
        elif path == "/stand-in/behaviour" and self.command == "PUT":
            rollout = json.loads(body)["rollout"]
            if rollout not in Behaviour.KINDS:
                raise ApiError(422, "Invalid", f"rollout is one of {', '.join(Behaviour.KINDS)}, not {rollout}")
            self.cluster.behaviour.rollout = rollout
            self.cluster.controller.behaviour_changed()
            self._json(200, {"rollout": rollout})
        else:
            raise ApiError(404, "NotFound", f"the stand-in has no {self.command} {path}")

    def _cluster_path(self, path, query, body):
        if path in ("/healthz", "/livez", "/readyz"):
            return self._bytes(200, "text/plain", b"ok")
        if path == "/openapi/v2":
            if "protobuf" in self.headers.get("Accept", ""):
                return self._bytes(200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                                   documents.OPENAPI_PROTOBUF)
            return self._json(200, documents.OPENAPI_JSON)
        document = documents.discovery(path.rstrip("/"))
        if document is not None:
            return self._json(200, document)
        found = OBJECT_PATH.fullmatch(path)
        if not found or found["resource"] not in documents.RESOURCES[found["version"]]:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        return self._object(found, query, body)

    def _object(self, found, query, body):
        version, resource, name = found["version"], found["resource"], found["name"]
        namespace = found["namespace"]
        store = self.cluster.store
        dry = "dryRun" in query
        if self.command == "GET" and name is None:
            self._list(version, resource, namespace, query)
        elif self.command == "GET":
            item = store.get(resource, namespace, name)
            self._items(resource, [item], item["metadata"]["resourceVersion"], item)
        elif self.command == "POST" and name is None:
            item = with_defaults(resource, json.loads(body))
            self._json(201, item if dry else store.create(resource, namespace, item))
        elif self.command in ("PUT", "PATCH") and name is not None:
            change = self._change(resource, body)
            self._json(200, change(store.get(resource, namespace, name)) if dry
                       else store.change(resource, namespace, name, change))
        elif self.command == "DELETE" and name is not None:
            gone = store.get(resource, namespace, name) if dry else store.delete(resource, namespace, name)
            self._json(200, gone)
        else:
            raise ApiError(405, "MethodNotAllowed", f"{self.command} is not offered here")

    def _change(self, resource, body):
        if self.command == "PUT":
            return lambda _: with_defaults(resource, json.loads(body))
        kind = self.headers.get("Content-Type", "").split(";")[0]
        if kind not in PATCHES:
            raise ApiError(415, "UnsupportedMediaType", f"the stand-in does not know patches of type {kind}")
        return lambda item: with_defaults(resource, PATCHES[kind](item, json.loads(body)))

    def _list(self, version, resource, namespace, query):
        matches = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        if query.get("watch") in ("1", "true"):
            return self._watch(resource, namespace, matches, query)
        at, items = self.cluster.store.list(resource, namespace, matches)
        kind = documents.RESOURCES[version][resource][0] + "List"
        return self._items(resource, items, at, {"kind": kind, "apiVersion": version,
                                                 "metadata": {"resourceVersion": str(at)}, "items": items})

    def _items(self, resource, items, version, plain):
        as_table = documents.table(resource, items, version) if TABLE in self.headers.get("Accept", "") else None
        self._json(200, as_table or plain)

    def _watch(self, resource, namespace, matches, query):
        """Events until the client's time is over; without a version to begin at, what exists comes first."""
        store = self.cluster.store
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        version = int(query.get("resourceVersion") or 0)
        if version == 0:
            version, items = store.list(resource, namespace, matches)
            for item in items:
                self._event(resource, "ADDED", item)
        remaining = float(query.get("timeoutSeconds", 300))
        while remaining > 0:
            events, version = store.events_after(version, 1)
            for kind, (changed, where, _), item in events:
                if changed == resource and namespace in (None, where) and matches(item):
                    self._event(resource, kind, item)
            remaining -= 0 if events else 1
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, resource, kind, item):
        version = item["metadata"]["resourceVersion"]
        as_table = documents.table(resource, [item], version) if TABLE in self.headers.get("Accept", "") else None
        line = json.dumps({"type": kind, "object": as_table or item}).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def _json(self, code, content):
        self._bytes(code, "application/json", json.dumps(content).encode())

    def _bytes(self, code, kind, content):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"kubernetes stand-in: openssl {arguments[0]} failed: {done.stderr.strip()}")


def make_certificate(directory):
    """A certificate authority and, signed by it, a certificate for loopback."""
    authority, key = directory / "ca.crt", directory / "ca.key"
    request, own_key, certificate = directory / "server.csr", directory / "server.key", directory / "server.crt"
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-days", "30", "-subj", "/CN=stand-in authority",
            "-keyout", str(key), "-out", str(authority))
    openssl("req", *new_key, "-subj", "/CN=stand-in", "-keyout", str(own_key), "-out", str(request))
    openssl("x509", "-req", "-in", str(request), "-CA", str(authority), "-CAkey", str(key), "-CAcreateserial",
            "-days", "30", "-extfile", str(extensions), "-out", str(certificate))
    return authority, certificate, own_key


def read_or_make_token(path):
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32) + "\n")
    return path.read_text().strip()


def write_kubeconfig(path, port, authority, token):
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "stand-in",
              "clusters": [{"name": "stand-in", "cluster": {
                  "server": f"https://127.0.0.1:{port}",
                  "certificate-authority-data": base64.b64encode(authority.read_bytes()).decode()}}],
              "users": [{"name": "stand-in", "user": {"token": token}}],
              "contexts": [{"name": "stand-in", "context": {"cluster": "stand-in", "user": "stand-in"}}]}
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="directory for certificates and kubeconfig")
    parser.add_argument("--token-file", type=pathlib.Path, help="bearer token; made when missing (DIR/token)")
    options = parser.parse_args()
    os.umask(0o077)
    options.data.mkdir(parents=True, exist_ok=True)
    token = read_or_make_token(options.token_file or options.data / "token")
    authority, certificate, key = make_certificate(options.data)

    Handler.cluster = Cluster(token.encode())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler, bind_and_activate=False)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    # The handshake is left to each connection's own thread: a client that is silent must not hold the others up.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.server_bind()
    server.server_activate()
    kubeconfig = options.data / "kubeconfig"
    write_kubeconfig(kubeconfig, server.server_port, authority, token)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps({"port": server.server_port, "kubeconfig": str(kubeconfig.resolve())}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
