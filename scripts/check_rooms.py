"""Checks that rooms of src/ include only themselves and the rooms that CMakeLists.txt lists for them, and that nothing
but sources of src/http/ and src/relay/ sees Beast. Prints each offence as file:line; exit code 1 if there is any."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOM = re.compile(r"^punie_room\((\w+)(?: ASIO)? ROOMS ([\w ]+?)(?: LIBS [^)]*)?\)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([\w./-]+)[">]')


def allowed_rooms() -> dict:
    """Room -> rooms that it may include, from the build's own list."""
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    allowed = {name: {name, *lower.split()} for name, lower in ROOM.findall(text)}
    allowed["base"] = {"base"}
    return allowed


def offences(file: Path, allowed: dict) -> list:
    room = file.relative_to(ROOT / "src").parts[0]
    may = allowed.get(room)  # cli, the top, may include every room
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1)
        if "/" not in target:
            continue  # <compare> is not the room compare/
        other = target.split("/")[0]
        if may is not None and other in {*allowed, "cli"} and other not in may:
            found.append(f"{file.relative_to(ROOT)}:{number}: {room}/ may not include {other}/ ({target})")
        if target.startswith("boost/beast") and (room not in ("http", "relay") or file.suffix != ".cpp"):
            found.append(f"{file.relative_to(ROOT)}:{number}: Beast belongs in .cpp files of http/ and relay/ only ({target})")
    return found


def main() -> int:
    allowed = allowed_rooms()
    files = sorted(file for file in (ROOT / "src").rglob("*") if file.suffix in (".cpp", ".hpp"))
    found = [offence for file in files for offence in offences(file, allowed)]
    print(*found, sep="\n")
    print(f"{len(files)} files in {len(allowed)} rooms, {len(found)} offences")
    return 1 if found or len(allowed) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
