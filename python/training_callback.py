"""Runs `mlx_lm lora` and tells Punie what happens, as JSON lines on the descriptor in PUNIE_EVENTS_FD.

    python training_callback.py ARGUMENTS OF `mlx_lm lora`

The printed text of mlx_lm changes between versions and since 0.32 has neither iterations a second nor memory, so the
figures come from its TrainingCallback: a class put into mlx_lm.tuner.callbacks.SUPPORT_CALLBACK and asked for by
`--report-to punie` (older versions without that table get the callback handed to `train`).

Every event has "event" and "t", seconds since this program's first line:

    hello, imports, model, data, begin      marks on the way to the first batch
    validation {iteration, loss, seconds}
    iteration  {iteration, seconds, trainer_seconds, loss, tokens_per_second, trained_tokens, peak_memory_gb}
    checkpoint {seconds}
    trained, end, error {type, message}

`seconds` of an iteration is the time on the wall since the end of the iteration before (or of the validation or
checkpoint between them); `trainer_seconds` is what mlx_lm itself measured. Nothing here may stop a training: a reader
that went away or does not read ends the events, not the run.
"""

import json
import os
import sys
import time

from training_events import EVENTS, marked, number


class Watch:
    """The moment up to which all time is accounted for."""

    def __init__(self):
        self.mark = time.monotonic()

    def reset(self):
        self.mark = time.monotonic()

    def lap(self):
        now = time.monotonic()
        elapsed = now - self.mark
        self.mark = now
        return elapsed


WATCH = Watch()


class PunieCallback:
    """What mlx_lm calls a TrainingCallback; it asks for nothing but the two methods."""

    def __init__(self, project_name=None, log_dir=None, config=None, wrapped_callback=None):
        self.wrapped_callback = wrapped_callback

    def on_train_loss_report(self, info):
        seconds = WATCH.lap()
        rate = number(info.get("iterations_per_second"))
        EVENTS.send(
            "iteration",
            iteration=info.get("iteration"),
            seconds=seconds,
            trainer_seconds=1 / rate if rate else None,
            loss=number(info.get("train_loss")),
            tokens_per_second=number(info.get("tokens_per_second")),
            trained_tokens=number(info.get("trained_tokens")),
            peak_memory_gb=number(info.get("peak_memory")),
        )
        if self.wrapped_callback is not None:
            self.wrapped_callback.on_train_loss_report(info)
        WATCH.reset()

    def on_val_loss_report(self, info):
        elapsed = WATCH.lap()
        seconds = number(info.get("val_time"))
        if seconds is not None and seconds < elapsed:
            WATCH.mark -= elapsed - seconds  # what went before the validation belongs to the iteration
        EVENTS.send(
            "validation", iteration=info.get("iteration"), seconds=seconds, loss=number(info.get("val_loss"))
        )
        if self.wrapped_callback is not None:
            self.wrapped_callback.on_val_loss_report(info)


def time_checkpoints():
    import mlx.core as mx

    original = mx.save_safetensors

    def save_safetensors(*args, **kwargs):
        before = time.monotonic()
        try:
            return original(*args, **kwargs)
        finally:
            seconds = time.monotonic() - before
            WATCH.mark += seconds
            EVENTS.send("checkpoint", seconds=seconds)

    mx.save_safetensors = save_safetensors


def row_size(row):
    """A measure of a row's length that needs no tokenizer."""
    return len(row) if isinstance(row, str) else len(json.dumps(row, ensure_ascii=False, default=str))


class Selection:
    """Some rows of a data set."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


def longest_first(iterate_batches, times=2):
    """Batches as mlx_lm makes them, but the first `times` hold the longest rows: memory peaks with them, and in a
    random order the batch that does not fit may come after hours."""

    def wrapper(dataset, batch_size, *args, **kwargs):
        batches = iterate_batches(dataset, batch_size, *args, **kwargs)
        if not kwargs.get("loop"):
            yield from batches
            return
        raw = getattr(dataset, "_data", dataset)
        order = sorted(range(len(dataset)), key=lambda i: row_size(raw[i]), reverse=True)
        longest = Selection([dataset[i] for i in order[:batch_size]])
        if len(longest) == batch_size:
            for _ in range(times):
                yield from iterate_batches(longest, batch_size, *args, **{**kwargs, "loop": False})
        yield from batches

    return wrapper


def watch_training(lora, inject_callback):
    original = lora.train

    def train(*args, **kwargs):
        if inject_callback:
            kwargs["training_callback"] = PunieCallback()
        if os.environ.get("PUNIE_LONGEST_FIRST") == "1" and "iterate_batches" not in kwargs:
            from mlx_lm.tuner.trainer import iterate_batches

            kwargs["iterate_batches"] = longest_first(iterate_batches)
        EVENTS.send("begin")
        WATCH.reset()
        result = original(*args, **kwargs)
        EVENTS.send("trained")
        return result

    lora.train = train


def install():
    """Puts the callback and the marks in place; the arguments to add to the command line."""
    from mlx_lm import lora

    EVENTS.send("imports")
    try:
        from mlx_lm.tuner.callbacks import SUPPORT_CALLBACK
    except ImportError:
        SUPPORT_CALLBACK = None
    if SUPPORT_CALLBACK is not None:
        SUPPORT_CALLBACK["punie"] = PunieCallback
    marked(lora, "load", "model")
    marked(lora, "load_dataset", "data")
    watch_training(lora, inject_callback=SUPPORT_CALLBACK is None)
    time_checkpoints()
    return lora, ["--report-to", "punie"] if SUPPORT_CALLBACK is not None else []


def main():
    try:
        lora, arguments = install()
        sys.argv = ["mlx_lm.lora", *sys.argv[1:], *arguments]
        lora.main()
    except Exception as error:
        EVENTS.send("error", type=type(error).__name__, message=str(error)[:2000])
        raise
    EVENTS.send("end")


if __name__ == "__main__":
    main()
