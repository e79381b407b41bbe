"""What a person types wrong, and what `punie doctor` says."""

import json
import tempfile
import unittest
from pathlib import Path

from support import environment, model, punie

# One row, one case: arguments, exit code, words that the message must have.
BAD_INPUT = [
    (["serve"], 2, ["--model"]),
    (["serve", "--model", "MODEL", "--port", "70000"], 2, ["port", "70000", "65535"]),
    (["serve", "--model", "MODEL", "--port", "-1"], 2, ["port", "-1"]),
    (["serve", "--model", "MODEL", "--temp", "9"], 2, ["temp", "9", "2"]),
    (["serve", "--model", "MODEL", "--repetition-penalty", "0"], 2, ["repetition", "0"]),
    (["serve", "--model", "MODEL", "--backend", "lama"], 2, ["lama", "mlx", "llama", "vllm"]),
    (["serve", "--model", "MODEL", "--prot", "1"], 2, ["--prot", "--port"]),
    (["serve", "--model", "MODEL", "--env", "NOTHING"], 2, ["NOTHING", "NAME=VALUE"]),
    (["srve"], 2, ["srve", "serve"]),
    (["chat"], 2, ["--model", "--url"]),
    (["chat", "--url", "nonsense", "--once", "x"], 2, ["nonsense"]),
    (["bench", "train"], 2, ["--model"]),
    (["bench", "train", "--model", "MODEL", "--iters", "0"], 2, ["--iters", "0"]),
    (["bench", "train", "--model", "MODEL", "--require", "good"], 2, ["good", "acceptable"]),
]


class BadInput(unittest.TestCase):
    def test_usage_errors_say_what_was_given_and_what_is_allowed(self):
        for arguments, code, words in BAD_INPUT:
            with self.subTest(arguments=arguments):
                done = punie(*[model("tiny") if word == "MODEL" else word for word in arguments], seconds=30)
                output = done.stdout + done.stderr
                self.assertEqual(done.returncode, code, output)
                for word in words:
                    self.assertIn(word, output)

    def test_a_model_that_does_not_exist_is_named_with_what_is_near(self):
        done = punie("serve", "--model", model("tinny"), "--port", "0", seconds=60)
        output = done.stdout + done.stderr
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("tinny", output)
        self.assertIn("tiny", output.replace("tinny", ""))

    def test_a_folder_that_is_no_model_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "notes.txt").write_text("nothing")
            done = punie("bench", "train", "--model", folder, seconds=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("config.json", done.stdout + done.stderr)

    def test_an_unknown_flag_of_the_server_is_explained(self):
        done = punie("serve", "--model", model("tiny"), "--port", "0", "--", "--no-such-flag", seconds=120)
        output = done.stdout + done.stderr
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--no-such-flag", output)


class Doctor(unittest.TestCase):
    def test_it_finds_the_mlx_lm_of_the_environment(self):
        done = punie("doctor", "--json", seconds=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for line in done.stdout.splitlines():
            json.loads(line)
        self.assertIn("0.32.2", done.stdout)

    def test_a_place_without_mlx_lm_is_an_error_that_names_it(self):
        env = environment()
        env["PUNIE_MLX_LM"] = "/nonexistent/venv"
        done = punie("doctor", env=env, seconds=120)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nonexistent/venv", done.stdout + done.stderr)


class Version(unittest.TestCase):
    def test_it_says_its_version(self):
        self.assertRegex(punie("--version").stdout, r"^punie \d+\.\d+\.\d+\n$")

    def test_every_command_has_examples_in_its_help(self):
        for command in (["serve"], ["chat"], ["bench", "train"], ["doctor"]):
            with self.subTest(command=command):
                self.assertIn("Examples:", punie(*command, "--help").stdout)


if __name__ == "__main__":
    unittest.main()
