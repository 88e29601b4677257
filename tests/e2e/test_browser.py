"""The pages of a real server, clicked through in Chromium while a real pipeline runs."""

import json
import os
import subprocess
import unittest

from harness import PASSWORD, SOURCE, EndToEnd

PIPELINE = """
stages: [build, test, security, deploy]
build:
  stage: build
  script:
    - printf '\\033[32mgreen words\\033[0m\\n'
    - for i in $(seq 1 60); do echo "building part $i"; sleep 0.1; done
test:
  stage: test
  script:
    - 'echo "Coverage: 91.25"'
    - cp $CI_PIPELINE_SOURCE.txt report.xml
    - cp $CI_PIPELINE_SOURCE.sast.json sast.json
    - cp $CI_PIPELINE_SOURCE.quality.json quality.json
  artifacts:
    reports:
      junit: report.xml
      sast: sast.json
      dependency_scanning: packages.json
      codequality: quality.json
      coverage_report: {coverage_format: lcov, path: coverage.info}
  coverage: '/Coverage: \\d+\\.\\d+/'
security:
  stage: security
  script: ["echo nothing found"]
deploy:
  stage: deploy
  script: ["echo deployed"]
  rules:
    - if: $CI_COMMIT_BRANCH == "main"
"""

REPORT = """<testsuites><testsuite name="basket">
<testcase classname="Basket" name="is empty at first" file="test/basket.test.js" time="0.012"/>
<testcase classname="Basket" name="adds the tax" time="1.8">
  <failure message="expected 119 to equal 120">    at test/basket.test.js:41:12</failure></testcase>
<testcase classname="Basket" name="ships abroad"><skipped message="no carrier yet"/></testcase>
<testcase classname="Basket" name="waits for the stock">
  <failure message="timed out after 500 ms"/></testcase>
<testcase classname="Basket" name="waits for the stock"/>
</testsuite></testsuites>
"""

COVERAGE = "".join(
    "SF:src/" + name + "\n"
    + "".join("DA:%d,%d\n" % (line + 1, 2 if line < covered else 0) for line in range(total))
    + "end_of_record\n"
    for name, covered, total in (("basket.js", 40, 50), ("ship.js", 6, 20), ("tax.js", 9, 9)))


def security_report(*found):
    return json.dumps({"version": "15.0.7", "vulnerabilities": list(found)})


SQL = {"name": "SQL text built from a request", "severity": "Critical", "solution": "Bind the value instead.",
       "description": "The parameter `id` reaches the statement unchanged.",
       "location": {"file": "src/basket.js", "start_line": 41}, "scanner": {"id": "semgrep", "name": "Semgrep"},
       "identifiers": [{"name": "semgrep.sql-injection"}, {"name": "CWE-89"}]}
PACKAGE = {"name": "Prototype pollution in lodash", "severity": "High", "identifiers": [{"name": "CVE-2020-8203"}],
           "location": {"file": "package-lock.json",
                        "dependency": {"package": {"name": "lodash"}, "version": "4.17.15"}}}
UNUSED = {"description": "'unused' is never used", "check_name": "no-unused-vars", "severity": "minor",
          "fingerprint": "1", "location": {"path": "src/tax.js", "lines": {"begin": 3}}}


class Browser(EndToEnd):
    def test_a_day_with_the_pages(self):
        self.runner()
        repository = self.repository("demo/shop", files={
            ".gitlab-ci.yml": PIPELINE, "push.txt": "<testsuite/>", "web.txt": REPORT,
            "coverage.info": COVERAGE, "packages.json": security_report(PACKAGE),
            "push.sast.json": security_report(), "web.sast.json": security_report(SQL),
            "push.quality.json": json.dumps([UNUSED]), "web.quality.json": "[]"})
        for branch in ("main", "feature/tax"):
            sha = repository.push("Work on " + branch, branch)
            self.finished(repository.id, self.pipeline(repository.id, sha))
        environment = {**os.environ, "SLIPWAY_URL": self.server.url, "SLIPWAY_USERNAME": "root",
                       "SLIPWAY_PASSWORD": PASSWORD, "SLIPWAY_PROJECT": "demo/shop",
                       "SLIPWAY_BRANCH": "feature/tax", "SLIPWAY_WATCHED_JOB": "build",
                       "SLIPWAY_FIRST_JOB": "build"}
        done = subprocess.run(["node", "--test", "tests/browser/pipeline.test.mjs"], cwd=SOURCE,
                              env=environment, capture_output=True, text=True, timeout=400)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
