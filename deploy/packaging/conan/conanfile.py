import re
from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"

ROOT = "../../.."  # from here to the top of the repository


class Aegis(ConanFile):
    name = "aegis"
    description = "A C++20 coroutine service framework"
    license = "MIT"
    topics = "framework", "coroutines", "http", "postgresql", "sqlite"
    package_type = "library"
    settings = "os", "compiler", "build_type", "arch"
    options = {"shared": [True, False]}
    # aegis::testing is for a shared Boost.Test.
    default_options = {"shared": False, "boost/*:shared": True}
    generators = "CMakeDeps"

    def set_version(self):
        project = load(self, str(Path(self.recipe_folder, ROOT, "CMakeLists.txt")))
        self.version = re.search(r"project\(aegis VERSION ([\d.]+)", project)[1]

    def export_sources(self):
        # services/ and some other files are the template that the `aegis` program carries.
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "framework/*", "services/*",
                        "tests/services/*", "deploy/install-packages", ".clang-format",
                        "compose.yaml"):
            copy(self, pattern, str(Path(self.recipe_folder, ROOT)), self.export_sources_folder)

    def requirements(self):
        self.requires("boost/1.81.0", transitive_headers=True)
        self.requires("abseil/[>=20220623]")
        self.requires("cli11/[>=2.3 <3]")
        self.requires("libpq/[>=15 <19]")
        self.requires("openssl/[>=3 <4]")
        self.requires("spdlog/[>=1.10 <2]")  # brings the fmt that it was made for
        self.requires("sqlite3/[>=3.40 <4]")

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("Aegis is for Linux")

    def layout(self):
        self.folders.root = ROOT
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["AEGIS_TESTS"] = False
        toolchain.user_presets_path = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        for target in ("aegis", "aegis_testing", "aegis_program"):
            cmake.build(target=target)

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, str(Path(self.package_folder, "licenses")))

    def package_info(self):
        # The targets, and the check of the compiler, are those of aegisConfig.cmake.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/aegis"]
