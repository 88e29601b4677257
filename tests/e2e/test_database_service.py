"""A real database as a job's service: PostgreSQL from Debian's packages, in an image that is made here."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import uuid

from harness import EndToEnd

# As the images that people use: initdb at the first start, the database that a variable names, then the server.
ENTRYPOINT = """\
#!/bin/sh
set -e
initdb --pgdata=/data/pg --auth-local=trust --auth-host=trust --no-locale --encoding=UTF8 > /dev/null
echo "listen_addresses = '*'" >> /data/pg/postgresql.conf
echo "unix_socket_directories = '/tmp'" >> /data/pg/postgresql.conf
echo "host all all all trust" >> /data/pg/pg_hba.conf
echo "CREATE DATABASE \\"$POSTGRES_DB\\"" | postgres --single -D /data/pg postgres > /dev/null
exec postgres -D /data/pg
"""

FILE = """\
query:
  image: IMAGE
  variables: {POSTGRES_DB: shop}
  services: [{name: IMAGE, alias: db, entrypoint: [/entrypoint]}]
  script:
    - psql -h db -U postgres -d shop -c 'CREATE TABLE items (name text, price int)'
    - psql -h db -U postgres -d shop -c "INSERT INTO items VALUES ('tea', 3), ('cake', 4)"
    - test "$(psql -h db -U postgres -d shop -At -c 'SELECT sum(price) FROM items')" = 7
"""


def libraries_of(programs):
    """What the dynamic linker would load for them."""
    said = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"(/\S+\.so\S*)(?= \(0x)", said))


class DatabaseService(EndToEnd):
    @classmethod
    def setUpClass(cls):
        home = max(pathlib.Path("/usr/lib/postgresql").glob("*"), key=lambda path: int(path.name))
        cls.image = f"slipway-postgres-{uuid.uuid4().hex[:8]}:test"
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            for part in ("bin", "etc", "data", "tmp"):
                (root / part).mkdir()
            (root / "tmp").chmod(0o1777)
            (root / "data").chmod(0o777)
            shutil.copy("/bin/busybox", root / "bin/busybox")
            for command in ("sh", "cat", "echo", "test"):
                (root / "bin" / command).symlink_to("busybox")
            for tree in (home, pathlib.Path("/usr/share/postgresql") / home.name):
                shutil.copytree(tree, root / tree.relative_to("/"), ignore=shutil.ignore_patterns("bitcode", "*.mo"))
            programs = [home / "bin" / program for program in ("postgres", "initdb", "psql", "pg_isready")]
            for library in libraries_of([str(program) for program in [*programs, *(home / "lib").glob("*.so")]]):
                target = root / library.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library, target)
            (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\npostgres:x:70:70::/data:/bin/sh\n")
            (root / "entrypoint").write_text(ENTRYPOINT)
            (root / "entrypoint").chmod(0o755)
            archive = subprocess.run(["tar", "-C", name, "-c", "."], check=True, capture_output=True).stdout
        changes = [f"ENV PATH={home}/bin:/bin", "USER postgres", "EXPOSE 5432",
                   "HEALTHCHECK --interval=1s CMD pg_isready -h 127.0.0.1 -U postgres"]
        subprocess.run(["docker", "import", *[word for change in changes for word in ("--change", change)], "-",
                        cls.image], input=archive, check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["docker", "rmi", "--force", cls.image], capture_output=True, check=False)

    def test_a_job_asks_a_database_that_is_its_service(self):
        self.runner("docker", runner_docker_services_timeout="60")
        repository = self.repository(files={".gitlab-ci.yml": FILE.replace("IMAGE", self.image)})
        pipeline = self.finished(repository.id, self.pipeline(repository.id, repository.push()))
        log = self.trace(repository.id, pipeline["jobs"]["query"]["id"]).decode()
        self.assertEqual(pipeline["status"], "success", log)
        # It was waited for, so no word of a service that does not answer.
        self.assertNotIn("WARNING", log)


if __name__ == "__main__":
    unittest.main()
