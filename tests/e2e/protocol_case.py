"""What the tests of the runner protocol share: a server with short deadlines, and doubles of a runner on it."""

import io
import re
import zipfile

from harness import EndToEnd
from runner_double import RunnerDouble

ONE_JOB = "job:\n  script: ['true']\n"


def zipped(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


class Protocol(EndToEnd):
    server_settings = {"poll_hold": "2s", "ack_timeout": "2s"}

    def double(self, generation="new", system_id="s_0123456789ab", **runner):
        made = self.api.post("/api/v4/user/runners", {"runner_type": "instance_type", "description": "double",
                                                      "run_untagged": True, **runner})
        self.runner_id = made["id"]
        return self.client(made["token"], system_id, generation)

    def client(self, token, system_id="s_0123456789ab", generation="new"):
        client = RunnerDouble(self.server.url, token, system_id, generation)
        self.addCleanup(client.close)
        return client

    def restart(self, **settings):
        self.server.stop()
        self.server.settings.update(settings)
        self.server.start()

    def metric(self, name):
        found = re.search(rf"^{name} (\S+)$", self.api.raw("GET", "/metrics")[2].decode(), re.MULTILINE)
        return float(found.group(1))

    def push(self, config=ONE_JOB, **files):
        self.repo = self.repository(files={".gitlab-ci.yml": config, **files})
        self.sha = self.repo.push()
        self.pipeline_id = self.pipeline(self.repo.id, self.sha)
        return self.pipeline_id

    def state(self, job):
        return self.api.get(f"/api/v4/projects/{self.repo.id}/jobs/{job.id}")

    def again(self):
        """A pipeline of one more commit, and its id."""
        self.sha = self.repo.push("Again")
        return self.pipeline(self.repo.id, self.sha)
