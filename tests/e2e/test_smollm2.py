"""Once with a model that knows something: SmolLM2-135M-Instruct. Slow on a processor without a GPU."""

import json
import unittest

from support import model, once, punie


class SmolLM2(unittest.TestCase):
    def test_it_knows_the_capital_of_france(self):
        reply = once(
            "--model", model("smollm2"), "--once", "What is the capital of France?",
            "--temp", "0", "--max-tokens", "16", seconds=400,
        )  # fmt: skip
        self.assertIn("Paris", reply["content"])

    def test_three_iterations_give_a_verdict(self):
        done = punie(
            "bench", "train", "--model", model("smollm2"), "--iters", "3", "--batch-size", "1", "--num-layers", "4",
            "--max-seq-length", "128", "--json", seconds=900,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        result = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(result["num_iters"], 3)
        self.assertIn(result["verdict"], ("excellent", "acceptable", "slow", "too slow"))
        # The memory model's own row for these settings: 0.2565 GB measured.
        self.assertAlmostEqual(result["memory"]["estimated_peak_gb"] / result["memory"]["peak_gb"], 1, delta=0.2)


if __name__ == "__main__":
    unittest.main()
