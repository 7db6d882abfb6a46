#!/usr/bin/env python3
"""Runs the shell blocks of a document, in order, and compares what they print with what it shows.

    run.py DOCUMENT.md [--replace OLD=NEW]…

    <!-- serve -->    `$ command`: a server, left running (the one before it is stopped first)
    <!-- run -->      `$ command` lines, each followed by its output; the lines of a here-document
                      begin with >. A `cd` holds for the blocks after it
    <!-- run: soon -->   the same, again and again until the output is as shown

In the output … stands for any text of a line, and alone for any lines. The commands run in an empty
folder, where files of the document that are not sources (.env) appear as they are shown. Ports are
free ones instead of those shown. --replace puts a program's real path into the commands.
"""

import argparse
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from extract import blocks

LIMIT = 60  # seconds until something that should happen counts as failed
SEPARATOR = "\x1e"
SHOWN_PORT = "8000"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def pattern(shown):
    """A regular expression for the output that the document shows."""
    text = ""
    for line in shown:
        if line == "…":
            text += "(?:.*\n)?"
        else:
            text += "[^\n]*".join(map(re.escape, line.split("…"))) + "\n"
    return re.compile(text, re.DOTALL)


def commands(block):
    """Pairs of a command and the lines of its output."""
    found = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (found[-1][0] + "\n" + line, [])
        elif found and "<< '" in found[-1][0] and line.startswith(">") and not found[-1][1]:
            found[-1] = (found[-1][0] + "\n" + line[1:].removeprefix(" "), [])
        elif found:
            found[-1][1].append(line)
        else:
            block.fail("a shell block begins with a line `$ command`")
    return found


class Session:
    def __init__(self, folder, replacements):
        self.folder = Path(folder).resolve()
        self.current = self.folder  # where commands run
        self.replacements = [tuple(each.split("=", 1)) for each in replacements]
        self.port = free_port()
        # `make test` runs this, whose reader runs `make` by itself.
        inherited = {name: value for name, value in os.environ.items()
                     if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        # The reader has told git who they are.
        identity = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
                    for key, value in (("NAME", "Reader"), ("EMAIL", "reader@localhost"))}
        self.environment = {**inherited, **identity, "PORT": self.port, "NO_COLOR": "1"}
        self.server, self.code = None, 0

    def real(self, text):
        for old, new in self.replacements:
            text = text.replace(old, new)
        return text.replace(SHOWN_PORT, self.port)

    def compare(self, block, command, shown, printed):
        expected = [self.real(line) for line in shown]
        if not self.as_shown(shown, printed):
            block.fail(f"$ {command}\nprinted\n{printed}\ninstead of\n" + "\n".join(expected))

    def as_shown(self, shown, printed):
        if printed and not printed.endswith("\n"):
            printed += "\n"
        return pattern([self.real(line) for line in shown]).fullmatch(printed) is not None

    def serve(self, block):
        self.stop(block)
        [(command, shown)] = commands(block)
        # make passes the signal on, waits, and then ends by it itself.
        self.code = -signal.SIGTERM if self.real(command).startswith("make ") else 0
        log = open(self.folder / "server.log", "ab")
        self.server = subprocess.Popen(shlex.split(self.real(command)), cwd=self.current, text=True,
                                       env=self.environment, stdout=subprocess.PIPE, stderr=log)
        printed = ""
        for count, line in enumerate(self.server.stdout, 1):
            printed += line
            if self.as_shown(shown, printed) or ("…" not in shown and count == len(shown)):
                break
        self.compare(block, command, shown, printed)
        self.await_ready(block)

    def await_ready(self, block):
        for _ in range(LIMIT * 20):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz"):
                    return
            except (urllib.error.URLError, ConnectionError):
                try:
                    self.server.wait(0.05)
                    break
                except subprocess.TimeoutExpired:
                    pass
        block.fail("the server does not get ready:\n" + (self.folder / "server.log").read_text())

    def run(self, block):
        listed = commands(block)
        deadline = time.monotonic() + (LIMIT if block.argument == "soon" else 0)
        while True:
            outputs = self.outputs_of(listed)
            pairs = list(zip(listed, outputs, strict=False))
            if (all(self.as_shown(shown, printed) for (_, shown), printed in pairs)
                    or time.monotonic() >= deadline):
                break
            time.sleep(0.05)
        for (command, shown), printed in pairs:
            self.compare(block, command, shown, printed)

    def outputs_of(self, listed):
        script = "".join(f"{self.real(command)}\nprintf '{SEPARATOR}'\n" for command, _ in listed)
        place = self.folder / "current"
        script += f"pwd >{shlex.quote(str(place))}\n"
        done = subprocess.run(["bash", "-c", script], cwd=self.current, env=self.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=10 * LIMIT)
        self.current = Path(place.read_text().strip())
        place.unlink()
        return done.stdout.split(SEPARATOR)

    def stop(self, block=None):
        if self.server is None:
            return
        server, self.server = self.server, None
        server.send_signal(signal.SIGTERM)
        try:
            code = server.wait(LIMIT)
        except subprocess.TimeoutExpired:
            server.kill()
            raise
        finally:
            server.stdout.close()
        if code != self.code:
            log = (self.folder / "server.log").read_text()
            raise SystemExit(f"the server ended with exit code {code}:\n{log}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("document", type=Path)
    arguments.add_argument("--replace", action="append", default=[], metavar="OLD=NEW")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(folder, options.replace)
        try:
            for block in blocks(options.document):
                if block.kind == "serve":
                    session.serve(block)
                elif block.kind == "run":
                    session.run(block)
                elif block.kind == "file" and block.language not in ("cpp", "cmake"):
                    (session.folder / block.argument).write_text(block.text, encoding="utf-8")
        finally:
            session.stop()


if __name__ == "__main__":
    sys.exit(main())
