"""Trains with mlx_lm so that a killed training can go on as if nothing had happened.

    python train_launcher.py CONFIG.json

CONFIG has "mlx_lm" (the options of `mlx_lm lora` by their own names) and "punie": "keep" (best or last), "early_stop"
(validations without a better loss before it stops, 0: never), "resume" (true or false), "keeps_previous" (whether the
parameters before each step are kept, to go back to when the loss is no number any more), "identity" (what must not
change between a training and its resumption).

mlx_lm loads the model and the data, makes the adapter's layers and the optimiser (mlx_lm.lora.run). Its training loop is
replaced: mlx_lm 0.32's keeps neither the optimiser's state nor its place in the data, writes checkpoints in place and
goes on after the loss is no number any more. `Training` below takes the same steps in the same order, with mlx_lm's own
loss, batches and evaluation, and beside each checkpoint keeps the optimiser, the random states of MLX and NumPy, the
place in the data and the sums of the report that is not finished.

Files in the adapter's folder: NNNNNNN_adapters.safetensors of each checkpoint and, of the newest only,
NNNNNNN_state.safetensors; punie_state.json names them and is written last, so a torn checkpoint is never taken for one.
adapters.safetensors is what mlx_lm loads; best_adapters.safetensors has the lowest validation loss.

Events (JSON lines on PUNIE_EVENTS_FD), beside those of training_callback.py (hello, imports, model, data, begin, error):

    note        {message}
    facts       {split, rows, rows_left_over, rows_cut, rows_untrained, padding_share, trained_tokens, longest,
                 looked_at, steps_dropped}
    resumed     {iteration}
    iteration   {iteration, loss, seconds, learning_rate, tokens_per_second, trained_tokens, peak_memory_gb}
    validation  {iteration, loss, seconds, best}
    checkpoint  {iteration, file, seconds}
    stopped     {reason, iteration, rows, message}    early_stop, not_a_number, diverged, interrupted
    kept        {iteration, which}                    what adapters.safetensors holds
    end         {iteration}

SIGTERM and SIGINT end it after the iteration that runs (a validation is broken off), with a checkpoint.
"""

import hashlib
import inspect
import json
import math
import os
import signal
import sys
import time
import types
from functools import partial
from pathlib import Path

from training_events import EVENTS, marked, number
from training_state import (
    Batches,
    Checkpoints,
    Refused,
    Sums,
    copy_file,
    parameters_of,
    rows_of_batches,
    write_arrays,
)

UNSUPPORTED = 64  # exit code: this mlx_lm's trainer is not the one that can be resumed
DIVERGED_WINDOW = 20
LOOKED_AT = 50_000  # rows whose tokens are counted before the start
# The training loops of mlx_lm that `Training` was held against, number for number (SHA-256 of their source).
KNOWN_LOOPS = {"0.32.2": "7e3082c746372475cdb9dd65ac5ac2d65f63f232a93cea86cffbb913a7631d6c"}

STOP = {"asked": False}


def ask_to_stop(signum, frame):
    STOP["asked"] = True


class BrokenOff(Exception):
    """A validation that was not finished because somebody asked to stop."""


def missing_parts(lora, trainer):
    """What this mlx_lm lacks of what `Training` is built on."""
    missing = [f"lora.{name}" for name in ("run", "train", "CONFIG_DEFAULTS") if not hasattr(lora, name)]
    for name in ("default_loss", "iterate_batches", "evaluate", "grad_checkpoint", "TrainingArgs"):
        if not hasattr(trainer, name):
            missing.append(f"tuner.trainer.{name}")
    if missing:
        return missing
    wanted = {
        "tuner.trainer.iterate_batches": (trainer.iterate_batches, {"dataset", "batch_size", "max_seq_length", "loop"}),
        "tuner.trainer.evaluate": (
            trainer.evaluate,
            {"model", "dataset", "loss", "batch_size", "num_batches", "max_seq_length", "progress_callback"},
        ),
        "lora.train": (lora.train, {"model", "optimizer", "train_dataset", "val_dataset", "args"}),
        "tuner.trainer.TrainingArgs": (
            trainer.TrainingArgs,
            {"batch_size", "iters", "val_batches", "steps_per_report", "steps_per_eval", "steps_per_save"}
            | {"max_seq_length", "adapter_file", "grad_checkpoint", "grad_accumulation_steps"},
        ),
    }
    for name, (function, parameters) in wanted.items():
        lacking = parameters - set(inspect.signature(function).parameters)
        if lacking:
            missing.append(f"{name}({', '.join(sorted(lacking))})")
    return missing


def loop_differs(train):
    """Whether this mlx_lm's own loop is another one than those that `Training` was held against."""
    try:
        source = inspect.getsource(train)
    except (OSError, TypeError):
        return True
    return hashlib.sha256(source.encode()).hexdigest() not in KNOWN_LOOPS.values()


class Judge:
    """What the losses say: the best, no more progress, nonsense. Pure."""

    def __init__(self, early_stop, record=None):
        self.early_stop = early_stop
        record = record or {}
        self.best = record.get("best")
        self.best_iteration = record.get("best_iteration")
        self.without_progress = record.get("without_progress", 0)
        self.recent = record.get("recent", [])
        self.lowest = record.get("lowest")

    def record(self):
        return {
            "best": self.best,
            "best_iteration": self.best_iteration,
            "without_progress": self.without_progress,
            "recent": self.recent,
            "lowest": self.lowest,
        }

    def validated(self, iteration, loss):
        """Whether it is the best so far."""
        if math.isfinite(loss) and (self.best is None or loss < self.best):
            self.best, self.best_iteration, self.without_progress = loss, iteration, 0
            return True
        self.without_progress += 1
        return False

    def no_progress(self):
        return self.early_stop > 0 and self.without_progress >= self.early_stop

    def diverged(self, loss):
        """The mean of the last 20 losses is twice the lowest such mean, and at least 1 above it."""
        self.recent = [*self.recent, loss][-DIVERGED_WINDOW:]
        if len(self.recent) < DIVERGED_WINDOW:
            return False
        mean = sum(self.recent) / DIVERGED_WINDOW
        if self.lowest is None or mean < self.lowest:
            self.lowest = mean
        return mean > 2 * self.lowest and mean > self.lowest + 1


def row_as_tokens(dataset, row, split):
    """(tokens, first trained one). mlx_lm would stop at a bad row when it is drawn, perhaps hours later."""
    try:
        found = dataset[row]
        return len(found[0]), found[1] if len(found) > 1 else 0
    except Exception as error:
        raise Refused(f"{split}.jsonl:{row + 1}: the tokenizer cannot read this row: {type(error).__name__}: {error}")


def facts_of(dataset, args, split):
    """What mlx_lm would do with the rows without a word."""
    size, longest = args.batch_size, args.max_seq_length
    looked_at = min(len(dataset), LOOKED_AT)
    facts = {"rows_cut": 0, "rows_untrained": 0, "trained_tokens": 0, "longest": 0}
    kept, widths = [], []
    for row in range(looked_at):
        length, offset = row_as_tokens(dataset, row, split)
        kept.append(min(length, longest))
        widths.append(min(1 + 32 * ((length + 31) // 32), longest))
        facts["longest"] = max(facts["longest"], length)
        facts["rows_cut"] += length > longest
        facts["rows_untrained"] += offset >= kept[-1]
        facts["trained_tokens"] += max(0, kept[-1] - max(1, offset))
        if STOP["asked"]:
            break
    real = computed = 0
    for batch in rows_of_batches(dataset, size):
        if max(batch) < len(kept):
            real += sum(kept[row] for row in batch)
            computed += size * max(widths[row] for row in batch)
    return {
        "split": split,
        "rows": len(dataset),
        "rows_left_over": len(dataset) % size,
        "padding_share": 1 - real / computed if computed else 0,
        "looked_at": len(kept),
        **facts,
    }


def tell_facts(train_dataset, val_dataset, args):
    dropped = args.iters % args.grad_accumulation_steps
    EVENTS.send("facts", steps_dropped=dropped, **facts_of(train_dataset, args, "train"))
    if val_dataset:
        EVENTS.send("facts", steps_dropped=0, **facts_of(val_dataset, args, "valid"))


class Training:
    """mlx_lm's loop with a memory."""

    def __init__(self, trainer, punie, model, optimizer, datasets, args, loss):
        self.trainer = trainer
        self.punie = punie
        self.model = model
        self.optimizer = optimizer
        self.val_dataset = datasets[1]
        self.args = args
        self.loss = loss
        self.folder = Path(args.adapter_file).parent
        self.checkpoints = Checkpoints(self.folder, punie["identity"])
        self.batches = Batches(datasets[0], args, trainer)
        self.sums = Sums()
        self.gradients = None
        self.judge = Judge(punie["early_stop"])
        self.reports = []  # all so far: a Punie that is killed may not have read the last ones
        self.done = 0
        self.saved_at = None
        self.stopped = None

    def resume(self):
        saved = self.checkpoints.load()
        self.checkpoints.restore(saved, self)
        self.judge = Judge(self.punie["early_stop"], saved["record"])
        self.reports = saved.get("reports", [])
        self.done = self.saved_at = saved["iteration"]
        EVENTS.send("resumed", iteration=self.done)

    def step_function(self):
        """mlx_lm's `step` word for word, but for the averaging over machines."""
        import mlx.core as mx
        import mlx.nn as nn
        from mlx.utils import tree_map

        model, optimizer, accumulate = self.model, self.optimizer, self.args.grad_accumulation_steps
        loss_and_gradient = nn.value_and_grad(model, self.loss)
        state = [model.state, optimizer.state, mx.random.state]

        @partial(mx.compile, inputs=state, outputs=state)
        def step(batch, earlier, update):
            (value, tokens), gradient = loss_and_gradient(model, *batch)
            if earlier is not None:
                gradient = tree_map(lambda x, y: x + y, gradient, earlier)
            if update:
                if accumulate > 1:
                    gradient = tree_map(lambda x: x / accumulate, gradient)
                optimizer.update(model, gradient)
                gradient = None
            return value, tokens, gradient

        return step, state

    def validate(self, iteration):
        """Before the step of `iteration`: its loss is that of the iteration before."""
        began = time.perf_counter()

        def break_off(*_):
            if STOP["asked"]:
                raise BrokenOff

        loss = self.trainer.evaluate(
            model=self.model,
            dataset=self.val_dataset,
            loss=self.loss,
            batch_size=self.args.batch_size,
            num_batches=self.args.val_batches,
            max_seq_length=self.args.max_seq_length,
            progress_callback=break_off,
        )
        self.model.train()
        best = self.judge.validated(iteration - 1, loss)
        if best:
            write_arrays(self.folder / "best_adapters.safetensors", parameters_of(self.model))
        seconds = time.perf_counter() - began
        self.tell("validation", iteration=iteration - 1, loss=number(loss), seconds=seconds, best=best)

    def validates_at(self, iteration):
        args = self.args
        return self.val_dataset and (
            iteration == 1 or iteration % args.steps_per_eval == 0 or iteration == args.iters
        )

    def stop(self, reason, message, rows=()):
        self.stopped = reason
        EVENTS.send("stopped", reason=reason, iteration=self.done, rows=list(rows), message=message)

    def tell(self, event, **fields):
        self.reports.append({"event": event, **fields})
        EVENTS.send(event, **fields)

    def checkpoint(self, place):
        if self.done > 0 and self.saved_at != self.done:
            self.checkpoints.save(self, self.done, place)
            self.saved_at = self.done

    def report(self, iteration):
        import mlx.core as mx

        sums = self.sums
        tokens = int(sums.tokens.item())
        sums.trained_tokens += tokens
        self.tell(
            "iteration",
            iteration=iteration,
            loss=number(sums.losses.item() / sums.steps),
            seconds=sums.seconds / sums.steps,
            learning_rate=number(self.optimizer.learning_rate),
            tokens_per_second=tokens / max(sums.seconds, 1e-9),
            trained_tokens=sums.trained_tokens,
            peak_memory_gb=mx.get_peak_memory() / 1e9,
        )
        sums.reset()

    def one_step(self, step, state, batch, update):
        """The loss; the parameters before the step if they are kept."""
        import mlx.core as mx

        began = time.perf_counter()
        previous = parameters_of(self.model) if self.punie["keeps_previous"] else None
        value, tokens, self.gradients = step(batch, self.gradients, update)
        self.sums.losses += value
        self.sums.tokens += tokens
        self.sums.steps += 1
        mx.eval(state, self.sums.losses, self.sums.tokens, self.gradients)
        if mx.get_cache_memory() > getattr(self.args, "clear_cache_threshold", 0):
            mx.clear_cache()
        self.sums.seconds += time.perf_counter() - began
        return value.item(), previous

    def go_back(self, previous):
        """To parameters that are numbers."""
        if previous is not None:
            self.model.load_weights(list(previous.items()), strict=False)
            return True
        return False

    def run(self):
        args = self.args
        step, state = self.step_function()
        self.model.train()
        EVENTS.send("begin")
        place = self.batches.place()
        if self.judge.no_progress():  # a resumed one that had stopped for it
            self.stop("early_stop", f"{self.judge.without_progress} validations without a better loss")
            return self.finish(self.done > 0)
        for iteration in range(self.done + 1, args.iters + 1):
            place = self.batches.place()  # before anything of this iteration: where a checkpoint of the last one stands
            if STOP["asked"]:
                self.stop("interrupted", "asked to stop")
                break
            batch = self.batches.next()
            if self.validates_at(iteration):
                try:
                    self.validate(iteration)
                except BrokenOff:
                    self.stop("interrupted", "asked to stop")
                    break
                if self.judge.no_progress():
                    self.stop("early_stop", f"{self.judge.without_progress} validations without a better loss")
                    break
            loss, previous = self.one_step(step, state, batch, iteration % args.grad_accumulation_steps == 0)
            if not math.isfinite(loss):
                rows = self.batches.rows_of_last()
                self.stop("not_a_number", f"the loss of iteration {iteration} is no number", rows)
                return self.finish(self.go_back(previous))
            self.done = iteration
            if iteration % args.steps_per_report == 0 or iteration == args.iters:
                self.report(iteration)
            if self.judge.diverged(loss):
                self.stop("diverged", f"the mean of the last {DIVERGED_WINDOW} losses is twice the lowest one")
                place = self.batches.place()
                break
            place = self.batches.place()
            if iteration % args.steps_per_save == 0:
                self.checkpoint(place)
        self.checkpoint(place)
        self.finish(self.done > 0)

    def finish(self, is_sound):
        """adapters.safetensors becomes the best or the last."""
        chosen = self.folder / "adapters.safetensors"
        best = self.folder / "best_adapters.safetensors"
        kept = self.done if is_sound else self.saved_at
        if is_sound:
            write_arrays(chosen, parameters_of(self.model))
        elif kept:
            copy_file(self.folder / f"{kept:07d}_adapters.safetensors", chosen)
        wants_best = self.punie["keep"] == "best" and self.stopped != "interrupted"
        if wants_best and best.exists() and self.judge.best_iteration:
            if kept:
                copy_file(chosen, self.folder / "last_adapters.safetensors")
            copy_file(best, chosen)
            EVENTS.send("kept", iteration=self.judge.best_iteration, which="best")
        elif kept:
            EVENTS.send("kept", iteration=kept, which="last")
        EVENTS.send("end", iteration=self.done)


def make_train(trainer, punie):
    """What takes the place of mlx_lm's `train`."""

    def train(model, optimizer, train_dataset, val_dataset=None, args=None, loss=None, **_):
        if hasattr(trainer, "maybe_set_recommended_wired_limit"):
            trainer.maybe_set_recommended_wired_limit()
        if args.grad_checkpoint:
            trainer.grad_checkpoint(model.layers[0])
        tell_facts(train_dataset, val_dataset, args)
        training = Training(
            trainer, punie, model, optimizer, (train_dataset, val_dataset), args, loss or trainer.default_loss
        )
        if punie["resume"]:
            training.resume()
        training.run()

    return train


def options_of(lora, given):
    options = {**lora.CONFIG_DEFAULTS, **given, "train": True, "test": False}
    options["lora_parameters"] = {
        **(lora.CONFIG_DEFAULTS.get("lora_parameters") or {}),
        **(given.get("lora_parameters") or {}),
    }
    return types.SimpleNamespace(**options)


def run(config):
    import mlx_lm
    from mlx_lm import lora
    from mlx_lm.tuner import trainer

    version = getattr(mlx_lm, "__version__", "?")
    EVENTS.send("imports", mlx_lm=version)
    if missing := missing_parts(lora, trainer):
        message = f"--resume is not possible with mlx_lm {version}: it lacks {', '.join(missing)}"
        EVENTS.send("error", type="Unsupported", message=message)
        print(message, flush=True)
        sys.exit(UNSUPPORTED)
    if loop_differs(lora.train):
        EVENTS.send(
            "note",
            message=f"the training loop of mlx_lm {version} is not the one that Punie's was held against "
            f"(mlx_lm {', '.join(KNOWN_LOOPS)}): a change that it brought is not in this training",
        )
    marked(lora, "load", "model")
    marked(lora, "load_dataset", "data")
    lora.train = make_train(trainer, config["punie"])
    lora.run(options_of(lora, config["mlx_lm"]))


def main():
    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    try:
        run(config)
    except Refused as refused:
        EVENTS.send("error", type="Refused", message=str(refused)[:2000])
        print(f"refused: {refused}", flush=True)
        sys.exit(2)
    except Exception as error:
        EVENTS.send("error", type=type(error).__name__, message=str(error)[:2000])
        raise


if __name__ == "__main__":
    main()
