"""The shields program as people run it: real processes, signals, files and sockets.

usage: service_test.py PATH_OF_SHIELDS [unittest options]

With POSTGRES_URL in the environment, on that database; otherwise on SQLite.
"""
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

SHIELDS = ""
POSTGRES_URL = os.environ.get("POSTGRES_URL")
LIMIT = 60  # seconds until something that should happen counts as failed


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """A running `shields serve` in a directory of its own."""

    def __init__(self, directory, command="serve", **env):
        self.directory = Path(directory)
        self.env = {"PATH": os.environ["PATH"], "LOG_FORMAT": "json", **self.sanitizers()}
        self.env.update({"PORT": str(free_port())} if "PORT" not in env else {})
        self.env.update({"DATABASE_URL": POSTGRES_URL} if POSTGRES_URL else {})
        self.env.update({key: value for key, value in env.items() if value is not None})
        self.log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen([SHIELDS, *command.split()], cwd=directory, env=self.env,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.banner = ""
        for line in self.process.stdout:
            self.banner += line
            if "Health" in line:
                break
        match = re.search(r"http://[^:]+:(\d+)", self.banner)
        if not match:
            raise RuntimeError(f"no address was printed; log: {self.log_text()}")
        self.port = int(match[1])

    @staticmethod
    def sanitizers():
        return {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}

    def log_text(self):
        return (self.directory / "log").read_text(errors="replace")

    def request(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        with contextlib.closing(connection):
            if body is not None and not isinstance(body, (str, bytes)):
                body = json.dumps(body)
                headers = {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            reply.text = reply.read().decode()
            return reply

    def get_json(self, target):
        return json.loads(self.request("GET", target).text)

    def await_ready(self):
        return self.await_status("/readyz", 200)

    def await_status(self, target, wanted, says=""):
        """Asks again until the status and the text are there; there is no event to wait for from
        outside."""
        deadline = threading.Event()
        timer = threading.Timer(LIMIT, deadline.set)
        timer.start()
        try:
            while not deadline.is_set():
                reply = self.request("GET", target)
                if reply.status == wanted and says in reply.text:
                    return reply
                deadline.wait(0.02)
            raise AssertionError(
                f"{target} answers {reply.status}, not {wanted} {says}: {reply.text}")
        finally:
            timer.cancel()

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        return self.wait()

    def wait(self):
        code = self.process.wait(LIMIT)
        self.process.stdout.close()
        self.log.close()
        return code


def run(directory, *arguments, **env):
    """Runs a command of the program to its end."""
    return subprocess.run([SHIELDS, *arguments], cwd=directory, text=True, capture_output=True,
                          timeout=LIMIT, env={"PATH": os.environ["PATH"],
                                              **Service.sanitizers(), **env})


def psql(sql):
    return subprocess.run(["psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql,
                           POSTGRES_URL], check=True, capture_output=True, text=True,
                          timeout=LIMIT).stdout


on_sqlite = unittest.skipIf(POSTGRES_URL, "on SQLite only")
on_postgresql = unittest.skipUnless(POSTGRES_URL, "on PostgreSQL only")


class ServiceTest(unittest.TestCase):
    def setUp(self):
        if POSTGRES_URL:
            psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name

    def serve(self, **env):
        service = Service(self.directory, **env)
        self.addCleanup(lambda: service.process.poll() is None and service.stop(signal.SIGKILL))
        return service

    def test_all_bad_settings_are_told_at_once_by_every_command(self):
        for command in ("serve", "config", "routes"):
            refused = run(self.directory, command, PORT="none", DATABASE_URL="oracle://a:b@c/d",
                          DATABASE_CONNECT_ARGS="[1]")
            self.assertEqual(refused.returncode, 78, refused.stderr)
            self.assertIn("3 settings are wrong", refused.stderr)
            for key in ("PORT", "DATABASE_URL", "DATABASE_CONNECT_ARGS"):
                self.assertIn(f"{key}=", refused.stderr)
        refused = run(self.directory, "config", DATABASE_CONNECT_ARGS='{"foreign_key": 1}')
        self.assertEqual(refused.returncode, 78, refused.stderr)
        self.assertIn("foreign_key", refused.stderr)
        refused = run(self.directory, "config", DATABASE_URL="sqlite://:memory:",
                      DATABASE_READ_URL="postgresql://replica/shields")
        self.assertEqual(refused.returncode, 78, refused.stderr)
        self.assertIn("DATABASE_READ_URL", refused.stderr)

    def execute(self, sql):
        """Runs SQL on the service's database from outside; answers the first column."""
        if POSTGRES_URL:
            return psql(sql).split("\n")[:-1]
        path = Path(self.directory) / "data/app.db"
        path.parent.mkdir(exist_ok=True)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
            return [row[0] for row in database.execute(sql)]

    def test_a_missing_table_or_column_is_unhealthy(self):
        service = self.serve()
        service.await_ready()
        self.execute("ALTER TABLE shield DROP COLUMN enchantment")
        tables = self.tables_of(service.await_status("/health/detailed", 503))
        self.assertIn("shield.enchantment", tables["message"])
        self.execute("DROP TABLE shield")
        # What was found is told for a second.
        tables = self.tables_of(service.await_status("/health/detailed", 503, "table shield"))
        self.assertIn("table shield", tables["message"])

    @staticmethod
    def tables_of(reply):
        return json.loads(reply.text)["components"]["database"]["sub_components"]["tables"]

    def test_a_database_that_cannot_be_prepared_says_why_it_is_not_ready(self):
        self.execute("CREATE TABLE shield (id INTEGER PRIMARY KEY)")
        service = self.serve()
        service.await_status("/health/detailed", 503)
        while "being prepared" in (reply := service.request("GET", "/readyz")).text:
            pass
        self.assertEqual(reply.status, 503)
        self.assertIn("material", reply.text)
        early = service.request("GET", "/shields")
        self.assertEqual(early.status, 503)
        self.assertTrue(early.headers["Retry-After"])

    def test_quick_start(self):
        service = self.serve(PORT=None)
        service.await_ready()
        forged = service.request("POST", "/shields", {"name": "Dragon Scale"})
        self.assertEqual(forged.status, 201)
        self.assertEqual(forged.headers["Location"], "/shields/1")
        self.assertTrue(forged.headers["X-Request-Id"])
        self.assertEqual(service.get_json("/shields/1")["material"], "iron")
        health = service.get_json("/health/detailed")
        self.assertTrue(health["healthy"])
        self.assertEqual(health["service"], "shields")
        self.assertEqual(health["components"]["database"]["status"], "healthy")
        self.assertEqual(service.stop(), 0)

    def test_a_taken_default_port_means_the_next_one(self):
        first = self.serve(PORT=None)
        second = self.serve(PORT=None)
        self.assertNotEqual(first.port, second.port)
        second.await_ready()
        self.assertEqual(second.stop(), 0)
        self.assertEqual(first.stop(), 0)

    def test_a_taken_port_that_was_asked_for_is_an_error(self):
        service = self.serve()
        refused = run(self.directory, "serve", PORT=str(service.port))
        self.assertEqual(refused.returncode, 69)
        self.assertIn(str(service.port), refused.stderr)

    @on_sqlite
    def test_the_schema_is_one_a_person_would_write(self):
        service = self.serve()
        service.await_ready()
        service.stop()
        with contextlib.closing(sqlite3.connect(Path(self.directory) / "data/app.db")) as database:
            (schema,) = database.execute(
                "SELECT sql FROM sqlite_schema WHERE name = 'shield'").fetchone()
        self.assertEqual(schema, run(self.directory, "db", "schema").stdout.split(";")[0])
        self.assertIn("material TEXT NOT NULL DEFAULT 'iron'", schema)

    def test_every_bad_setting_is_named_at_once(self):
        Path(self.directory, ".env").write_text("PORT=seven\nLOG_LEVEL=loud\n")
        refused = run(self.directory, "serve", HTTP_MAX_IN_FLIGHT="-1")
        self.assertEqual(refused.returncode, 78)
        for key in ("PORT", "seven", "LOG_LEVEL", "loud", "HTTP_MAX_IN_FLIGHT"):
            self.assertIn(key, refused.stderr)

    def test_an_unknown_database_is_refused_without_its_password(self):
        refused = run(self.directory, "serve", DATABASE_URL="oracle://scott:tiger@db/shields")
        self.assertEqual(refused.returncode, 78)
        self.assertIn("oracle", refused.stderr)
        self.assertNotIn("tiger", refused.stderr)

    def test_health_commands(self):
        self.assertEqual(run(self.directory, "health", "probe", PORT="1").returncode, 1)
        service = self.serve()
        service.await_ready()
        port = {"PORT": str(service.port)}
        self.assertEqual(run(self.directory, "health", "probe", **port).returncode, 0)
        detailed = run(self.directory, "health", "--detailed", **port)
        self.assertEqual(detailed.returncode, 0)
        self.assertIn("max_connections" if POSTGRES_URL else "journal_mode", detailed.stdout)
        as_json = run(self.directory, "health", "--detailed", "--json", **port)
        self.assertIn("components", json.loads(as_json.stdout))

    def test_worker_and_scheduler_tell_their_health_at_a_port_of_their_own(self):
        for command in ("worker", "scheduler"):
            with self.subTest(command):
                port = free_port()
                env = {"PORT": str(free_port()), "HEALTH_PORT": str(port),
                       **({"DATABASE_URL": POSTGRES_URL} if POSTGRES_URL else {})}
                self.assertEqual(run(self.directory, "health", "probe", **env).returncode, 1)
                process = subprocess.Popen([SHIELDS, command], cwd=self.directory,
                                           env={"PATH": os.environ["PATH"], **Service.sanitizers(),
                                                **env}, stderr=subprocess.DEVNULL)
                self.addCleanup(lambda: process.poll() is None and process.kill())
                deadline = time.monotonic() + LIMIT
                while run(self.directory, "health", "probe", **env).returncode != 0:
                    self.assertLess(time.monotonic(), deadline)

                def status_of(target):
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
                    with contextlib.closing(connection):
                        connection.request("GET", target)
                        return connection.getresponse().status

                self.assertEqual(status_of("/readyz"), 200)
                self.assertEqual(status_of("/livez"), 200)
                self.assertEqual(status_of("/shields"), 404)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(LIMIT), 0)

    def test_sigterm_finishes_what_is_in_flight(self):
        service = self.serve()
        service.await_ready()
        body = json.dumps({"name": "Late"})
        with socket.create_connection(("127.0.0.1", service.port), LIMIT) as connection:
            connection.sendall((f"POST /shields HTTP/1.1\r\nHost: x\r\nContent-Type: "
                                f"application/json\r\nContent-Length: {len(body)}\r\n"
                                f"Expect: 100-continue\r\n\r\n").encode())
            self.assertIn(b"100", connection.recv(100))  # the service is in the middle of it
            service.process.send_signal(signal.SIGTERM)
            connection.sendall(body.encode())
            reply = b""
            while chunk := connection.recv(4096):
                reply += chunk
        self.assertTrue(reply.startswith(b"HTTP/1.1 201"), reply)
        self.assertEqual(service.wait(), 0)

    def test_connections_are_taken_for_shutdown_delay(self):
        # Threads that have ended need not be joined where the end is sudden.
        service = self.serve(SHUTDOWN_DELAY="1h", TSAN_OPTIONS=":".join(
            (os.environ.get("TSAN_OPTIONS", ""), "report_thread_leaks=0")))
        service.await_ready()
        service.process.send_signal(signal.SIGTERM)
        reply = service.await_status("/readyz", 503)
        self.assertIn("shuts down", reply.text)
        self.assertEqual(service.request("POST", "/shields", {"name": "Late"}).status, 201)
        self.assertEqual(service.request("GET", "/livez").getheader("Connection"), "close")
        self.assertEqual(service.stop(), 128 + signal.SIGTERM)  # the second one ends it at once

    @on_sqlite
    def test_a_corrupt_file_is_unhealthy_and_the_process_stays(self):
        Path(self.directory, "bad.db").write_bytes(b"this is no database, however long it is" * 99)
        service = self.serve(DATABASE_URL="sqlite:///bad.db")
        reply = service.await_status("/health/detailed", 503)
        database = json.loads(reply.text)["components"]["database"]
        self.assertEqual(database["status"], "unhealthy")
        self.assertIn("bad.db", database["message"])
        self.assertEqual(service.request("GET", "/shields").status, 503)
        self.assertEqual(service.request("GET", "/livez").status, 200)
        self.assertEqual(service.request("GET", "/readyz").status, 503)
        self.assertEqual(service.stop(), 0)

    @on_sqlite
    def test_a_missing_directory_is_unhealthy_until_it_is_there(self):
        service = self.serve(DATABASE_URL="sqlite:///no/such/place/app.db")
        reply = service.await_status("/health/detailed", 503)
        self.assertIn("no/such/place", json.loads(reply.text)["components"]["database"]["message"])
        Path(self.directory, "no/such/place").mkdir(parents=True)
        service.await_ready()
        self.assertEqual(service.request("POST", "/shields", {"name": "Late"}).status, 201)
        self.assertEqual(service.stop(), 0)

    @on_sqlite
    def test_a_locked_database_answers_503_and_recovers(self):
        service = self.serve(DATABASE_CONNECT_ARGS='{"busy_timeout": 100}')
        service.await_ready()
        path = Path(self.directory) / "data/app.db"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked = service.request("POST", "/shields", {"name": "Aegis"})
            self.assertEqual(locked.status, 503)
            self.assertIn("locked", locked.text)
            self.assertEqual(service.request("GET", "/shields").status, 200)
            other.execute("ROLLBACK")
        self.assertEqual(service.request("POST", "/shields", {"name": "Aegis"}).status, 201)
        self.assertEqual(service.stop(), 0)

    @on_postgresql
    def test_a_job_does_not_undo_what_a_request_changes_meanwhile(self):
        service = self.serve()
        service.await_ready()
        psql("INSERT INTO aegis_queue (name, paused_at) VALUES ('default', now())")
        path = service.request("POST", "/shields", {"name": "Aegis"}).headers["Location"]
        with subprocess.Popen(["psql", "--no-psqlrc", "-qAt", POSTGRES_URL], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            other.stdin.write("BEGIN; UPDATE shield SET material = 'gold'; SELECT 'changed';\n")
            other.stdin.flush()
            self.assertEqual(other.stdout.readline(), "changed\n")
            psql("UPDATE aegis_queue SET paused_at = NULL")
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while psql(waiting).strip() == "0":
                time.sleep(0.01)
            other.stdin.write("COMMIT;\n")
            other.stdin.close()
        while not (shield := service.get_json(path))["enchantment"]:
            time.sleep(0.01)
        self.assertEqual((shield["material"], shield["enchantment"]), ("gold", "runes of gold"))
        self.assertEqual(service.stop(), 0)

    @on_postgresql
    def test_shields_over_http(self):
        service = self.serve()
        service.await_ready()
        for i in range(7):
            forged = service.request("POST", "/shields", {"name": f"Shield {i}", "defense_rating": i})
            self.assertEqual(forged.status, 201)
        self.assertEqual(service.request("POST", "/shields", {"name": "Shield 1"}).status, 409)
        self.assertEqual(service.request("POST", "/shields", {"name": ""}).status, 422)
        first = service.get_json("/shields?limit=5&order=-defense_rating")
        self.assertEqual([shield["defense_rating"] for shield in first["items"]], [6, 5, 4, 3, 2])
        rest = service.get_json(f"/shields?limit=5&order=-defense_rating&after={first['next']}")
        self.assertEqual([shield["defense_rating"] for shield in rest["items"]], [1, 0])
        path = forged.headers["Location"]
        self.assertEqual(service.request("PATCH", path, {"material": "gold"}).status, 200)
        self.assertEqual(service.get_json(path)["material"], "gold")
        self.assertEqual(service.request("DELETE", path).status, 204)
        self.assertEqual(service.request("GET", path).status, 404)
        self.assertEqual(service.stop(), 0)

    @on_postgresql
    def test_a_server_out_of_reach_is_unhealthy_and_no_password_is_told(self):
        url = re.sub("aegis@[^/]*/", "aegis:xyzzy@127.0.0.1:1/", POSTGRES_URL)
        service = self.serve(DATABASE_URL=url)
        reply = service.await_status("/health/detailed", 503)
        self.assertEqual(service.request("GET", "/shields").status, 503)
        self.assertEqual(service.request("GET", "/livez").status, 200)
        self.assertEqual(service.stop(), 0)
        self.assertNotIn("xyzzy", reply.text + service.log_text() + service.banner)

    def test_kill_9_loses_no_acknowledged_write(self):
        acknowledged = set()
        lock = threading.Lock()
        for round_ in range(3):
            service = self.serve(**({} if POSTGRES_URL else
                                    {"DATABASE_CONNECT_ARGS": '{"synchronous": "FULL"}'}))
            service.await_ready()
            enough = threading.Event()

            def forge(worker, service=service, round_=round_, enough=enough):
                connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=LIMIT)
                with contextlib.closing(connection), contextlib.suppress(OSError,
                                                                         http.client.HTTPException):
                    for number in range(100_000):
                        name = f"{round_}-{worker}-{number}"
                        connection.request("POST", "/shields", json.dumps({"name": name}),
                                           {"Content-Type": "application/json"})
                        reply = connection.getresponse()
                        reply.read()
                        if reply.status == 201:
                            with lock:
                                acknowledged.add(name)
                                if len(acknowledged) >= 200 * (round_ + 1):
                                    enough.set()

            workers = [threading.Thread(target=forge, args=(i,)) for i in range(8)]
            for worker in workers:
                worker.start()
            self.assertTrue(enough.wait(LIMIT))
            service.stop(signal.SIGKILL)
            for worker in workers:
                worker.join()
            stored = set(self.execute("SELECT name FROM shield"))
            self.assertEqual(acknowledged - stored, set())


if __name__ == "__main__":
    SHIELDS = os.path.abspath(sys.argv.pop(1))
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(0 if result.wasSuccessful() else 1)
