"""The pipe on which a trainer tells Punie what happens: JSON lines on the descriptor in PUNIE_EVENTS_FD."""

import json
import math
import os
import select
import time

STARTED = time.monotonic()
PATIENCE = 5.0  # seconds that a full pipe may stay full before the events are given up


class Events:
    """The pipe to Punie. Writing never raises and never waits longer than PATIENCE."""

    def __init__(self, variable="PUNIE_EVENTS_FD"):
        number = os.environ.pop(variable, "")
        self.descriptor = int(number) if number.isdigit() else None
        if self.descriptor is None:
            return
        try:
            os.set_inheritable(self.descriptor, False)  # a compiler started by MLX must not hold the pipe open
            os.set_blocking(self.descriptor, False)
        except OSError:
            self.descriptor = None

    def send(self, event, **fields):
        if self.descriptor is None:
            return
        line = json.dumps({"event": event, "t": time.monotonic() - STARTED, **fields}) + "\n"
        data = line.encode()
        while data:
            try:
                data = data[os.write(self.descriptor, data) :]
            except BlockingIOError:
                if not select.select([], [self.descriptor], [], PATIENCE)[1]:
                    self.descriptor = None
                    return
            except OSError:
                self.descriptor = None
                return


EVENTS = Events()
EVENTS.send("hello", pid=os.getpid())


def number(value):
    """A Python float of whatever mlx_lm reports (MLX or NumPy scalars); None for what is no finite number: JSON has
    no nan, which the loss can be."""
    try:
        value = float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def marked(module, name, event):
    """Replaces module.name by a function that also sends `event` when it returns."""
    original = getattr(module, name)

    def wrapper(*args, **kwargs):
        result = original(*args, **kwargs)
        EVENTS.send(event)
        return result

    setattr(module, name, wrapper)
