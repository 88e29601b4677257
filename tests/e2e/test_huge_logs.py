"""Logs as large as jobs may make them: a line of a gigabyte, and ten million lines, to the last byte."""

import unittest
import urllib.request

from harness import EndToEnd

GIGABYTE = 1_000_000_000


class HugeLogs(EndToEnd):
    server_settings = {"trace_limit": "2G"}

    def ended(self, command):
        """The job that printed it, once its pipeline has succeeded."""
        self.runner()
        config = f"variables: {{GIT_STRATEGY: none}}\nlog:\n  script:\n    - {command}\n"
        repository = self.repository(files={".gitlab-ci.yml": config})
        pipeline = self.pipeline(repository.id, repository.push())
        result = self.finished(repository.id, pipeline, 300)
        self.assertEqual(result["status"], "success")
        self.path = f"/api/v4/projects/{repository.id}/jobs/{result['jobs']['log']['id']}/trace"
        return result["jobs"]["log"]

    def pieces(self):
        """The log, which is not held in memory as a whole."""
        request = urllib.request.Request(self.server.url + self.path, headers={"PRIVATE-TOKEN": self.api.token})
        with urllib.request.urlopen(request, timeout=60) as answer:
            while piece := answer.read(1 << 20):
                yield piece

    def test_a_line_of_a_gigabyte(self):
        job = self.ended(f"head -c {GIGABYTE} /dev/zero | tr '\\0' '#'; echo; echo end")

        size = marks = 0
        tail = b""
        for piece in self.pieces():
            size += len(piece)
            marks += piece.count(b"#")
            tail = (tail + piece)[-2000:]
        # The command itself is shown with one.
        self.assertEqual(marks, GIGABYTE + 1)
        self.assertEqual(size, job["trace_size"])
        self.assertIn(b"#\nend\n", tail)

    def test_ten_million_lines(self):
        job = self.ended("seq -f 'n%.0f' 10000000")

        size = 0
        expected = 1
        rest = b""
        for piece in self.pieces():
            size += len(piece)
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                if line.startswith(b"n") and line[1:].isdigit():
                    self.assertEqual(int(line[1:]), expected)
                    expected += 1
        self.assertEqual(expected, 10_000_001)
        self.assertEqual(size, job["trace_size"])


if __name__ == "__main__":
    unittest.main()
