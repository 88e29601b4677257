"""What a job can show of itself: `id_tokens` checked by a library that is not ours, and its job token in other projects."""

import io
import json
import os
import subprocess
import sys
import unittest
import zipfile

from harness import BINARY, SANITIZERS, Api, EndToEnd

# Debian's package and what it needs, also for a python3 that is not Debian's own.
sys.path.insert(0, "/usr/lib/python3/dist-packages")

import jwt  # noqa: E402

FILE = """
variables: {PLACE: europe}
who:
  id_tokens:
    ONE: {aud: "https://vault.example/$PLACE"}
    BOTH: {aud: [first, second]}
  environment: {name: production}
  script:
    - echo "it is $ONE"
    - echo "$ONE" > one.txt
    - echo "$BOTH" > both.txt
  artifacts: {paths: [one.txt, both.txt]}
"""


class IdTokens(EndToEnd):
    def tokens(self, repository, pipeline):
        ended = self.finished(repository.id, pipeline)
        self.assertEqual(ended["status"], "success")
        job = ended["jobs"]["who"]
        status, _, archive = self.api.raw("GET", f"/api/v4/projects/{repository.id}/jobs/{job['id']}/artifacts")
        self.assertEqual(status, 200)
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            return job, files.read("one.txt").decode().strip(), files.read("both.txt").decode().strip()

    def claims(self, token, audience):
        """As another service does it: by discovery, the key of the token's header, and RS256 alone."""
        told = Api(self.server.url).get("/.well-known/openid-configuration")
        self.assertEqual(told["issuer"], self.server.url)
        keys = jwt.PyJWKSet.from_dict(Api(self.server.url).get(told["jwks_uri"].removeprefix(self.server.url))).keys
        name = jwt.get_unverified_header(token)["kid"]
        key = next(key for key in keys if key.key_id == name)
        return jwt.decode(token, key.key, algorithms=["RS256"], audience=audience, issuer=told["issuer"],
                          options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]})

    def test_a_token_says_which_job_it_is_and_another_library_believes_it(self):
        self.runner()
        repository = self.repository(files={".gitlab-ci.yml": FILE})
        self.api.post(f"/api/v4/projects/{repository.id}/protected_environments", {"name": "production"})
        sha = repository.push()
        pipeline = self.pipeline(repository.id, sha)
        job, one, both = self.tokens(repository, pipeline)
        claims = self.claims(one, "https://vault.example/europe")
        expected = {
            "aud": "https://vault.example/europe", "project_path": "team/app", "namespace_path": "team",
            "sub": "project_path:team/app:ref_type:branch:ref:main", "ref": "main", "ref_type": "branch",
            "ref_path": "refs/heads/main", "ref_protected": "true", "pipeline_source": "push", "sha": sha,
            "pipeline_id": str(pipeline), "job_id": str(job["id"]), "project_id": str(repository.id),
            "environment": "production", "environment_protected": "true", "environment_action": "start",
            "deployment_tier": "production", "project_visibility": "private", "runner_environment": "self-hosted"}
        self.assertEqual({name: claims.get(name) for name in expected}, expected)
        self.assertEqual(claims["exp"] - claims["iat"], 3600)
        second = self.claims(both, "second")
        self.assertEqual(second["aud"], ["first", "second"])
        self.assertNotEqual(second["jti"], claims["jti"])
        with self.assertRaises(jwt.InvalidAudienceError):
            self.claims(one, "first")
        with self.assertRaises(jwt.InvalidSignatureError):
            self.claims(one[:-8] + ("A" * 8 if one[-8:] != "A" * 8 else "B" * 8), "https://vault.example/europe")

        trace = self.trace(repository.id, job["id"]).decode()
        self.assertIn("it is [MASKED]", trace)
        self.assertNotIn(one.split(".")[2], trace)
        # Nobody but the job has it: neither the API nor the database keeps it.
        self.assertNotIn(one, json.dumps(self.api.get(f"/api/v4/projects/{repository.id}/jobs/{job['id']}")))
        for file in self.server.data.glob("slipway.db*"):
            self.assertNotIn(one.split(".")[2].encode(), file.read_bytes())

        self.server.stop()
        done = subprocess.run([BINARY, "admin", "rotate-id-token-key", "--data-dir", str(self.server.data)],
                              capture_output=True, text=True, timeout=60, cwd=self.directory,
                              env={"PATH": os.environ["PATH"], **SANITIZERS})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.server.start()
        self.assertEqual(self.claims(one, "https://vault.example/europe"), claims)  # by the old key
        made = self.api.post(f"/api/v4/projects/{repository.id}/pipeline", {"ref": "main"})
        _, fresh, _ = self.tokens(repository, made["id"])
        by_user = self.claims(fresh, "https://vault.example/europe")
        self.assertEqual((by_user["user_login"], by_user["pipeline_source"]), ("root", "api"))
        self.assertNotEqual(jwt.get_unverified_header(fresh)["kid"], jwt.get_unverified_header(one)["kid"])


class JobTokens(EndToEnd):
    def test_a_job_clones_another_project_only_when_that_lets_it_in(self):
        self.runner()
        library = self.repository("club/library", {"words.txt": "hello from the library\n"})
        library.push(message="[skip ci] first")
        address = self.server.url.replace("http://", "http://gitlab-ci-token:$CI_JOB_TOKEN@")
        app = self.repository(files={".gitlab-ci.yml": f"""
t:
  script:
    - git clone --quiet "{address}/club/library.git" library || {{ echo "not let in"; exit 0; }}
    - cat library/words.txt
"""})

        def said():
            made = self.api.post(f"/api/v4/projects/{app.id}/pipeline", {"ref": "main"})
            ended = self.finished(app.id, made["id"])
            trace = self.trace(app.id, ended["jobs"]["t"]["id"]).decode()
            self.assertEqual(ended["status"], "success", trace)
            return trace

        sha = app.push()
        self.finished(app.id, self.pipeline(app.id, sha))
        # The library has had no pipeline that fetched it: the mirror is made by one.
        self.api.raw("POST", f"/api/v4/projects/{library.id}/pipeline", {"ref": "main"})
        self.assertIn("not let in", said())
        self.api.post(f"/api/v4/projects/{library.id}/job_token_scope/allowlist", {"target_project_id": app.id})
        self.assertIn("hello from the library", said())


if __name__ == "__main__":
    unittest.main()
