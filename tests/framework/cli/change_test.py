"""aegis add, remove and update, on projects that people have worked on.

usage: change_test.py PATH_OF_AEGIS [unittest options]
"""
import json
import shutil
import subprocess

from command_case import CommandCase, main


class ChangeTest(CommandCase):
    def git(self, *arguments):
        return subprocess.run(["git", *arguments], cwd=self.directory, env=self.environment,
                              check=True, capture_output=True, text=True).stdout

    def make(self, components, *options):
        """A project with its first commit, in which the commands are run from now on."""
        self.aegis("init", "armoury", "--components", components, *options)
        self.directory /= "armoury"

    def make_with_jobs_of_its_own(self):
        """A project without a worker whose own migration makes the tables of jobs."""
        self.make("worker")
        jobs = self.read("migrations/0002_create_jobs/sqlite.sql")
        schema = self.read("migrations/schema.json")
        self.aegis("remove", "worker")
        self.write("migrations/0002_hire_worker/sqlite.sql", jobs)
        self.write("migrations/schema.json", schema)
        self.commit()

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--message", "a step")

    def tree(self):
        """The id of all that is in the project."""
        self.git("add", "--all")
        return self.git("write-tree").strip()

    def contents(self):
        """Of all files, with their permissions."""
        return {str(path.relative_to(self.directory)): (path.read_text(), path.stat().st_mode)
                for path in self.directory.rglob("*") if path.is_file()}

    def read(self, path):
        return (self.directory / path).read_text()

    def write(self, path, text):
        (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / path).write_text(text)

    def replace(self, path, old, new):
        text = self.read(path)
        self.assertIn(old, text)
        self.write(path, text.replace(old, new, 1))

    def assert_unchanged(self):
        self.assertEqual(self.git("status", "--porcelain"), "")

    def assert_project_refused(self, arguments, what, hint):
        self.assert_refused(arguments, what, hint)
        self.assert_unchanged()

    def assert_formatted(self):
        if shutil.which("clang-format-19"):
            sources = [*self.directory.rglob("*.h"), *self.directory.rglob("*.cpp")]
            subprocess.run(["clang-format-19", "--dry-run", "--Werror", *sources], check=True)

    def older(self, files):
        """Makes the project one of an older template, in which these files had this content; None:
        there was no such file."""
        manifest = json.loads(self.read(".aegis.json"))
        manifest["aegis"] = "0.0.9"
        manifest["files"] = [each for each in manifest["files"] if each["path"] not in files]
        for path, text in files.items():
            (self.directory / path).unlink(missing_ok=True)
            if text is not None:
                self.write(path, text)
                manifest["files"].append(
                    {"path": path, "id": self.git("hash-object", path).strip()})
        self.write(".aegis.json", json.dumps(manifest))
        self.commit()

    # Where nothing was edited

    def test_what_is_added_and_removed_is_as_if_made_so(self):
        combinations = ["database", "database=postgresql", "worker", "postgres,worker",
                        "scheduler", "postgres,scheduler"]
        home = self.directory
        contents, has = {}, {}
        for number, words in enumerate(["api", *combinations]):
            self.directory = home / str(number)
            self.directory.mkdir()
            self.make(words, "--no-git")
            contents[words] = self.contents()
            has[words] = json.loads(self.read(".aegis.json"))["components"]
        steps = [("api", words) for words in combinations]
        steps += [(words, "api") for words in combinations]
        steps += [("database", "database=postgresql"), ("postgres,scheduler", "scheduler"),
                  ("worker", "scheduler"), ("scheduler", "worker"), ("postgres,worker", "database")]
        for number, (before, after) in enumerate(steps, start=100):
            self.directory = home / str(number)
            self.directory.mkdir()
            self.make(before, "--no-git")
            with self.subTest(before=before, after=after):
                gone = {word.split("=")[0] for word in has[before]}
                gone -= {word.split("=")[0] for word in has[after]}
                if gone:
                    self.aegis("remove", *sorted(gone), "--force", "--json")
                if set(has[after]) - set(has[before]):
                    self.aegis("add", *has[after], "--force", "--json")
                self.assertEqual(self.contents(), contents[after])

    def test_nothing_is_written_by_a_dry_run(self):
        self.make("database")
        printed = self.aegis("add", "scheduler", "--dry-run")
        self.assertIn("  with worker: scheduler needs it\n", printed)
        self.assertIn("  added     app/scheduler/schedules.cpp\n", printed)
        self.assertIn("+  app.schedules(schedules);\n", printed)
        self.assert_unchanged()

    def test_programs_can_read_it(self):
        self.make("database")
        report = json.loads(self.aegis("add", "worker", "--json"))
        self.assertEqual(report["components"], "database=sqlite,worker")
        self.assertTrue(report["written"])
        changes = {each["path"]: each["change"] for each in report["files"]}
        self.assertEqual(changes["app/worker/inscribe_runes.h"], "added")
        self.assertEqual(changes["app/application.cpp"], "changed")

    def test_on_a_terminal_it_asks(self):
        self.make("database")
        printed = self.on_terminal("no\n", "add", "worker", code=1)
        self.assertIn("Go on? (yes)", printed)
        self.assert_unchanged()
        self.on_terminal("\x04", "add", "worker", code=1)
        self.assert_unchanged()
        self.on_terminal("\n", "add", "worker")
        self.assertTrue((self.directory / "app/worker").is_dir())

    def test_the_next_steps_are_said(self):
        self.make("database")
        shutil.copy(self.directory / ".env.example", self.directory / ".env")
        printed = self.aegis("add", "worker")
        self.assertIn("  make migrate\n", printed)
        self.assertIn("  diff .env .env.example", printed)
        self.commit()
        self.assertIn("`db downgrade`", self.aegis("remove", "worker"))

    # What is refused

    def test_what_is_wrong_is_told_with_a_hint(self):
        self.assert_refused(["add", "worker"], "no project", "aegis init")
        self.assert_refused(["update"], "no project", "aegis init")
        self.make("worker")
        for arguments, what, hint in [
                (["add", "schedler"], 'did you mean "scheduler"?', "aegis components"),
                (["add", "worker"], "has worker already", "database=sqlite,worker"),
                (["add", "sqlite", "postgres"], "one database", "Choose one"),
                (["remove", "database"], "worker needs database", "aegis remove database worker"),
                (["remove", "scheduler"], "has no scheduler", "database=sqlite,worker"),
                (["remove", "api"], "always there", "Remove"),
                (["remove", "postgres"], "has no postgres", "database=sqlite,worker"),
                (["add"], "COMPONENT", "--help")]:
            self.assert_project_refused(arguments, what, hint)

    def test_all_must_be_committed(self):
        self.make("database")
        self.write("notes.txt", "mine")
        self.assert_refused(["add", "worker"], "A file in this project is not committed", "--force")
        self.aegis("add", "worker", "--force")
        self.assertEqual(self.read("notes.txt"), "mine")

    def test_there_must_be_a_repository(self):
        self.aegis("init", "armoury", "--components", "database", "--no-git")
        self.directory /= "armoury"
        self.assert_refused(["add", "worker"], "no git repository", "git init")
        self.aegis("add", "worker", "--force")

    def test_what_git_does_not_show_is_not_committed_either(self):
        (self.directory / ".gitignore").write_text("armoury/\n")
        self.git("init")
        self.make("database", "--no-git")
        del self.environment["GIT_CEILING_DIRECTORIES"]
        self.assert_refused(["add", "worker"], "git ignores this project", "git init")
        self.git("init")
        self.commit()
        self.git("config", "status.showUntrackedFiles", "no")
        self.write("notes.txt", "mine")
        self.assert_refused(["add", "worker"], "A file in this project is not committed", "--force")

    def test_what_git_complains_of_is_told(self):
        self.make("database")
        self.environment["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1"
        message = self.aegis("add", "worker", code=2)
        self.assertIn("dubious ownership", message)
        self.assertIn("git config --global --add safe.directory", message)

    def test_a_component_in_use_is_not_removed(self):
        self.make("scheduler")
        self.aegis("generate", "job", "sound_alarm")
        self.commit()
        self.assert_project_refused(["remove", "worker", "scheduler"],
                                    "worker is in use: app/worker/sound_alarm.cpp", "--force")
        self.aegis("remove", "scheduler")
        self.commit()
        self.aegis("remove", "worker", "--force")
        self.assertTrue((self.directory / "app/worker/sound_alarm.cpp").exists())

    def test_it_is_all_or_nothing(self):
        self.make("database")
        self.write("app/worker", "a file where the folder should be")
        self.commit()
        self.assertIn("app/worker", self.aegis("add", "worker", code=1))
        self.assert_unchanged()
        self.assertFalse([path for path in self.files() if path.startswith(".aegis-")])

    def test_a_folder_in_the_place_of_a_file_is_left_alone(self):
        self.make("database")
        self.write("app/worker/inscribe_runes.h/mine.o", "an ignored file")
        self.write(".git/info/exclude", "*.o\n")
        self.assertIn("inscribe_runes.h: Is a directory", self.aegis("add", "worker", code=1))
        self.assertEqual(self.read("app/worker/inscribe_runes.h/mine.o"), "an ignored file")
        self.assert_unchanged()

    def test_a_manifest_cannot_reach_out_of_the_project(self):
        self.make("database")
        precious = self.directory.parent / "precious.txt"
        precious.write_text("mine\n")
        self.replace(".aegis.json", '"files": [\n', '"files": [\n    {"path": "../precious.txt", "id": "'
                     + self.git("hash-object", precious).strip() + '"},\n')
        self.commit()
        self.assert_project_refused(["update", "--yes"], "../precious.txt", "git log")
        self.assertEqual(precious.read_text(), "mine\n")

    # What was edited

    def test_edits_and_parts_are_kept(self):
        self.make("database")
        self.replace("app/api/hello.cpp", "Hello, ", "Hail, ")
        self.replace("app/models/shield.h", "int defense_rating = 10", "int defense_rating = 20")
        self.aegis("generate", "resource", "war-horn", "title:text")
        self.aegis("generate", "handler", "status")
        self.commit()
        before = self.tree()
        self.aegis("add", "scheduler")
        application = self.read("app/application.cpp")
        for statement in ("app.models<WarHorn>().routes(war_horns);", "app.routes(status);",
                          "app.jobs<InscribeRunes, AppraiseShield>();",
                          "app.schedules(schedules);"):
            self.assertEqual(application.count(statement), 1)
        self.assertIn("Hail, ", self.read("app/api/hello.cpp"))
        self.assert_formatted()
        self.commit()
        self.aegis("remove", "worker", "scheduler")
        self.assertEqual(self.tree(), before)

    def test_a_project_with_crlf_is_changed_as_any_other(self):
        self.make_with_jobs_of_its_own()
        for path in self.git("ls-files").split():
            if path != ".aegis.json":
                file = self.directory / path
                file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        self.commit()
        self.aegis("generate", "handler", "status")
        self.commit()
        self.aegis("add", "worker")
        self.assertEqual(self.migrations(), ["0001_create_shield", "0002_hire_worker"])
        application = (self.directory / "app/application.cpp").read_bytes()
        for statement in (b"app.routes(status);", b"app.jobs<InscribeRunes, AppraiseShield>();"):
            self.assertIn(b"\r\n  " + statement + b"\r\n", application)
        self.assertEqual(application.count(b"\n"), application.count(b"\r\n"))

    def test_jobs_stay_when_schedules_come_and_go(self):
        self.make("worker")
        self.aegis("generate", "job", "sound_alarm")
        self.commit()
        before = self.tree()
        self.aegis("add", "scheduler")
        self.assert_formatted()
        self.commit()
        self.aegis("remove", "scheduler")
        self.assertEqual(self.tree(), before)

    def test_lines_that_both_have_changed_are_a_conflict(self):
        self.make("database")
        self.replace("README.md", "| `make serve` | builds it and runs it |",
                     "| `make serve` | runs the armoury |")
        self.replace("README.md", "| `make migrate` |", "| `make migrate`, always |")
        self.commit()
        printed = subprocess.run([*self.command("add", "worker")], cwd=self.directory, text=True,
                                 env=self.environment, capture_output=True)
        self.assertEqual(printed.returncode, 1)
        self.assertIn("  conflict  README.md: both sides have changed", printed.stdout)
        readme = self.read("README.md")
        for part in ("<<<<<<< yours\n", "runs the armoury", ">>>>>>> Aegis ", "make worker"):
            self.assertIn(part, readme)
        self.assertTrue((self.directory / "app/worker").is_dir())

    def test_a_changed_file_of_a_component_is_kept_and_a_removed_one_stays_so(self):
        self.make("worker")
        self.replace("app/worker/inscribe_runes.cpp", '"runes of "', '"old runes of "')
        (self.directory / "README.md").unlink()
        self.commit()
        printed = self.aegis("remove", "worker")
        self.assertIn("  kept      app/worker/inscribe_runes.cpp: you have changed it\n", printed)
        self.assertIn("  kept      README.md: you have removed it\n", printed)
        self.assertFalse((self.directory / "README.md").exists())
        self.assertIn("old runes", self.read("app/worker/inscribe_runes.cpp"))
        self.assertFalse((self.directory / "app/worker/appraise_shield.cpp").exists())
        self.commit()
        self.assertIn("up to date", self.aegis("update"))
        self.assertIs(json.loads(self.aegis("update", "--json"))["written"], False)

    # Migrations

    def add_migration(self, number, table):
        """As `db revision` would."""
        for dialect in ("sqlite", "postgresql"):
            self.write(f"migrations/{number:04}_create_{table}/{dialect}.sql",
                       f"-- create {table} ({dialect})\n--   new table {table}\n\n-- up\n")
        schema = json.loads(self.read("migrations/schema.json"))
        schema["tables"].append({"name": table, "columns": [{"name": "id", "type": "integer"}]})
        self.write("migrations/schema.json", json.dumps(schema))
        self.commit()

    def tables(self):
        return [each["name"] for each in json.loads(self.read("migrations/schema.json"))["tables"]]

    def migrations(self):
        return sorted(path.name for path in (self.directory / "migrations").glob("0*"))

    def test_migrations_go_behind_those_that_are_there(self):
        self.make("database")
        self.add_migration(2, "note")
        self.aegis("add", "worker")
        self.assertEqual(self.migrations(),
                         ["0001_create_shield", "0002_create_note", "0003_create_jobs"])
        self.assertEqual(self.tables()[:3], ["shield", "note", "aegis_job"])
        self.commit()
        self.aegis("remove", "worker")
        self.assertEqual(self.migrations(), ["0001_create_shield", "0002_create_note"])
        self.assertEqual(self.tables(), ["shield", "note"])

    def test_migrations_that_others_follow_stay(self):
        self.make("worker")
        self.add_migration(3, "note")
        all_tables, all_migrations = self.tables(), self.migrations()
        printed = self.aegis("remove", "worker")
        self.assertIn("migrations/0002_create_jobs/sqlite.sql: other migrations follow", printed)
        self.assertEqual(self.migrations(), all_migrations)
        self.assertEqual(sorted(self.tables()), sorted(all_tables))
        self.commit()
        self.assertIn("up to date", self.aegis("update"))
        self.aegis("add", "worker")
        self.assertEqual(self.migrations(), all_migrations)

    def test_tables_that_the_project_has_made_itself_are_not_made_again(self):
        self.make_with_jobs_of_its_own()
        self.aegis("add", "worker")
        self.assertEqual(self.migrations(), ["0001_create_shield", "0002_hire_worker"])

    # Update

    def test_an_update_brings_what_is_new_and_keeps_what_is_yours(self):
        self.make("database")
        newest = self.tree()
        makefile = self.read("Makefile")
        self.older({"Makefile": makefile.replace("help: ## This list", "help: ## All of it"),
                    "app/api/hello.h": None, "app/api/greet.h": "#pragma once\n"})
        self.assert_project_refused(["add", "worker"], "made with Aegis 0.0.9", "aegis update")
        old = self.tree()
        self.aegis("update")
        self.assertEqual(self.tree(), newest)

        self.git("read-tree", "--reset", "-u", old)
        self.write("Makefile", self.read("Makefile") + "\nmine: ## My own\n\t@true\n")
        self.commit()
        printed = self.aegis("update")
        self.assertIn("  changed   Makefile\n", printed)
        self.assertIn("  removed   app/api/greet.h\n", printed)
        self.assertIn("  added     app/api/hello.h\n", printed)
        self.assertEqual(self.read("Makefile"), makefile + "\nmine: ## My own\n\t@true\n")
        self.commit()
        self.assertIn("up to date with Aegis", self.aegis("update"))

    def test_without_its_base_a_file_is_a_conflict(self):
        self.make("database")
        self.older({"Makefile": "# an old one\n"})
        manifest = json.loads(self.read(".aegis.json"))
        for each in manifest["files"]:
            if each["path"] == "Makefile":
                each["id"] = "0" * 40
        self.write(".aegis.json", json.dumps(manifest))
        self.commit()
        self.aegis("update", code=1)
        self.assertIn("<<<<<<< yours\n# an old one\n=======\n", self.read("Makefile"))

    def test_a_project_of_a_newer_version_is_left_alone(self):
        self.make("database")
        self.replace(".aegis.json", '"aegis": "', '"aegis": "9')
        self.commit()
        for command in (["update"], ["add", "worker"]):
            self.assert_project_refused(command, "newer than", "Install Aegis 9")

    def test_a_manifest_that_is_none_is_told(self):
        self.make("database")
        self.write(".aegis.json", "<<<<<<< yours\n")
        self.commit()
        self.assert_project_refused(["update"], ".aegis.json cannot be read", "git log")


if __name__ == "__main__":
    main()
