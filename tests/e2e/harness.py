"""A real server, real runners and real git repositories for end-to-end tests.

Nothing here sleeps for luck: every wait is for a condition, with a deadline that only ends a test that
has already failed.
"""

import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
import uuid

BINARY = os.environ.get("SLIPWAY_BINARY", "build/dev/slipway")
SOURCE = pathlib.Path(os.environ.get("SLIPWAY_SOURCE", pathlib.Path(__file__).parents[2]))
PASSWORD = "correct horse battery staple"
FINAL = {"success", "failed", "canceled", "skipped"}
# What a build with sanitizers must be told; empty for any other.
SANITIZERS = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}


def wait_for(what, condition, seconds=60):
    """The first true value of condition(); AssertionError naming `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


class Api:
    """The server's HTTP API as a user with a personal token."""

    def __init__(self, url, token=None):
        self.url = url
        self.token = token

    def raw(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.url + path, method=method)
        if self.token:
            request.add_header("PRIVATE-TOKEN", self.token)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            if not (headers and "Content-Type" in headers):
                request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data, timeout=60) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def call(self, method, path, body=None):
        status, _, content = self.raw(method, path, body)
        if status >= 300:
            raise AssertionError(f"{method} {path} answered {status}: {content[:500]}")
        return json.loads(content) if content else None

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None):
        return self.call("POST", path, body if body is not None else {})


class Server:
    """`slipway server` on a free port with a data directory of its own."""

    def __init__(self, directory, **settings):
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.settings = {"listen": "127.0.0.1:0", "allow_local_repositories": "true",
                         "registry": "127.0.0.1:5000", **settings}
        self.process = None
        self.url = None

    def start(self):
        self.log_path = self.directory / f"server-{uuid.uuid4().hex[:8]}.log"
        environment = {"PATH": os.environ["PATH"], "SLIPWAY_DATA_DIR": str(self.data), **SANITIZERS}
        for name, value in self.settings.items():
            environment["SLIPWAY_" + name.upper()] = value
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([BINARY, "server"], env=environment, stderr=log,
                                            stdout=log, stdin=subprocess.DEVNULL)
        address = wait_for("the server's address in its log", self._address)
        self.url = address
        self.settings["listen"] = address.split("//")[1]  # a restart keeps the port
        return self

    def _address(self):
        text = self.log_path.read_text(errors="replace")
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{text}")
        found = re.search(r"server\.started .*url=(\S+)", text)
        return found and found.group(1)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the server did not stop on SIGTERM")


class Runner:
    """`slipway runner run` against a server."""

    def __init__(self, server, token, directory, executor="shell", environment=(), **settings):
        self.directory = pathlib.Path(directory)
        self.builds = self.directory / "builds"
        self.label = hashlib.sha256(token.encode()).hexdigest()[:9]
        self.config = config = self.directory / "slipway-runner.yml"
        lines = {"runner_url": server.url, "runner_token": token, "runner_executor": executor,
                 "runner_builds_dir": str(self.builds),
                 "runner_cache_dir": str(self.directory / "cache"), **settings}
        text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items())
        if environment:
            text += "runner_environment:\n" + "".join(f"  - {json.dumps(e)}\n" for e in environment)
        config.touch(mode=0o600)
        config.write_text(text)
        self.start()

    def start(self, binary=BINARY):
        """The agent, once more after kill(); `binary` may be another build of it."""
        self.log_path = self.directory / f"runner-{uuid.uuid4().hex[:8]}.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "runner", "run", "--config", str(self.config)],
                env={"PATH": os.environ["PATH"], "HOME": str(self.directory), **SANITIZERS},
                stderr=log, stdout=log, stdin=subprocess.DEVNULL)

    def kill(self):
        """The agent alone: its slots go on."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def marked(self):
        """What bears this runner's mark: its slots and the programs of their jobs, {pid: command}."""
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
                if any(v.startswith(f"SLIPWAY_SLOT={self.label}/".encode()) for v in environment):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                pass  # it has ended, or is not ours
        return found

    def slots(self):
        """The slots, {index: pid}."""
        return {int(command[3]): pid for pid, command in self.marked().items() if command[1:3] == ["runner", "slot"]}

    def kill_all(self):
        """As when the machine loses its power: the agent, its slots and their jobs."""
        self.kill()
        while left := self.marked():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the runner did not stop on SIGTERM; its log ends:\n"
                                     + self.log_path.read_text(errors="replace")[-2000:])


class EndToEnd(unittest.TestCase):
    """Starts a server with an administrator for each test; more on demand."""

    server_settings = {}

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="slipway-e2e-"))
        self.addCleanup(self._remove)
        self.server = Server(self.directory, **self.server_settings).start()
        self.addCleanup(self.server.stop)
        token = (self.server.data / "setup-token").read_text().strip()
        made = Api(self.server.url).post(
            "/api/v4/setup", {"token": token, "username": "root", "password": PASSWORD})
        self.api = Api(self.server.url, made["token"])

    def _remove(self):
        failed = self._outcome and not self._outcome.success
        if failed:
            for log in sorted(self.directory.glob("*.log")):
                print(f"---- {log.name}, last lines ----")
                print("\n".join(log.read_text(errors="replace").splitlines()[-40:]))
        if os.environ.get("SLIPWAY_KEEP"):
            print("kept", self.directory)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def runner(self, executor="shell", environment=(), tags=(), **settings):
        made = self.api.post("/api/v4/user/runners",
                             {"runner_type": "instance_type", "description": executor,
                              "tag_list": list(tags), "run_untagged": True})
        directory = pathlib.Path(tempfile.mkdtemp(prefix="runner-", dir=self.directory))
        runner = Runner(self.server, made["token"], directory, executor, environment, **settings)
        runner.id = made["id"]
        self.addCleanup(lambda: runner.marked() and runner.kill_all())
        self.addCleanup(runner.stop)
        return runner

    def person(self, name, project, level=40):
        """Somebody beside the administrator, a member of the project: a personal token."""
        made = self.api.post("/api/v4/users", {"username": name})
        self.api.post(f"/api/v4/projects/{project}/members", {"user_id": made["id"], "access_level": level})
        nobody = Api(self.server.url)
        status, headers, body = nobody.raw("POST", "/api/v4/invitation", {
            "token": made["invitation_url"].split("#")[1], "password": PASSWORD})
        self.assertEqual(status, 201, body)
        session = {"Cookie": headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": json.loads(body)["csrf_token"]}
        status, _, body = nobody.raw("POST", "/api/v4/personal_access_tokens", {"name": "tests"}, session)
        self.assertEqual(status, 201, body)
        return json.loads(body)["token"]

    def repository(self, path="team/app", files=None, **project):
        return Repository(self, path, files or {}, project)

    def pipeline(self, project, sha, seconds=60):
        found = wait_for(
            f"a pipeline of {sha[:8]}",
            lambda: self.api.get(f"/api/v4/projects/{project}/pipelines?sha={sha}"), seconds)
        return found[0]["id"]

    def finished(self, project, pipeline, seconds=120):
        """The pipeline once it has ended, with its jobs by name in `jobs`."""
        def ended():
            found = self.api.get(f"/api/v4/projects/{project}/pipelines/{pipeline}")
            return found if found["status"] in FINAL else None
        try:
            result = wait_for(f"the end of pipeline {pipeline}", ended, seconds)
        except AssertionError:
            print(json.dumps(self.api.get(
                f"/api/v4/projects/{project}/pipelines/{pipeline}/jobs"), indent=1)[:4000])
            raise
        result["jobs"] = self.jobs(project, pipeline)
        return result

    def jobs(self, project, pipeline):
        return {job["name"]: job for job in self.api.get(
            f"/api/v4/projects/{project}/pipelines/{pipeline}/jobs?per_page=100")}

    def trace(self, project, job):
        status, _, content = self.api.raw("GET", f"/api/v4/projects/{project}/jobs/{job}/trace")
        self.assertEqual(status, 200)
        return content

    def job_in(self, project, pipeline, name, status, seconds=60):
        def there():
            job = self.jobs(project, pipeline).get(name)
            return job if job and job["status"] == status else None
        return wait_for(f"job {name} in {status}", there, seconds)


class Repository:
    """A bare repository whose pushes reach the server by the hook script, and a clone to push from."""

    def __init__(self, test, path, files, project):
        self.test = test
        self.bare = test.directory / "git" / (path + ".git")
        self.work = test.directory / "work" / path
        self.bare.mkdir(parents=True)
        self._git(self.bare, "init", "--quiet", "--bare", "--initial-branch=main")
        made = test.api.post("/api/v4/projects",
                             {"path": path, "url": str(self.bare), "visibility": "private", **project})
        self.id = made["id"]
        self.path = path
        self.secret = made["webhook_secret"]
        self.hook_url = f"{test.server.url}/hooks/{path}"
        self._install_hook()
        self.work.mkdir(parents=True)
        self._git(self.work, "init", "--quiet", "--initial-branch=main")
        self._git(self.work, "remote", "add", "origin", str(self.bare))
        self.write(files)

    def _install_hook(self):
        secret = self.bare / "slipway-secret"
        secret.touch(mode=0o600)
        secret.write_text(self.secret)
        hook = self.bare / "hooks" / "post-receive"
        shutil.copy(SOURCE / "deploy" / "hooks" / "post-receive", hook)
        hook.chmod(0o755)
        self._git(self.bare, "config", "slipway.url", self.hook_url)
        self._git(self.bare, "config", "slipway.secretFile", str(secret))
        self._git(self.bare, "config", "slipway.project", self.path)

    def _git(self, where, *arguments):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.test.directory),
                       "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL":
                       "ann@example.com", "GIT_COMMITTER_NAME": "Ann",
                       "GIT_COMMITTER_EMAIL": "ann@example.com"}
        done = subprocess.run(["git", "-C", str(where), *arguments], env=environment,
                              capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"git {arguments} failed: {done.stderr}")
        return done.stdout.strip()

    def write(self, files):
        for name, content in files.items():
            target = self.work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)

    def commit(self, message="Change"):
        self._git(self.work, "add", "--all")
        self._git(self.work, "commit", "--quiet", "--allow-empty", "--message", message)
        return self._git(self.work, "rev-parse", "HEAD")

    def push(self, message="Change", branch="main"):
        """Commits everything, pushes it and returns the commit."""
        sha = self.commit(message)
        self._git(self.work, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return sha

    def deliver(self, body, secret=None, delivery=None, event="push"):
        """Sends a webhook by hand; (status, JSON)."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = hmac.new((secret or self.secret).encode(), content, hashlib.sha256).hexdigest()
        status, _, answer = Api(self.test.server.url).raw(
            "POST", f"/hooks/{self.path}", content,
            {"Content-Type": "application/json", "X-GitHub-Event": event,
             "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
             "X-Hub-Signature-256": "sha256=" + signature})
        return status, json.loads(answer)
