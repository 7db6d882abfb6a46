"""What the tests of the `aegis` program share."""
import os
import pty
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LIMIT = 60  # seconds until something that should happen counts as failed
aegis = ""  # the program's path


def run_on_terminal(command, answers="", **options):
    """What the command prints on a terminal where somebody types the answers, and its exit code."""
    leader, follower = pty.openpty()
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower,
                          **options) as process:
        os.close(follower)
        os.write(leader, answers.encode())
        printed = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # that is how the end of a terminal is told
                break
            if not part:
                break
            printed += part
    os.close(leader)
    return printed.decode(), process.returncode


class CommandCase(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)
        # No configuration but this: who commits, and no repository around the folder.
        self.environment = {**os.environ, "HOME": temporary.name, "GIT_AUTHOR_NAME": "A",
                            "GIT_AUTHOR_EMAIL": "a@localhost", "GIT_COMMITTER_NAME": "A",
                            "GIT_COMMITTER_EMAIL": "a@localhost",
                            "GIT_CEILING_DIRECTORIES": temporary.name}

    def command(self, *arguments):
        return [aegis, *arguments]

    def aegis(self, *arguments, code=0):
        done = subprocess.run(self.command(*arguments), cwd=self.directory, text=True,
                              capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL,
                              env=self.environment)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def files(self):
        return {path.name for path in self.directory.iterdir()}

    def assert_refused(self, arguments, what, hint):
        """One line that says what, a hint, exit code 2, and nothing written."""
        before = self.files()
        lines = self.aegis(*arguments, code=2).splitlines()
        self.assertEqual(len(lines), 2, lines)
        self.assertIn(what, lines[0])
        self.assertTrue(lines[0].startswith("aegis: "), lines)
        self.assertIn(hint, lines[1])
        self.assertEqual(self.files(), before)

    def on_terminal(self, answers, *arguments, code=0):
        """What it prints where there is somebody to ask."""
        printed, ended = run_on_terminal([aegis, *arguments], answers, cwd=self.directory,
                                         env=self.environment)
        self.assertEqual(ended, code, printed)
        return printed.replace("\r\n", "\n")


def main():
    """The command line of a test: the program's path, then unittest's options."""
    global aegis
    aegis = os.path.abspath(sys.argv.pop(1))
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(0 if result.wasSuccessful() else 1)
