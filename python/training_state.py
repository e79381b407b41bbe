"""What a resumption of a training needs, on the disk: train_launcher.py writes it beside each checkpoint.

Needs MLX only where it is called, so that its decisions can be tested without.
"""

import errno
import json
import os
import time

from training_events import EVENTS

STATE_FILE = "punie_state.json"


class Refused(Exception):
    """Something that the person has to change; no traceback."""


def sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(temporary, path):
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def write_text(path, text):
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    put_in_place(temporary, path)


def write_arrays(path, arrays):
    """Whole or not at all; MLX appends .safetensors to other endings and does not say why it cannot write."""
    import mlx.core as mx

    temporary = path.with_name("writing_" + path.name)
    size = sum(value.nbytes for value in arrays.values())
    try:
        mx.save_safetensors(str(temporary), arrays)
        whole = temporary.stat().st_size >= size
    except RuntimeError:
        whole = False
        if free_bytes(path.parent) > size:
            raise
    if not whole:
        temporary.unlink(missing_ok=True)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    put_in_place(temporary, path)


def free_bytes(folder):
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def copy_file(source, path):
    temporary = path.with_name("writing_" + path.name)
    temporary.write_bytes(source.read_bytes())
    put_in_place(temporary, path)


def parameters_of(model):
    from mlx.utils import tree_flatten

    return dict(tree_flatten(model.trainable_parameters()))


class Batches:
    """mlx_lm's batches one epoch after the other, with the place in them: the state of NumPy's generator at the
    beginning of the epoch, from which its order follows, and the number of batches taken."""

    def __init__(self, dataset, args, trainer):
        self.dataset = dataset
        self.args = args
        self.trainer = trainer
        self.epoch_state = None
        self.taken = 0
        self.iterator = None
        self.rows = rows_of_batches(dataset, args.batch_size)

    def begin_epoch(self):
        import numpy as np

        self.epoch_state = np.random.get_state()
        self.taken = 0
        self.iterator = self.one_epoch()

    def one_epoch(self):
        return self.trainer.iterate_batches(
            dataset=self.dataset,
            batch_size=self.args.batch_size,
            max_seq_length=self.args.max_seq_length,
            loop=False,
        )

    def next(self):
        if self.iterator is None:
            self.begin_epoch()
        batch = next(self.iterator, None)
        if batch is None:
            self.begin_epoch()
            batch = next(self.iterator)
        self.taken += 1
        return batch

    def rows_of_last(self):
        """Line numbers in train.jsonl, from 1, of the batch that was taken last."""
        import numpy as np

        generator = np.random.RandomState()
        generator.set_state(self.epoch_state)
        order = generator.permutation(len(self.rows))
        return [int(row) + 1 for row in self.rows[int(order[self.taken - 1])]]

    def place(self):
        """Where it stands, NumPy's generator included."""
        import numpy as np

        return {
            "epoch": numpy_state(self.epoch_state),
            "taken": self.taken,
            "numpy": numpy_state(np.random.get_state()),
        }

    def go_to(self, place):
        import numpy as np

        if place["epoch"] is not None:
            self.epoch_state = from_numpy_state(place["epoch"])
            np.random.set_state(self.epoch_state)
            self.iterator = self.one_epoch()
            for _ in range(place["taken"]):
                next(self.iterator)
            self.taken = place["taken"]
        np.random.set_state(from_numpy_state(place["numpy"]))


def rows_of_batches(dataset, size):
    """Row numbers, from 0, of each batch before the shuffle, as iterate_batches sorts and cuts them."""
    if hasattr(dataset, "itemlen"):
        order = sorted(range(len(dataset)), key=dataset.itemlen)
    else:
        order = list(range(len(dataset)))
    return [order[i : i + size] for i in range(0, len(order) - size + 1, size)]


def numpy_state(state):
    if state is None:
        return None
    name, keys, position, has_gauss, cached = state
    return [name, [int(key) for key in keys], int(position), int(has_gauss), float(cached)]


def from_numpy_state(saved):
    import numpy as np

    name, keys, position, has_gauss, cached = saved
    return (name, np.array(keys, dtype=np.uint32), position, has_gauss, cached)


class Sums:
    """Of the report that is not finished yet."""

    def __init__(self):
        self.trained_tokens = 0
        self.reset()

    def reset(self):
        self.losses = 0
        self.tokens = 0
        self.steps = 0
        self.seconds = 0.0


class Checkpoints:
    """Writes and reads what a resumption needs."""

    def __init__(self, folder, identity):
        self.folder = folder
        self.identity = identity

    def save(self, training, iteration, place):
        import mlx.core as mx
        from mlx.utils import tree_flatten

        began = time.monotonic()
        adapters = self.folder / f"{iteration:07d}_adapters.safetensors"
        state = self.folder / f"{iteration:07d}_state.safetensors"
        weights = parameters_of(training.model)
        write_arrays(adapters, weights)
        arrays = {f"optimizer.{name}": value for name, value in tree_flatten(training.optimizer.state)}
        arrays.update({f"random.{i}": value for i, value in enumerate(mx.random.state)})
        if training.gradients is not None:
            arrays.update({f"gradient.{name}": value for name, value in tree_flatten(training.gradients)})
        sums = training.sums
        if sums.steps:
            arrays["sums.losses"] = mx.array(sums.losses)
            arrays["sums.tokens"] = mx.array(sums.tokens)
        write_arrays(state, arrays)
        write_arrays(self.folder / "adapters.safetensors", weights)
        write_text(
            self.folder / STATE_FILE,
            json.dumps(
                {
                    "schema": "punie.checkpoint/1",
                    "iteration": iteration,
                    "adapters": adapters.name,
                    "state": state.name,
                    "place": place,
                    "steps": sums.steps,
                    "trained_tokens": sums.trained_tokens,
                    "record": training.judge.record(),
                    "reports": training.reports,
                    "identity": self.identity,
                }
            ),
        )
        for old in self.folder.glob("*_state.safetensors"):
            if old != state:
                old.unlink(missing_ok=True)
        EVENTS.send("checkpoint", iteration=iteration, file=adapters.name, seconds=time.monotonic() - began)

    def load(self):
        """The newest checkpoint. Refuses when there is none, or one of another training."""
        file = self.folder / STATE_FILE
        if not file.exists():
            raise Refused(f"there is no checkpoint in {self.folder} to go on from")
        saved = json.loads(file.read_text(encoding="utf-8"))
        if changed := changes(saved["identity"], self.identity):
            raise Refused("this is not the training that was begun in that folder: " + "; ".join(changed))
        return saved

    def restore(self, saved, training):
        """Everything as it was after saved["iteration"]."""
        import mlx.core as mx
        from mlx.utils import tree_map_with_path, tree_unflatten

        arrays = mx.load(str(self.folder / saved["state"]))

        def part(prefix):
            return [(name[len(prefix) :], value) for name, value in arrays.items() if name.startswith(prefix)]

        weights = mx.load(str(self.folder / saved["adapters"]))
        if difference := sorted(set(weights) ^ set(parameters_of(training.model))):
            raise Refused(f"the checkpoint trains other parameters than this training: {', '.join(difference[:4])}")
        training.model.load_weights(list(weights.items()), strict=False)
        training.optimizer.init(training.model.trainable_parameters())
        training.optimizer.state = tree_unflatten(part("optimizer."))
        restore_random_state([value for _, value in sorted(part("random."))])
        training.batches.go_to(saved["place"])
        training.sums.steps = saved["steps"]
        training.sums.trained_tokens = saved["trained_tokens"]
        if saved["steps"]:
            training.sums.losses = arrays["sums.losses"]
            training.sums.tokens = arrays["sums.tokens"]
        if gradients := dict(part("gradient.")):  # in the tree that the model's own gradients have
            training.gradients = tree_map_with_path(
                lambda path, _: gradients[path], training.model.trainable_parameters()
            )
        mx.eval(training.model.parameters(), training.optimizer.state, mx.random.state)


def changes(then, now):
    return [
        f"{name} was {then.get(name)!r} and is {now.get(name)!r}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]


def restore_random_state(wanted):
    """MLX has no setter; its state is the two halves of the number that `seed` takes."""
    import mlx.core as mx

    for value in wanted:
        high, low = value.tolist()
        mx.random.seed((high << 32) | low)
    now = [value.tolist() for value in mx.random.state]
    if now != [value.tolist() for value in wanted]:
        raise Refused("this version of MLX keeps its random state in another way: the training cannot go on as it was")
