"""Runs the end-to-end tests: the built punie with the real mlx_lm on real models.

    run.py --punie build/release/punie --venv .venv --models models [--counts FILE] [TEST...]

TEST is a name as unittest takes it, such as test_serve or test_serve.Answers.test_streams. Prints each test as it runs;
the last line of --counts FILE is "passed failed skipped".
"""

import argparse
import sys
import unittest
from pathlib import Path

import support


class CountingResult(unittest.TextTestResult):
    """Numbers the tests, so that whoever watches sees how far it is."""

    total = 0

    def startTest(self, test):
        self.stream.write(f"[{self.testsRun + 1}/{self.total}] ")
        super().startTest(test)


def counts_of(result: unittest.TestResult) -> tuple:
    # An error in setUpClass is an error without a test that ran; it counts as one failed.
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    return max(result.testsRun - failed - skipped, 0), failed, skipped


def main() -> int:
    parser = argparse.ArgumentParser(description="End-to-end tests of punie.")
    parser.add_argument("--punie", type=Path, required=True)
    parser.add_argument("--venv", type=Path, required=True, help="virtual environment with mlx_lm")
    parser.add_argument("--models", type=Path, required=True, help="folder with tiny, tiny-qwen3 and smollm2")
    parser.add_argument("--counts", type=Path, help="where to write 'passed failed skipped'")
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    support.set_up(options.punie.resolve(), options.venv.resolve(), options.models.resolve())
    loader = unittest.TestLoader()
    if options.tests:
        suite = loader.loadTestsFromNames(options.tests)
    else:
        suite = loader.discover(str(Path(__file__).parent), pattern="test_*.py")
    CountingResult.total = suite.countTestCases()
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=CountingResult).run(suite)
    if options.counts:
        options.counts.write_text("{} {} {}\n".format(*counts_of(result)))
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
