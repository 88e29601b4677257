"""The database: PostgreSQL in place of SQLite, moving from one to the other, backups of a server that runs."""

import subprocess

from harness import BINARY, SOURCE, EndToEnd, wait_for

FILE = """
variables: {GIT_STRATEGY: none}
build:
  script:
    - echo made > thing
  artifacts: {paths: [thing]}
test:
  stage: test
  script:
    - "n=0; while [ ! -e %s ]; do n=$((n+1)); echo line $n; sleep 0.02; done; cat thing; echo all $n said"
"""


class Postgresql:
    """A PostgreSQL server that lives as long as its guardian reads."""

    def __init__(self):
        self.guardian = subprocess.Popen(
            [SOURCE / "tests/environment/with_postgresql", "sh", "-c", "echo $SLIPWAY_TEST_DATABASE; read _ || true"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.guardian.stdout.readline().strip()

    def stop(self):
        self.guardian.communicate()

    def database(self, name):
        subprocess.run(["psql", "--quiet", self.url, "--command", f"CREATE DATABASE {name}"], check=True)
        return self.url.replace("/postgres?", f"/{name}?")


class Stores(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.postgresql = Postgresql()
        cls.addClassCleanup(cls.postgresql.stop)

    def admin(self, *arguments):
        return subprocess.run([BINARY, "admin", *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              cwd=self.directory)

    def finished_pipeline(self):
        """(repository, pipeline), with an artifact and two logs."""
        gate = self.directory / "gate"
        gate.touch()
        repository = self.repository(files={".gitlab-ci.yml": FILE % gate})
        pipeline = self.pipeline(repository.id, repository.push())
        self.assertEqual(self.finished(repository.id, pipeline)["status"], "success")
        return repository, pipeline

    def what_is_kept(self, repository, pipeline):
        jobs = self.jobs(repository.id, pipeline)
        return (self.api.get(f"/api/v4/projects/{repository.id}/pipelines/{pipeline}"), jobs,
                {name: self.trace(repository.id, job["id"]) for name, job in jobs.items()},
                self.api.raw("GET", f"/api/v4/projects/{repository.id}/jobs/{jobs['build']['id']}/artifacts/thing")[2])

    def start_on(self, data=None, **settings):
        """The same server again, with another directory or database."""
        self.server.stop()
        if data:
            self.server.data = data
        self.server.settings.update(settings)
        self.server.start()

    def test_a_store_moves_to_postgresql_and_a_pipeline_there_survives_a_killed_server(self):
        runner = self.runner()
        repository, before = self.finished_pipeline()
        kept = self.what_is_kept(repository, before)
        url = self.postgresql.database("moved")
        refused = self.admin("migrate-store", self.server.data / "slipway.db", url)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("another server is running", refused.stderr)

        self.server.stop()
        moved = self.admin("migrate-store", self.server.data / "slipway.db", url)
        self.assertEqual(moved.returncode, 0, moved.stderr)
        self.assertIn("found the same", moved.stdout)
        (self.server.data / "slipway.db").unlink()
        self.start_on(database=url)
        self.assertFalse((self.server.data / "slipway.db").exists())
        self.assertEqual(self.what_is_kept(repository, before), kept)

        gate = self.directory / "second-gate"
        repository.write({".gitlab-ci.yml": FILE % gate})
        pipeline = self.pipeline(repository.id, repository.push())
        self.assertGreater(pipeline, before)
        job = self.job_in(repository.id, pipeline, "test", "running")
        wait_for("lines of its log", lambda: b"line 5\n" in self.trace(repository.id, job["id"]))
        self.server.kill()
        self.server.start()
        gate.touch()
        result = self.finished(repository.id, pipeline)
        self.assertEqual(result["status"], "success")
        log = self.trace(repository.id, job["id"]).decode()
        lines = [line for line in log.splitlines() if line.startswith("line ")]
        self.assertEqual(lines, [f"line {n + 1}" for n in range(len(lines))])
        self.assertIn("made\n", log)
        self.assertEqual(runner.process.poll(), None)

    def test_a_backup_of_a_running_server_is_a_server_elsewhere(self):
        self.runner()
        repository, pipeline = self.finished_pipeline()
        kept = self.what_is_kept(repository, pipeline)
        backup = self.directory / "backup"

        made = self.admin("backup", "--data-dir", self.server.data, "--with-key", backup)

        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual({path.name for path in backup.iterdir()},
                         {"slipway.db", "artifacts", "traces", "secret.key", "backup.json"})
        again = self.admin("backup", "--data-dir", self.server.data, backup)
        self.assertEqual(again.returncode, 1)
        self.assertIn("holds something already", again.stderr)
        in_use = self.admin("restore", "--data-dir", self.server.data, backup)
        self.assertEqual(in_use.returncode, 1)
        self.assertIn("another server is running", in_use.stderr)
        # What comes later is not in it.
        repository.push()

        for name, database in (("files", ""), ("postgresql", self.postgresql.database("restored"))):
            with self.subTest(name):
                data = self.directory / name
                settings = ["--database", database] if database else []
                restored = self.admin("restore", "--data-dir", data, *settings, backup)
                self.assertEqual(restored.returncode, 0, restored.stderr)
                full = self.admin("restore", "--data-dir", data, *settings, backup)
                self.assertEqual(full.returncode, 1)
                self.assertIn("already holds rows", full.stderr)
                self.start_on(data, database=database)
                self.assertEqual(self.what_is_kept(repository, pipeline), kept)
                self.assertEqual(len(self.api.get(f"/api/v4/projects/{repository.id}/pipelines")), 1)

        # And a backup of what is in PostgreSQL.
        second = self.directory / "second-backup"
        made = self.admin("backup", "--data-dir", self.server.data, "--database", self.server.settings["database"], second)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn("nobody opens what is sealed", made.stdout)
        self.assertFalse((second / "secret.key").exists())

    def test_a_second_server_on_the_same_database_is_refused(self):
        url = self.postgresql.database("shared")
        self.start_on(database=url)
        other = self.directory / "other"
        other.mkdir()
        done = subprocess.run([BINARY, "server", "--listen", "127.0.0.1:0", "--data-dir", other, "--database", url],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another server is running on", done.stderr)
        with_password = subprocess.run([BINARY, "server", "--database", url.replace("postgres@", "postgres:pw@")],
                                       capture_output=True, text=True, timeout=60)
        self.assertEqual(with_password.returncode, 3)
        self.assertIn("an address without a password", with_password.stderr)
        self.assertNotIn("pw@", with_password.stderr)
