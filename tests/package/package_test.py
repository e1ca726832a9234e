"""What a stranger gets from `cmake --install`: headers that stand alone, libraries that link, and a project outside the tree that
is built on them and does what its guide says."""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCES = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(SOURCES / "tests/blackbox"))
import product  # noqa: E402
from product import until  # noqa: E402

BUILD = pathlib.Path(product.BINARY).parents[1]
HIDDEN = ("caf", "boost", "curl", "spdlog", "sqlite3", "pqxx", "openssl", "ares", "toml++", "CLI")


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="quell-package-"))
        cls.prefix = cls.folder / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        shutil.copytree(SOURCES / "docs/examples/standalone", cls.folder / "project")
        cls.built = cls.folder / "build"
        run("cmake", "-G", "Ninja", "-S", cls.folder / "project", "-B", cls.built, f"-DCMAKE_PREFIX_PATH={cls.prefix}", "-DCMAKE_BUILD_TYPE=Debug")
        run("cmake", "--build", cls.built, "-j", "2")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def test_installs_all_that_its_headers_take_in_and_shows_no_library_of_ours(self):
        """All in one go: that each compiles alone is shown by the stage `headers`, in the tree that they are copied from."""
        include = self.prefix / "include/quell"
        headers = sorted(str(path.relative_to(include)) for path in include.rglob("*.hpp"))
        self.assertGreater(len(headers), 15)
        source = self.folder / "all.cpp"
        source.write_text("".join(f'#include "{name}"\n' for name in headers))
        run("g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-MD", "-MF", self.folder / "all.d", "-I", include, source)
        taken = (self.folder / "all.d").read_text().replace("\\\n", " ").split()
        self.assertGreater(len(taken), len(headers))
        self.assertEqual([path for path in taken if re.search(rf"/({'|'.join(re.escape(h) for h in HIDDEN)})(/|\.h|$)", path)], [])
        self.assertEqual([path for path in taken if str(SOURCES) in path], [], "a header leads back into the tree")

    def test_says_its_version_and_refuses_another(self):
        project = self.folder / "wrong"
        project.mkdir()
        (project / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(wrong LANGUAGES CXX)\n"
                                                "find_package(quell 9.9 REQUIRED)\n")
        with self.assertRaisesRegex(AssertionError, "quell"):
            run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")

    def test_brings_a_test_job_that_needs_no_server(self):
        self.assertEqual(run(self.built / "greeting_kinds_test").strip(), "ok")

    def test_brings_a_node_that_deletes_within_a_program_of_ones_own(self):
        receipt = json.loads(run(self.built / "greet_once"))
        told = json.loads(base64.b64decode(receipt["payload"]))
        self.assertEqual((told["counts"]["deleted"], told["counts"]["killed"], told["who"]), (1, 1, "greet_once"))

    def test_brings_the_whole_program_for_a_main_of_ones_own(self):
        product.BINARY = str(self.built / "greetings")
        with product.Server("--pool", "default=2") as quell:
            done = quell.submit("greet", {"name": "Ada"})
            counted = quell.submit("count-letters", {"text": "abc"})
            until(lambda: quell.status_of(done) == "succeeded" and quell.status_of(counted) == "succeeded")
            self.assertEqual(quell.call("GET", f"/api/v1/jobs/{done}/result")[1]["result"], "Hello, Ada.")
            self.assertEqual(quell.call("POST", "/api/v1/jobs", {"kind": "greet", "args": {}})[0], 400)
            long = quell.submit("greet", {"name": "world", "pause_s": 600})
            until(lambda: quell.status_of(long) == "running")
            status, reply = quell.call("DELETE", f"/api/v1/jobs/{long}")
            self.assertEqual((status, reply["status"], reply["proof"]["verdict"]), (200, "DELETED", "stopped"))
            told = json.loads(base64.b64decode(reply["receipt"]["payload"]))
            self.assertEqual(told["outcomes"][0]["job_id"], long)

    def test_installs_the_program_itself(self):
        self.assertIn("quell", run(self.prefix / "bin/quell", "version"))


if __name__ == "__main__":
    unittest.main()
