"""The command line of `aegis`, as people and scripts use it.

usage: init_test.py PATH_OF_AEGIS [unittest options]
"""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from command_case import CommandCase, main


class InitTest(CommandCase):
    def test_a_project_is_made_with_its_first_commit(self):
        printed = self.aegis("init", "armoury", "--components", "worker")
        self.assertIn("armoury: API, database (SQLite), worker\n", printed)
        self.assertIn("with database: worker needs it\n", printed)
        self.assertIn("cd armoury\n", printed)
        self.assertEqual(self.files(), {"armoury"})
        git = ["git", "-C", self.directory / "armoury"]
        status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True,
                                check=True, env=self.environment)
        self.assertEqual(status.stdout, "")
        log = subprocess.run([*git, "log", "--format=%s"], capture_output=True, text=True,
                             check=True, env=self.environment)
        self.assertEqual(log.stdout, "aegis init armoury\n")

    def test_components_come_in_lists_and_one_by_one(self):
        self.aegis("init", "one", "--components", "postgres,worker", "--no-git")
        self.aegis("init", "--components", "worker", "--components", "database[postgresql]", "two",
                   "--no-git")
        for name in ("one", "two"):
            example = (self.directory / name / ".env.example").read_text()
            self.assertIn("DATABASE_URL=postgresql://", example)
            self.assertFalse((self.directory / name / ".git").exists())

    def test_no_repository_inside_of_another(self):
        subprocess.run(["git", "init", "-q", self.directory], check=True, env=self.environment)
        self.aegis("init", "armoury")
        self.assertFalse((self.directory / "armoury/.git").exists())

    def test_a_folder_that_a_repository_ignores_gets_its_own(self):
        subprocess.run(["git", "init", "-q", self.directory], check=True, env=self.environment)
        (self.directory / ".gitignore").write_text("scratch/\n")
        del self.environment["GIT_CEILING_DIRECTORIES"]
        self.aegis("init", "armoury", "--output-dir", "scratch")
        self.assertTrue((self.directory / "scratch/armoury/.git").exists())

    def test_a_commit_that_git_refuses_is_told(self):
        for name in ("AUTHOR", "COMMITTER"):
            del self.environment[f"GIT_{name}_NAME"], self.environment[f"GIT_{name}_EMAIL"]
        self.environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.useConfigOnly",
                             "GIT_CONFIG_VALUE_0": "true", "GIT_CONFIG_NOSYSTEM": "1"}
        printed = self.aegis("init", "armoury")
        self.assertRegex(printed, "git has not committed it: .*identity")
        for step in ("git config --global user.name", "git config --global user.email",
                     'git add --all && git commit -m "aegis init armoury"'):
            self.assertIn(f"  {step}", printed)
        self.assertFalse(json.loads(self.aegis("init", "other", "--json"))["committed"])

        (self.directory / ".gitconfig").write_text(
            "[user]\nname = A\nemail = a@localhost\n[commit]\ngpgSign\n[gpg]\nprogram = false\n")
        printed = self.aegis("init", "signed")
        self.assertRegex(printed, "git has not committed it: .*gpg")
        self.assertNotIn("user.name", printed)

    def test_what_is_wrong_is_told_with_a_hint(self):
        self.assert_refused(["init", "x y"], '"x y" is no name', "begins with a letter")
        self.assert_refused(["init", "test"], '"test" is taken', "test-service")
        self.assert_refused(["init", "a", "--components", "databse"], 'did you mean "database"?',
                            "aegis components")
        self.assert_refused(["init", "a", "--components", "database", "worker"], "worker", "--help")
        self.assert_refused(["init"], "NAME", "--help")
        self.assert_refused(["init", "a", "--forse"], "--forse", "--help")
        self.assert_refused(["inti", "a"], 'did you mean "init"?', "Commands: init, ")
        self.assert_refused([], "Which command?", "Commands: init, ")

    def test_a_folder_that_is_there_is_left_alone(self):
        (self.directory / "armoury").mkdir()
        (self.directory / "file").write_text("")
        self.assert_refused(["init", "armoury"], "exists already", "--force")
        self.assert_refused(["init", "file", "--force"], "exists already", "another name")
        self.assertEqual(list((self.directory / "armoury").iterdir()), [])

    def test_force_writes_over_its_files_and_keeps_the_others(self):
        self.aegis("init", "armoury")
        main = self.directory / "armoury/app/main.cpp"
        original = main.read_text()
        main.write_text("changed")
        mine = self.directory / "armoury/app/mine.cpp"
        mine.write_text("mine")
        self.aegis("init", "armoury", "--force")
        self.assertEqual(main.read_text(), original)
        self.assertEqual(mine.read_text(), "mine")
        self.assertEqual(self.files(), {"armoury"})

    def test_where_it_cannot_be_written_nothing_is(self):
        (self.directory / "file").write_text("")
        message = self.aegis("init", "armoury", "--output-dir", "file/below", code=1)
        self.assertIn("Not a directory", message)
        self.assertEqual(self.files(), {"file"})

    def test_by_force_too_it_is_all_or_nothing(self):
        for name, place in (("one", "app"), ("two", "Makefile/below")):
            folder = self.directory / name
            (folder / place).parent.mkdir(parents=True)
            (folder / place).write_text("in the way")
            (folder / "README.md").write_text("mine")
            message = self.aegis("init", name, "--force", code=1)
            self.assertIn(f"{folder}/{place.split('/')[0]}", message)
            self.assertEqual({str(path.relative_to(folder)) for path in folder.rglob("*")},
                             {"README.md", *[place, str(Path(place).parent)]} - {"."})
            self.assertEqual((folder / "README.md").read_text(), "mine")
        self.assertEqual(self.files(), {"one", "two"})

    def test_whoever_ends_it_finds_the_whole_project_or_nothing(self):
        self.aegis("init", "whole", "--no-git")
        whole = len(list((self.directory / "whole").rglob("*")))
        for number in range(16):
            command = self.command("init", f"some{number}", "--no-git")
            with subprocess.Popen(command, cwd=self.directory, stdout=subprocess.DEVNULL,
                                  env=self.environment) as process:
                time.sleep(number / 400)  # anywhere between its first and its last step
                process.terminate()
        for name in self.files():
            found = len(list((self.directory / name).rglob("*")))
            self.assertIn(found, (0, whole), name)

    def test_a_dry_run_writes_nothing(self):
        printed = self.aegis("init", "armoury", "--dry-run", "--components", "database")
        self.assertIn("  app/models/shield.h\n", printed)
        self.assertEqual(self.files(), set())

    def test_programs_can_read_it(self):
        report = json.loads(self.aegis("init", "armoury", "--json", "--components", "worker",
                                       "--output-dir", "below"))
        self.assertEqual(report["name"], "armoury")
        self.assertEqual(report["components"], "database=sqlite,worker")
        self.assertTrue(report["committed"])
        self.assertEqual(Path(report["path"]).resolve(),
                         (self.directory / "below/armoury").resolve())
        for path in report["files"]:
            self.assertTrue((self.directory / "below/armoury" / path).is_file(), path)
        names = [each["name"] for each in json.loads(self.aegis("components", "--json"))]
        self.assertIn("worker", names)
        self.assertIn("version", json.loads(self.aegis("version", "--json")))

    def test_output_that_cannot_be_written_is_a_failure(self):
        for arguments in (["components"], ["version"], ["init", "armoury", "--json"], ["--help"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run(self.command(*arguments), cwd=self.directory, stdout=full,
                                      stderr=subprocess.PIPE, text=True, env=self.environment)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn("No space left", done.stderr)

    def test_parts_are_generated_in_a_project(self):
        self.aegis("init", "armoury", "--components", "worker")
        self.assert_refused(["generate", "handler", "status"], "no project", "aegis init")
        self.directory /= "armoury"
        printed = self.aegis("generate", "resource", "WarHorn", "title:text")
        self.assertIn("  added    app/api/war_horns.cpp\n", printed)
        self.assertIn('make migration MESSAGE="create war_horn"\n', printed)
        application = (self.directory / "app/application.cpp").read_text()
        self.assertIn("  app.models<WarHorn>().routes(war_horns);\n}\n", application)
        refused = [
            (["resource", "war-horn", "title:text"], "exists already", "another name"),
            (["resorce", "a", "b:text"], 'did you mean "resource"?', "resource, job"),
            (["schedule", "tidy", "@daily"], "needs the component scheduler", "aegis add scheduler"),
            (["model", "a", "b:txt"], 'did you mean "text"?', "timestamp"),
            (["model", "a"], "needs fields", "title:text"),
            (["handler", "a", "b:text"], "has no fields", "resource"),
            (["job", "class"], "no name", "war_horn"),
            (["handler", "app"], '"app" is taken', "app_record"),
            (["handler", "health"], "/health is a route of Aegis's own", "another name"),
            (["resource", "job", "b:text"], "/jobs is a route of Aegis's own", "another name"),
            (["job", "war-horn"], "app/models/war_horn.h has a WarHorn already", "another name"),
            (["model", "polish_shield", "run:text", "col:text"], "there is a col already", "id"),
            (["job", "a", "options:text"], "there is a options already", "run"),
        ]
        for arguments, what, hint in refused:
            self.assert_refused(["generate", *arguments], what, hint)
        self.aegis("generate", "job", "polish", "--dry-run")
        self.assertFalse((self.directory / "app/worker/polish.h").exists())
        self.assertEqual((self.directory / "app/application.cpp").read_text(), application)
        report = json.loads(self.aegis("generate", "job", "polish", "--json"))
        self.assertEqual(report["files"][-1],
                         {"path": "app/application.cpp", "change": "changed"})
        self.assertIs(report["written"], True)
        report = json.loads(self.aegis("generate", "job", "rust", "--json", "--dry-run"))
        self.assertIs(report["written"], False)

    def test_what_a_part_needs_must_be_there(self):
        self.aegis("init", "armoury")
        self.directory /= "armoury"
        for arguments, component in [(["resource", "a", "b:text"], "database"),
                                     (["model", "a", "b:text"], "database"),
                                     (["migration", "a"], "database"), (["job", "a"], "worker")]:
            self.assert_refused(["generate", *arguments], f"needs the component {component}",
                                f"aegis add {component}")
        self.aegis("generate", "handler", "status")

    def test_schedules_are_generated(self):
        self.aegis("init", "armoury", "--components", "scheduler")
        self.directory /= "armoury"
        for arguments, what, hint in [
                (["tidy-up"], "needs one timing", '"0 3 * * *"'),
                (["tidy-up", "0", "3", "*", "*", "*"], "needs one timing", '"0 3 * * *"'),
                (["tidy-up", "0 25 * * *"], "25", "every 15m"),
                (["tidy-up", "0 0 30 2 *"], "", "")]:
            self.assert_refused(["generate", "schedule", *arguments], what, hint)
        printed = self.aegis("generate", "schedule", "tidy-up", "30 3 * * MON-FRI")
        for path in ("added    app/worker/tidy_up.h", "added    tests/tidy_up_schedule_test.cpp",
                     "changed  app/scheduler/schedules.cpp"):
            self.assertIn(f"  {path}\n", printed)
        schedules = (self.directory / "app/scheduler/schedules.cpp").read_text()
        self.assertIn('  s.cron<::TidyUp>("tidy-up", "30 3 * * MON-FRI");\n}\n', schedules)
        self.assertIn('#include "worker/tidy_up.h"\n', schedules)
        test = (self.directory / "tests/tidy_up_schedule_test.cpp").read_text()
        self.assertIn("advance(std::chrono::hours(72));", test)

        self.aegis("generate", "job", "count_shields")
        printed = self.aegis("generate", "schedule", "count_shields", "every 15m")
        self.assertNotIn("count_shields.cpp", printed)  # that job is scheduled
        schedules = (self.directory / "app/scheduler/schedules.cpp").read_text()
        self.assertIn('s.every<::CountShields>("count-shields", std::chrono::minutes(15));', schedules)

    def test_a_migration_is_written_by_the_projects_own_command(self):
        self.aegis("init", "armoury", "--components", "database")
        self.directory /= "armoury"
        self.assertIn('make migration MESSAGE="create note"',
                      self.aegis("generate", "migration", "create_note", "--dry-run"))
        makefile = self.directory / "Makefile"
        makefile.write_text('\nmigration:\n\t@echo "wrote: $$MESSAGE"\n')
        self.assertIn("wrote: create note\n", self.aegis("generate", "migration", "create-note"))
        for text in ("delete", "add user_id, drop $(HOME)"):
            self.assertIn(f"wrote: {text}\n", self.aegis("generate", "migration", text))
        self.assert_refused(["generate", "migration", "-"], "needs a few words", "create note")
        self.assert_refused(["generate", "migration", "create", "note"], '"note"', "quotes")
        self.assertEqual(
            json.loads(self.aegis("generate", "migration", "a", "--dry-run", "--json")),
            {"written": False, "files": []})
        makefile.write_text("\nmigration:\n\t@echo said; touch migrations/schema.json "
                            "migrations/new.sql\n")
        self.assertEqual(json.loads(self.aegis("generate", "migration", "a", "--json")),
                         {"written": True,
                          "files": [{"path": "migrations/new.sql", "change": "added"},
                                    {"path": "migrations/schema.json", "change": "changed"}]})
        makefile.write_text("\nmigration:\n\t@false\n")
        self.aegis("generate", "migration", "create-note", code=1)
        makefile.write_text("all:\n")
        self.assert_refused(["generate", "migration", "create-note"], "no target migration",
                            'db revision -m "create note"')

    def test_on_a_terminal_it_asks(self):
        printed = self.on_terminal("postgresql\nyes\nno\n", "init", "armoury")
        self.assertIn("Database: sqlite, postgresql or none? (sqlite)", printed)
        self.assertIn("aegis init armoury --components database=postgresql,worker\n", printed)
        self.assertTrue((self.directory / "armoury/app/worker").is_dir())

    def test_on_a_terminal_the_end_of_input_is_no_answer(self):
        for answers in ("\x04", "sqlite\nyes\n\x04"):
            self.on_terminal(answers, "init", "armoury", code=1)
            self.assertEqual(self.files(), set())

    def test_the_same_without_questions_is_said(self):
        printed = self.on_terminal("none\nno\nno\n", "init", "armoury", "--output-dir", "be low",
                                   "--no-git")
        self.assertIn("aegis init armoury --components api --output-dir 'be low' --no-git\n", printed)

    def test_what_it_inherits_does_not_matter(self):
        python = "import os,signal,sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); " \
                 "os.execv(sys.argv[1], sys.argv[1:])"
        subprocess.run([sys.executable, "-c", python, *self.command("init", "armoury",
                                                                    "--components", "database")],
                       cwd=self.directory, env=self.environment, check=True)
        self.directory /= "armoury"
        (self.directory / "Makefile").write_text("\nmigration:\n\t@false\n")
        done = subprocess.run([sys.executable, "-c", python,
                               *self.command("generate", "migration", "create-note")],
                              cwd=self.directory, env=self.environment, check=False)
        self.assertEqual(done.returncode, 1)

        (self.directory / "CMakePresets.json").write_text("none")  # nothing is built
        with subprocess.Popen(["sh", "-c", 'exec "$0" dev <&-', *self.command()],
                              cwd=self.directory, env={**self.environment, "PORT": "0"},
                              text=True, stdout=subprocess.PIPE) as process:
            self.assertIn("http://", process.stdout.readline())
            stdin = os.readlink(f"/proc/{process.pid}/fd/0")  # and not the socket that it hands on
            process.terminate()
            process.stdout.read()
        self.assertEqual(stdin, "/dev/null")

    def test_on_a_terminal_without_questions(self):
        printed = self.on_terminal("", "init", "armoury", "--yes")
        self.assertIn("\x1b[1marmoury\x1b[0m: API\n", printed)
        self.environment["NO_COLOR"] = "1"
        printed = self.on_terminal("", "init", "other", "--components", "api")
        self.assertNotIn("\x1b", printed)


if __name__ == "__main__":
    main()
