"""Prints "passed failed skipped" of a JUnit file as ctest writes it; a test that could not be run has failed."""

import sys
import xml.etree.ElementTree as ElementTree

# ctest's status of a test: "run", "fail", "notrun" (skipped, or its program is missing) or "disabled".
SKIPPED = ("notrun", "disabled")


def is_missing_program(case: ElementTree.Element) -> bool:
    skipped = case.find("skipped")
    message = skipped.get("message", "") if skipped is not None else ""
    return "Unable to find executable" in message or "Could not find executable" in message


def counts(path: str) -> tuple:
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.get("status") == "fail" or is_missing_program(case):
            failed += 1
        elif case.find("skipped") is not None or case.get("status") in SKIPPED:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


if __name__ == "__main__":
    print(*counts(sys.argv[1]))
