"""A client of the runner protocol, written from its description and from nothing of ours.

It speaks over a plain socket, byte by byte as an unmodified runner would, so that our server and our own agent
cannot agree on a mistake. `decode_job` is as strict as the client that it stands for: a value of the wrong JSON
type anywhere loses the whole job.
"""

import json
import socket
import urllib.parse
import zlib

FEATURES = {name: True for name in (
    "variables image services artifacts cache fallback_cache_keys upload_multiple_artifacts upload_raw_artifacts "
    "session terminal refspecs masking raw_variables artifacts_exclude multi_build_steps trace_reset trace_checksum "
    "trace_size vault_secrets cancelable return_exit_code service_variables service_multiple_aliases "
    "image_executor_opts service_executor_opts cancel_gracefully native_steps_integration two_phase_job_commit "
    "job_inputs").split()} | {"shared": False, "proxy": False, "a_feature_of_the_future": True}

INFO = {"name": "gitlab-runner", "version": "19.4.0", "revision": "d79f3e7b", "platform": "linux",
        "architecture": "amd64", "executor": "docker", "shell": "bash", "features": FEATURES,
        "config": {"gpus": ""}, "labels": {"rack": "r12"}}


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    def json(self):
        assert self.headers.get("content-type", "").split(";")[0] == "application/json", self.headers
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]}"


class Wire:
    """One keep-alive connection."""

    def __init__(self, url):
        address = urllib.parse.urlsplit(url)
        self.host = address.netloc
        self.socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""

    def close(self):
        self.socket.close()

    def head(self, method, path, headers):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}",
                 "User-Agent: gitlab-runner 19.4.0 (19-4-stable; go1.25.1; linux/amd64)"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")

    def call(self, method, path, headers=None, body=b"", chunked=False):
        headers = dict(headers or {})
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif body or method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = len(body)
        self.head(method, path, headers)
        try:
            self._send(body, chunked)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before its end: the answer lies there to be read
        return self.answer()

    def _send(self, body, chunked):
        if not chunked:
            self.socket.sendall(body)
            return
        for at in range(0, len(body), 7000):
            piece = body[at:at + 7000]
            self.socket.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.socket.sendall(b"0\r\n\r\n")

    def json(self, method, path, document, headers=None, **how):
        sent = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
        return self.call(method, path, sent, json.dumps(document).encode(), **how)

    def _more(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("the server closed the connection")
        self.left += got

    def _until(self, mark):
        while mark not in self.left:
            self._more()
        found, self.left = self.left.split(mark, 1)
        return found

    def _exactly(self, count):
        while len(self.left) < count:
            self._more()
        found, self.left = self.left[:count], self.left[count:]
        return found

    def answer(self):
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers = {}
        for line in head[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        if status == 100:
            return self.answer()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                body += self._exactly(size)
                self._exactly(2)
            self._exactly(2)
        else:
            body = self._exactly(int(headers.get("content-length", 0)))
        return Answer(status, headers, body)


class RunnerDouble:
    """What a runner does, one call at a time. `generation` is "new" or "old": before 18.5 no acknowledging PUT was sent,
    and tokens stood in bodies alone."""

    def __init__(self, url, token, system_id="s_0123456789ab", generation="new"):
        self.url = url
        self.token = token
        self.system_id = system_id
        self.new = generation == "new"
        self.wire = Wire(url)

    def connect(self):
        """Once more: the server was away."""
        self.close()
        self.wire = Wire(self.url)

    def close(self):
        self.wire.close()

    def _headers(self):
        return {"RUNNER-TOKEN": self.token} if self.new else {}

    def _body(self, **more):
        return {"info": INFO, "token": self.token, "system_id": self.system_id, **more}

    def verify(self):
        return self.wire.json("POST", "/api/v4/runners/verify", self._body(), self._headers())

    def unregister(self):
        document = {"token": self.token, "system_id": self.system_id}
        return self.wire.json("DELETE", "/api/v4/runners/managers", document, self._headers())

    def ask(self, **how):
        return self.wire.json("POST", "/api/v4/jobs/request", self._body(last_update="9f2c"), self._headers(), **how)

    def begin_to_ask(self):
        """The request alone: its answer is awaited by self.wire.answer(), or never."""
        body = json.dumps(self._body(last_update="9f2c")).encode()
        self.wire.head("POST", "/api/v4/jobs/request",
                       {"Content-Type": "application/json", "Content-Length": len(body), **self._headers()})
        self.wire.socket.sendall(body)

    def job(self):
        answer = self.ask()
        assert answer.status == 201, answer
        return JobDouble(self, decode_job(answer.json()))


class JobDouble:
    def __init__(self, runner, payload):
        self.runner = runner
        self.payload = payload
        self.id = payload["id"]
        self.token = payload["token"]
        self.log = b""  # as it was acknowledged
        self.offset = 0

    def _headers(self):
        return {"JOB-TOKEN": self.token}

    def put(self, state, **more):
        document = {"info": INFO, "token": self.token, "state": state, "output": {}, **more}
        return self.runner.wire.json("PUT", f"/api/v4/jobs/{self.id}", document,
                                     self._headers() if self.runner.new else {})

    def acknowledge(self):
        return self.put("running")

    def patch(self, body, start=None, chunked=False):
        start = self.offset if start is None else start
        headers = {**self._headers(), "Content-Type": "text/plain", "Content-Range": f"{start}-{start + len(body) - 1}"}
        answer = self.runner.wire.call("PATCH", f"/api/v4/jobs/{self.id}/trace?debug_trace=false", headers, body,
                                       chunked=chunked)
        if answer.status == 202 and start == self.offset:
            self.offset += len(body)
            self.log += body
        elif answer.status == 416:
            self.offset = int(answer.headers["range"].split("-")[1])
        return answer

    def write(self, text, piece=1 << 20):
        body = text if isinstance(text, bytes) else text.encode()
        for at in range(0, len(body), piece):
            answer = self.patch(body[at:at + piece])
            assert answer.status == 202, answer

    def finish(self, state="success", **more):
        crc = f"crc32:{zlib.crc32(self.log):08x}"
        return self.put(state, checksum=crc, output={"checksum": crc, "bytesize": len(self.log)}, **more)

    def upload(self, name, content, query="artifact_format=zip&artifact_type=archive", token=None):
        mark = "f4a1c0ffee"
        body = (f"--{mark}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n"
                f"Content-Type: application/octet-stream\r\n\r\n").encode() + content + f"\r\n--{mark}--\r\n".encode()
        headers = {"JOB-TOKEN": token or self.token, "Content-Type": f"multipart/form-data; boundary={mark}"}
        wire = Wire(self.runner.url)  # the helper process uploads on a connection of its own
        try:
            return wire.call("POST", f"/api/v4/jobs/{self.id}/artifacts?{query}", headers, body, chunked=True)
        finally:
            wire.close()

    def download(self, job, token):
        wire = Wire(self.runner.url)
        try:
            return wire.call("GET", f"/api/v4/jobs/{job}/artifacts?direct_download=true", {"JOB-TOKEN": token})
        finally:
            wire.close()


# ---- the payload, as strictly typed as the client's structures ----

TEXT, WHOLE, NUMBER, TRUTH = "string", "integer", "number", "boolean"
STRINGS = [TEXT]
VARIABLE = {"key": TEXT, "value": TEXT, "public": TRUTH, "file": TRUTH, "masked": TRUTH, "raw": TRUTH}
PORTS = [{"number": WHOLE, "protocol": TEXT, "name": TEXT}]
OPTIONS = {"docker": {"platform": TEXT, "user": TEXT}, "kubernetes": {"user": TEXT}}
IMAGE = {"name": TEXT, "alias": TEXT, "command": STRINGS, "entrypoint": STRINGS, "ports": PORTS,
         "variables": [VARIABLE], "pull_policy": STRINGS, "executor_opts": OPTIONS}
JOB = {
    "id": WHOLE, "token": TEXT, "allow_git_fetch": TRUTH,
    "job_info": {"id": WHOLE, "name": TEXT, "stage": TEXT, "pipeline_id": WHOLE, "project_id": WHOLE,
                 "project_name": TEXT, "project_full_path": TEXT, "namespace_id": WHOLE, "root_namespace_id": WHOLE,
                 "organization_id": WHOLE, "instance_id": TEXT, "instance_uuid": TEXT, "user_id": WHOLE,
                 "scoped_user_id": WHOLE, "time_in_queue_seconds": NUMBER,
                 "project_jobs_running_on_instance_runners_count": TEXT, "queue_size": WHOLE, "queue_depth": WHOLE},
    "git_info": {"repo_url": TEXT, "repo_object_format": TEXT, "ref": TEXT, "sha": TEXT, "before_sha": TEXT,
                 "ref_type": TEXT, "refspecs": STRINGS, "depth": WHOLE, "protected": TRUTH},
    "runner_info": {"timeout": WHOLE, "runner_session_url": TEXT, "uuid": TEXT},
    "inputs": [{"key": TEXT, "value": {}}],
    "variables": [VARIABLE],
    "steps": [{"name": TEXT, "script": STRINGS, "timeout": WHOLE, "when": TEXT, "allow_failure": TRUTH}],
    "image": IMAGE, "services": [IMAGE],
    "artifacts": [{"name": TEXT, "untracked": TRUTH, "paths": STRINGS, "exclude": STRINGS, "when": TEXT,
                   "artifact_type": TEXT, "artifact_format": TEXT, "expire_in": TEXT}],
    "cache": [{"key": TEXT, "untracked": TRUTH, "policy": TEXT, "paths": STRINGS, "when": TEXT,
               "fallback_keys": STRINGS}],
    "credentials": [{"type": TEXT, "url": TEXT, "username": TEXT, "password": TEXT}],
    "dependencies": [{"id": WHOLE, "token": TEXT, "name": TEXT,
                      "artifacts_file": {"filename": TEXT, "size": WHOLE}}],
    "features": {"trace_sections": TRUTH, "token_mask_prefixes": STRINGS, "failure_reasons": STRINGS,
                 "two_phase_job_commit": TRUTH},
    "hooks": [{"name": TEXT, "script": STRINGS}],
}


def check(value, kind, where):
    """Go's encoding/json: null is the zero value of anything, unknown keys are ignored, all else must fit."""
    if value is None:
        return
    if isinstance(kind, list):
        assert isinstance(value, list), f"{where}: {value!r} is no list"
        for index, each in enumerate(value):
            check(each, kind[0], f"{where}[{index}]")
    elif isinstance(kind, dict):
        assert isinstance(value, dict), f"{where}: {value!r} is no object"
        for name, each in value.items():
            if name in kind:
                check(each, kind[name], f"{where}.{name}")
            else:
                assert not where.endswith("executor_opts"), f"{where}: {name} makes the job fail in an old runner"
    else:
        fits = {TEXT: isinstance(value, str), TRUTH: isinstance(value, bool),
                WHOLE: isinstance(value, int) and not isinstance(value, bool),
                NUMBER: isinstance(value, (int, float)) and not isinstance(value, bool)}[kind]
        assert fits, f"{where}: {value!r} is no {kind}"


def decode_job(payload):
    check(payload, JOB, "job")
    assert "run" not in payload, "a `run` of null or \"\" loses the job"
    assert payload["id"] > 0 and payload["token"]
    assert len(payload["git_info"]["sha"]) >= 8, "the client takes the first eight characters"
    assert payload["runner_info"]["timeout"] > 0
    return payload
