"""The units of deploy/systemd: systemd understands them, they confine the service, they fit the program.

usage: systemd_test.py ROOT_OF_THE_REPOSITORY PATH_OF_SHIELDS [unittest options]
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = SHIELDS = None
INSTALLED = "/opt/shields/shields"  # where the units expect the program
EXPOSURE = 15  # the most that `systemd-analyze security` may find, in tenths; unconfined is 96


def run(*command, **env):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, **env}, check=False)


def seconds(duration):
    return int(re.fullmatch(r"(\d+)s?", duration)[1])


def directives(text):
    return set(re.findall(r"^(\w+)=", text, re.M))


def environment(text):
    lines = re.findall(r"^Environment=(.*)$", text, re.M)
    return dict(setting.split("=", 1) for line in lines for setting in line.split())


class Units(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name) / "units"
        shutil.copytree(ROOT / "deploy/systemd", self.folder)
        for unit in self.folder.glob("*.service"):
            unit.write_text(unit.read_text().replace(INSTALLED, str(SHIELDS)))
        self.services = sorted(self.folder.glob("*.service"))
        self.common = (self.folder / "shields-.service.d/common.conf").read_text()

    def verify(self):
        units = [*self.services, *self.folder.glob("*.socket"), *self.folder.glob("*.target")]
        return run("systemd-analyze", "verify", "--man=no", *units)

    def change(self, name, old, new):
        unit = self.folder / name
        self.assertIn(old, unit.read_text())
        unit.write_text(unit.read_text().replace(old, new))

    def test_systemd_understands_every_line(self):
        found = self.verify()
        self.assertEqual((found.returncode, found.stdout), (0, ""))

    def test_a_misspelt_directive_and_a_missing_program_are_found(self):
        self.change("shields-.service.d/common.conf", "ProtectSystem=", "ProtectSytem=")
        self.assertIn("ProtectSytem", self.verify().stdout)
        self.change("shields-scheduler.service", str(SHIELDS), "/nonexistent/shields")
        self.assertIn("/nonexistent/shields", self.verify().stdout)

    def exposure(self, unit):
        return run("systemd-analyze", "security", "--no-pager", "--offline=true",
                   f"--threshold={EXPOSURE}", unit)

    def test_the_services_are_confined(self):
        for unit in self.services:
            found = self.exposure(unit)
            self.assertEqual(found.returncode, 0, found.stdout)

    def test_a_service_that_is_not_confined_is_found(self):
        shutil.rmtree(self.folder / "shields-.service.d")
        self.assertNotEqual(self.exposure(self.folder / "shields-api.service").returncode, 0)

    def test_the_target_starts_every_unit(self):
        for unit in [*self.services, *self.folder.glob("*.socket")]:
            self.assertIn("\nWantedBy=shields.target\n", unit.read_text(), unit.name)

    def test_what_a_service_says_is_not_overridden(self):
        together = {"Wants", "After", "RestartPreventExitStatus", "Environment"}  # lists, which add up
        for unit in self.services:
            both = directives(unit.read_text()) & directives(self.common)
            self.assertEqual(both - together, set(), unit.name)
            self.assertEqual(set(environment(unit.read_text())) & set(environment(self.common)), set())

    def test_every_process_tells_its_health_at_a_port_of_its_own(self):
        ports = ["8000"]  # of the API
        for unit in self.services:
            given = environment(unit.read_text()).get("HEALTH_PORT")
            if "worker" in unit.name:
                ports += [given.replace("%i", str(i)) for i in range(1, 10)]
            elif "scheduler" in unit.name:
                ports.append(given)
            else:
                self.assertIsNone(given, unit.name)
        self.assertEqual(len(ports), len(set(ports)), ports)
        self.assertTrue(all(1024 < int(port) < 65536 for port in ports), ports)
        # One in the file of all would be stronger than these.
        self.assertNotIn("HEALTH_PORT", (self.folder / "example.env").read_text() + self.common)

    def test_the_program_knows_the_commands(self):
        for unit in self.services:
            command = re.search(rf"^ExecStart={re.escape(str(SHIELDS))} (.*)$", unit.read_text(), re.M)[1]
            self.assertIn(f"Usage: shields {command} ", run(SHIELDS, *command.split(), "--help").stdout)

    def test_the_program_takes_the_settings(self):
        given = dict(re.findall(r"^([A-Z_]+)=(.*)$", (self.folder / "example.env").read_text(), re.M))
        for text in (self.common, *(unit.read_text() for unit in self.services)):
            given.update((key, value.replace("%i", "1")) for key, value in environment(text).items())
        explained = re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
        self.assertEqual(set(given) - set(explained), set())
        found = run(SHIELDS, "config", ENV_FILE="/dev/null", **given)
        self.assertEqual(found.returncode, 0, found.stdout)

    def test_a_stop_has_the_time_that_the_program_takes(self):
        limit = re.search(r"SHUTDOWN_TIMEOUT=(\S+)", self.common)[1]
        stop = re.search(r"^TimeoutStopSec=(.*)$", self.common, re.M)[1]
        self.assertGreater(seconds(stop), seconds(limit))


if __name__ == "__main__":
    ROOT, SHIELDS = Path(sys.argv.pop(1)), Path(sys.argv.pop(1)).resolve()
    unittest.main()
