"""The vcpkg port and the Conan recipe: of this version, with all dependencies and all sources.

usage: packaging_test.py ROOT_OF_THE_REPOSITORY CMAKE CXX_COMPILER [unittest options]

The recipe is loaded with stand-ins for Conan's modules, the portfile with stand-ins for vcpkg's
functions.
"""
import fnmatch
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

ROOT = CMAKE = COMPILER = None

# What CMakeLists.txt finds, as vcpkg and Conan call it. None: it comes with another one.
PACKAGES = {
    "Boost": ("boost-asio", "boost"),
    "CLI11": ("cli11", "cli11"),
    "OpenSSL": ("openssl", "openssl"),
    "PostgreSQL": ("libpq", "libpq"),
    "SQLite3": ("sqlite3", "sqlite3"),
    "Threads": (None, None),
    "absl": ("abseil", "abseil"),
    "fmt": ("fmt", None),
    "spdlog": ("spdlog", "spdlog"),
}


def cmake_lists():
    return (ROOT / "CMakeLists.txt").read_text()


def project_version():
    return re.search(r"project\(aegis VERSION ([\d.]+)", cmake_lists())[1]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def found_packages():
    return set(re.findall(r"^find_package\((\w+)", cmake_lists(), re.M))


def copy(recipe, pattern, src, dst):
    """As conan.tools.files.copy: of the files below src those whose relative path matches."""
    files = (path.relative_to(src) for path in Path(src).rglob("*") if path.is_file())
    for path in files:
        if fnmatch.fnmatch(str(path), pattern):
            (Path(dst) / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(src) / path, Path(dst) / path)


class ConanFile:
    """What the recipe uses of Conan's class, and what it asked for."""

    def __init__(self, recipe_folder):
        self.recipe_folder = str(recipe_folder)
        self.required = []

    def requires(self, reference, **_):
        self.required.append(reference.split("/")[0])


def load_recipe():
    def module(name, **contents):
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(contents)

    module("conan", ConanFile=ConanFile)
    module("conan.errors", ConanInvalidConfiguration=Exception)
    module("conan.tools")
    module("conan.tools.build", check_min_cppstd=None)
    module("conan.tools.cmake", CMake=None, CMakeToolchain=None, cmake_layout=None)
    module("conan.tools.files", copy=copy, load=lambda _, path: Path(path).read_text())
    path = ROOT / "deploy/packaging/conan/conanfile.py"
    spec = importlib.util.spec_from_file_location("conanfile", path)
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    return recipe.Aegis(path.parent)


class VcpkgPort(unittest.TestCase):
    def setUp(self):
        self.port = ROOT / "deploy/packaging/vcpkg/aegis"
        self.manifest = json.loads((self.port / "vcpkg.json").read_text())
        self.dependencies = self.manifest["dependencies"]

    def names(self):
        return [d if isinstance(d, str) else d["name"] for d in self.dependencies]

    def test_it_is_of_this_version(self):
        self.assertEqual(self.manifest["version-semver"], project_version())

    def test_the_manifest_has_the_fields_that_vcpkg_knows(self):
        known = {"name", "version-semver", "description", "license", "supports", "dependencies"}
        self.assertEqual(set(self.manifest), known)
        self.assertEqual(self.manifest["name"], self.port.name)
        self.assertEqual(self.manifest["license"], "MIT")
        for dependency in self.dependencies:
            if not isinstance(dependency, str):
                self.assertEqual(set(dependency), {"name", "host"})
        for name in self.names():
            self.assertRegex(name, r"^[a-z0-9]+(-[a-z0-9]+)*$")
        self.assertEqual(self.names(), sorted(set(self.names())))

    def test_it_depends_on_all_that_cmake_finds(self):
        self.assertEqual(found_packages(), set(PACKAGES))
        wanted = {vcpkg for vcpkg, _ in PACKAGES.values() if vcpkg}
        self.assertEqual(wanted - set(self.names()), set())

    def test_it_depends_on_every_part_of_boost_that_the_sources_include(self):
        included = set()
        for pattern in ("*.h", "*.cpp"):
            for source in (ROOT / "framework").rglob(pattern):
                included |= set(re.findall(r"#include <boost/(\w+)", source.read_text()))
        ports = {f"boost-{part}" for part in included - {"system"}}  # of Asio
        self.assertEqual(ports, {name for name in self.names() if name.startswith("boost-")})

    def test_the_portfile_configures_these_sources(self):
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "run.cmake"
            functions = ("vcpkg_cmake_configure", "vcpkg_cmake_install", "vcpkg_cmake_config_fixup",
                         "vcpkg_fixup_pkgconfig", "vcpkg_copy_tools", "vcpkg_install_copyright")
            stands_in = "function({0})\n  message(\"{0} ${{ARGN}}\")\nendfunction()\n"
            script.write_text("".join(stands_in.format(name) for name in functions)
                              + f'include("{self.port}/portfile.cmake")\n')
            done = run(CMAKE, "-DPORT=aegis", f"-DCURRENT_PACKAGES_DIR={folder}", "-P", script)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"vcpkg_cmake_configure SOURCE_PATH;{ROOT};OPTIONS;-DAEGIS_TESTS=OFF\n",
                          done.stderr)
            self.assertIn(f"vcpkg_install_copyright FILE_LIST;{ROOT}/LICENSE\n", done.stderr)
            self.assertTrue((Path(folder) / "share/aegis/usage").is_file())


class ConanRecipe(unittest.TestCase):
    def setUp(self):
        self.recipe = load_recipe()

    def test_it_is_of_this_version(self):
        self.recipe.set_version()
        self.assertEqual(self.recipe.version, project_version())

    def test_it_requires_all_that_cmake_finds(self):
        self.recipe.requirements()
        wanted = {conan for _, conan in PACKAGES.values() if conan}
        self.assertEqual(set(self.recipe.required), wanted)

    def test_it_exports_all_that_is_built(self):
        with tempfile.TemporaryDirectory() as folder:
            self.recipe.export_sources_folder = folder
            self.recipe.export_sources()
            build = Path(folder) / "build"
            done = run(CMAKE, "-S", folder, "-B", build, "-G", "Ninja", "-DAEGIS_TESTS=OFF",
                       f"-DCMAKE_CXX_COMPILER={COMPILER}")
            self.assertEqual(done.returncode, 0, done.stderr)
            done = run("ninja", "-C", build, "-n", "aegis", "aegis_testing", "aegis_program")
            self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    ROOT, CMAKE, COMPILER = Path(sys.argv.pop(1)), sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
