"""Pipeline files that were made to do harm: any bytes at all give findings or a plan, in little memory.

Processor time is bounded only so that what never ends is ended.
"""

import json
import os
import pathlib
import resource
import subprocess
import tempfile
import unittest

BINARY = os.environ.get("SLIPWAY_BINARY", "build/dev/slipway")
MIB = 1 << 20
LONG = "a" * 1_000_000
JOB = "j:\n  script: x\n"


def alias_bomb():
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 12):
        text += f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]\n"
    return text


def lines(pattern, count):
    return "".join(pattern.format(i) for i in range(count))


def with_inputs(inputs, body):
    return f"spec:\n  inputs:\n{inputs}---\n{body}"


def jobs(count, body):
    return "".join(f"j{i}: {{script: x{body(i)}}}\n" for i in range(count))


HOSTILE = {
    "80,000 unknown keys": "j: {script: x, " + ", ".join(f"k{i}: 1" for i in range(80000)) + "}\n",
    "80,000 near keywords": "j:\n  script: x\n" + "  scirpt: 1\n" * 80000,
    "80,000 jobs without a script": "".join(f"b{i}: {{}}\n" for i in range(80000)),
    "as many brackets as fit": "[" * MIB,
    "as many braces as fit": "{" * MIB,
    "deep indentation": "".join(" " * i + "a:\n" for i in range(1000)),
    "deep dashes": "- " * (MIB // 2),
    "question marks": "? " * (MIB // 2),
    "an alias bomb": alias_bomb(),
    "an alias in itself": "a: &a [*a]\n",
    "a key as long as the file": "a" * (MIB - 20) + ":\n  script: x\n",
    "a quoted key as long as the file": '"' + "a" * (MIB - 30) + '": {scirpt: x}\n',
    "a line as long as the file": "j: {script: x, " + "b: 1, " * 100000 + "}\n",
    "NUL bytes": "\0" * MIB,
    "a NUL byte": "j:\n  script: a\0b\n",
    "bytes that are no UTF-8": b"j:\n  script: \xc3\x28 \xff\n",
    "UTF-16": "j:\n  script: x\n".encode("utf-16"),
    "random bytes": bytes((i * 7919 + (i >> 3) * 104729) & 0xFF for i in range(MIB)),
    "empty lines": "\n" * MIB,
    "nothing": "",
    "anchors": "&a " * (MIB // 3),
    "documents": "---\n" * (MIB // 4),
    "4,900 needs of nothing": jobs(4900, lambda i: f", needs: [k{i}]"),
    "30,000 stages and none of them": "stages: [" + ", ".join(f"s{i}" for i in range(30000)) + "]\n"
                                      + jobs(4900, lambda i: f", stage: t{i}"),
    "a long chain of bases": ".a0: {script: x}\n"
                             + "".join(f".a{i}: {{extends: .a{i - 1}}}\n" for i in range(1, 20000))
                             + "j: {extends: .a19999}\n",
    "a base that is heavy and often used": ".a: {variables: {"
                                           + ", ".join(f"v{i}: 1" for i in range(5000)) + "}}\n"
                                           + "".join(f"j{i}: {{extends: .a, script: x}}\n" for i in range(3000)),
    "unknown bases": "".join(f"j{i}: {{extends: k{i}}}\n" for i in range(40000)),
    "a long condition": "j:\n  script: x\n  rules:\n    - if: '" + "$A && " * 100000 + "$B'\n",
    "many rules": "j:\n  script: x\n  rules:\n" + "    - if: $A == \"b\"\n" * 40000,
    "a costly pattern": "j:\n  script: x\n  rules:\n"
                        + "    - if: '$A =~ /((a{1,1000}){1,1000}){1,1000}/'\n" * 10,
    "a matrix beyond all bounds": "j:\n  script: x\n  parallel:\n    matrix:\n      - "
                                  + "\n        ".join(f"V{i}: [a, b, c, d, e, f, g, h]" for i in range(8)) + "\n",
    "globs that multiply": "j:\n  script: x\n  rules:\n    - changes: ['" + "{a,b}" * 100 + "']\n",
    "more than any file may have": "#" * (3 * MIB),
    "references to nothing": "j:\n  script:\n" + lines("    - !reference [a{}, b]\n", 40_000),
    "conditions that are none": "j:\n  script: x\n" + "  rules:\n" + lines("    - if: '$A = {}'\n", 60_000),
    "variables of a wrong kind": JOB + "  variables:\n" + lines("    k{}: []\n", 80_000),
    "needs that end in a circle": lines("j{0}: {{script: x, needs: [j{0}0]}}\n", 20_000),
    "a long script in each job": ".b: {script: '" + LONG + "'}\n" + lines("j{}: {{extends: .b}}\n", 5_000),
    "a long script in parallel": "j: {parallel: 200, script: '" + LONG + "'}\n",
    "a long variable in each job": "variables: {A: '" + LONG + "'}\n" + lines("j{}: {{script: x}}\n", 5_000),
    "variables that grow": "variables:\n  A0: xxxxxxxxxx\n" + "".join(
        f"  A{i}: {f'$A{i - 1}' * 10}\n" for i in range(1, 60)) + JOB,
    "one long variable named often": "variables: {A: '" + LONG + "', B: '" + "$A" * 200_000 + "'}\n" + JOB,
    "many long variables": "variables:\n  A: '" + LONG + "'\n" + lines("  B{}: $A\n", 5_000) + JOB,
    "an environment of long variables": "variables: {A: '" + LONG + "'}\n" + JOB
                                        + "  environment: '" + "$A" * 200_000 + "'\n",
    "inputs without end": with_inputs(lines("    a{}: {{default: x}}\n", 80_000), JOB),
    "inputs that wait for each other": with_inputs(
        "".join(f"    a{i}: {{rules: [{{if: '$[[ inputs.a{i + 1} ]]', default: x}}]}}\n" for i in range(25_000)), JOB),
    "rules of an input without end": with_inputs(
        "    a: {default: x}\n    b:\n      default: y\n      rules:\n" +
        lines("        - {{if: '$[[ inputs.a ]] == \"z{}\"', default: q}}\n", 25_000), JOB),
    "blocks that are never closed": with_inputs("    a: {default: x}\n", "j: {script: '" + "$[[ " * 190_000 + "'}\n"),
    "one block after the other": with_inputs(
        "    a: {default: x}\n", "j: {script: '" + "$[[ inputs.a ]]" * 65_000 + "'}\n"),
    "a block of bars": with_inputs("    a: {default: x}\n", "j: {script: '$[[ inputs.a" + "|" * 900_000 + " ]]'}\n"),
    "a long input put in often": with_inputs(
        "    a: {default: '" + LONG + "'}\n", "j:\n  script:\n" + "    - $[[ inputs.a ]]\n" * 9_000),
    "a long list put in often": with_inputs(
        "    a: {type: array, default: [" + "x," * 200_000 + "]}\n",
        "j:\n  script:\n" + "    - b $[[ inputs.a ]]\n" * 9_000),
    "a function over a long input": with_inputs(
        "    a: {default: '" + LONG + "'}\n",
        "j:\n  script:\n" + lines("    - '$[[ inputs.a | truncate(9{:05},1) ]]'\n", 9_000)),
    "variables in a long input": with_inputs(
        "    a: {default: '" + "$A" * 450_000 + "'}\n",
        "j:\n  script:\n" + lines("    - '$[[ inputs.a | expand_vars | truncate({},1) ]]'\n", 9_000)),
    "globs that branch": JOB + "  rules:\n    - changes: ['" + "{a,b}" * 20_000 + "', '" + "**/" * 100_000 + "x']\n",
    "thousands of large patterns": JOB + "  rules:\n" + lines("    - if: '$A =~ /(a|b|c){{1,900}}{}/'\n", 20_000),
    "thousands of patterns that are too large": JOB + "  rules:\n" + lines(
        "    - if: '$A =~ /(\\p{{L}}\\pN){{200}}{}/'\n", 20_000),
    "a large pattern in a variable of each job": "variables: {A: b}\n" + lines(
        "j{0}: {{script: x, variables: {{P: '/(a|b|c){{1,900}}{0}/'}}, rules: [{{if: $A =~ $P}}]}}\n", 9_000),
    "large patterns for coverage": lines("j{0}: {{script: x, coverage: '/(a|b|c){{1,900}}{0}/'}}\n", 9_000),
    "large patterns of inputs": with_inputs(lines("    i{0}: {{default: a, regex: '(a|b|c){{1,900}}{0}'}}\n", 9_000), JOB),
    "a long text searched by many rules": JOB + "  variables: {A: '" + LONG + "'}\n  rules:\n" + lines(
        "    - if: '$A =~ /b.*c{}$/'\n", 20_000),
    "a long text searched for a text": JOB + "  variables: {A: b, B: '" + LONG + "'}\n  rules:\n"
                                       + "    - if: $A =~ $B\n" * 20_000,
    "a text searched for one that nearly fits": JOB + "  variables: {A: '" + LONG[:400_000] + "b', B: '" + LONG[:900_000]
                                                + "'}\n  rules: [{if: $A =~ $B}]\n",
    "a long variable of the workflow": "workflow: {rules: [{variables: {A: '" + LONG + "'}}]}\n"
                                       + lines("j{}: {{script: x}}\n", 9_000),
    "a long variable of a rule": ".r: {rules: [{variables: {A: '" + LONG + "'}}]}\n"
                                 + lines("j{}: {{script: x, extends: .r}}\n", 9_000),
    "a long image in each job": ".b: {script: x, image: '" + LONG + "'}\n" + lines("j{}: {{extends: .b}}\n", 9_000),
    "long names of resource groups": ".b: {script: x, variables: {A: '" + "a" * 9000 + "'}, resource_group: "
                                     + "$A" * 16 + "}\n" + lines("j{}: {{extends: .b}}\n", 9_000),
    "many variables in a job": "j: {script: x, environment: {name: $A0}, variables: {"
                               + ", ".join(f"A{i}: $A{i + 1}" for i in range(30_000)) + "}}\n",
    "many variables over as many": "variables: {" + ", ".join(f"V{i}: a" for i in range(50_000)) + "}\n"
                                   + "j: {script: x, variables: {" + ", ".join(f"V{i}: b" for i in range(50_000)) + "}}\n",
    "many variables of which each job takes some": "variables: {" + ", ".join(f"V{i}: a" for i in range(20_000)) + "}\n"
        + ".b: {script: x, inherit: {variables: [" + ", ".join(f"V{i}" for i in range(40)) + "]}}\n"
        + lines("j{}: {{extends: .b}}\n", 9_000),
    "a reason as long as the file": ".b: {script: x, rules: [" + ", ".join(
        "{if: '" + " && ".join(f"$V{k}" for k in range(500)) + "'}" for _ in range(200)) + "]}\n"
        + lines("j{}: {{extends: .b}}\n", 9_000),
    "references that lead nowhere, ten times on each of ten levels": "".join(
        f".a{i}: {{script: [" + ", ".join([f"!reference [.a{i + 1}, script]"] * 10) + "]}\n" for i in range(10)) + JOB,
    "child pipelines of itself": lines("t{}: {{trigger: {{include: .gitlab-ci.yml}}}}\n", 100),
    "a pattern without end": JOB + "  rules: [{if: '$A =~ /" + "(a*)*" * 200_000 + "/'}]\n",
}

# Several files, each within the limits of one.
HOSTILE_INCLUDES = {
    "short values in each of eight files": {
        ".gitlab-ci.yml": "include: [" + ", ".join(f"{i}.yml" for i in range(8)) + "]\n" + JOB,
        **{f"{i}.yml": f".a{i}: [" + "x," * 480_000 + "]\n" for i in range(8)}},
    "one file of short values again and again": {
        ".gitlab-ci.yml": "include: [" + ", ".join(["a.yml"] * 100) + "]\n" + JOB,
        "a.yml": ".a: [" + "x," * 30_000 + "]\n"},
    "aliases that grow in each of many files": {
        ".gitlab-ci.yml": "include: [" + ", ".join(f"{i}.yml" for i in range(100)) + "]\n" + JOB,
        **{f"{i}.yml": f".a{i}: &a [" + "x," * 100 + f"]\n.b{i}: &b [" + "*a," * 100 + f"]\n.c{i}: [" + "*b," * 40
                       + "]\n" for i in range(100)}},
    "a long input put into each of many files": {
        ".gitlab-ci.yml": "include:\n" + lines("  - {{local: a.yml, inputs: {{n: j{}}}}}\n", 100),
        "a.yml": "spec:\n  inputs:\n    n:\n    a: {default: '" + "a" * 60_000 + "'}\n---\n"
                 + "\"$[[ inputs.n ]]\":\n  script:\n" + "    - $[[ inputs.a ]]\n" * 100},
    "a long list put into each of many files": {
        ".gitlab-ci.yml": "include:\n" + lines("  - {{local: a.yml, inputs: {{n: j{}}}}}\n", 100),
        "a.yml": "spec:\n  inputs:\n    n:\n    a: {type: array, default: [" + "x," * 4_000 + "]}\n---\n"
                 + "\"$[[ inputs.n ]]\":\n  script: x\n  tags:\n" + "    - $[[ inputs.a ]]\n" * 100},
    "a file that includes itself": {".gitlab-ci.yml": "include: [.gitlab-ci.yml, .gitlab-ci.yml]\n" + JOB},
    "many keys below one merged again and again": {
        ".gitlab-ci.yml": "include: [big.yml, " + ", ".join(["a.yml"] * 140) + "]\n" + JOB,
        "big.yml": ".b:\n" + lines("  k{}: 1\n", 100_000), "a.yml": ".b: {one: 1}\n"},
    "many keys handed on from include to include": {
        ".gitlab-ci.yml": "include: [0.yml]\n" + JOB,
        **{f"{i}.yml": f"include: [{i + 1}.yml]\n.one: 1\n" for i in range(140)},
        "140.yml": lines(".k{}: 1\n", 100_000)},
    "many keys merged again and again": {
        ".gitlab-ci.yml": "include: [big.yml, " + ", ".join(["a.yml"] * 140) + "]\n" + JOB,
        "big.yml": lines(".k{}: 1\n", 100_000), "a.yml": ".one: 1\n"},
}


class HostileFiles(unittest.TestCase):
    # What sanitizers add, red zones, shadows and checks, is not the program's.
    SANITIZED = any(name.endswith("SAN_OPTIONS") for name in os.environ)
    SECONDS = 600 if SANITIZED else 30
    MEMORY = 256 * MIB

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="slipway-hostile-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def file(self, text):
        path = self.directory / ".gitlab-ci.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def limit(self):
        resource.setrlimit(resource.RLIMIT_CPU, (self.SECONDS, self.SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not self.SANITIZED:
            resource.setrlimit(resource.RLIMIT_DATA, (self.MEMORY, self.MEMORY))

    def run_bounded(self, *arguments):
        with open(self.directory / "out", "wb") as out:
            done = subprocess.run([BINARY, *arguments], cwd=self.directory, preexec_fn=self.limit, stdout=out,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
        output = (self.directory / "out").read_bytes()
        self.assertIn(done.returncode, (0, 3), output[:300])
        return done.returncode, output

    def test_findings_or_a_plan_come_of_any_bytes(self):
        for name, text in HOSTILE.items():
            with self.subTest(name):
                self.file(text)
                code, output = self.run_bounded("lint", "--strict")
                if code == 3:
                    self.assertRegex(output, rb"(error|warning): ")
                    self.assertLess(len(output), MIB)
                code, output = self.run_bounded("plan", "--changed", "x/" + "a" * 30, "--json")
                self.assertIn("created", json.loads(output[output.index(b"{\n"):]))

    def test_files_that_are_too_much_together_are_refused(self):
        for name, files in HOSTILE_INCLUDES.items():
            with self.subTest(name):
                for path, text in files.items():
                    (self.directory / path).write_text(text)
                code, output = self.run_bounded("lint", "--strict")
                if code == 3:
                    self.assertRegex(output, rb"error: ")
                self.run_bounded("plan", "--json")

    def test_all_files_share_one_budget_of_values(self):
        for name in ("short values in each of eight files", "one file of short values again and again",
                     "aliases that grow in each of many files"):
            with self.subTest(name):
                for path, text in HOSTILE_INCLUDES[name].items():
                    (self.directory / path).write_text(text)
                _, output = self.run_bounded("lint")
                self.assertIn(b"The parsed YAML is too big: more than 500000 values in all files together "
                              b"(setting pipeline_value_limit)", output)

    def test_more_findings_than_anybody_reads_are_counted(self):
        self.file(HOSTILE["80,000 unknown keys"])
        _, output = self.run_bounded("lint")
        self.assertIn(b"more problems like these are not shown", output)

    def test_jobs_that_are_too_much_together_are_refused(self):
        for name in ("a long script in each job", "a long script in parallel", "a long variable in each job"):
            with self.subTest(name):
                self.file(HOSTILE[name])
                _, output = self.run_bounded("lint")
                self.assertIn(b"The parsed YAML is too big: its jobs come to more than 67108864 bytes "
                              b"(setting pipeline_jobs_limit)", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
