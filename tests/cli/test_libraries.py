"""What every process carries: the shared libraries that the executable brings by itself."""

import os
import subprocess
import unittest

BINARY = os.environ.get("SLIPWAY_BINARY", "build/dev/slipway")


class Libraries(unittest.TestCase):
    def test_what_only_postgresql_needs_is_not_loaded_without_it(self):
        # Each of them costs every server on SQLite, and every runner, part of three megabytes.
        loaded = subprocess.run(["ldd", BINARY], capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertIn("libsoci_core.so", loaded)
        for library in ("libsoci_postgresql.so", "libpq.so", "libldap"):
            self.assertNotIn(library, loaded)


if __name__ == "__main__":
    unittest.main()
