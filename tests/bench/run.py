#!/usr/bin/env python3
"""Measures Aegis beside references in the same run and prints a table (see README.md).

    run.py [--build DIR] [--only NAME]... [--quick] [--json FILE] [--dir DIR]

Exits 1 when a measurement is broken (a wrong status, a lost write, a server that does not start);
a bar that is missed is printed as missed.
"""

import argparse
import http.client
import json
import os
import re
import shlex
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

CONNECTIONS = 64
PIPELINE = 16
POST = ("/shields", "--status", 201, "--post", '{"name":"bench-{unique}","defense_rating":42}')


class Broken(Exception):
    """The measurement cannot be trusted."""


# ---- what is started -------------------------------------------------------------------------


class Server:
    """A server process on a free loopback port and a CPU of its own."""

    def __init__(self, bench: "Bench", command: list[str], environment: dict[str, str]):
        self.port = free_port()
        self.log = bench.directory / "server.log"
        environment = {**os.environ, **environment, "PORT": str(self.port)}
        begin = time.perf_counter()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [part.format(port=self.port) for part in command], env=environment,
                cwd=bench.directory, stdout=log, stderr=log,
                preexec_fn=lambda: os.sched_setaffinity(0, {bench.server_cpu}))
        try:
            self._await_first_answer()
        except BaseException:
            self.kill()
            raise
        self.start_ms = (time.perf_counter() - begin) * 1000

    def _await_first_answer(self) -> None:
        status = self._poll("/plaintext", lambda status: True)
        if status != 200:
            raise Broken(f"GET /plaintext answered {status}, expected 200")

    def await_ready(self) -> None:
        """Until its database is prepared: the tables are there."""
        self._poll("/readyz", lambda status: status == 200)

    def _poll(self, path: str, enough: Callable[[int], bool]) -> int:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Broken(self._told(f"exited with {self.process.returncode}"))
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", path)
                status = connection.getresponse().status
                if enough(status):
                    return status
            except ConnectionError:
                pass
            finally:
                connection.close()
            time.sleep(0.0005)
        raise Broken(self._told(f"did not answer GET {path} as hoped within 10 s"))

    def cpu_seconds(self) -> float:
        """User and system time of all its threads, also those that have ended."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Broken(self._told("did not end within 10 s of SIGTERM")) from None
        if code not in (0, -signal.SIGTERM):
            raise Broken(self._told(f"exited with {code}"))

    def _told(self, what: str) -> str:
        return f"{self.process.args[0]} {what}; its output:\n{self.log.read_text(errors='replace')}"


@dataclass
class LoadResult:
    requests: int
    per_second: float
    cpu_us: float  # of the server, per request
    busy: float  # share of its CPU the server used; well below 1, something else set the pace
    latency_us: dict[str, float]


class Bench:
    """The programs, the machine and how long to measure."""

    def __init__(self, build: Path, directory: Path, seconds: float):
        self.build = build
        self.directory = directory
        self.seconds = seconds
        cpus = sorted(os.sched_getaffinity(0))
        self.server_cpu, self.load_cpu = cpus[0], cpus[-1]
        os.sched_setaffinity(0, {self.load_cpu})  # and what this process starts, save the servers

    def program(self, name: str) -> str:
        path = self.build / "tests" / "bench" / name
        if not path.exists():
            raise Broken(f"{path} is not built")
        return str(path)

    @contextmanager
    def server(self, command: list[str], environment: dict[str, str] | None = None):
        server = Server(self, command, environment or {})
        try:
            yield server
        except BaseException:
            server.kill()
            raise
        server.stop()

    def epoll(self):
        return self.server([self.program("epoll_server"), "{port}", "--request-id"])

    def aegis(self, database: Path | None = None, url: str | None = None):
        """The shields routes and GET /plaintext, on one I/O thread."""
        url = url or f"sqlite:///{database or self.fresh_directory() / 'bench.db'}"
        environment = {"DATABASE_URL": url, "IO_THREADS": "1", "LOG_LEVEL": "warn"}
        return self.server([self.program("bench_service"), "serve"], environment)

    def load(self, server: Server, path: str, *options: object, seconds=None) -> LoadResult:
        seconds = seconds or self.seconds
        before = server.cpu_seconds()
        out = self.run_json([self.program("load"), str(server.port), path, "--connections",
                             str(CONNECTIONS), "--seconds", str(seconds), *map(str, options)])
        cpu = server.cpu_seconds() - before
        return LoadResult(out["requests"], out["requests_per_s"], cpu / out["requests"] * 1e6,
                          cpu / out["seconds"], out["latency_us"])

    def warm_load(self, server: Server, path: str, *options: object) -> LoadResult:
        self.load(server, path, *options, seconds=0.2)
        return self.load(server, path, *options)

    def run_json(self, command: list[str], **how) -> dict:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, **how)
        if done.returncode != 0:
            raise Broken(f"{shlex.join(command)}:\n{done.stderr}")
        return json.loads(done.stdout)

    def fresh_directory(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.directory))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- what is measured ------------------------------------------------------------------------


@dataclass
class Sample:
    reference: float
    aegis: float
    details: dict = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return self.aegis / self.reference

    @property
    def busy(self) -> float:
        """The share of its CPU that a server under load used; the lower of the two."""
        return min((side["busy"] for side in self.details.values() if "busy" in side), default=1)


def beside(reference: LoadResult, aegis: LoadResult, figure: str) -> Sample:
    return Sample(getattr(reference, figure), getattr(aegis, figure),
                  {"reference": vars(reference), "aegis": vars(aegis)})


def plaintext(bench: Bench, figure: str, *options: object) -> Sample:
    with bench.epoll() as server:
        reference = bench.warm_load(server, "/plaintext", *options)
    with bench.aegis() as server:
        aegis = bench.warm_load(server, "/plaintext", *options)
    return beside(reference, aegis, figure)


def plaintext_cpu(bench: Bench) -> Sample:
    return plaintext(bench, "cpu_us")


def plaintext_pipelined(bench: Bench) -> Sample:
    return plaintext(bench, "per_second", "--depth", PIPELINE)


def shield_by_id(bench: Bench) -> Sample:
    with bench.aegis() as server:
        server.await_ready()
        stored = bench.load(server, *POST, seconds=0.2).requests
        reference = bench.warm_load(server, "/plaintext")
        aegis = bench.warm_load(server, "/shields/{id}", "--ids", min(stored, 1000))
    return beside(reference, aegis, "per_second")


def post_shield(bench: Bench) -> Sample:
    bare = bench.run_json([bench.program("sqlite_reference"), str(bench.fresh_directory()),
                           str(bench.seconds)])
    database = bench.fresh_directory() / "bench.db"
    with bench.aegis(database) as server:
        server.await_ready()
        warm_up = bench.load(server, *POST, seconds=0.2)
        aegis = bench.load(server, *POST)
    acknowledged = warm_up.requests + aegis.requests
    with sqlite3.connect(database) as db:
        (stored,) = db.execute("SELECT count(*) FROM shield").fetchone()
    if stored != acknowledged:
        raise Broken(f"{acknowledged} inserts were acknowledged, {stored} are stored in {database}")
    return Sample(bare["grouped_inserts_per_s"], aegis.per_second,
                  {"bare": bare, "aegis": vars(aegis)})


# ---- PostgreSQL: its server is with_postgres's, its URL in POSTGRES_URL -----------------------

ACCOUNTS = 100_000
PGBENCH_CLIENTS = 16
POSTGRES_TABLES = f"""
    DROP TABLE IF EXISTS account, event, copied, shield;
    CREATE TABLE account (id bigint PRIMARY KEY, balance bigint NOT NULL);
    INSERT INTO account SELECT i, i FROM generate_series(1, {ACCOUNTS}) AS i;
    CREATE TABLE event (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text NOT NULL);
    CREATE TABLE copied (LIKE event INCLUDING ALL);
    ANALYZE account;"""


def postgres_url() -> str:
    url = os.environ.get("POSTGRES_URL")
    if not url:
        raise Broken("POSTGRES_URL is not set: run this file through with_postgres")
    return url


def on_all_cpus() -> None:
    os.sched_setaffinity(0, range(os.cpu_count()))


def psql(*arguments: str) -> str:
    done = subprocess.run(["psql", "--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", postgres_url(),
                           *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Broken(done.stderr)
    return done.stdout


def pgbench(bench: Bench, script: str) -> float:
    """Transactions a second of a script, prepared, from 16 clients."""
    file = bench.directory / "script.sql"
    file.write_text(script)
    done = subprocess.run(
        ["pgbench", "-n", "-M", "prepared", "-c", str(PGBENCH_CLIENTS), "-T",
         str(max(1, round(bench.seconds))), "-f", str(file), postgres_url()],
        capture_output=True, text=True, timeout=60, preexec_fn=on_all_cpus)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode != 0 or not found:
        raise Broken(done.stderr)
    return float(found[1])


def sessions(bench: Bench, work: str, amount: float) -> dict:
    return bench.run_json([bench.program("database_sessions"), work, postgres_url(), str(amount)],
                          preexec_fn=on_all_cpus)


def bare_libpq(bench: Bench, work: str) -> dict:
    return bench.run_json([bench.program("postgres_reference"), work, postgres_url(),
                           str(bench.seconds)], preexec_fn=on_all_cpus)


def pg_selects_pgbench(bench: Bench) -> Sample:
    psql("-c", POSTGRES_TABLES)
    return Sample(pgbench(bench, f"\\set id random(1, {ACCOUNTS})\n"
                                 "SELECT id, balance FROM account WHERE id = :id;\n"),
                  sessions(bench, "select", bench.seconds)["per_s"])


def pg_selects_libpq(bench: Bench) -> Sample:
    psql("-c", POSTGRES_TABLES)
    return Sample(bare_libpq(bench, "select")["per_s"],
                  sessions(bench, "select", bench.seconds)["per_s"])


def pg_latency(bench: Bench) -> Sample:
    psql("-c", POSTGRES_TABLES)
    return Sample(bare_libpq(bench, "latency")["median_us"],
                  sessions(bench, "latency", bench.seconds)["median_us"])


def pg_inserts(bench: Bench) -> Sample:
    psql("-c", POSTGRES_TABLES)
    return Sample(pgbench(bench, "\\set n random(1, 1000000)\n"
                                 "INSERT INTO event (name) VALUES ('event ' || :n);\n"),
                  sessions(bench, "insert", bench.seconds)["per_s"])


def pg_bulk(bench: Bench) -> Sample:
    """Rows a second."""
    rows = 100_000
    psql("-c", POSTGRES_TABLES)
    file = bench.directory / "events.txt"
    file.write_text("".join(f"event {i}\n" for i in range(rows)))
    told = psql("-c", "\\timing on", "-c", f"\\copy copied (name) from '{file}'")
    copied_ms = float(re.search(r"Time: ([\d.]+) ms", told)[1])
    inserted_ms = sessions(bench, "bulk", rows)["ms"]
    if psql("-At", "-c", "SELECT count(*) FROM event").strip() != str(rows):
        raise Broken("not all rows are there")
    return Sample(rows / copied_ms * 1000, rows / inserted_ms * 1000)


def pg_shield_by_id(bench: Bench) -> Sample:
    def measure(**database) -> LoadResult:
        with bench.aegis(**database) as server:
            server.await_ready()
            stored = bench.load(server, *POST, seconds=0.2).requests
            return bench.warm_load(server, "/shields/{id}", "--ids", min(stored, 1000))
    psql("-c", POSTGRES_TABLES)
    return beside(measure(), measure(url=postgres_url()), "per_second")


# ---- jobs, on both databases -------------------------------------------------------------------

JOBS = 50_000
JOBS_TABLES = ("aegis_job", "aegis_job_finished", "aegis_worker", "aegis_queue", "aegis_job_limit",
               "aegis_job_line", "aegis_job_after", "aegis_job_step", "aegis_job_unique",
               "aegis_schedule", "aegis_schedule_run", "bare_job")


def jobs(bench: Bench, program: str, work: str, postgres: bool, amount: int = JOBS) -> dict:
    """Runs in an empty database."""
    if postgres:
        psql("-c", f"DROP TABLE IF EXISTS {', '.join(JOBS_TABLES)}")
        url = postgres_url()
    else:
        url = f"sqlite:///{bench.fresh_directory() / 'jobs.db'}"
    return bench.run_json([bench.program(program), work, url, str(amount)],
                          preexec_fn=on_all_cpus)


def jobs_beside_sql(work: str, postgres: bool) -> Callable[[Bench], Sample]:
    def measure(bench: Bench) -> Sample:
        return Sample(jobs(bench, "jobs_reference", work, postgres)["per_s"],
                      jobs(bench, "jobs", work, postgres)["per_s"])
    return measure


GRAPHILE_WORKER = Path(__file__).with_name("graphile_worker.mjs")
has_graphile_worker = GRAPHILE_WORKER.with_name("node_modules").joinpath("graphile-worker").is_dir()


def jobs_beside_graphile_worker(bench: Bench) -> Sample:
    return Sample(bench.run_json(["node", str(GRAPHILE_WORKER), postgres_url(), str(JOBS)],
                                 preexec_fn=on_all_cpus)["per_s"],
                  jobs(bench, "jobs", "drain", postgres=True)["per_s"])


def jobs_beside_a_million(postgres: bool) -> Callable[[Bench], Sample]:
    def measure(bench: Bench) -> Sample:
        return Sample(jobs(bench, "jobs", "drain", postgres)["per_s"],
                      jobs(bench, "jobs", "million", postgres)["per_s"])
    return measure


def jobs_latency(figure: str, postgres: bool) -> Callable[[Bench], Sample]:
    """Of 200 jobs a second; the reference is the other figure of the same run."""
    def measure(bench: Bench) -> Sample:
        found = jobs(bench, "jobs", "latency", postgres, max(1, round(bench.seconds)))
        return Sample(found["p50_us"] / 1000, found[figure] / 1000)
    return measure


SCHEDULES = 10_000


def schedules_due(work: str, postgres: bool) -> Callable[[Bench], Sample]:
    """Beside as many rows, inserted by 1,000."""
    def measure(bench: Bench) -> Sample:
        return Sample(SCHEDULES / jobs(bench, "jobs_reference", "enqueue", postgres,
                                       SCHEDULES)["per_s"],
                      jobs(bench, "schedules", work, postgres, SCHEDULES)["seconds"])
    return measure


def schedules_latency(postgres: bool) -> tuple[Callable[[Bench], Sample], ...]:
    """p50 and p99 of 20 a second; the reference is a timer for the same moments in the same process.
    Both come from the same runs."""
    runs: list[dict] = []

    def p50(bench: Bench) -> Sample:
        runs.append(jobs(bench, "schedules", "latency", postgres, max(2, round(3 * bench.seconds))))
        return Sample(runs[-1]["timer_p50_us"] / 1000, runs[-1]["p50_us"] / 1000)

    def p99(bench: Bench) -> Sample:
        if not runs:
            p50(bench)
        run = runs.pop(0)
        return Sample(run["timer_p99_us"] / 1000, run["p99_us"] / 1000)

    return p50, p99


def schedules_idle(postgres: bool) -> Callable[[Bench], Sample]:
    """Beside a scheduler of none."""
    def measure(bench: Bench) -> Sample:
        return Sample(max(jobs(bench, "schedules", "idle", postgres, 0)["percent"], 0.001),
                      jobs(bench, "schedules", "idle", postgres, SCHEDULES)["percent"])
    return measure


def compile_handlers(bench: Bench) -> Sample:
    """CPU of compiling shield_handlers.cpp; the reference includes Asio, Beast and JSON as well."""
    command = handler_command(bench)
    heavy = ["-includeboost/asio.hpp", "-includeboost/beast.hpp", "-includeboost/json.hpp"]
    empty = bench.directory / "empty.cpp"
    empty.write_text("#include <string>\n")
    child_cpu(command, bench.directory)  # warms the page cache
    return Sample(child_cpu([command[0], *heavy, *command[1:]], bench.directory),
                  child_cpu(command, bench.directory),
                  {"empty_file": {"cpu": child_cpu([*command[:-1], str(empty)], bench.directory)}})


def handler_command(bench: Bench) -> list[str]:
    """How the build compiles shield_handlers.cpp, without ccache and -g, the source last."""
    for entry in json.loads((bench.build / "compile_commands.json").read_text()):
        if Path(entry["file"]).name == "shield_handlers.cpp":
            words = shlex.split(entry["command"])
            if Path(words[0]).name == "ccache":
                del words[0]
            for option in ("-o", "-c"):
                at = words.index(option)
                del words[at : at + 2]
            return [*words, "-O2", "-g0", "-c", "-o", "/dev/null", entry["file"]]
    raise Broken(f"{bench.build}/compile_commands.json does not name shield_handlers.cpp")


def child_cpu(command: list[str], directory: Path) -> float:
    before = os.times()
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Broken(f"{shlex.join(command)}:\n{done.stderr}")
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])  # user and system time of children


def start_to_first_200(bench: Bench) -> Sample:
    with bench.epoll() as reference, bench.aegis() as aegis:
        return Sample(reference.start_ms, aegis.start_ms)


def idle_memory(bench: Bench) -> Sample:
    with bench.epoll() as reference, bench.aegis() as aegis:
        return Sample(reference.resident_mb(), aegis.resident_mb())


# ---- the table -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    name: str
    text: str
    beside: str
    unit: str
    measure: Callable[[Bench], Sample]
    limit: float
    at_most: bool
    on_ratio: bool  # or on the value itself
    on_difference: bool = False  # from the reference
    repetitions: int = 5  # at most

    def bar(self) -> str:
        unit = "" if self.on_ratio else f" {self.unit}"
        more = "+" if self.on_difference else ""
        return f"{'≤' if self.at_most else '≥'} {more}{self.limit:g}{unit}"

    def holds(self, result: Sample) -> bool:
        judged = result.ratio if self.on_ratio else result.aegis
        if self.on_difference:
            judged = result.aegis - result.reference
        return judged <= self.limit if self.at_most else judged >= self.limit


WORKS = [
    Work("plaintext", "GET /plaintext: server CPU per request", "epoll server", "µs",
         plaintext_cpu, 1.25, at_most=True, on_ratio=True),
    Work("pipelined", f"GET /plaintext, pipelined by {PIPELINE}", "epoll server", "req/s",
         plaintext_pipelined, 0.6, at_most=False, on_ratio=True),
    Work("show", "GET /shields/{id}, SQLite by key", "own /plaintext", "req/s",
         shield_by_id, 0.6, at_most=False, on_ratio=True),
    Work("post", "POST /shields, acknowledged after commit", "sqlite3 in C, by 64", "req/s",
         post_shield, 0.15, at_most=False, on_ratio=True),
    Work("pg-select", "point selects, 64 sessions, PostgreSQL", f"pgbench -c {PGBENCH_CLIENTS}", "/s",
         pg_selects_pgbench, 2, at_most=False, on_ratio=True),
    Work("pg-lanes", "the same", "libpq, a Sync a batch", "/s",
         pg_selects_libpq, 0.6, at_most=False, on_ratio=True),
    Work("pg-show", "GET /shields/{id}, PostgreSQL", "the same on SQLite", "req/s",
         pg_shield_by_id, 0.6, at_most=False, on_ratio=True),
    Work("pg-insert", "one-insert transactions, 64 sessions", f"pgbench -c {PGBENCH_CLIENTS}", "/s",
         pg_inserts, 1, at_most=False, on_ratio=True),
    Work("pg-bulk", "insert_all of 100,000 rows", "\\copy", "rows/s",
         pg_bulk, 0.7, at_most=False, on_ratio=True),
    Work("pg-latency", "a select on an idle pool: latency", "libpq", "µs",
         pg_latency, 15, at_most=True, on_ratio=False, on_difference=True),
    *(work for name, postgres in (("sqlite", False), ("pg", True)) for work in (
        Work(f"{name}-jobs-enqueue", f"enqueue_all of {JOBS:,} jobs, {name}", "inserts of 1,000 rows",
             "/s", jobs_beside_sql("enqueue", postgres), 0.6, at_most=False, on_ratio=True),
        Work(f"{name}-jobs-drain", f"{JOBS:,} no-op jobs, one worker, {name}",
             "500 by update, delete", "/s", jobs_beside_sql("drain", postgres),
             0.5 if postgres else 0.6, at_most=False, on_ratio=True),
        Work(f"{name}-jobs-million", "the same beside a million finished", "without them", "/s",
             jobs_beside_a_million(postgres), 0.8, at_most=False, on_ratio=True),
        Work(f"{name}-jobs-p50", f"enqueue to run at 200/s, p50, {name}", "itself", "ms",
             jobs_latency("p50_us", postgres), 2, at_most=True, on_ratio=False),
        Work(f"{name}-jobs-p99", "the same, p99", "its p50", "ms",
             jobs_latency("p99_us", postgres), 10, at_most=True, on_ratio=False),
        Work(f"{name}-schedules-due", f"{SCHEDULES:,} schedules of one second, {name}",
             "inserts of 1,000 rows", "s", schedules_due("due", postgres), 2, at_most=True,
             on_ratio=False, repetitions=2),
        Work(f"{name}-schedules-queued", "the same, queued behind unfinished ones",
             "inserts of 1,000 rows", "s", schedules_due("queued", postgres), 2, at_most=True,
             on_ratio=False, repetitions=2),
        *(Work(f"{name}-schedules-{figure}", f"slot to run, 20 a second, {figure}, {name}",
               "a timer", "ms", measure, 20, at_most=True, on_ratio=False, repetitions=2)
          for figure, measure in zip(("p50", "p99"), schedules_latency(postgres))),
        Work(f"{name}-schedules-idle", f"a scheduler of {SCHEDULES:,} idle schedules, {name}",
             "of none", "%", schedules_idle(postgres), 0.5, at_most=True, on_ratio=False,
             repetitions=1))),
    *([Work("pg-jobs-graphile", f"{JOBS:,} no-op jobs, one worker, pg", "graphile-worker 0.18", "/s",
            jobs_beside_graphile_worker, 1.5, at_most=False, on_ratio=True)]
      if has_graphile_worker else []),
    Work("compile", "compile model + 3 handlers, -O2: CPU", "with Asio, Beast, JSON", "s",
         compile_handlers, 1.5, at_most=True, on_ratio=False),
    Work("start", "start to first 200", "epoll server", "ms",
         start_to_first_200, 100, at_most=True, on_ratio=False),
    Work("memory", "idle resident memory", "epoll server", "MB",
         idle_memory, 25, at_most=True, on_ratio=False),
]


@dataclass
class Result:
    """Medians; the ratio is that of the repetitions' own, so that slow spells cancel out."""

    samples: list[Sample]

    def __post_init__(self):
        self.reference = statistics.median(sample.reference for sample in self.samples)
        self.aegis = statistics.median(sample.aegis for sample in self.samples)
        self.ratio = statistics.median(sample.ratio for sample in self.samples)
        self.busy = statistics.median(sample.busy for sample in self.samples)


def show(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def print_line(*cells: str) -> None:
    widths = (-41, -23, 15, 15, 6, 8, -6)
    padded = (cell.rjust(w) if w > 0 else cell.ljust(-w) for cell, w in zip(cells, widths))
    print("  ".join(padded).rstrip(), flush=True)


def print_row(work: Work, result: Result) -> None:
    verdict = "yes" if work.holds(result) else "missed"
    print_line(work.text, work.beside, show(result.reference, work.unit),
               show(result.aegis, work.unit), f"{result.ratio:.2f}", work.bar(),
               verdict if result.busy > 0.9 else f"{verdict} *")


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--build", type=Path, default=root / "build" / "release", help="the build directory")
    add("--only", action="append", choices=[work.name for work in WORKS], help="may be repeated")
    add("--quick", action="store_true", help="one short repetition: does it work at all?")
    add("--json", type=Path, metavar="FILE", help="write every sample to FILE")
    add("--dir", type=Path, help="where the databases lie (default: the temporary folder)")
    options = parser.parse_args()
    repetitions, seconds = (1, 0.3) if options.quick else (5, 1.5)

    results: dict[str, Result] = {}
    broken = False
    with tempfile.TemporaryDirectory(prefix="aegis-bench-", dir=options.dir) as directory:
        bench = Bench(options.build.resolve(), Path(directory), seconds)
        print(f"Server on CPU {bench.server_cpu} of {os.cpu_count()} (1 I/O thread; database "
              f"threads share it), load on CPU {bench.load_cpu},\n{CONNECTIONS} connections. "
              f"Medians of {repetitions} × {seconds} s; databases in {directory}.\n")
        print_line("work", "beside", "reference", "Aegis", "ratio", "bar", "ok")
        for work in WORKS:
            if options.only and work.name not in options.only:
                continue
            try:
                results[work.name] = Result(
                    [work.measure(bench) for _ in range(min(repetitions, work.repetitions))])
                print_row(work, results[work.name])
            except (Broken, subprocess.TimeoutExpired, OSError) as error:
                broken = True
                print(f"{work.text}: broken: {error}", flush=True)

    if any(result.busy <= 0.9 for result in results.values()):
        print("\n* The server used less than 90 % of its CPU: disk, other processes or the load "
              "set the pace.")
    if options.json:
        options.json.write_text(json.dumps(results, default=vars, indent=2))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
