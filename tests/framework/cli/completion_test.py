"""What shells complete of a command line of `aegis`.

usage: completion_test.py PATH_OF_AEGIS [unittest options]
"""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import command_case

# Completes $1 as bash does when TAB is pressed at its end.
IN_BASH = r"""
eval "$(aegis completion bash)"
complete -p aegis >/dev/null || exit
COMP_LINE=$1 COMP_POINT=${#1}
_aegis aegis
printf '%s\n' "${COMPREPLY[@]}"
"""


class CompletionTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)
        (self.directory / "aegis").symlink_to(command_case.aegis)
        self.environment = {**os.environ,
                            "PATH": f"{self.directory}:{os.environ['PATH']}"}

    def run_in(self, *command, **options):
        done = subprocess.run(command, text=True, capture_output=True, env=self.environment,
                              cwd=self.directory, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def completed(self, line):
        return self.run_in("bash", "--norc", "-c", IN_BASH, "bash", line).split("\n")[:-1]

    def test_commands_and_options(self):
        commands = self.completed("aegis ")
        self.assertIn("init", commands)
        self.assertIn("dev", commands)
        self.assertNotIn("complete", commands)
        self.assertEqual(self.completed("aegis gen"), ["generate"])
        self.assertEqual(self.completed("aegis init armoury --comp"), ["--components"])
        self.assertEqual(self.completed("aegis version --j"), ["--json"])
        self.assertEqual(self.completed("aegis nothing of the kind "), self.completed("aegis "))

    def test_values(self):
        self.assertEqual(self.completed("aegis generate res"), ["resource"])
        self.assertEqual(self.completed("aegis completion f"), ["fish"])
        self.assertIn("worker", self.completed("aegis init armoury --components "))
        self.assertEqual(self.completed("aegis init armoury --components database,w"),
                         ["database,worker"])
        self.assertEqual(self.completed("aegis add worker sch"), ["scheduler"])
        (self.directory / "below").mkdir()
        self.assertEqual(self.completed("aegis init armoury --output-dir be"), ["below"])
        self.assertEqual(self.completed("aegis init x"), [""])

    def test_only_what_follows_a_colon_or_equals_sign_is_inserted(self):
        self.assertEqual(self.completed("aegis init armoury --components database=s"), ["sqlite"])
        self.assertEqual(self.completed("aegis generate model horn title:te"), ["text"])
        self.assertEqual(self.completed("aegis generate model horn title:text:u"), ["unique"])
        self.assertEqual(self.completed("aegis generate model horn title:text loud:b"), ["boolean"])

    def test_every_shell_reads_its_script(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.run_in(command_case.aegis, "completion", shell)
            if shutil.which(shell):
                file = self.directory / shell
                file.write_text(script)
                self.run_in(shell, "-n", file)
            self.assertIn("aegis", script)

    def test_another_shell(self):
        done = subprocess.run([command_case.aegis, "completion", "fsh"], text=True, capture_output=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn('did you mean "fish"?', done.stderr)


if __name__ == "__main__":
    command_case.main()
