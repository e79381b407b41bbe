"""The decisions of python/train_launcher.py, and what it says to an mlx_lm that is not what it knows. No mlx needed.

    python3 launcher_table.py FOLDER_OF_THE_LAUNCHER
"""

import math
import sys
import types
import unittest

sys.path.insert(0, sys.argv.pop(1))
import train_launcher as launcher  # noqa: E402
import training_state  # noqa: E402

NAN = float("nan")


class JudgeTable(unittest.TestCase):
    def test_best_and_patience(self):
        rows = [
            # losses, early stop, validation at which it stops (from 1), iteration of the best
            ([3, 2, 1], 2, None, 2),
            ([3, 2, 2.5, 2.4], 2, 4, 1),
            ([3, 2, 2.5, 1.9, 2.5, 2.5], 2, 6, 3),
            ([3, 3, 3], 2, 3, 0),
            ([3, NAN, NAN], 2, 3, 0),
            ([NAN, NAN], 2, 2, None),
            ([NAN, 2, 3, 3], 0, None, 1),
            ([3, math.inf, 2], 1, 2, 0),
        ]
        for losses, patience, expected, best in rows:
            with self.subTest(losses=losses, patience=patience):
                judge = launcher.Judge(patience)
                stopped = None
                for number, loss in enumerate(losses, 1):
                    judge.validated(number - 1, loss)
                    if judge.no_progress():
                        stopped = number
                        break
                self.assertEqual(stopped, expected)
                self.assertEqual(judge.best_iteration, best)

    def test_divergence(self):
        falling = [5 - 0.02 * i for i in range(200)]
        noisy = [2 + (i % 7) * 0.5 for i in range(200)]
        rising = falling + [1 + 0.2 * i for i in range(100)]
        spike = falling + [50] + [1.0] * 19
        small = [0.001] * 30 + [0.5] * 30
        rows = [(falling, False), (noisy, False), (rising, True), (small, False), (spike, True), ([9] * 19, False)]
        for losses, expected in rows:
            judge = launcher.Judge(0)
            self.assertEqual(any([judge.diverged(loss) for loss in losses]), expected, losses[-5:])

    def test_a_record_goes_on_where_it_was(self):
        losses = [4, 3, 3.5, 3.2, 3.1, 3.4]
        whole = launcher.Judge(9)
        for i, loss in enumerate(losses):
            whole.validated(i, loss)
            whole.diverged(loss)
        for cut in range(len(losses)):
            first = launcher.Judge(9)
            for i, loss in enumerate(losses[:cut]):
                first.validated(i, loss)
                first.diverged(loss)
            second = launcher.Judge(9, first.record())
            for i, loss in enumerate(losses[cut:], cut):
                second.validated(i, loss)
                second.diverged(loss)
            self.assertEqual(second.record(), whole.record())


class Dataset(list):
    def itemlen(self, row):
        return len(self[row])


class BatchTable(unittest.TestCase):
    def test_rows_of_batches(self):
        self.assertEqual(launcher.rows_of_batches([0] * 7, 3), [[0, 1, 2], [3, 4, 5]])
        keys = Dataset(["ab", "a", "abc", "a"])  # mlx_lm "sorts by length": the number of keys
        self.assertEqual(launcher.rows_of_batches(keys, 2), [[1, 3], [0, 2]])

    def test_facts(self):
        args = types.SimpleNamespace(batch_size=2, max_seq_length=33)
        rows = Dataset([(list(range(10)), 0), (list(range(40)), 5), (list(range(50)), 40), (list(range(20)), 3), ([1], 0)])
        facts = launcher.facts_of(rows, args, "train")
        self.assertEqual(facts["rows"], 5)
        self.assertEqual(facts["rows_left_over"], 1)
        self.assertEqual(facts["rows_cut"], 2)
        self.assertEqual(facts["rows_untrained"], 1)
        self.assertEqual(facts["longest"], 50)
        self.assertEqual(facts["trained_tokens"], 9 + 28 + 0 + 17 + 0)

    def test_a_row_that_the_tokenizer_refuses_is_named(self):
        class Bad(list):
            def __getitem__(self, row):
                raise KeyError("messages") if row == 2 else ValueError

        with self.assertRaisesRegex(launcher.Refused, r"train\.jsonl:3: .*KeyError"):
            launcher.row_as_tokens(Bad(), 2, "train")


def known_modules():
    def iterate_batches(dataset, batch_size, max_seq_length, loop=False): ...

    def evaluate(model, dataset, batch_size, num_batches, max_seq_length, loss, progress_callback): ...

    def train(model, optimizer, train_dataset, val_dataset, args): ...

    class TrainingArgs:
        def __init__(
            self, batch_size, iters, val_batches, steps_per_report, steps_per_eval, steps_per_save, max_seq_length,
            adapter_file, grad_checkpoint, grad_accumulation_steps,
        ): ...

    trainer = types.SimpleNamespace(
        iterate_batches=iterate_batches, evaluate=evaluate, TrainingArgs=TrainingArgs, default_loss=1, grad_checkpoint=1
    )
    return types.SimpleNamespace(run=1, train=train, CONFIG_DEFAULTS={}), trainer


class UnknownMlxLm(unittest.TestCase):
    def test_the_known_one_lacks_nothing(self):
        self.assertEqual(launcher.missing_parts(*known_modules()), [])

    def test_what_is_missing_is_named(self):
        for module, name, expected in [
            (0, "run", "lora.run"),
            (0, "CONFIG_DEFAULTS", "lora.CONFIG_DEFAULTS"),
            (1, "evaluate", "tuner.trainer.evaluate"),
            (1, "default_loss", "tuner.trainer.default_loss"),
        ]:
            modules = known_modules()
            delattr(modules[module], name)
            self.assertEqual(launcher.missing_parts(*modules), [expected])

    def test_other_parameters_are_named(self):
        lora, trainer = known_modules()
        trainer.iterate_batches = lambda dataset, batch_size, train=False: None
        self.assertEqual(
            launcher.missing_parts(lora, trainer), ["tuner.trainer.iterate_batches(loop, max_seq_length)"]
        )
        lora.train = lambda model, optimizer, train_dataset, val_dataset: None
        self.assertIn("lora.train(args)", launcher.missing_parts(lora, trainer))

    def test_another_loop_is_noticed(self):
        self.assertTrue(launcher.loop_differs(known_modules()[0].train))

    def test_it_refuses_with_the_version(self):
        said = []
        launcher.EVENTS.send = lambda event, **fields: said.append((event, fields))
        lora, trainer = known_modules()
        del trainer.evaluate
        package = types.ModuleType("mlx_lm")
        package.__version__ = "0.99"
        package.lora = lora
        tuner = types.ModuleType("mlx_lm.tuner")
        tuner.trainer = trainer
        sys.modules.update({"mlx_lm": package, "mlx_lm.lora": lora, "mlx_lm.tuner": tuner})
        sys.modules["mlx_lm.tuner.trainer"] = trainer
        with self.assertRaises(SystemExit) as ended:
            launcher.run({"mlx_lm": {}, "punie": {}})
        self.assertEqual(ended.exception.code, launcher.UNSUPPORTED)
        errors = [fields for event, fields in said if event == "error"]
        self.assertEqual(errors[0]["type"], "Unsupported")
        self.assertEqual(
            errors[0]["message"], "--resume is not possible with mlx_lm 0.99: it lacks tuner.trainer.evaluate"
        )


class Texts(unittest.TestCase):
    def test_changes(self):
        self.assertEqual(training_state.changes({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}), ["b was 2 and is 3", "c was None and is 4"])


if __name__ == "__main__":
    unittest.main()
