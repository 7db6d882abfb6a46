#!/usr/bin/env python3
"""Makes a project with `aegis init` and does with it what its user would: the format is checked, it is
built with warnings as errors and tested (`make test`), and served. With --grow it begins with a database
alone, the other components are added (`aegis add`), and a part of each kind is generated; parts whose
names Aegis has, too, are seen to compile.

With POSTGRES_URL in the environment, on that database.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

LIMIT = 60  # seconds until something that should happen counts as failed
POSTGRES_URL = os.environ.get("POSTGRES_URL")


def run(folder, *command, **env):
    print("$", *command, flush=True)
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nexit code {done.returncode}")
    return done.stdout


def ask(url, body=None):
    request = urllib.request.Request(url, body and json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=LIMIT) as reply:
        is_json = reply.headers["Content-Type"] == "application/json"
        return json.load(reply) if is_json else reply.read()


def await_answer(url, good, why):
    """Asks again until the answer is good; there is no event to wait for from outside."""
    deadline = time.monotonic() + LIMIT
    answer = None
    while time.monotonic() < deadline:
        try:
            answer = ask(url)
            if good(answer):
                return answer
        except (urllib.error.URLError, ConnectionError) as error:
            answer = error
        time.sleep(0.05)
    sys.exit(f"{why}: {answer}")


def check_settings(project, program):
    """Each setting of .env.example is one of the program's."""
    known = run(project, program, "config")
    for key in re.findall(r"^(?:# )?([A-Z_]+)=", (project / ".env.example").read_text(), re.M):
        if not re.search(rf"^{key}\b", known, re.M):
            sys.exit(f".env.example has {key}, which is no setting of the program:\n{known}")


def check_names(folder, installed):
    """Parts that are called as something in Aegis or the C library compile."""
    project = folder / "names"
    aegis = installed / "bin/aegis"
    run(folder, aegis, "init", project.name, "--components", "scheduler", "--no-git")
    fields = ["title:text", "session:text:optional", "import:boolean"]
    resources, together = [], []  # a resource's functions have the names of another's
    for part in (["resource", "session", *fields], ["resource", "page", *fields],
                 ["model", "order", *fields], ["job", "body", *fields], ["job", "job_context"],
                 ["schedule", "zone", "@daily"], ["schedule", "FILE", "every 1h"],
                 ["handler", "show"], ["handler", "answer"], ["handler", "signal"]):
        made = json.loads(run(project, aegis, "generate", "--json", *part))["files"]
        for path in (each["path"] for each in made if each["path"].endswith(".cpp")):
            is_resource = part[0] == "resource" and path.startswith("app/api/")
            (resources if is_resource else together).append(path)
    registries = {"app/application.cpp", "app/scheduler/schedules.cpp"}
    together = [*sorted(set(together) - registries), *sorted(registries)]
    for number, paths in enumerate([*([each] for each in resources), together]):
        source = project / f"names{number}.cpp"
        source.write_text("".join(f'#include "{path}"\n' for path in paths))
        run(project, "clang++-19", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic",
            "-Wshadow", "-Wconversion", "-Werror", "-I.", "-Iapp", f"-I{installed / 'include'}",
            source)


def serve(project, program, has_database, has_worker):
    environment = {**os.environ, "PORT": "0"}
    if POSTGRES_URL:
        environment["DATABASE_URL"] = POSTGRES_URL
    process = subprocess.Popen([program, "serve"], cwd=project, env=environment, text=True,
                               stdout=subprocess.PIPE)
    try:
        banner = "".join(process.stdout.readline() for _ in range(4))
        url = re.search(r"http://\S+:\d+", banner)[0]
        await_answer(f"{url}/readyz", lambda _: True, "it does not get ready")
        health = await_answer(f"{url}/health/detailed", lambda answer: answer["healthy"], "health")
        if health["service"] != project.name:
            sys.exit(f"it does not know its name: {health}")
        if ("database" in health["components"]) != has_database:
            sys.exit(f"the database in its health: {health}")
        if not has_database and (project / "data").exists():
            sys.exit("it made a database which it has no use for")
        if ask(f"{url}/hello?name=Athena") != {"message": "Hello, Athena!"}:
            sys.exit("/hello does not greet")
        if has_database:
            shield = ask(f"{url}/shields", {"name": "Dragon Scale"})
            path = f"{url}/shields/{shield['id']}"
            await_answer(path, lambda answer: not has_worker or answer["enchantment"], "no runes")
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(LIMIT)
    if code != 0:
        sys.exit(f"it ended with exit code {code}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("name")
    arguments.add_argument("--components", required=True)
    arguments.add_argument("--installed", type=Path, required=True)
    arguments.add_argument("--folder", type=Path, required=True)
    arguments.add_argument("--grow", action="store_true")
    arguments.add_argument("--source", type=Path)
    options = arguments.parse_args()

    # All have one name and ccache's entries are of relative paths, so that they share them.
    folder = options.folder / options.name
    project = folder / "armoury"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    aegis = options.installed / "bin/aegis"
    run(folder, aegis, "init", project.name, "--components",
        "database" if options.grow else options.components, "--no-git")
    if options.grow:
        check_names(folder, options.installed)
        for part in (["handler", "status"], ["model", "echo", "loud:boolean"],
                     ["resource", "war-horn", "title:text:unique", "volume:integer",
                      "pitch:real:optional", "blown_at:timestamp:optional:indexed"]):
            run(project, aegis, "generate", *part)
        run(project, aegis, "add", options.components, "--force")
        for part in (["job", "tidy"], ["job", "sound_alarm", "horn_id:integer"],
                     ["schedule", "tidy", "every 15m"],
                     ["schedule", "count-horns", "30 3 * * MON-FRI"]):
            run(project, aegis, "generate", *part)
    sources = [*project.rglob("*.h"), *project.rglob("*.cpp")]
    if shutil.which("clang-format-19"):
        run(project, "clang-format-19", "--dry-run", "--Werror", *sources)

    environment = {"CI": "1", "CMAKE_PREFIX_PATH": str(options.installed),
                   "CCACHE_BASEDIR": str(project), "CCACHE_NOHASHDIR": "1"}
    if options.source:
        environment["AEGIS_SOURCE"] = str(options.source)
    run(project, "make", "test", **environment)

    shutil.copy(project / ".env.example", project / ".env")
    program = project / "build/dev" / project.name
    check_settings(project, program)
    if options.grow:
        run(project, program, "db", "revision", "-m", "create what was generated")
    has_database = (project / "migrations").is_dir()
    serve(project, program, has_database, (project / "app/worker").is_dir())
    if has_database:
        database = {"DATABASE_URL": POSTGRES_URL} if POSTGRES_URL else {}
        run(project, program, "db", "check", **database)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
