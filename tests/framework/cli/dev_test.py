#!/usr/bin/env python3
"""`aegis dev` on a project that it has not seen: built, served, changed in every way, broken and mended,
while a client sends requests and none may fail.

usage: dev_test.py INSTALLED_AEGIS FOLDER
"""
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

INSTALLED = FOLDER = None
LIMIT = 300  # seconds until something that should happen counts as failed: it may be a build


class Output:
    """What a process prints, line by line, to wait for."""

    def __init__(self, stream):
        self.lines = []
        self.changed = threading.Condition()
        threading.Thread(target=self.collect, args=(stream,), daemon=True).start()

    def collect(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def text(self, since=0):
        return "".join(self.lines[since:])

    def await_starts(self, count):
        """Until the program has been started so often. It says where it is before it answers."""
        def starts():
            return sum("Health" in line for line in self.lines) >= count
        with self.changed:
            if not self.changed.wait_for(starts, LIMIT):
                raise AssertionError(f"it was not started {count} times:\n{self.text()}")

    def await_line(self, pattern, since=0):
        """The match in the first line from `since` on that has it."""
        def found():
            return next(filter(None, (re.search(pattern, line) for line in self.lines[since:])), None)
        with self.changed:
            if not self.changed.wait_for(found, LIMIT):
                raise AssertionError(f"no line has {pattern!r}:\n{self.text()}")
            return found()


class Client(threading.Thread):
    """Sends requests until stop(), on connections of one request and of many, in turn."""

    # Servers may close a connection on which nothing was asked for a second. That is no failure, and
    # whoever is slower than this must reckon with it.
    PROMPT = 0.5

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.answers, self.failures = [], []
        self.changed = threading.Condition()
        self.stopped = False

    def run(self):
        keep = None
        for number in range(sys.maxsize):
            if self.stopped:
                break
            time.sleep(0.002)  # leaves the machine to the compiler
            connection = keep or http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
            began, sent = time.monotonic(), None
            try:
                connection.request("GET", "/hello?name=Athena")
                sent = time.monotonic()
                reply = connection.getresponse()
                body = reply.read().decode()
                if reply.status != 200:
                    self.failures.append(f"{reply.status} {body}")
                with self.changed:
                    self.answers.append(body)
                    self.changed.notify_all()
                keep = None if reply.will_close or number % 10 == 0 else connection
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
                if keep is None and (sent or time.monotonic()) - began < self.PROMPT:
                    self.failures.append(repr(error))
                keep = None
            except OSError as error:
                self.failures.append(repr(error))
                keep = None
            if keep is None:
                connection.close()
        if keep:
            keep.close()

    def await_answer(self, text):
        with self.changed:
            since = len(self.answers)
            if not self.changed.wait_for(lambda: any(text in a for a in self.answers[since:]), LIMIT):
                raise AssertionError(f"no answer has {text!r}; the last: {self.answers[-1:]}")

    def stop(self):
        self.stopped = True
        self.join()


def processes(of):
    """The processes that run a program below this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "exe")).is_relative_to(of):
                found.append(int(process.name))
        except OSError:
            pass  # ended, or another user's
    return found


class DevTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = (FOLDER / "dev").resolve()
        shutil.rmtree(cls.project, ignore_errors=True)
        FOLDER.mkdir(exist_ok=True)
        subprocess.run([INSTALLED / "bin/aegis", "init", "dev", "--no-git", "--components", "api",
                        "--output-dir", FOLDER], check=True, stdout=subprocess.DEVNULL)
        cls.hello = cls.project / "app/api/hello.cpp"
        cls.original = cls.hello.read_text()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.project)

    def setUp(self):
        self.hello.write_text(self.original)

    def start(self):
        environment = {**os.environ, "PORT": "0", "CMAKE_PREFIX_PATH": str(INSTALLED),
                       "CCACHE_BASEDIR": str(self.project), "CCACHE_NOHASHDIR": "1"}
        self.process = subprocess.Popen([INSTALLED / "bin/aegis", "dev"], cwd=self.project, text=True,
                                        env=environment, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.output = Output(self.process.stdout)
        port = int(self.output.await_line(r"aegis dev: http://127.0.0.1:(\d+)")[1])
        self.output.await_starts(1)
        return port

    def say(self, greeting):
        return self.original.replace("Hello", greeting)

    def test_it_builds_and_restarts_while_requests_go_on(self):
        client = Client(self.start())
        client.start()
        self.addCleanup(client.stop)
        client.await_answer("Hello, Athena!")

        self.hello.write_text(self.say("Hail"))  # in its place
        client.await_answer("Hail, Athena!")

        other = self.hello.with_name(".hello.cpp.new")  # as most editors do
        other.write_text(self.say("Welcome"))
        other.replace(self.hello)
        client.await_answer("Welcome, Athena!")

        seen = len(self.output.lines)
        self.hello.write_text(self.original.replace(";\n", "\n", 1))
        self.output.await_line(r"app/api/hello.cpp:\d+:\d+: .*';'", seen)
        self.output.await_line("A ';' is missing", seen)
        self.output.await_line("the program goes on as it was", seen)
        client.await_answer("Welcome, Athena!")

        greeting = self.project / "app/words/deep/greeting.h"  # in folders that are new
        greeting.parent.mkdir(parents=True)
        greeting.write_text('#define GREETING "Good day"\n')
        self.hello.write_text('#include "words/deep/greeting.h"\n' +
                              self.original.replace('"Hello', 'GREETING "'))
        client.await_answer("Good day, Athena!")
        greeting.write_text('#define GREETING "Good night"\n')
        client.await_answer("Good night, Athena!")

        self.output.await_starts(5)
        seen = len(self.output.lines)
        (self.project / ".env").write_text("LOG_LEVEL=warn\n")
        self.output.await_starts(6)
        self.assertNotIn("built in", self.output.text(seen))
        client.await_answer("Good night, Athena!")

        client.stop()
        self.assertEqual(client.failures, [])
        self.end()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(LIMIT), 0, self.output.text())
        self.assertEqual(processes(self.project), [])

    def test_nothing_stays_behind_when_it_is_killed(self):
        self.start()
        self.assertEqual(len(processes(self.project)), 1)
        self.process.kill()
        self.process.wait()
        # It is no child of this process: there is no event to wait for.
        deadline = time.monotonic() + LIMIT
        while processes(self.project) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(processes(self.project), [])

    def test_a_program_that_ends_is_told_and_started_again_after_a_change(self):
        self.start()
        os.kill(processes(self.project)[0], signal.SIGKILL)
        self.output.await_line("ended with exit code 137; waiting for a change")
        self.hello.write_text(self.original)
        self.output.await_starts(2)
        self.end()

    def test_outside_of_a_project(self):
        done = subprocess.run([INSTALLED / "bin/aegis", "dev"], cwd=FOLDER, text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("This is no project", done.stderr)


if __name__ == "__main__":
    INSTALLED, FOLDER = (Path(os.path.abspath(sys.argv.pop(1))) for _ in range(2))
    result = unittest.main(exit=False, verbosity=2).result
    sys.exit(0 if result.wasSuccessful() else 1)
