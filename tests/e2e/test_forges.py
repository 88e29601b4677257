"""Five git hosts against a real server: their signed calls with real repositories behind them, what is refused, the
inbox, and what each host is told in return."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import threading
import time
import uuid

from harness import BINARY, SANITIZERS, Api, EndToEnd, wait_for

ZERO = "0" * 40
SKIPPED = "Docs only [skip ci]"


def mac(secret, content):
    return hmac.new(secret.encode(), content, hashlib.sha256)


class GitHost:
    """A host's status API. Answers as `plan` says, one code after the other, then 201; keeps what it was told."""

    def __init__(self, test):
        self.told = []
        self.plan = []
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                code = host.plan.pop(0) if host.plan else 201
                host.told.append((code, self.path, dict(self.headers), body))
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        test.addCleanup(thread.join)
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    def taken(self):
        return [body for code, _, _, body in self.told if code == 201]


class Dialect:
    """How one host sends a push and what it is told. `state` is the field with the status."""

    def __init__(self, name, path, auth, done="success", state="state", context="context"):
        self.name, self.path, self.auth = name, path, auth
        self.done, self.state, self.context = done, state, context

    def body(self, project, before, after, ref, message):
        if self.name == "bitbucket":
            kind, short = ("tag" if ref.startswith("refs/tags/") else "branch"), ref.split("/", 2)[2]
            target = {"type": kind, "name": short, "target": {"hash": after, "message": message}}
            return {"actor": {"nickname": "ann"}, "repository": {"full_name": project},
                    "push": {"changes": [{"old": None, "new": None if after == ZERO else target,
                                          **({"old": target} if after == ZERO else {})}]}}
        common = {"ref": ref, "before": before, "after": after}
        if self.name == "gitlab":
            return {**common, "object_kind": "push", "checkout_sha": after, "user_username": "ann",
                    "project": {"path_with_namespace": project}, "commits": []}
        return {**common, "repository": {"full_name": project}, "pusher": {"login": "ann"},
                "head_commit": {"id": after, "message": message}}

    def merge_request(self, project, sha, source_project=None):
        """An opened one, of the branch topic into main."""
        source = source_project or project
        if self.name == "bitbucket":
            return {"actor": {"nickname": "ann"}, "repository": {"full_name": project}, "pullrequest": {
                "id": 7, "title": "Louder", "author": {"nickname": "eve"},
                "source": {"branch": {"name": "topic"}, "commit": {"hash": sha[:12]}, "repository": {"full_name": source}},
                "destination": {"branch": {"name": "main"}, "repository": {"full_name": project}}}}
        if self.name == "gitlab":
            return {"object_kind": "merge_request", "user": {"username": "ann"},
                    "project": {"path_with_namespace": project}, "object_attributes": {
                        "iid": 7, "title": "Louder", "action": "open", "source_branch": "topic", "target_branch": "main",
                        "source_project_id": 15 if source == project else 16, "target_project_id": 15,
                        "source": {"path_with_namespace": source}, "last_commit": {"id": sha}}}
        return {"action": "opened", "number": 7, "sender": {"login": "ann"}, "repository": {"full_name": project},
                "pull_request": {"title": "Louder", "head": {"ref": "topic", "sha": sha, "repo": {"full_name": source}},
                                 "base": {"ref": "main", "repo": {"full_name": project}}}}

    def headers(self, secret, content, key, merge_request=False):
        headers = self.push_headers(secret, content, key)
        words = {"push": "pull_request", "Push Hook": "Merge Request Hook", "repo:push": "pullrequest:created"}
        return {name: words.get(value, value) if merge_request else value for name, value in headers.items()}

    def push_headers(self, secret, content, key):
        signed = mac(secret, content).hexdigest()
        github = {"X-GitHub-Event": "push", "X-GitHub-Delivery": key, "X-Hub-Signature-256": "sha256=" + signed}
        gitea = {**github, "X-Gitea-Event": "push", "X-Gitea-Delivery": key, "X-Gitea-Signature": signed}
        if self.name == "gitlab":
            stamp = str(int(time.time()))
            message = f"{key}.{stamp}.".encode() + content
            return {"X-Gitlab-Event": "Push Hook", "webhook-id": key, "webhook-timestamp": stamp,
                    "webhook-signature": "v1," + base64.b64encode(mac(secret, message).digest()).decode()}
        return {"github": github, "gitea": gitea,
                "forgejo": {**gitea, "X-Forgejo-Event": "push", "X-Forgejo-Delivery": key,
                            "X-Forgejo-Signature": signed},
                "bitbucket": {"X-Event-Key": "repo:push", "X-Request-UUID": key,
                              "X-Hub-Signature": "sha256=" + signed}}[self.name]


DIALECTS = [
    Dialect("github", "/repos/team/github/statuses/{sha}", ("Authorization", "Bearer s3cret")),
    Dialect("gitea", "/repos/team/gitea/statuses/{sha}", ("Authorization", "token s3cret")),
    Dialect("forgejo", "/repos/team/forgejo/statuses/{sha}", ("Authorization", "token s3cret")),
    Dialect("gitlab", "/projects/team%2Fgitlab/statuses/{sha}", ("PRIVATE-TOKEN", "s3cret"), context="name"),
    Dialect("bitbucket", "/repositories/team/bitbucket/commit/{sha}/statuses/build",
            ("Authorization", "Bearer s3cret"), done="SUCCESSFUL", context="key"),
]


class Forges(EndToEnd):
    server_settings = {"allow_private_forges": "true"}

    def hosted(self, dialect, host, **settings):
        repository = self.repository(f"team/{dialect.name}", {".gitlab-ci.yml": 't:\n  script: ["true"]\n'},
                                     forge=dialect.name, forge_api_url=host.url, forge_token="s3cret", **settings)
        (repository.bare / "hooks" / "post-receive").unlink()
        return repository

    def send(self, repository, dialect, after, ref="refs/heads/main", key=None, secret=None, message="Change"):
        content = json.dumps(dialect.body(repository.path, ZERO, after, ref, message)).encode()
        headers = dialect.headers(secret or repository.secret, content, key or str(uuid.uuid4()))
        status, _, answer = Api(self.server.url).raw("POST", f"/hooks/{repository.path}", content, headers)
        return status, json.loads(answer)

    def test_a_push_of_each_host_runs_and_the_host_is_told(self):
        self.runner()
        host = GitHost(self)
        for dialect in DIALECTS:
            with self.subTest(dialect.name):
                host.told.clear()
                repository = self.hosted(dialect, host)
                sha = repository.push()
                status, answer = self.send(repository, dialect, sha, key="one")
                self.assertEqual((status, answer["verdict"]), (202, "accepted"), answer)
                pipeline = self.pipeline(repository.id, sha)
                self.assertEqual(self.finished(repository.id, pipeline)["status"], "success")
                wait_for("the last status", lambda: host.taken() and
                         host.taken()[-1][dialect.state] == dialect.done)
                for _, path, headers, body in host.told:
                    self.assertEqual(path, dialect.path.format(sha=sha))
                    self.assertEqual(headers[dialect.auth[0]], dialect.auth[1])
                    self.assertEqual(body[dialect.context], "slipway/push")
                address = host.taken()[-1].get("target_url") or host.taken()[-1]["url"]
                self.assertEqual(address, f"{self.server.url}/{repository.path}/-/pipelines/{pipeline}")

                self.assertEqual(self.send(repository, dialect, sha, key="one")[1]["verdict"], "duplicate")
                self.assertEqual(self.send(repository, dialect, ZERO, ref="refs/heads/gone")[1]["reason"],
                                 "'gone' was deleted")
                for wrong in ("", "guess", repository.secret + " "):
                    content = json.dumps(dialect.body(repository.path, ZERO, sha, "refs/heads/main", "x")).encode()
                    refused, _, _ = Api(self.server.url).raw(
                        "POST", f"/hooks/{repository.path}", content, dialect.headers(wrong, content, "two"))
                    self.assertEqual(refused, 401)
                self.assertEqual(len(self.api.get(f"/api/v4/projects/{repository.id}/pipelines")), 1)

    def test_new_findings_of_a_branch_close_its_gate_and_the_host_is_told(self):
        self.runner()
        host = GitHost(self)
        dialect = DIALECTS[0]
        repository = self.hosted(dialect, host, findings_gate="high")

        def run(branch, *names):
            found = [{"name": name, "severity": "High", "location": {"file": "app.py", "start_line": line}}
                     for line, name in enumerate(names, 1)]
            repository.write({"report.json": json.dumps({"version": "15.0.7", "vulnerabilities": found}),
                              ".gitlab-ci.yml": """
scan:
  script: ["true"]
  artifacts: {reports: {sast: report.json}}
"""})
            sha = repository.push(f"Scan {branch} for {names}", branch)
            self.send(repository, dialect, sha, f"refs/heads/{branch}")
            ended = self.finished(repository.id, self.pipeline(repository.id, sha))
            self.assertEqual(ended["status"], "success")
            told = wait_for("the gate's status", lambda: [
                body for _, path, _, body in host.told
                if path.endswith(sha) and body["context"] == "slipway/findings"])
            return ended["findings_gate"]["state"], told[-1]["state"], told[-1]["description"]

        run("main", "old")
        self.assertEqual(run("topic", "moved", "old"), (
            "failed", "failure", "1 new finding of severity high or worse against main."))
        self.assertEqual(run("topic", "old"), (
            "passed", "success", "No new findings of severity high or worse against main."))

    def test_a_merge_request_of_each_host_runs(self):
        self.runner()
        host = GitHost(self)
        file = """
workflow:
  rules: [{if: $CI_PIPELINE_SOURCE == "merge_request_event"}]
t:
  script:
    - echo "!$CI_MERGE_REQUEST_IID $CI_MERGE_REQUEST_TITLE into $CI_MERGE_REQUEST_TARGET_BRANCH_NAME, ${CI_COMMIT_BRANCH-no branch}"
    - git diff --name-only $CI_MERGE_REQUEST_DIFF_BASE_SHA HEAD
  variables: {GIT_DEPTH: 0}
"""
        for dialect in DIALECTS:
            with self.subTest(dialect.name):
                host.told.clear()
                repository = self.hosted(dialect, host)
                repository.write({".gitlab-ci.yml": file})
                repository.push()
                repository.write({"voice.txt": "LOUD"})
                sha = repository.push("Louder", "topic")
                self.assertEqual(self.open_request(repository, dialect, sha)["verdict"], "accepted")
                pipeline = self.pipeline(repository.id, sha)
                ended = self.finished(repository.id, pipeline)
                self.assertEqual(ended["status"], "success")
                self.assertEqual(ended["merge_request"], {"iid": 7, "title": "Louder", "source_branch": "topic",
                                                          "target_branch": "main"})
                job = self.jobs(repository.id, pipeline)["t"]
                trace = self.trace(repository.id, job["id"]).decode()
                self.assertIn("!7 Louder into main, no branch\n", trace)
                self.assertIn("\nvoice.txt\n", trace)
                wait_for("the last status", lambda: host.taken() and
                         host.taken()[-1][dialect.state] == dialect.done)
                self.assertEqual(host.taken()[-1][dialect.context], "slipway/merge_request_event")

    def open_request(self, repository, dialect, sha, source=None):
        content = json.dumps(dialect.merge_request(repository.path, sha, source)).encode()
        _, _, answer = Api(self.server.url).raw(
            "POST", f"/hooks/{repository.path}", content,
            dialect.headers(repository.secret, content, str(uuid.uuid4()), merge_request=True))
        return json.loads(answer)

    def forked(self, repository, dialect, file):
        """A commit of the branch topic in a fork, and where the host keeps it in the project's repository."""
        fork = repository.bare.parent.parent / "eve" / repository.bare.name
        if not fork.exists():
            repository._git(repository.work, "clone", "--quiet", "--bare", str(repository.bare), str(fork))
        repository._git(repository.work, "checkout", "--quiet", "-B", "topic")
        repository.write({".gitlab-ci.yml": file})
        sha = repository.commit("Of a stranger")
        if dialect.name == "bitbucket":
            repository._git(repository.work, "push", "--quiet", "--force", str(fork), "HEAD:refs/heads/topic")
        else:
            ref = "refs/merge-requests/7/head" if dialect.name == "gitlab" else "refs/pull/7/head"
            repository._git(repository.work, "push", "--quiet", "--force", "origin", f"HEAD:{ref}")
        return sha

    def test_a_request_from_a_fork_of_each_host_waits_for_an_approval_and_has_no_secret(self):
        self.runner()
        host = GitHost(self)
        self.api.post("/api/v4/admin/ci/variables", {"key": "CANARY", "value": "canary-of-the-settings"})
        file = """
t:
  rules: [{if: $CI_PIPELINE_SOURCE == "merge_request_event"}]
  id_tokens: {WHO: {aud: x}}
  script:
    - echo "!$CI_MERGE_REQUEST_IID of $CI_MERGE_REQUEST_SOURCE_PROJECT_PATH protected=$CI_COMMIT_REF_PROTECTED"
    - echo "<${CANARY-nothing}> <${WHO-no token}>"
    - git log -1 --format=%s
"""
        for dialect in DIALECTS:
            with self.subTest(dialect.name):
                host.told.clear()
                repository = self.hosted(dialect, host)
                repository.push()
                sha = self.forked(repository, dialect, file)
                self.assertEqual(self.open_request(repository, dialect, sha, f"eve/{dialect.name}")["verdict"], "accepted")
                requests = f"/api/v4/projects/{repository.id}/fork_requests"
                waiting = wait_for("the request", lambda: self.api.get(requests + "?state=waiting"))[0]
                self.assertEqual(waiting["sha"], sha)
                self.assertIn("waits for an approval", waiting["reason"])
                self.assertEqual(self.api.get(f"/api/v4/projects/{repository.id}/pipelines"), [])
                listed = self.slipway("fork", "list", repository.path)
                self.assertIn(f"{sha}\teve\twaiting\tLouder" if dialect.name == "bitbucket" else sha, listed)

                told = self.slipway("fork", "approve", repository.path, str(waiting["id"]), sha)
                self.assertEqual(told, "approved by root\n")
                pipeline = self.pipeline(repository.id, sha)
                self.assertEqual(self.finished(repository.id, pipeline)["status"], "success")
                trace = self.trace(repository.id, self.jobs(repository.id, pipeline)["t"]["id"]).decode()
                self.assertIn(f"!7 of eve/{dialect.name} protected=false\n", trace)
                self.assertIn("<nothing> <no token>\n", trace)
                self.assertIn("\nOf a stranger\n", trace)
                self.assertEqual(self.api.get(f"{requests}/{waiting['id']}")["pipeline_id"], pipeline)
                wait_for("the last status", lambda: host.taken() and host.taken()[-1][dialect.state] == dialect.done)

    def slipway(self, *arguments):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], **SANITIZERS, "SLIPWAY_URL": self.server.url,
                                   "SLIPWAY_TOKEN": self.api.token})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_busy_host_is_told_again_and_in_order(self):
        host = GitHost(self)
        host.plan = [503, 500]
        dialect = DIALECTS[0]
        repository = self.hosted(dialect, host)
        sha = repository.push(message=SKIPPED)
        self.send(repository, dialect, sha, message=SKIPPED)
        told = wait_for("the status", host.taken)
        self.assertEqual([code for code, *_ in host.told], [503, 500, 201])
        self.assertEqual(told[0]["state"], "success")
        self.assertIn("was skipped: ", told[0]["description"])
        self.assertLessEqual(len(told[0]["description"].encode()), 140)

    def test_a_restarted_server_still_tells_what_it_owed(self):
        host = GitHost(self)
        host.plan = [503] * 3
        dialect = DIALECTS[1]
        repository = self.hosted(dialect, host)
        sha = repository.push(message=SKIPPED)
        self.send(repository, dialect, sha, message=SKIPPED)
        wait_for("a first try", lambda: host.told)
        self.server.kill()
        host.plan = []
        self.server.start()
        wait_for("the status", host.taken)
        self.assertEqual({body["state"] for body in host.taken()}, {"success"})

    def test_the_inbox_shows_what_came_and_replays_it(self):
        dialect = DIALECTS[3]
        repository = self.hosted(dialect, GitHost(self))
        missing = repository.commit()  # not pushed yet
        self.send(repository, dialect, missing, key="early")
        inbox = f"/api/v4/projects/{repository.id}/deliveries"
        failed = wait_for("the verdict", lambda: [d for d in self.api.get(inbox) if d["verdict"] == "failed"])[0]
        self.assertIn("The commit could not be fetched", failed["reason"])
        shown = self.api.get(f"{inbox}/{failed['id']}")
        self.assertEqual(json.loads(shown["body"])["after"], missing)
        self.assertEqual(shown["headers"]["X-Gitlab-Event"], "Push Hook")
        self.assertNotIn("webhook-signature", shown["headers"])

        repository._git(repository.work, "push", "--quiet", "origin", "HEAD:refs/heads/main")
        self.assertEqual(self.api.post(f"{inbox}/{failed['id']}/replay")["verdict"], "accepted")
        self.pipeline(repository.id, missing)
        done = self.api.get(f"{inbox}/{failed['id']}")
        self.assertEqual((done["verdict"], done["attempts"]), ("done", 1))
        self.assertIsNotNone(done["pipeline_id"])

    def test_a_token_is_not_taken_along_to_another_host(self):
        host = GitHost(self)
        repository = self.hosted(DIALECTS[0], host)
        project = f"/api/v4/projects/{repository.id}"
        self.assertTrue(self.api.get(project)["forge_token_set"])
        moved = self.api.call("PUT", project, {"forge_api_url": "http://127.0.0.1:1"})
        self.assertFalse(moved["forge_token_set"])
        self.assertNotIn("s3cret", json.dumps(moved))
