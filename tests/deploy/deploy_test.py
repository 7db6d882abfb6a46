#!/usr/bin/env python3
"""The service in containers, with faults: compose.yaml on a real container engine.

usage: deploy_test.py [unittest options]        ARGS in the environment are more of them

Needs the images that tests/deploy/build makes, and `postgres:16-alpine`. LAB in the environment is a
prefix that runs a command where the engine's networks are reachable.
"""
import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

if "LAB" in os.environ and "IN_LAB" not in os.environ:
    os.environ["IN_LAB"] = "1"
    command = [*shlex.split(os.environ["LAB"]), sys.executable, "-B", *sys.argv]
    os.execvp(command[0], command)

ROOT = Path(__file__).resolve().parents[2]
PROJECT = f"shields-test-{os.getpid()}"  # of this run alone, as is the image's tag
TAG = f"test-{os.getpid()}"
PASSWORD = "a-secret-of-the-test"
PORTS = os.environ.get("API_PORTS", "8000-8009")
LIMIT = 120           # seconds until something that should happen counts as failed
CONNECT_TIMEOUT = 5   # of the service to its database, the default
SLACK = 3             # for a busy machine
HANDLER_TIMEOUT = 30  # HTTP_HANDLER_TIMEOUT, the default

os.environ.update({
    "COMPOSE_PROJECT_NAME": PROJECT,
    "COMPOSE_FILE": f"{ROOT / 'compose.yaml'}:{ROOT / 'tests/deploy/compose.yaml'}",
    "POSTGRES_PASSWORD": PASSWORD,
    "TAG": TAG,
    "COMPOSE_PROGRESS": "quiet",
})


def run(*command, check=True, timeout=300, shell=False, **env):
    done = subprocess.run(command[0] if shell else command, cwd=ROOT, text=True, timeout=timeout,
                          shell=shell, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, **env})
    if check and done.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done


def docker(*arguments, check=True, **env):
    return run("docker", *arguments, check=check, **env).stdout.strip()


def compose(*arguments, check=True, **env):
    return docker("compose", *arguments, check=check, **env)


def inspect(container):
    return json.loads(docker("inspect", container))[0]


def containers(service, every=False):
    return docker("ps", "-q", "--no-trunc", *(["-a"] if every else []),
                  "--filter", f"label=com.docker.compose.project={PROJECT}",
                  "--filter", "label=com.docker.compose.oneoff=False",
                  "--filter", f"label=com.docker.compose.service={service}").split()


def address(container):
    """Where it can be asked from outside of the networks; empty while it cannot."""
    found = docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", container, check=False)
    networks = json.loads(found or "{}")
    return next((networks[f"{PROJECT}_{name}"]["IPAddress"] for name in
                 ("front", "outgoing", "back") if f"{PROJECT}_{name}" in networks), "")


def log(container):
    done = run("docker", "logs", container, check=False)
    return done.stdout + done.stderr


def tag_image(name, *changes, files=()):
    """The image of this run with other files or settings, as TAG `name`."""
    container = docker("create", f"shields:{TAG}")
    try:
        for source, target in files:
            docker("cp", str(source), f"{container}:{target}")
        docker("commit", *[word for change in changes for word in ("--change", change)], container,
               f"shields:{name}")
    finally:
        docker("rm", container)
    return name


def rollout(*services, check=True, **env):
    return run(ROOT / "deploy/rollout", *services, check=check, timeout=900, **env)


def start_one_more(service, **env):
    """A container of compose.yaml, with its restart policy, beside those that run."""
    before = containers(service, every=True)
    compose("up", "-d", "--no-build", "--no-deps", "--no-recreate",
            "--scale", f"{service}={len(before) + 1}", service, **env)
    (new,) = set(containers(service, every=True)) - set(before)
    return new


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
    pid = inspect(container)["State"]["Pid"]
    try:  # the engine may be on another machine, where the number means another process
        ours = pid > 0 and container in Path(f"/proc/{pid}/cgroup").read_text()
        if ours:
            os.kill(pid, 9)
    except OSError:
        ours = False
    if not ours:
        print("    the restart policy was not tested: the process cannot be killed from here", flush=True)
        docker("kill", container)
        docker("start", container)


def addresses():
    """Of the containers themselves, as a balancer in their network knows them."""
    return [(host, 8000) for host in map(address, containers("api")) if host]


def published():
    """The whole range, as a balancer on the host knows them."""
    first, last = (PORTS + "-" + PORTS).split("-")[:2]
    return [("127.0.0.1", port) for port in range(int(first), int(last) + 1)]


class Balancer:
    """What a load balancer does: asks each replica's /readyz twice a second and takes those in turns
    that are ready. One that says it is not is out at once, one that does not answer in time the third
    time. When one cannot be connected to, it takes the next; nothing was sent then. All else that is
    no answer is a failure."""

    FALL = 3

    def __init__(self, targets):
        self.targets = targets
        self.ready, self.missed, self.errors = [], {}, []
        self.turn = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        wait_for("a replica is ready", lambda: self.look() or self.ready)
        self.thread = threading.Thread(target=self.keep_looking)
        self.thread.start()

    def look(self):
        ready = []
        for target in self.targets():
            missed = self.missed.get(target, self.FALL)
            try:
                missed = 0 if ask(target[0], "GET", "/readyz", port=target[1],
                                  timeout=1)[0] == 200 else self.FALL
            except (OSError, http.client.HTTPException):
                missed += 1
            self.missed[target] = missed
            if missed < self.FALL:
                ready.append(target)
        with self.lock:
            self.ready = ready

    def keep_looking(self):
        while not self.ended.wait(0.5):
            try:
                self.look()
            except Exception as error:  # told by close(): a thread must not end in silence
                self.errors.append(repr(error))

    def connect(self, timeout):
        """A connection to a replica; OSError when there is none for some seconds."""
        deadline = time.monotonic() + 20
        while True:
            with self.lock:
                self.turn += 1
                target = self.ready[self.turn % len(self.ready)] if self.ready else None
            if target:
                connection = http.client.HTTPConnection(*target, timeout=1)
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
        self.thread.join(LIMIT)
        return self.errors + (["the balancer hangs"] if self.thread.is_alive() else [])


class Load:
    """Clients that forge shields, and the ledger of what was acknowledged to them. Connections are
    kept open as long as the server agrees."""

    def __init__(self, clients=6, pause=0.01, prefix="load", targets=addresses):
        self.balancer = Balancer(targets)
        self.prefix = f"{prefix}-{time.monotonic_ns()}"
        self.pause = pause
        self.lock = threading.Lock()
        self.sent = 0
        self.acknowledged, self.failures, self.errors, self.longest = set(), [], [], 0.0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(i,)) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def client(self, client):
        try:
            self.forge(client)
        except Exception as error:  # told by stop()
            self.errors.append(repr(error))

    def forge(self, client):
        connection = None
        for count in range(10_000_000):
            if self.ended.is_set():
                break
            name = f"{self.prefix}-{client}-{count}"
            sent = None
            failure = None
            try:
                connection = connection or self.balancer.connect(HANDLER_TIMEOUT + SLACK)
                sent = time.monotonic()
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
                failure = f"lost: {error!r}" if sent else repr(error)
                if connection:
                    connection.close()
                connection = None
            with self.lock:
                self.sent += 1
                if sent:
                    self.longest = max(self.longest, time.monotonic() - sent)
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

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(LIMIT)
        hang = sum(thread.is_alive() for thread in self.threads)
        self.errors += self.balancer.close() + ([f"{hang} clients hang"] if hang else [])

    def stop(self):
        self.end()
        print(f"    {self.sent} requests sent, {len(self.failures)} failed, "
              f"the longest took {self.longest:.2f} s", flush=True)
        if self.errors:
            raise AssertionError(f"the load itself failed: {self.errors[:5]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.ended.is_set():
            self.end()

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

    def port_of(self, container):
        ports = inspect(container)["NetworkSettings"]["Ports"]["8000/tcp"]
        return int(ports[0]["HostPort"])

    # ---- as it stands

    def test_01_the_image_is_small_and_has_no_secret(self):
        image = json.loads(docker("image", "inspect", f"shields:{TAG}"))[0]
        base = json.loads(docker("image", "inspect", "debian:bookworm-slim"))[0]
        more = (image["Size"] - base["Size"]) / 1e6
        print(f"    the image: {image['Size'] / 1e6:.1f} MB, {more:.1f} MB over its base", flush=True)
        self.assertLessEqual(more, 45)
        self.assertEqual(image["Config"]["User"], "10001:10001")
        history = docker("history", "--no-trunc", f"shields:{TAG}")
        self.assertNotIn("postgresql://", json.dumps(image) + history)
        # What was added to the base is the program, its migrations and packages.
        container = docker("create", f"shields:{TAG}")
        self.addCleanup(docker, "rm", container, check=False)
        listed = run(f"docker export {container} | tar -t", shell=True).stdout.splitlines()
        files = [each for each in listed if not each.endswith("/")]
        added = [each for each in files if each.startswith(("app/", "usr/local/bin/", "usr/local/lib/",
                                                            "home/", "data/", "src/"))]
        self.assertIn("usr/local/bin/shields", added)
        self.assertEqual([each for each in added if each != "usr/local/bin/shields"
                          and not each.startswith("app/migrations/")], [])
        for secret in ("run/secrets/npm_ca", "root/.npmrc", "root/.npm", ".env", "root/.netrc"):
            self.assertNotIn(secret, files)

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
        self.assertEqual(sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'aegis'"), "f")
        for table in ("shield", "aegis_job", "aegis_schedule", "aegis_migrations"):
            self.assertIn(f"|{table}|", tables)

    def test_04_a_job_of_the_api_is_done_by_the_worker(self):
        port = self.port_of(containers("api")[0])
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
        began = sql("SELECT now()")
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
        # Also those that no run knows of: a slot that was fired twice has two jobs and one run.
        polished = f"kind = 'PolishShields' AND created_at >= '{began}'"
        wait_for("all jobs", lambda: number(f"SELECT count(*) FROM aegis_job WHERE {polished}") == 0)
        daily = number("SELECT count(*) FROM aegis_schedule_run WHERE schedule = 'polish-shields' "
                       f"AND fired_at >= '{began}'")
        self.assertEqual(number("SELECT count(*) FROM aegis_job_finished WHERE state = 'completed' "
                                f"AND {polished}"), slots + daily)

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
        for targets in (addresses, published):
            with self.subTest(targets.__name__):
                self.roll(targets)

    def roll(self, targets):
        up(api=2, worker=2, scheduler=2)
        # One that is not a replica is not to be counted, nor replaced.
        oneoff = compose("run", "-d", "--no-deps", "api", "api").splitlines()[-1]
        self.addCleanup(docker, "rm", "--force", oneoff, check=False)
        before = self.of_all_roles()
        with Load(targets=targets) as load:
            load.await_acknowledged(200)
            rollout("api", "worker", "scheduler")
            load.await_acknowledged(200)
            load.stop()
            after = self.of_all_roles()
            self.assertEqual(len(after), 6)
            self.assertEqual(before & after, set())
            self.assertTrue(inspect(oneoff)["State"]["Running"])
            self.assertEqual(load.failures, [])
            load.check_ledger()

    def of_all_roles(self):
        return {each for service in ("api", "worker", "scheduler") for each in containers(service)}

    def test_09_an_upgrade_and_the_way_back_lose_nothing(self):
        up(api=2, worker=2, scheduler=2)
        with tempfile.TemporaryDirectory() as folder:
            migration = Path(folder) / "0099_weigh_shields"
            migration.mkdir()
            for dialect in ("postgresql", "sqlite"):
                (migration / f"{dialect}.sql").write_text(
                    "-- up\nALTER TABLE shield ADD COLUMN weight INTEGER;\n"
                    "-- down\nALTER TABLE shield DROP COLUMN weight;\n")
            later = tag_image(f"{TAG}-later", files=[(migration, "/app/migrations/0099_weigh_shields")])

        def migrate(*command):
            compose("run", "--rm", "--no-deps", "migrate", *command, TAG=later)

        self.addCleanup(docker, "rmi", "--force", f"shields:{later}", check=False)
        with Load() as load:
            load.await_acknowledged(100)
            self.addCleanup(migrate, "db", "downgrade", "--to", "3", "--allow-destructive")
            migrate("migrate")
            victim = containers("api")[0]
            started = inspect(victim)["State"]["StartedAt"]
            kill(victim)  # what starts in its place is of the old release
            wait_for("it has started again", lambda: inspect(victim)["State"]["StartedAt"] != started)
            wait_for("the old release is ready on the newer database",
                     lambda: health(victim) == "healthy")
            load.await_acknowledged(100)
            killed = len(load.failures)
            self.assertLessEqual(killed, 6)  # what the killed one had begun: one of each client
            rollout("api", "worker", "scheduler", TAG=later)
            load.await_acknowledged(100)
            rollout("api", "worker", "scheduler")
            load.await_acknowledged(100)
            load.stop()
            self.assertEqual(load.failures[killed:], [])
            load.check_ledger()
        self.assertIn("newer than this program", log(containers("api")[0]))

    def test_18_a_broken_release_is_not_rolled_out(self):
        up(api=2, worker=2)
        broken = (tag_image(f"{TAG}-ends", 'ENTRYPOINT ["false"]'),
                  tag_image(f"{TAG}-waits", "ENV MIGRATIONS_DIR=/nowhere"))
        for tag in broken:
            self.addCleanup(docker, "rmi", "--force", f"shields:{tag}", check=False)
        for tag in broken:
            with self.subTest(tag), Load() as load:
                load.await_acknowledged(50)
                for service in ("api", "worker"):
                    before = containers(service, every=True)
                    done = rollout(service, check=False, TAG=tag, ROLLOUT_TIMEOUT="90")
                    self.assertNotEqual(done.returncode, 0)
                    self.assertIn("the old ones stay", done.stderr)
                    self.assertEqual(sorted(containers(service, every=True)), sorted(before))
                load.stop()
                self.assertEqual(load.failures, [])

    def test_19_a_release_is_rolled_out_while_jobs_wait(self):
        up(worker=2)
        self.addCleanup(sql, "DELETE FROM aegis_job WHERE kind = 'Unknown'")
        sql("INSERT INTO aegis_job (kind, queue, state, priority, run_at, created_at, attempt, starts, "
            "max_attempts, timeout, arguments, tags, cancel_requested, run_anyway) VALUES ('Unknown', "
            "'default', 'available', 0, now() - interval '1 hour', now(), 0, 0, 5, 30000, '{}', '', "
            "false, false)")
        api = address(containers("api")[0])
        wait_for("it is unhealthy as a whole", lambda: ask(api, "GET", "/health")[0] == 503)
        rollout("api", "worker", "scheduler")
        self.assertEqual(ask(address(containers("api")[0]), "GET", "/health")[0], 503)

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
        clients = 6
        with Load(clients) as load:
            for service in ("api", "worker", "scheduler"):
                load.await_acknowledged(100)
                before = len(load.failures)
                kill(containers(service)[0])
                load.await_acknowledged(100)
                wait_for(f"{service} again", lambda service=service: [
                    health(each) for each in containers(service)] == ["healthy"] * 2)
                # What an api had begun when it was killed has no answer: one of each client at most.
                lost = load.failures[before:]
                self.assertLessEqual(len(lost), clients if service == "api" else 0, lost[:5])
                self.assertEqual([each for each in lost if not each.startswith("lost: ")], [])
            load.stop()
            load.check_ledger()

    def fault_of_postgres(self, begin, end, longest=CONNECT_TIMEOUT, says=None):
        """Every request ends in time meanwhile, all is well again after it, nothing is lost. `end` is
        called in any case; where the fault is over already it does nothing."""
        container = containers("postgres")[0]
        began = {service: containers(service)[0] for service in ("api", "worker", "scheduler")}
        self.addCleanup(end, container)
        with Load(pause=0.05) as load:
            load.await_acknowledged(50)
            begin(container)
            for service, each in began.items():
                wait_for(f"{service} is unhealthy", lambda each=each: health(each) == "unhealthy")
            self.assertEqual(ask(address(began["api"]), "GET", "/livez", timeout=SLACK)[0], 200)
            end(container)
            load.await_acknowledged(50)
            load.stop()
            self.assertLess(load.longest, longest + SLACK)
            up()
            load.check_ledger()
        for each in began.values():
            self.assertEqual(inspect(each)["RestartCount"], 0, log(each)[-2000:])
            if says:
                self.assertIn(says, log(each))

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
                               lambda each: docker("unpause", each, check=False),
                               longest=HANDLER_TIMEOUT)

    def test_13_postgres_is_cut_off(self):
        network = f"{PROJECT}_back"
        self.fault_of_postgres(
            lambda each: docker("network", "disconnect", network, each),
            lambda each: docker("network", "connect", "--alias", "postgres", network, each, check=False),
            longest=HANDLER_TIMEOUT)

    def test_14_postgres_is_stopped_and_its_name_is_gone(self):
        self.fault_of_postgres(lambda each: docker("stop", each), lambda each: docker("start", each),
                               says="no database")

    def test_15_an_api_is_cut_off(self):
        up(api=2)
        networks = [f"{PROJECT}_{name}" for name in ("front", "back")]
        container = containers("api")[0]

        def connect():
            for network in networks:
                docker("network", "connect", network, container, check=False)

        with Load() as load:
            load.await_acknowledged(50)
            self.addCleanup(connect)
            for network in networks:
                docker("network", "disconnect", network, container)
            load.await_acknowledged(100)
            wait_for("it is unhealthy", lambda: health(container) == "unhealthy")
            connect()
            wait_for("it is healthy", lambda: health(container) == "healthy")
            wait_for("it is asked again", lambda: (address(container), 8000) in load.balancer.ready)
            load.await_acknowledged(50)
            load.stop()
            load.check_ledger()

    def test_16_a_wrong_password_is_told(self):
        for service in ("api", "worker", "scheduler"):
            with self.subTest(service):
                container = start_one_more(service, POSTGRES_PASSWORD="not-the-password")
                self.addCleanup(docker, "rm", "-f", container, check=False)
                started = inspect(container)["State"]["StartedAt"]
                wait_for("unhealthy", lambda container=container: health(container) == "unhealthy")
                found, text = inspect(container), log(container)
                self.assertEqual(found["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped")
                self.assertTrue(found["State"]["Running"])
                self.assertEqual(found["State"]["StartedAt"], started)
                self.assertEqual(found["RestartCount"], 0)
                self.assertIn("password authentication failed", text)
                self.assertNotIn("not-the-password", text)
                self.assertLess(len(text.splitlines()), 50, text)

    def test_17_the_memory_limit_is_kept(self):
        limit = 256  # MiB, of compose.yaml
        before = {service: inspect(containers(service)[0]) for service in ("api", "worker", "scheduler")}

        def memory(container):
            text = ask(address(container), "GET", "/health/detailed")[1]
            found = json.loads(text)["components"]["system"]["sub_components"]["memory"]["metadata"]
            self.assertEqual(found["limit_mib"], limit, found)
            return found["process_mib"]

        with Load(clients=16, pause=0) as load:
            load.await_acknowledged(1000)
            early = {service: memory(found["Id"]) for service, found in before.items()}
            load.await_acknowledged(3000)
            load.stop()
            self.assertEqual(load.failures, [])
        load.check_ledger()
        for service, found in before.items():
            now, late = inspect(found["Id"]), memory(found["Id"])
            print(f"    {service}: {early[service]:.0f} MiB, and {late:.0f} later", flush=True)
            self.assertFalse(now["State"]["OOMKilled"])
            self.assertEqual(now["RestartCount"], found["RestartCount"])
            self.assertEqual(now["State"]["StartedAt"], found["State"]["StartedAt"])
            self.assertLess(late - early[service], limit / 4)
            self.assertLess(late, limit / 2)

    # ---- backups

    def test_30_a_backup_is_put_back(self):
        ask(address(containers("api")[0]), "POST", "/shields", {"name": f"kept-{time.time_ns()}"})
        wait_for("no job is left", lambda: number("SELECT count(*) FROM aegis_job") == 0)
        stored = "SELECT count(*), md5(string_agg(s::text, ',' ORDER BY id)) FROM shield s"
        before = sql(stored)
        self.addCleanup(compose, "--profile", "prod", "rm", "--stop", "--force", "backup")

        # The first one fails: it is told, and nothing is left of it.
        postgres = containers("postgres")[0]
        self.addCleanup(docker, "start", postgres, check=False)
        docker("stop", postgres)
        compose("--profile", "prod", "up", "-d", "--no-deps", "backup")
        (backup,) = containers("backup")
        wait_for("it is told", lambda: "no backup was made" in log(backup))
        self.assertEqual(docker("exec", backup, "ls", "/backups"), "")
        docker("start", postgres)
        wait_for("postgres is healthy", lambda: health(postgres) == "healthy")
        docker("restart", "--time", "1", backup)
        wait_for("a backup", lambda: "wrote /backups/" in log(backup))
        wait_for("it is healthy", lambda: health(backup) == "healthy")
        docker("restart", "--time", "1", backup)  # makes no further one
        wait_for("it is healthy", lambda: health(backup) == "healthy")
        self.assertEqual(len(docker("exec", backup, "ls", "/backups").split()), 1)

        # The commands of the page, in a folder where the dump may lie.
        page = (ROOT / "docs/deployment.md").read_text()
        commands = page.split("To put one back")[1].split("```sh\n")[1].split("```")[0]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        dump = f"{folder.name}/restore.dump"

        def is_restored():
            self.assertEqual(sql(stored), before)
            wait_for("all is well",
                     lambda: ask(address(containers("api")[0]), "GET", "/health")[0] == 200)

        sql("DELETE FROM shield; DROP TABLE aegis_schedule_run; CREATE TABLE of_a_later_release (id INT)")
        run(commands.replace("restore.dump", dump), shell=True)
        is_restored()
        self.assertEqual(sql("SELECT to_regclass('of_a_later_release')"), "")

        # And on a machine that has nothing but the dump.
        compose("rm", "--stop", "--force", "postgres", "api", "worker", "scheduler", "migrate")
        docker("volume", "rm", f"{PROJECT}_postgres")
        compose("up", "-d", "--no-build", "--wait", "postgres")
        tail = commands[commands.index("docker compose exec -T postgres pg_restore -U"):]
        run(tail.replace("restore.dump", dump), shell=True)
        is_restored()

    # ---- as the documentation has it

    def test_31_compose_as_it_is(self):
        plain = {"COMPOSE_PROJECT_NAME": f"{PROJECT}-plain", "COMPOSE_FILE": str(ROOT / "compose.yaml"),
                 "POSTGRES_PASSWORD": "", "API_PORT": "8011"}

        def make(target, *arguments, **options):  # the image is there already
            return run("make", "--old-file=image", target, *arguments, **options, **plain).stdout

        self.addCleanup(make, "down", "ARGS=--volumes", check=False)
        make("up", "SCALE=--scale api=2 --scale worker=3 --scale scheduler=2", timeout=600)
        found = compose("ps", "--format", "{{.Service}} {{.Health}}", **plain).splitlines()
        self.assertEqual(sorted(found), ["api healthy"] * 2 + ["postgres healthy"] +
                         ["scheduler healthy"] * 2 + ["worker healthy"] * 3)
        self.assertIn("|shield|", make("psql", r"ARGS=-A -c '\dt'"))
        logs = subprocess.Popen(["make", "logs", "ARGS="], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                env={**os.environ, **plain}, start_new_session=True)
        limit = threading.Timer(LIMIT, os.killpg, (logs.pid, 9))  # it follows for ever
        limit.start()
        try:
            self.assertTrue(any("scheduler-2" in line for line in logs.stdout))
            os.killpg(logs.pid, 15)
            logs.communicate()
        finally:
            limit.cancel()
        compose("--profile", "sqlite", "up", "-d", "--no-build", "--no-deps", "--wait", "serve", **plain)
        status, text = ask("127.0.0.1", "POST", "/shields", {"name": "alone"}, 8011)
        self.assertEqual(status, 201, text)
        self.assertIn("dev", compose("--profile", "dev", "config", "--services", **plain).split())
        make("down", "ARGS=--volumes")
        self.assertEqual(compose("ps", "--all", "--quiet", **plain), "")

    def test_32_a_project_built_in_the_sdk(self):
        project = {"COMPOSE_PROJECT_NAME": f"{PROJECT}-sdkdemo", "TAG": "latest",
                   "COMPOSE_FILE": str(ROOT / "build/sdkdemo/compose.yaml")}
        self.addCleanup(compose, "down", "--volumes", check=False, **project)
        compose("up", "-d", "--no-build", "--wait", **project)
        port = int(compose("port", "api", "8000", **project).rsplit(":", 1)[1])
        status, text = ask("127.0.0.1", "GET", "/health/detailed", port=port)
        self.assertEqual(status, 200, text)
        self.assertEqual(json.loads(text)["service"], "sdkdemo")
        self.assertIn("aegis_schedule", compose("exec", "-T", "postgres", "psql", "-U", "aegis",
                                                "-d", "aegis_db", "-c", r"\dt", **project))


def down():
    """Removes all that this run has made, and says what it cannot remove."""
    for name, file in ((PROJECT, os.environ["COMPOSE_FILE"]), (f"{PROJECT}-plain", "compose.yaml")):
        compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5",
                COMPOSE_PROJECT_NAME=name, COMPOSE_FILE=file)
        label = f"label=com.docker.compose.project={name}"
        left = [docker("ps", "-aq", "--filter", label), docker("volume", "ls", "-q", "--filter", label),
                docker("network", "ls", "-q", "--filter", label)]
        if any(left):
            raise AssertionError(f"not removed: {left}")
    docker("rmi", "--force", f"shields:{TAG}", check=False)


def setUpModule():
    docker("tag", "shields", f"shields:{TAG}")


if __name__ == "__main__":
    if not shutil.which("docker"):
        sys.exit("docker is missing")
    began = time.monotonic()
    try:
        program = unittest.main(exit=False, verbosity=2, argv=[
            sys.argv[0], *sys.argv[1:], *shlex.split(os.environ.get("ARGS", ""))])
    finally:  # also when it is interrupted
        if not os.environ.get("KEEP"):
            down()
    result = program.result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed in {time.monotonic() - began:.0f} s")
    sys.exit(0 if result.wasSuccessful() else 1)
