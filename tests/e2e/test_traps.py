"""Traps of examples/traps that need the real tokenizer and trainer: a chat template that is not the training's."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path

from support import environment, model, punie

TRAPS = Path(__file__).resolve().parents[2] / "examples" / "traps"
OTHER_TEMPLATE = TRAPS / "other-template" / "model" / "chat_template.jinja"


def template_of(folder: Path) -> str:
    return json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]


class OtherTemplate(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="punie-e2e-trap-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.model = self.folder / "model"
        shutil.copytree(model("tiny"), self.model)

    def run_here(self, *arguments: str, seconds: float = 300):
        env = environment()
        env["PUNIE_JOURNAL"] = str(self.folder / "journal")
        return punie(*arguments, seconds=seconds, env=env)

    def validate(self, template: Path):
        rows = self.folder / "data"
        rows.mkdir(exist_ok=True)
        for name in ("train", "valid"):
            lines = [
                {"messages": [{"role": "user", "content": f"{name} {i}?"}, {"role": "assistant", "content": f"Yes, {i}."}]}
                for i in range(8)
            ]
            (rows / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return self.run_here(
            "dataset", "validate", str(rows), "--model", str(self.model), "--serving-template", str(template)
        )

    def test_the_data_check_shows_both_texts(self):
        caught = self.validate(OTHER_TEMPLATE)
        self.assertEqual(caught.returncode, 1, caught.stdout + caught.stderr)
        self.assertIn("D905 served with another template", caught.stdout)
        self.assertIn('training sees "<|im_start|>user', caught.stdout)
        self.assertIn('serving sends "[USER] train 0?', caught.stdout)
        same = self.folder / "same.jinja"
        same.write_text(template_of(self.model))
        control = self.validate(same)
        self.assertEqual(control.returncode, 0, control.stdout + control.stderr)
        self.assertNotIn("D90", control.stdout)

    def test_an_adapter_is_not_judged_under_another_template(self):
        self.validate(OTHER_TEMPLATE)  # writes the rows
        adapter = self.folder / "adapter"
        trained = self.run_here(
            "train", "--model", str(self.model), "--data", str(self.folder / "data"), "--adapter", str(adapter),
            "--iters", "2", "--batch-size", "2", "--num-layers", "1", "--max-seq-length", "128", "--no-data-check",
        )  # fmt: skip
        self.assertEqual(trained.returncode, 0, trained.stdout + trained.stderr)
        suite = self.folder / "suite.yaml"
        suite.write_text("prompts:\n  - {id: a, prompt: Hello, max_tokens: 4, expect: [{regex: '.*'}]}\n")
        judge = ("eval", str(suite), "--model", str(self.model), "--adapter", str(adapter))
        control = self.run_here(*judge)
        self.assertEqual(control.returncode, 0, control.stdout + control.stderr)
        shutil.copy(OTHER_TEMPLATE, self.model / "chat_template.jinja")
        caught = self.run_here(*judge)
        self.assertEqual(caught.returncode, 2, caught.stdout + caught.stderr)
        self.assertIn("the adapter was trained with another chat template", caught.stderr)


if __name__ == "__main__":
    unittest.main()
