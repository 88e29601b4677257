"""Runs the stand-in for a test and talks to it: `with StandIn(directory) as cluster: cluster.kubectl(...)`."""

import json
import os
import pathlib
import ssl
import subprocess
import sys
import urllib.request

SERVER = pathlib.Path(__file__).with_name("server.py")


class StandIn:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, str(SERVER), "--data", str(self.directory)],
                                        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the stand-in ended with {self.process.wait()}")
        started = json.loads(line)
        self.port, self.kubeconfig = started["port"], started["kubeconfig"]
        self.url = f"https://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def call(self, method, path, body=None, token=None):
        """The JSON answer; raises urllib's HTTPError."""
        token = token or (self.directory / "token").read_text().strip()
        request = urllib.request.Request(self.url + path, method=method,
                                         headers={"Authorization": "Bearer " + token})
        data = None if body is None else json.dumps(body).encode()
        trust = ssl.create_default_context(cafile=self.directory / "ca.crt")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=trust))
        with opener.open(request, data, timeout=30) as answer:
            return json.load(answer)

    def requests(self):
        return self.call("GET", "/stand-in/requests")

    def behave(self, rollout):
        self.call("PUT", "/stand-in/behaviour", {"rollout": rollout})

    def kubectl(self, program, *arguments, text=None):
        """The finished process, standard output and error as text."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "KUBECONFIG": self.kubeconfig}
        return subprocess.run([str(program), *arguments], env=environment, capture_output=True, input=text,
                              text=True, timeout=120)
