#!/usr/bin/env python3
"""The service in containers, with faults: compose.yaml on a real container engine.

usage: deploy_test.py [unittest options]        ARGS in the environment are more of them

Needs the images `shields` and `postgres:16-alpine`. LAB in the environment is a prefix that runs a
command where the engine's networks are reachable.
"""
import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

if "LAB" in os.environ and "IN_LAB" not in os.environ:
    os.environ["IN_LAB"] = "1"
    command = [*shlex.split(os.environ["LAB"]), sys.executable, "-B", *sys.argv]
    os.execvp(command[0], command)

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-secret-of-the-test"
LIMIT = 120           # seconds until something that should happen counts as failed
CONNECT_TIMEOUT = 5   # of the service to its database, the default
SLACK = 3             # for a busy machine
HANDLER_TIMEOUT = 30  # HTTP_HANDLER_TIMEOUT, the default

os.environ.update({
    "COMPOSE_PROJECT_NAME": "shields-test",
    "COMPOSE_FILE": f"{ROOT / 'compose.yaml'}:{ROOT / 'tests/deploy/compose.yaml'}",
    "POSTGRES_PASSWORD": PASSWORD,
    "COMPOSE_PROGRESS": "quiet",
})


def docker(*arguments, check=True):
    done = subprocess.run(["docker", *arguments], cwd=ROOT, text=True, capture_output=True,
                          timeout=300)
    if check and done.returncode != 0:
        raise AssertionError(f"docker {shlex.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def compose(*arguments, check=True):
    return docker("compose", *arguments, check=check)


def inspect(container):
    return json.loads(docker("inspect", container))[0]


def containers(service, every=False):
    return docker("ps", "-q", "--no-trunc", *(["-a"] if every else []),
                  "--filter", "label=com.docker.compose.project=shields-test",
                  "--filter", "label=com.docker.compose.oneoff=False",
                  "--filter", f"label=com.docker.compose.service={service}").split()


def address(container):
    networks = inspect(container)["NetworkSettings"]["Networks"]
    return next((each["IPAddress"] for each in networks.values()), "")


def log(container):
    done = subprocess.run(["docker", "logs", container], text=True, capture_output=True)
    return done.stdout + done.stderr


def sql(text):
    return compose("exec", "-T", "postgres", "psql", "-qAt", "-U", "aegis", "-d", "aegis_db",
                   "-v", "ON_ERROR_STOP=1", "-c", text)


def number(text):
    return int(sql(text))


def wait_for(what, condition, limit=LIMIT):
    deadline = time.monotonic() + limit
    while True:
        try:
            found = condition()
            if found:
                return found
            why = ""
        except (OSError, AssertionError, ValueError, http.client.HTTPException) as error:
            why = f": {error}"
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {limit} s{why}")
        time.sleep(0.1)


def ask(host, method, target, body=None, port=8000, timeout=LIMIT):
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, target, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"} if body is not None else {})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def health(container):
    return inspect(container)["State"]["Health"]["Status"]


def up(**scale):
    """As many as named, one of the others; all of them healthy."""
    count = {"api": 1, "worker": 1, "scheduler": 1, **scale}
    for postgres in containers("postgres"):
        wait_for("postgres is healthy", lambda postgres=postgres: health(postgres) == "healthy")
    compose("up", "-d", "--no-build",
            *[word for each in count.items() for word in ("--scale", f"{each[0]}={each[1]}")])
    for service, wanted in count.items():
        wait_for(f"{wanted} healthy {service}",
                 lambda service=service, wanted=wanted: [
                     health(each) for each in containers(service)] == ["healthy"] * wanted)


def kill(container):
    """As the kernel's OOM killer does, which a restart policy makes good."""
    if os.geteuid() == 0:
        os.kill(inspect(container)["State"]["Pid"], 9)
    else:
        docker("kill", container)
        docker("start", container)


class Balancer:
    """What a load balancer does: asks each replica's /readyz twice a second, takes them in turns, and
    when one cannot be connected to, takes the next; nothing was sent then. All else that is no
    answer is a failure."""

    def __init__(self):
        self.ready = []
        self.turn = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.look()
        self.thread = threading.Thread(target=self.keep_looking)
        self.thread.start()

    def look(self):
        ready = []
        for container in containers("api"):
            try:
                host = address(container)
                if host and ask(host, "GET", "/readyz", timeout=1)[0] == 200:
                    ready.append(host)
            except (OSError, http.client.HTTPException, AssertionError):
                pass
        with self.lock:
            self.ready = ready

    def keep_looking(self):
        while not self.ended.wait(0.5):
            self.look()

    def connect(self, timeout):
        """A connection to a replica; OSError when there is none for some seconds."""
        deadline = time.monotonic() + 5
        while True:
            with self.lock:
                self.turn += 1
                host = self.ready[self.turn % len(self.ready)] if self.ready else None
            if host:
                connection = http.client.HTTPConnection(host, 8000, timeout=1)
                try:
                    connection.connect()
                    connection.sock.settimeout(timeout)
                    return connection
                except OSError:
                    pass
            if time.monotonic() > deadline:
                raise OSError("no replica can be connected to")
            time.sleep(0.02)

    def close(self):
        self.ended.set()
        self.thread.join()


class Load:
    """Clients that forge shields, and the ledger of what was acknowledged to them. Connections are
    kept open as long as the server agrees."""

    def __init__(self, clients=6, pause=0.01, prefix="load"):
        self.balancer = Balancer()
        self.prefix = f"{prefix}-{time.monotonic_ns()}"
        self.pause = pause
        self.lock = threading.Lock()
        self.sent = 0
        self.acknowledged, self.failures, self.longest = set(), [], 0.0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(i,)) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def client(self, client):
        connection = None
        for count in range(10_000_000):
            if self.ended.is_set():
                break
            name = f"{self.prefix}-{client}-{count}"
            began = time.monotonic()
            failure = None
            try:
                connection = connection or self.balancer.connect(HANDLER_TIMEOUT + SLACK)
                connection.request("POST", "/shields", json.dumps({"name": name}),
                                   {"Content-Type": "application/json"})
                reply = connection.getresponse()
                text = reply.read().decode()
                if reply.status != 201:
                    failure = f"{reply.status} {text}"
                if reply.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
                if connection:
                    connection.close()
                connection = None
            with self.lock:
                self.sent += 1
                self.longest = max(self.longest, time.monotonic() - began)
                if failure:
                    self.failures.append(failure)
                else:
                    self.acknowledged.add(name)
            time.sleep(self.pause)
        if connection:
            connection.close()

    def await_acknowledged(self, more):
        wanted = len(self.acknowledged) + more
        wait_for(f"{more} more shields", lambda: len(self.acknowledged) >= wanted)

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.balancer.close()
        print(f"    {self.sent} requests sent, {len(self.failures)} failed, "
              f"the longest took {self.longest:.2f} s", flush=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.ended.is_set():
            self.stop()

    def check_ledger(self):
        """Each acknowledged shield is there, once, and its job has been done."""
        stored = f"FROM shield WHERE name LIKE '{self.prefix}-%'"
        wait_for("the jobs of all shields",
                 lambda: number(f"SELECT count(*) {stored} AND enchantment IS NULL") == 0)
        lost = self.acknowledged - set(sql(f"SELECT name {stored}").splitlines())
        if lost:
            raise AssertionError(f"{len(lost)} acknowledged shields are lost: {sorted(lost)[:5]}")
        jobs = sql("SELECT state, count(*) FROM aegis_job_finished WHERE state <> 'completed' "
                   "GROUP BY state")
        if jobs:
            raise AssertionError(f"jobs did not complete: {jobs}")


class DeployTest(unittest.TestCase):
    def setUp(self):
        up()

    def published(self, container):
        ports = inspect(container)["NetworkSettings"]["Ports"]["8000/tcp"]
        return int(ports[0]["HostPort"])

    # ---- as it stands

    def test_01_the_image_is_small_and_has_no_secret(self):
        image = json.loads(docker("image", "inspect", "shields"))[0]
        base = json.loads(docker("image", "inspect", "debian:bookworm-slim"))[0]
        more = (image["Size"] - base["Size"]) / 1e6
        print(f"    the image: {image['Size'] / 1e6:.1f} MB, {more:.1f} MB over its base", flush=True)
        self.assertLessEqual(more, 45)
        self.assertEqual(image["Config"]["User"], "10001:10001")
        self.assertNotIn("postgresql://", json.dumps(image) + docker("history", "--no-trunc", "shields"))

    def test_02_containers_have_no_privileges(self):
        for service in ("api", "worker", "scheduler"):
            with self.subTest(service):
                found = inspect(containers(service)[0])
                self.assertTrue(found["HostConfig"]["ReadonlyRootfs"])
                self.assertEqual(found["HostConfig"]["CapDrop"], ["ALL"])
                status = docker("exec", found["Id"], "cat", "/proc/1/status")
                self.assertIn("CapEff:\t0000000000000000", status)
                self.assertIn("NoNewPrivs:\t1", status)
                self.assertIn("Uid:\t10001", status)
                self.assertEqual(docker("exec", found["Id"], "shields", "health", "probe"), "")

    def test_03_the_tables_are_there(self):
        migrate = inspect(containers("migrate", every=True)[0])
        self.assertEqual(migrate["State"]["ExitCode"], 0, log(migrate["Id"]))
        tables = sql(r"\dt")
        for table in ("shield", "aegis_job", "aegis_schedule", "aegis_migrations"):
            self.assertIn(f"|{table}|", tables)

    def test_04_a_job_of_the_api_is_done_by_the_worker(self):
        port = self.published(containers("api")[0])
        status, text = ask("127.0.0.1", "POST", "/shields", {"name": f"one-{time.time_ns()}"}, port)
        self.assertEqual(status, 201, text)
        path = f"/shields/{json.loads(text)['id']}"
        wait_for("its runes", lambda: json.loads(
            ask("127.0.0.1", "GET", path, port=port)[1])["enchantment"] == "runes of iron")
        self.assertEqual(ask("127.0.0.1", "GET", "/health", port=port)[0], 200)

    def test_05_schedulers_fire_each_slot_once(self):
        up(scheduler=2)
        api = containers("api")[0]
        docker("exec", api, "shields", "schedules", "create", "often", "PolishShields", "every 1s")
        runs = "FROM aegis_schedule_run WHERE schedule = 'often'"
        try:
            wait_for("some slots", lambda: number(f"SELECT count(*) {runs}") >= 4)
            kill(containers("scheduler")[0])
            seen = number(f"SELECT count(*) {runs}")
            wait_for("more slots", lambda: number(f"SELECT count(*) {runs}") >= seen + 6)
        finally:
            docker("exec", api, "shields", "schedules", "delete", "often")
        fired, slots, jobs, missed = map(int, sql(
            f"SELECT count(*), count(DISTINCT slot), count(DISTINCT job_id), "
            f"extract(epoch FROM max(slot) - min(slot))::int + 1 - count(*) {runs}").split("|"))
        self.assertEqual(fired, slots)
        self.assertEqual(jobs, slots)
        self.assertEqual(missed, 0)
        wait_for("all its jobs, each once", lambda: number(
            "SELECT count(*) FROM aegis_job_finished WHERE kind = 'PolishShields' AND state = "
            f"'completed' AND id IN (SELECT job_id {runs})") == slots)

    # ---- changes while requests come in

    def test_07_sigterm_ends_in_time(self):
        up(api=2, worker=2, scheduler=2)
        with Load() as load:
            load.await_acknowledged(50)
            for service in ("api", "worker", "scheduler"):
                container = containers(service)[0]
                began = time.monotonic()
                docker("stop", container)
                took = time.monotonic() - began
                print(f"    {service} ended within {took:.1f} s", flush=True)
                self.assertEqual(inspect(container)["State"]["ExitCode"], 0, log(container)[-2000:])
                self.assertLess(took, 25)
            load.stop()
            self.assertEqual(load.failures, [])
            up()
            load.check_ledger()

    def test_06_a_rolling_restart_loses_nothing(self):
        up(api=2, worker=2, scheduler=2)
        before = {each for service in ("api", "worker", "scheduler") for each in containers(service)}
        with Load() as load:
            load.await_acknowledged(200)
            done = subprocess.run([ROOT / "deploy/rollout", "api", "worker", "scheduler"], cwd=ROOT,
                                  text=True, capture_output=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            load.await_acknowledged(200)
            load.stop()
            after = {each for service in ("api", "worker", "scheduler")
                     for each in containers(service)}
            self.assertEqual(len(after), 6)
            self.assertEqual(before & after, set())
            self.assertEqual(load.failures, [])
            load.check_ledger()

    def test_08_scaling_loses_nothing(self):
        with Load() as load:
            for api, worker in ((3, 4), (1, 1), (2, 3), (1, 1)):
                load.await_acknowledged(100)
                up(api=api, worker=worker)
            load.await_acknowledged(100)
            load.stop()
            self.assertEqual(load.failures, [])
            load.check_ledger()

    # ---- faults

    def test_10_kill_9(self):
        up(api=2, worker=2, scheduler=2)
        with Load() as load:
            for service in ("api", "worker", "scheduler"):
                load.await_acknowledged(100)
                kill(containers(service)[0])
                load.await_acknowledged(100)
                wait_for(f"{service} again", lambda service=service: [
                    health(each) for each in containers(service)] == ["healthy"] * 2)
            load.stop()
            # What an api had begun when it was killed has no answer.
            self.assertLessEqual(len(load.failures), 6, load.failures[:5])
            load.check_ledger()

    def fault_of_postgres(self, begin, end, longest=CONNECT_TIMEOUT, says=None):
        """Every request ends in time meanwhile, all is well again after it, nothing is lost."""
        container = containers("postgres")[0]
        with Load(pause=0.05) as load:
            load.await_acknowledged(50)
            begin(container)
            for service in ("api", "worker", "scheduler"):
                wait_for(f"{service} is unhealthy", lambda service=service: health(
                    containers(service)[0]) == "unhealthy")
            self.assertEqual(ask(address(containers("api")[0]), "GET", "/livez")[0], 200)
            end(container)
            load.await_acknowledged(50)
            load.stop()
            self.assertLess(load.longest, longest + SLACK)
            up()
            load.check_ledger()
        for service in ("api", "worker", "scheduler"):
            found = inspect(containers(service)[0])
            self.assertEqual(found["RestartCount"], 0, log(found["Id"])[-2000:])
            if says:
                self.assertIn(says, log(found["Id"]))

    def test_11_postgres_is_killed(self):
        container = containers("postgres")[0]
        with Load(pause=0.05) as load:
            load.await_acknowledged(50)
            kill(container)
            load.await_acknowledged(100)
            load.stop()
            self.assertLess(load.longest, CONNECT_TIMEOUT + SLACK)
            up()
            load.check_ledger()

    def test_12_postgres_is_frozen(self):
        # What has been sent to it may still be answered.
        self.fault_of_postgres(lambda each: docker("pause", each),
                               lambda each: docker("unpause", each), longest=HANDLER_TIMEOUT)

    def test_13_postgres_is_cut_off(self):
        network = "shields-test_default"
        self.fault_of_postgres(
            lambda each: docker("network", "disconnect", network, each),
            lambda each: docker("network", "connect", "--alias", "postgres", network, each),
            longest=HANDLER_TIMEOUT)

    def test_14_postgres_is_stopped_and_its_name_is_gone(self):
        self.fault_of_postgres(lambda each: docker("stop", each), lambda each: docker("start", each),
                               says="no database")

    def test_15_an_api_is_cut_off(self):
        up(api=2)
        network = "shields-test_default"
        container = containers("api")[0]
        with Load() as load:
            load.await_acknowledged(50)
            docker("network", "disconnect", network, container)
            load.await_acknowledged(100)
            wait_for("it is unhealthy", lambda: health(container) == "unhealthy")
            docker("network", "connect", network, container)
            wait_for("it is healthy", lambda: health(container) == "healthy")
            wait_for("it is asked again", lambda: address(container) in load.balancer.ready)
            load.await_acknowledged(50)
            load.stop()
            load.check_ledger()

    def test_16_a_wrong_password_is_told(self):
        run = ["run", "-d", "--no-deps", "-e",
               "DATABASE_URL=postgresql://aegis:not-the-password@postgres:5432/aegis_db"]
        for service in ("api", "worker", "scheduler"):
            with self.subTest(service):
                container = compose(*run, service, service)
                self.addCleanup(lambda container=container: docker("rm", "-f", container))
                wait_for("unhealthy",
                         lambda container=container: health(container) == "unhealthy")
                found, text = inspect(container), log(container)
                self.assertTrue(found["State"]["Running"])
                self.assertEqual(found["RestartCount"], 0)
                self.assertIn("password authentication failed", text)
                self.assertNotIn("not-the-password", text)
                self.assertLess(len(text.splitlines()), 50, text)

    def test_17_the_memory_limit_is_kept(self):
        # Little enough for the limit to be met if memory grew with the requests.
        with Load(clients=16, pause=0) as load:
            load.await_acknowledged(3000)
            load.stop()
            self.assertEqual(load.failures, [])
        for service in ("api", "worker", "scheduler"):
            container = containers(service)[0]
            found = inspect(container)
            self.assertFalse(found["State"]["OOMKilled"])
            used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container)
            print(f"    {service}: {used}", flush=True)
            text = ask(address(container), "GET", "/health/detailed")[1]
            memory = json.loads(text)["components"]["system"]["sub_components"]["memory"]
            self.assertEqual(memory["metadata"]["limit_mib"], 256, memory)
        load.check_ledger()

    # ---- backups

    def test_30_a_backup_is_put_back(self):
        ask(address(containers("api")[0]), "POST", "/shields", {"name": f"kept-{time.time_ns()}"})
        wait_for("no job is left", lambda: number("SELECT count(*) FROM aegis_job") == 0)
        stored = "SELECT count(*), md5(string_agg(s::text, ',' ORDER BY id)) FROM shield s"
        before = sql(stored)
        compose("--profile", "prod", "up", "-d", "--no-deps", "backup")
        backup = wait_for("a backup", lambda: docker(
            "exec", containers("backup")[0], "sh", "-c", "ls /backups/*.dump", check=False))
        compose("stop", "api", "worker", "scheduler")
        sql("DELETE FROM shield; DROP TABLE aegis_schedule_run")
        done = subprocess.run(
            f"docker compose --profile prod exec -T backup cat {backup.splitlines()[-1]} | "
            "docker compose exec -T postgres pg_restore -U aegis -d aegis_db --clean --if-exists "
            "--single-transaction", shell=True, cwd=ROOT, text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sql(stored), before)
        up()
        compose("--profile", "prod", "stop", "backup")
        wait_for("all is well", lambda: ask(address(containers("api")[0]), "GET", "/health")[0] == 200)


def tearDownModule():
    if not os.environ.get("KEEP"):
        compose("--profile", "*", "down", "--volumes", "--timeout", "5", check=False)


if __name__ == "__main__":
    if not shutil.which("docker"):
        sys.exit("docker is missing")
    began = time.monotonic()
    program = unittest.main(exit=False, verbosity=2, argv=[
        sys.argv[0], *sys.argv[1:], *shlex.split(os.environ.get("ARGS", ""))])
    result = program.result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed in {time.monotonic() - began:.0f} s")
    sys.exit(0 if result.wasSuccessful() else 1)
