"""`punie bench train` on the real mlx_lm: its figures agree with the trainer's own and add up."""

import json
import statistics
import unittest

from support import model, punie

PARTS = ("load", "first_iteration", "training", "validation", "checkpoint", "other")


class BenchTiny(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # At the default 2,048 tokens ten iterations take minutes on two cores.
        cls.done = punie("bench", "train", "--model", model("tiny"), "--max-seq-length", "512", "--json", seconds=400)
        assert cls.done.returncode == 0, cls.done.stdout + cls.done.stderr
        cls.result = json.loads(cls.done.stdout.splitlines()[-1])

    def test_it_did_the_iterations_and_gives_a_verdict(self):
        self.assertEqual(self.result["num_iters"], 10)
        self.assertIn(self.result["verdict"], ("excellent", "acceptable", "slow", "too slow"))
        self.assertEqual(self.result["event_source"], "callback")

    def test_seconds_per_iteration_agree_with_the_trainers_own_within_a_tenth(self):
        trainers = [report["trainer_seconds"] for report in self.result["iterations"][1:]]
        self.assertNotIn(None, trainers)
        own = statistics.median(trainers)
        self.assertAlmostEqual(self.result["seconds_per_iter"] / own, 1, delta=0.1)

    def test_the_parts_add_up_to_the_total(self):
        parts = [self.result["parts_seconds"][part] for part in PARTS]
        for part, value in zip(PARTS, parts):
            self.assertGreaterEqual(value, 0, part)
        self.assertAlmostEqual(sum(parts), self.result["total_seconds"], delta=0.01 * self.result["total_seconds"])

    def test_the_first_iteration_is_not_part_of_the_steady_ones(self):
        steady = sum(report["seconds"] for report in self.result["iterations"][1:])
        self.assertAlmostEqual(steady, self.result["parts_seconds"]["training"], delta=0.05 * steady + 0.01)

    def test_peak_memory_is_reported_by_mlx_and_for_the_tree(self):
        self.assertGreater(self.result["memory"]["peak_gb"], 0)
        self.assertGreater(self.result["memory"]["tree_peak_gb"], 0)
        self.assertGreater(self.result["memory"]["estimated_peak_gb"], 0)


class BenchOther(unittest.TestCase):
    def test_the_verdict_decides_the_exit_code_when_one_is_required(self):
        done = punie(
            *("bench", "train", "--model", model("tiny"), "--iters", "3", "--max-seq-length", "128"),
            *("--require", "excellent"), seconds=300,
        )  # fmt: skip
        excellent = "verdict: excellent" in done.stdout
        self.assertIn("verdict: ", done.stdout)
        self.assertEqual(done.returncode, 0 if excellent else 1, done.stdout + done.stderr)

    def test_a_model_that_cannot_fit_is_refused_before_the_start(self):
        done = punie("bench", "train", "--model", model("tiny"), "--batch-size", "100000", "--iters", "2", "--json")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("out_of_memory", done.stdout)
        self.assertIn("--force", done.stdout)


if __name__ == "__main__":
    unittest.main()
