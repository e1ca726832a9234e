"""What `./dev` makes of a suite's output, of a stage that fails, and of a word that it does not know."""
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]

CTEST_LOG = """\
1/4 Testing: runtime
1/4 Test: runtime
Output:
----------------------------------------------------------
[==========] Running 3 tests from 1 test suite.
[ RUN      ] A.B
[       OK ] A.B (0 ms)
[       OK ] A.C (12 ms)
[ RUN      ] A.D
[  FAILED  ] A.D (1 ms)
[  FAILED  ] 1 test, listed below:
[  FAILED  ] A.D
<end of output>
Test Failed.
----------------------------------------------------------
2/4 Testing: blackbox.cli
ok
12 passed, 0 failed
<end of output>
Test Passed.
3/4 Testing: spec
nothing that counts itself
Test Passed.
4/4 Testing: storage
[==========] Running 2 tests from 1 test suite.
[       OK ] S.A (5 ms)
[ RUN      ] S.B
"""


def count(text, code):
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        log.write(text)
        log.flush()
        words = ["awk", "-v", f"code={code}", "-f", str(ROOT / "tests/house/count.awk"), log.name]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def dev(*words):
    return subprocess.run([str(ROOT / "dev"), *words], capture_output=True, text=True, check=False)


def in_dev(script):
    """Runs bash with the functions of ./dev, a tally of its own, and stages that the script names."""
    with tempfile.NamedTemporaryFile("w") as tally:
        text = f"source {ROOT}/dev; need() {{ :; }}; machine_speed() {{ echo 1.00; }}; tally={tally.name}; mkdir -p build\n{script}"
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


STAGES = """
good() { echo "3 0" >>"$tally"; }
bad() { echo "1 1" >>"$tally"; return 1; }
broken() { return 1; }
stages=("a|good|short|x" "b|STAGE|short|y" "c|good|short|z" "d|bad|long|w")
"""


class Count(unittest.TestCase):
    def test_believes_the_closing_line_of_a_suite(self):
        self.assertEqual(count("7 passed, 1 failed\nnoise\nmodel: 12 passed, 0 failed\n", 0), "12 0")

    def test_of_a_suite_that_says_nothing_is_its_exit_code(self):
        self.assertEqual(count("hello\n", 0), "1 0")
        self.assertEqual(count("", 3), "0 1")

    def test_of_a_suite_that_fell_after_its_closing_line_is_a_failure(self):
        self.assertEqual(count("12 passed, 0 failed\n", 1), "12 1")

    def test_of_a_log_of_ctest_is_the_cases_of_its_entries(self):
        # runtime 2 and 1, blackbox.cli 12, spec 1; storage died in its second case.
        self.assertEqual(count(CTEST_LOG, 8), "16 2")

    def test_sees_a_ctest_that_failed_though_every_entry_passed(self):
        self.assertEqual(count("1/1 Testing: a\nTest Passed.\n", 1), "1 1")

    def test_does_not_take_a_sentence_of_a_test_for_a_count(self):
        self.assertEqual(count("says 5 passed, 2 failed of them\n", 0), "1 0")


class Check(unittest.TestCase):
    def test_names_both_lanes(self):
        rows = dev("check", "--list").stdout.splitlines()
        self.assertEqual({re.split(r" +", row)[1] for row in rows}, {"short", "long"})
        self.assertEqual(rows[0].split()[:2], ["fmt", "short"])

    def test_runs_the_short_lane_and_closes_with_the_sum(self):
        code, said = in_dev(STAGES.replace("STAGE", "good") + "verb_check")
        self.assertEqual((code, said.splitlines()[-1]), (0, "9 passed, 0 failed"))
        self.assertRegex(said, r"(?m)^==== a +ok +\d+ s, +\d+ s of processors; machine speed 1\.00 of the usual one$")
        self.assertNotIn("==== d", said)

    def test_runs_the_long_lane_alone(self):
        code, said = in_dev(STAGES + "verb_check --long")
        self.assertEqual((code, said.splitlines()[-1]), (1, "1 passed, 1 failed"))
        self.assertNotIn("==== a", said)

    def test_counts_a_stage_that_fails_without_a_test_and_goes_on(self):
        code, said = in_dev(STAGES.replace("STAGE", "broken") + "verb_check")
        self.assertEqual((code, said.splitlines()[-1]), (1, "6 passed, 1 failed"))

    def test_counts_a_failed_test_once(self):
        code, said = in_dev(STAGES.replace("STAGE", "bad") + "verb_check")
        self.assertEqual((code, said.splitlines()[-1]), (1, "7 passed, 1 failed"))

    def test_stops_at_a_build_that_fails(self):
        code, said = in_dev(STAGES.replace("b|STAGE", "build|broken") + "verb_check")
        self.assertEqual((code, said.splitlines()[-1]), (1, "3 passed, 1 failed"))

    def test_runs_the_named_stages_of_either_lane(self):
        code, said = in_dev(STAGES.replace("STAGE", "good") + "verb_check d a")
        self.assertEqual((code, said.splitlines()[-1]), (1, "4 passed, 1 failed"))

    def test_refuses_a_stage_that_it_does_not_know(self):
        done = dev("check", "lintt")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no stage is called lintt", done.stderr)


class Traces(unittest.TestCase):
    def test_are_summed_over_the_suites_of_a_run(self):
        said = in_dev("""printf 'x\ntrace: 40 steps judged\ntrace: /t.1: gone without x: 9 steps\n'"""
                      """'trace: 2 steps of 3 processes, 0 faults\n' >"$tally"; say_steps "$tally" """)
        self.assertEqual(said, (0, "traces: 42 steps judged in 2 suites\n"))


def named_in_help():
    return re.findall(r"^  ([a-z]+)", dev("help").stdout, re.M)


class Verbs(unittest.TestCase):
    def test_an_unknown_one_is_told_which_there_are(self):
        done = dev("chekc")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no verb is called chekc; there are: " + " ".join(named_in_help()) + "\n", done.stderr)

    def test_are_all_functions_and_all_in_the_help(self):
        self.assertEqual(set(named_in_help()), set(re.findall(r"^verb_([a-z]+)\(\)", (ROOT / "dev").read_text(), re.M)))


if __name__ == "__main__":
    unittest.main()
