"""The `db` commands and the start of the service with migrations, as people run them.

usage: migrations_test.py PATH_OF_SHIELDS FOLDER_OF_ITS_MIGRATIONS [unittest options]

With POSTGRES_URL in the environment, on that database; otherwise on SQLite.
"""
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import service_test
from service_test import LIMIT, Service

MIGRATIONS = ""
ALL = ["0001_create_shield", "0002_create_jobs", "0003_create_schedules"]
POSTGRES_URL = os.environ.get("POSTGRES_URL")


class MigrationsTest(unittest.TestCase):
    def setUp(self):
        if POSTGRES_URL:
            subprocess.run(["psql", "--no-psqlrc", "-q", POSTGRES_URL, "-c",
                            "DROP SCHEMA public CASCADE; CREATE SCHEMA public"],
                           check=True, capture_output=True, timeout=LIMIT)
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)
        self.migrations = self.directory / "migrations"
        shutil.copytree(MIGRATIONS, self.migrations)

    def start(self, *arguments, **env):
        return subprocess.Popen([service_test.SHIELDS, *arguments], cwd=self.directory, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={"PATH": os.environ["PATH"], **Service.sanitizers(),
                                     **self.database(), **env})

    def database(self):
        return {"DATABASE_URL": POSTGRES_URL} if POSTGRES_URL else {}

    def run_db(self, *arguments, code=0, **env):
        process = self.start("db", *arguments, **env)
        out, err = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, code, out + err)
        return out + err

    def serve(self, command="serve", **env):
        service = Service(self.directory, **{**self.database(), **env}, command=command)
        self.addCleanup(lambda: service.process.poll() is None and service.stop(9))
        return service

    def add_migration(self, message, up, down=""):
        title = self.run_db("revision", "-m", message, "--empty").splitlines()[0]
        for dialect in ("sqlite", "postgresql"):
            (self.migrations / title / f"{dialect}.sql").write_text(
                f"-- up\n{up}\n-- down\n{down}\n")
        return title

    def test_the_migrations_of_the_application_are_complete(self):
        self.assertEqual(self.run_db("revision", "-m", "again"),
                         "The models are as the migrations leave them: nothing to write.\n")
        self.run_db("upgrade")
        self.assertEqual(self.run_db("check"), "Models, migrations and database agree.\n")

    def test_commands_end_without_the_lines_of_a_service(self):
        out = self.run_db("upgrade")
        self.assertRegex(out, r"\A" + "".join(rf"{each} applied in \d+ ms\n" for each in ALL) + r"\Z")
        self.assertRegex(
            self.run_db("history"),
            r"\A" + "".join(rf"{each} +applied .*Z in \d+ ms by .*\n" for each in ALL) + r"\Z")
        self.assertIn(f"newest    {ALL[-1]}\n", self.run_db("status"))
        self.assertEqual(self.run_db("upgrade"),
                         f"The database is at {ALL[-1]}: nothing to do.\n")
        self.assertIn("drops table aegis_schedule", self.run_db("downgrade", code=1))
        self.assertRegex(self.run_db("downgrade", "--allow-destructive"),
                         rf"\A{ALL[-1]} taken back in \d+ ms\n\Z")

    def test_a_command_that_does_not_exist(self):
        told = self.run_db("upgade", code=2)
        self.assertIn('shields db has no command "upgade"; did you mean "upgrade"?', told)
        self.assertIn("downgrade, status", told)
        self.assertIn("status", self.run_db(code=2))

    def test_the_shell_gets_the_password_by_its_environment(self):
        for client in ("psql", "sqlite3"):
            script = self.directory / client
            script.write_text('#!/bin/sh\necho "$0 $@|$PGHOST $PGPORT $PGUSER $PGPASSWORD $PGDATABASE"\n')
            script.chmod(0o755)
        path = f"{self.directory}:{os.environ['PATH']}"
        told = self.run_db("shell", "-c", "SELECT 1", PATH=path,
                           DATABASE_URL="postgresql://me:xyzzy@example:5433/shields")
        self.assertEqual(told, f"{self.directory}/psql -c SELECT 1|example 5433 me xyzzy shields\n")
        told = self.run_db("shell", ".tables", PATH=path, DATABASE_URL="sqlite:///data/app.db")
        self.assertEqual(told, f"{self.directory}/sqlite3 {self.directory}/data/app.db .tables|    \n")
        self.assertIn("psql cannot be run", self.run_db(
            "shell", PATH="/nowhere", DATABASE_URL="postgresql:///a", code=1))

    def test_check_fails_for_what_differs(self):
        self.assertIn("0001_create_shield is pending", self.run_db("check", code=1))
        self.run_db("upgrade")
        schema = self.migrations / "schema.json"
        schema.write_text(schema.read_text().replace('"max_length": 80', '"max_length": 70'))
        told = self.run_db("check", code=1)
        self.assertIn("models: shield.name: max_length 70 → 80, in no migration", told)

    def test_processes_that_start_together_migrate_once(self):
        titles = list(ALL)
        for number in range(len(ALL) + 1, 12):
            titles.append(self.add_migration(
                f"step {number}",
                f"CREATE TABLE step_{number} AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                f"SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n;"))
        processes = [self.start("db", "upgrade") for _ in range(4)]
        told = ""
        for process in processes:
            out, err = process.communicate(timeout=LIMIT)
            self.assertEqual(process.returncode, 0, err)
            told += out
        applied = sorted(line.split()[0] for line in told.splitlines() if "applied in" in line)
        self.assertEqual(applied, titles)

    def test_serve_migrates_in_development(self):
        service = self.serve()
        service.await_ready()
        self.assertEqual(service.request("POST", "/shields", {"name": "Aegis"}).status, 201)
        health = service.get_json("/health/detailed")["components"]["migrations"]
        self.assertEqual(health["status"], "healthy")
        self.assertEqual(health["metadata"]["current"], len(ALL))
        self.assertEqual(service.stop(), 0)
        self.assertEqual(self.run_db("check"), "Models, migrations and database agree.\n")

    def test_production_migrates_when_it_is_told_to(self):
        service = self.serve("serve --migrate", APP_ENV="production")
        service.await_ready()
        self.assertEqual(service.stop(), 0)
        self.run_db("downgrade", "--allow-destructive", "--to", "0")
        out, err = self.start("migrate").communicate(timeout=LIMIT)
        self.assertIn(f"{ALL[-1]} applied", out, err)
        self.assertEqual(self.run_db("check"), "Models, migrations and database agree.\n")

    def test_others_wait_until_the_database_is_migrated(self):
        for command, env in (("api", {}), ("serve", {"APP_ENV": "production"})):
            service = self.serve(command, **env)
            while "being prepared" in (reply := service.request("GET", "/readyz")).text:
                pass
            self.assertEqual(reply.status, 503)
            self.assertIn("the database is at an empty database, but this program needs "
                          f"{ALL[-1]}: run db upgrade", reply.text)
            health = service.get_json("/health/detailed")["components"]["migrations"]
            self.assertEqual(health["status"], "unhealthy")
            self.assertEqual(health["metadata"]["pending"], ALL)
            self.run_db("upgrade")
            service.await_ready()
            self.assertEqual(service.stop(), 0)
            self.run_db("downgrade", "--allow-destructive", "--to", "0")

    def test_a_newer_database_is_worked_with_when_it_only_has_more(self):
        title = self.add_migration("later", "ALTER TABLE shield ADD COLUMN weight INTEGER;")
        self.run_db("upgrade")
        shutil.rmtree(self.migrations / title)
        newer = "the database is newer than this program: it has 0004_later"
        for command in (("upgrade",), ("status",)):
            self.assertIn(newer, self.run_db(*command))
        self.assertIn(newer, self.run_db("check", code=1))
        for command in ("api", "serve"):
            service = self.serve(command)
            service.await_ready()
            self.assertEqual(service.request("POST", "/shields", {"name": command}).status, 201)
            health = service.get_json("/health/detailed")["components"]["migrations"]
            self.assertEqual(health["status"], "warning")
            self.assertIn(newer, health["message"])
            self.assertEqual(service.stop(), 0)

    def test_a_newer_database_is_refused(self):
        title = self.add_migration("later", "-- breaking: shields are weighed")
        self.run_db("upgrade")
        shutil.rmtree(self.migrations / title)
        self.assertIn("the database is newer than this program: it has 0004_later",
                      self.run_db("upgrade", code=1))
        service = self.serve()
        while "being prepared" in (reply := service.request("GET", "/readyz")).text:
            pass
        self.assertEqual(reply.status, 503)
        self.assertIn("newer than this program", reply.text)
        self.assertEqual(service.stop(), 0)

    def test_a_database_with_migrations_is_not_made_from_the_models(self):
        self.run_db("upgrade")
        service = self.serve(MIGRATIONS_DIR="elsewhere")
        while "being prepared" in (reply := service.request("GET", "/readyz")).text:
            pass
        self.assertIn("there are none in elsewhere (MIGRATIONS_DIR)", reply.text)
        self.assertEqual(service.stop(), 0)

    @unittest.skipIf(POSTGRES_URL, "on SQLite only")
    def test_waiting_for_another_process_is_told(self):
        self.run_db("upgrade")
        self.add_migration("later", "")
        with contextlib.closing(sqlite3.connect(self.directory / "data/app.db",
                                                isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            process = self.start("db", "upgrade")
            self.assertIn("waiting for another process", process.stderr.readline())
            other.execute("ROLLBACK")
        out, _ = process.communicate(timeout=LIMIT)
        self.assertIn("0004_later applied", out)

    def test_a_failing_migration_leaves_the_service_up_and_not_ready(self):
        self.add_migration("bad", "CREATE TABLE a (id INTEGER);\nINSERT INTO nowhere VALUES (1);")
        service = self.serve()
        while "being prepared" in (reply := service.request("GET", "/readyz")).text:
            pass
        self.assertEqual(reply.status, 503)
        self.assertEqual(service.request("GET", "/livez").status, 200)
        self.assertIn(f"current   {ALL[-1]}", self.run_db("status"))
        self.assertEqual(service.stop(), 0)

    def test_without_migrations_tables_are_made_from_the_models(self):
        shutil.rmtree(self.migrations)
        self.assertIn("There are no migrations in migrations", self.run_db("upgrade", code=1))
        service = self.serve()
        service.await_ready()
        self.assertNotIn("migrations", service.get_json("/health/detailed")["components"])
        self.assertEqual(service.stop(), 0)


if __name__ == "__main__":
    service_test.SHIELDS = os.path.abspath(sys.argv.pop(1))
    MIGRATIONS = os.path.abspath(sys.argv.pop(1))
    program = unittest.main(exit=False, verbosity=2)
    sys.exit(0 if program.result.wasSuccessful() else 1)
