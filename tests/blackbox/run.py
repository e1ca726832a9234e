"""Runs the named test files and closes with the line `N passed, M failed`.   run.py delete_test crash_test

Every server that they start is traced; a trace that the protocol does not allow is one failure.
"""
import sys
import unittest

sys.dont_write_bytecode = True

from traces import Traces


def main(names):
    with Traces() as traces:
        suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromName(name) for name in names)
        result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
        bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
        good = max(0, result.testsRun - bad)
        bad += not traces.hold()
    print(f"{good} passed, {bad} failed")
    return 1 if bad or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
