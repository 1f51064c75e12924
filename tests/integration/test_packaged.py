"""The clients as their worlds get them: libaftercare installed and found by pkg-config and CMake, its Debian package, Python's wheel."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

TREE = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = TREE / "proto" / "clients"
BUILD = pathlib.Path(os.environ.get("AFTERCARE_BUILD", TREE / "build"))
FLAGS = os.environ.get("AFTERCARE_FLAGS", "").split()  # a library built with sanitizers is linked with them


def run(*words, **options):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=600, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Packaged(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aftercare-packaged-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def works(self, program, libraries):
        """It runs, against the library in that folder, and says what is wrong with a key file."""
        key = self.folder / "no.key"
        key.write_text("{}")
        done = subprocess.run([program, key, "read"], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "LD_LIBRARY_PATH": str(libraries)})
        self.assertEqual((done.returncode, done.stdout.startswith('{"end":"refused","code":"key"')), (1, True), done.stdout + done.stderr)

    def test_c(self):
        prefix = self.folder / "usr"
        run("cmake", "--install", BUILD, "--component", "libaftercare-dev", "--prefix", prefix)
        for header in ("aftercare.h", "aftercare_files.h"):
            self.assertTrue((prefix / "include" / header).exists(), header)
        self.assertFalse((prefix / "include" / "aftercare_inside.h").exists())
        config = next(prefix.glob("lib*/**/pkgconfig"))
        library = config.parent / "libaftercare.so"
        exported = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]
        self.assertEqual([name for name in exported if not name.startswith(("aftercare_", "__"))], [])
        self.assertTrue({"aftercare_open", "aftercare_put_file", "aftercare_get_file"} <= set(exported), exported)
        needed = run("readelf", "-d", library)
        for name in ("microhttpd", "yaml", "systemd", "libpq"):  # the daemons' affairs
            self.assertNotIn(name, needed)
        pkg = {**os.environ, "PKG_CONFIG_PATH": str(config)}
        # The file says where it was configured to go; a test goes elsewhere.
        words = run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "aftercare", env=pkg).split()
        run("cc", "-std=gnu11", *FLAGS, CLIENTS / "c/job.c", "-o", self.folder / "by-pkg-config", *words)
        self.works(self.folder / "by-pkg-config", config.parent)
        source = self.folder / "project"
        source.mkdir()
        (source / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.18)\nproject(mine C)\nfind_package(aftercare 1 REQUIRED)\n"
            f"add_executable(mine {CLIENTS}/c/job.c)\ntarget_link_libraries(mine aftercare::aftercare)\n")
        run("cmake", "-G", "Ninja", "-S", source, "-B", source / "b", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_FLAGS={' '.join(FLAGS)}")
        run("cmake", "--build", source / "b")
        self.works(source / "b" / "mine", config.parent)

    def test_deb(self):
        run("cpack", "-G", "DEB", "--config", BUILD / "proto/clients/c/CPackConfig.cmake", "-B", self.folder, cwd=self.folder)
        packages = list(self.folder.glob("*.deb"))
        self.assertEqual(len(packages), 1, packages)
        self.assertTrue(packages[0].name.startswith("libaftercare-dev_"), packages)
        files = run("dpkg-deb", "-c", packages[0])
        for name in ("include/aftercare.h", "include/aftercare_files.h", "libaftercare.so", "pkgconfig/aftercare.pc", "cmake/aftercare/aftercareConfig.cmake"):
            self.assertIn(name, files)
        for name in ("bin/aftercare", "share/aftercare/policies"):
            self.assertNotIn(name, files)
        self.assertIn("libzmq3-dev", run("dpkg-deb", "-f", packages[0], "Depends"))

    def test_wheel(self):
        source = self.folder / "python"
        shutil.copytree(CLIENTS / "python", source, ignore=shutil.ignore_patterns("__pycache__"))
        run(sys.executable, "-c", f"import setuptools.build_meta as b; print(b.build_wheel({str(self.folder)!r}))", cwd=source)
        wheel = next(self.folder.glob("aftercare_client-*-py3-none-any.whl"))
        names = zipfile.ZipFile(wheel).namelist()
        self.assertIn("aftercare/__init__.py", names)
        self.assertFalse([n for n in names if n.startswith(("example", "job"))])
        said = run(sys.executable, "-c", "import aftercare; print(aftercare.__file__, aftercare.Error('x').code)", cwd="/",
                   env={**os.environ, "PYTHONPATH": str(wheel)})
        self.assertIn(".whl", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
