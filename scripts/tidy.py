"""Runs clang-tidy 19 on the sources, several at once, and remembers what was clean.

    tidy.py [--all] [--jobs N] [--limit SECONDS] [--build FOLDER]

Without --all: the .cpp files that differ from origin/main (from the commit before, where that is the same), and those
that include a header which differs. A file is not checked again while it, the headers of ours that it includes, its
compile command and the .clang-tidy files are what they were when it was found clean. With --limit no file is begun after
that time, and it is said how many were left unchecked.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)
INCLUDE_FOLDERS = (ROOT / "src", ROOT / "include", ROOT / "tests")


def git(*arguments: str) -> list:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split("\n") if done.returncode == 0 else []


def changed_files() -> set:
    """What differs from the base in commits, in the working tree, or is new."""
    head = git("rev-parse", "HEAD")[:1]
    base = git("merge-base", "HEAD", "origin/main")[:1]
    if not base or base == head:
        base = git("rev-parse", "HEAD~1")[:1]
    names = git("ls-files", "--others", "--exclude-standard")
    names += git("diff", "--name-only", base[0]) if base else git("ls-files")
    return {ROOT / name for name in names if name}


class Includes:
    """The headers of ours that a file reaches, itself among them; found by reading, not by the compiler."""

    def __init__(self):
        self.direct = {}

    def of(self, file: Path) -> list:
        if file not in self.direct:
            found = []
            for name in INCLUDE.findall(file.read_text(encoding="utf-8", errors="replace")):
                for folder in (file.parent, *INCLUDE_FOLDERS):
                    if (folder / name).is_file():
                        found.append((folder / name).resolve())
                        break
            self.direct[file] = found
        return self.direct[file]

    def reach(self, file: Path) -> set:
        seen, waiting = set(), [file]
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                waiting.extend(self.of(at))
        return seen


def configurations(file: Path) -> list:
    """The .clang-tidy files that apply to it."""
    folders = [folder for folder in file.parents if folder == ROOT or ROOT in folder.parents]
    return [folder / ".clang-tidy" for folder in folders if (folder / ".clang-tidy").is_file()]


def key_of(file: Path, command: str, reach: set) -> str:
    digest = hashlib.sha1(command.encode())
    for part in sorted(reach) + configurations(file):
        digest.update(part.read_bytes())
    return digest.hexdigest()


def check(file: Path, build: Path, deadline: float) -> tuple:
    began = time.monotonic()
    if began > deadline:
        return file, None, "", 0
    done = subprocess.run(
        ["clang-tidy-19", "--quiet", "-p", str(build), str(file)], capture_output=True, text=True, check=False
    )
    # Errors of clang itself (a file that does not compile) come on the other stream with a count of suppressed ones.
    output = done.stdout if done.returncode == 0 or done.stdout else done.stdout + done.stderr
    return file, done.returncode, output.strip(), time.monotonic() - began


def wanted(options: argparse.Namespace, includes: Includes) -> dict:
    """File -> compile command, of what is to be checked."""
    entries = json.loads((options.build / "compile_commands.json").read_text())
    changed = None if options.all else changed_files()
    files = {}
    for entry in entries:
        file = Path(entry["file"])
        if ROOT not in file.parents or options.build in file.parents:
            continue
        if changed is None or includes.reach(file) & changed:
            files[file] = entry["command"]
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description="clang-tidy on what changed, or on everything.")
    parser.add_argument("--all", action="store_true", help="every file, not only what changed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--limit", type=float, default=float("inf"), help="seconds after which no file is begun")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "tidy", help="folder with compile_commands.json")
    options = parser.parse_args()
    includes = Includes()
    files = wanted(options, includes)
    clean = ROOT / ".cache" / "tidy"
    clean.mkdir(parents=True, exist_ok=True)
    keys = {file: key_of(file, command, includes.reach(file)) for file, command in files.items()}
    # Shuffled, always the same for the same sources: under a limit it is not always the same rooms that are left out.
    todo = sorted((file for file in files if not (clean / keys[file]).exists()), key=keys.get)
    print(f"{len(files)} files to check, {len(files) - len(todo)} of them known to be clean", flush=True)
    faulty = unchecked = 0
    deadline = time.monotonic() + options.limit
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(check, file, options.build, deadline) for file in todo]
        for number, finished in enumerate(concurrent.futures.as_completed(running), 1):
            file, status, output, took = finished.result()
            if status is None:
                unchecked += 1
                continue
            print(f"[{number}/{len(todo)}] {file.relative_to(ROOT)} {took:.0f} s", flush=True)
            if status == 0:
                (clean / keys[file]).touch()
            else:
                faulty += 1
                print(output, flush=True)
    if unchecked:
        print(f"NOT CHECKED within {options.limit:.0f} s: {unchecked} files; ./test lint --all checks every one")
    print(f"{faulty} of {len(files) - unchecked} checked files have findings")
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
