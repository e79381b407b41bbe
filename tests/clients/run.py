"""Runs real clients, unchanged, against the gateway in front of a scripted server.

    run.py build/debug/punie [--build build/clients] [--counts FILE] [TEST...]

Makes a virtual environment and node_modules of pinned versions below --build (kept for the next run). Node's tests are skipped
where Node 20 or npm is missing. TEST is a name as unittest takes it. The last line of --counts FILE is "passed failed skipped".
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import unittest
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent


def is_current(folder: Path, sources: list) -> bool:
    """Whether the folder was made from these files; else it has to be made (again), and `mark` called."""
    stamp = folder / "made-from"
    return stamp.is_file() and stamp.read_text() == digest(sources)


def digest(sources: list) -> str:
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def ensure_python(build: Path) -> Path:
    folder = build / "venv"
    sources = [HERE / "requirements.txt"]
    if not is_current(folder, sources):
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        command = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "-r", sources[0]], check=True)
        (folder / "made-from").write_text(digest(sources))
    return folder / "bin/python"


def has_node() -> bool:
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    return version.startswith("v") and int(version[1:].split(".")[0]) >= 20


def ensure_node(build: Path) -> Path:
    folder = build / "node"
    sources = [HERE / "package.json", HERE / "package-lock.json"]
    if not is_current(folder, sources):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for source in sources:
            shutil.copy(source, folder)
        # Not `npm ci`: it wants the optional packages of all platforms in the lock, which npm leaves out of it.
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
        (folder / "made-from").write_text(digest(sources))
    return folder / "node_modules"


def counts_of(result: unittest.TestResult) -> tuple:
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    return max(result.testsRun - failed - skipped, 0), failed, skipped


def run_tests(options) -> int:
    import support

    support.set_up(options.punie, options.node_modules)
    loader = unittest.TestLoader()
    if options.tests:
        suite = loader.loadTestsFromNames(options.tests)
    else:
        suite = loader.discover(str(HERE), pattern="test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    if options.counts:
        options.counts.write_text("{} {} {}\n".format(*counts_of(result)))
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


def main() -> int:
    parser = argparse.ArgumentParser(description="Real clients against punie's gateway.")
    parser.add_argument("punie", type=Path)
    parser.add_argument("--build", type=Path, default=HERE.parent.parent / "build/clients")
    parser.add_argument("--counts", type=Path, help="where to write 'passed failed skipped'")
    parser.add_argument("--node-modules", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--installed", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("tests", nargs="*")
    options = parser.parse_intermixed_args()
    options.punie = options.punie.resolve()
    if options.installed:
        return run_tests(options)
    build = options.build.resolve()
    python = ensure_python(build)
    command = [python, __file__, options.punie, "--installed", *options.tests]
    if options.counts:
        command += ["--counts", options.counts.resolve()]
    if has_node():
        command += ["--node-modules", ensure_node(build)]
    os.execv(python, [str(part) for part in command])
    return 1


if __name__ == "__main__":
    sys.exit(main())
