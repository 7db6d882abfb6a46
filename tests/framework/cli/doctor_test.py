"""What `aegis doctor` finds, and how it says to mend it. With a PostgreSQL server at POSTGRES_URL.

usage: doctor_test.py PATH_OF_AEGIS [unittest options]
"""
import json
import os
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import command_case


class DoctorTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)
        (self.directory / "bin").mkdir()
        self.environment = {**os.environ, "PORT": "0", "LC_ALL": "C.UTF-8",
                            "PATH": f"{self.directory}/bin:{os.environ['PATH']}"}
        for name in ("DATABASE_URL", "NO_COLOR", "CMAKE_PREFIX_PATH"):
            self.environment.pop(name, None)

        self.command("clang++-19", "[ $1 = --version ] || cp /bin/true $3")  # takes no time

    def command(self, name, script):
        """A program that is found before the one of the machine."""
        path = self.directory / "bin" / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    def project(self, aegis="0.1.0"):
        (self.directory / "app").mkdir()
        (self.directory / "app/main.cpp").touch()
        (self.directory / "CMakeLists.txt").write_text(
            f"project(armoury VERSION 0.1.0)\nfind_package(aegis {aegis} CONFIG REQUIRED)\n")

    def doctor(self, *arguments):
        return subprocess.run([command_case.aegis, "doctor", *arguments], cwd=self.directory, text=True,
                              capture_output=True, env=self.environment)

    def checks(self):
        done = self.doctor("--json")
        report = json.loads(done.stdout)
        problems = [each for each in report["checks"] if each["status"] == "problem"]
        self.assertEqual(report["healthy"], not problems)
        self.assertEqual(done.returncode, 1 if problems else 0)
        self.assertNotIn("swordfish", done.stdout + done.stderr)
        return {each.pop("name"): each for each in report["checks"]}

    def assert_finds(self, name, status, found, mend=""):
        check = self.checks()[name]
        self.assertEqual(check["status"], status, check)
        self.assertIn(found, check["found"])
        self.assertIn(mend, check["mend"])

    def test_the_tools_of_this_machine(self):
        (self.directory / "bin/clang++-19").unlink()
        checks = self.checks()
        self.assertIn("compiles coroutines rightly", checks["compiler"]["found"])
        self.assertEqual(checks["ninja"]["status"], "ok")
        self.assertEqual(checks["time zones"]["status"], "ok")
        self.assertEqual(checks["locale"], {"status": "ok", "found": "UTF-8", "mend": ""})
        self.assertNotIn("database", checks)

    def test_a_compiler_that_is_missing_or_miscompiles(self):
        (self.directory / "CMakePresets.json").write_text('"CMAKE_CXX_COMPILER": "some-c++"')
        self.assert_finds("compiler", "problem", "there is no some-c++", "apt-get install clang-19")
        self.command("some-c++", "exit 1")
        self.assert_finds("compiler", "problem", "does not compile C++20 coroutines", "clang-19")
        # Its programs end with 1, as the probe does that finds itself miscompiled.
        self.command("some-c++", "cp /bin/false $3")
        self.assert_finds("compiler", "problem", "some-c++ miscompiles coroutines", "clang-19")

    def test_tools_and_packages_that_are_missing(self):
        self.command("mold", "exit 1")
        self.command("ninja", "exit 1")
        self.command("cmake", "echo cmake version 3.18.4")
        self.command("dpkg-query", "echo installed ninja-build; echo not-installed libpq-dev")
        self.assert_finds("mold", "warning", "linking takes longer", "apt-get install mold")
        self.assert_finds("ninja", "problem", "nothing can be built", "apt-get install ninja-build")
        self.assert_finds("cmake", "problem", "older than 3.25")
        self.assert_finds("packages build", "problem", "libpq-dev", "libpq-dev")
        self.assertNotIn("ninja-build", self.checks()["packages build"]["mend"])
        self.command("dpkg-query", "exit 127")
        self.assert_finds("packages", "warning", "no Debian")

    def test_the_installed_library(self):
        self.project(aegis="0.7.2")
        installed = self.directory / "installed/lib/cmake/aegis"
        installed.mkdir(parents=True)
        self.environment["CMAKE_PREFIX_PATH"] = str(self.directory / "installed")
        for version, status in (("0.7.2", "ok"), ("0.7.10", "ok"), ("0.7.1", "problem"),
                                ("0.8.0", "problem")):
            (installed / "aegisConfigVersion.cmake").write_text(f'set(PACKAGE_VERSION "{version}")\n')
            self.assert_finds("aegis", status, version)
        self.assert_finds("aegis", "problem", "made for 0.7.2")
        (self.directory / "build/dev").mkdir(parents=True)
        (self.directory / "build/dev/CMakeCache.txt").write_text(
            "A:PATH=b\nAEGIS_SOURCE:UNINITIALIZED=/home/me/aegis\n")
        self.assert_finds("aegis", "ok", "sources in /home/me/aegis")

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.environment["PORT"] = str(port)
            self.assert_finds("port", "problem", f"127.0.0.1:{port} is in use", "ss -ltnp")
        self.assert_finds("port", "ok", "free")

    def test_settings(self):
        self.project()
        self.assert_finds("settings", "warning", "no .env", "cp .env.example .env")
        (self.directory / ".env").write_text("LOG_LEVEL=loud\n")
        self.assert_finds("settings", "problem", "LOG_LEVEL", ".env")
        (self.directory / ".env").write_text("LOG_LEVEL=info\n")
        self.assert_finds("settings", "ok", "")

    def test_sqlite(self):
        self.environment["DATABASE_URL"] = "sqlite:///data/app.db"
        self.assert_finds("database", "ok", "data/app.db, to be made")
        (self.directory / "data").touch()
        self.assert_finds("database", "problem", "is no folder")
        self.environment["DATABASE_URL"] = f"sqlite:///{self.directory}/none/app.db"
        self.assert_finds("database", "problem", "there is no folder", "mkdir -p")
        self.environment["DATABASE_URL"] = "sqlite://:memory:"
        self.assert_finds("database", "ok", "in memory")

    def test_postgresql(self):
        with socket.socket() as reserved:  # nobody listens there
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
            self.environment["DATABASE_URL"] = f"postgresql://me:swordfish@127.0.0.1:{port}/armoury"
            self.assert_finds("database", "problem", "Connection refused", "postgresql")
            self.assert_finds("database", "problem", "postgresql://me:***@")
        for url in ("host=::1 password=swordfish", "postgresql://127.0.0.1/x password=swordfish"):
            self.environment["DATABASE_URL"] = url
            self.assert_finds("settings", "problem", "The ")  # and tells no password, as always
        url = os.environ.get("POSTGRES_URL")
        if url:
            self.environment["DATABASE_URL"] = url
            self.assert_finds("database", "ok", "PostgreSQL 1")

    def test_for_people(self):
        self.project()
        self.command("mold", "exit 1")
        printed = self.doctor().stdout
        self.assertIn("The project armoury\n", printed)
        self.assertRegex(printed, r"  warning  mold +not installed: .*\n +apt-get install mold\n")
        self.assertRegex(printed, r"\d+ problems?, \d+ warnings?\.\n$")
        self.assertNotIn("\x1b", printed)
        self.assertIn("\x1b[33mwarning \x1b[0m", self.on_terminal())
        self.environment["NO_COLOR"] = "1"
        self.assertNotIn("\x1b", self.on_terminal())

    def on_terminal(self):
        self.environment["TERM"] = "xterm"
        printed, _ = command_case.run_on_terminal([command_case.aegis, "doctor"],
                                                  cwd=self.directory, env=self.environment)
        return printed


if __name__ == "__main__":
    command_case.main()
