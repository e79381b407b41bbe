"""What the end-to-end tests share: running punie, a served model, and what is left of it afterwards.

Nothing here sleeps for luck: every wait has a condition and a deadline.
"""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request
import uuid
from pathlib import Path

PUNIE: Path
VENV: Path
MODELS: Path

READY_SECONDS = 180  # a loaded machine of two cores needs tens of seconds for Python's imports alone
GONE_SECONDS = 1.0  # what docs/orphans.md promises
MARK = "PUNIE_E2E_MARK"


def set_up(punie: Path, venv: Path, models: Path) -> None:
    global PUNIE, VENV, MODELS
    PUNIE, VENV, MODELS = punie, venv, models


def model(name: str) -> str:
    return str(MODELS / name)


def environment(mark: str = "") -> dict:
    """This one, without what would make a test depend on who runs it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PUNIE_", "XDG_"))}
    kept["NO_COLOR"] = "1"
    kept["XDG_CONFIG_HOME"] = "/nonexistent"  # nobody's configuration file
    kept["PUNIE_MLX_LM"] = str(VENV)
    if server := os.environ.get("PUNIE_E2E_LLAMA_SERVER"):
        kept["PUNIE_LLAMA_SERVER"] = server
    if mark:
        kept[MARK] = mark
    return kept


def punie(*arguments: str, seconds: float = READY_SECONDS, env: dict = None) -> subprocess.CompletedProcess:
    """Runs it to its end."""
    return subprocess.run(
        [str(PUNIE), *arguments],
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def wait_until(condition, seconds: float, what: str):
    """The condition's first true value; it is asked every 20 ms."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.02)


def marked_processes(mark: str) -> dict:
    """pid -> command line of every process that inherited the mark, zombies left out. Linux only."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended, or it is another user's
    return found


class Serving:
    """`punie serve --json` in the background; a context manager that leaves nothing behind."""

    def __init__(self, *arguments: str, port: str = "0"):
        self.mark = uuid.uuid4().hex
        self.events = []
        self.queue = queue.Queue()
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [str(PUNIE), "serve", "--json", "--port", port, *arguments],
            env=environment(self.mark),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.queue.put(json.loads(line))
        self.queue.put(None)

    def next_event(self, seconds: float) -> dict:
        try:
            event = self.queue.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            raise AssertionError(f"no event within {seconds} s; so far {self.events}\n{self.stderr()}") from None
        if event is None:
            raise AssertionError(f"punie ended; events were {self.events}\n{self.stderr()}")
        self.events.append(event)
        return event

    def wait_for(self, state: str, seconds: float = READY_SECONDS) -> dict:
        deadline = time.monotonic() + seconds
        while True:
            event = self.next_event(deadline - time.monotonic())
            if event.get("state") == state:
                return event
            if event.get("state") == "failed" or event.get("event") == "error":
                raise AssertionError(f"waited for {state}, it failed: {event}\n{self.stderr()}")

    def stderr(self) -> str:
        self.errors.seek(0)
        return self.errors.read()

    @property
    def url(self) -> str:
        return self.events[-1]["url"]

    @property
    def server_pid(self) -> int:
        return next(event["pid"] for event in reversed(self.events) if event.get("pid"))

    def processes(self) -> dict:
        return marked_processes(self.mark)

    def wait_until_gone(self, seconds: float = GONE_SECONDS) -> None:
        wait_until(lambda: not self.processes(), seconds, f"nothing runs any more; there is {self.processes()}")

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(10)
        self.process.stdout.close()
        self.errors.close()
        for pid in self.processes():  # only what carries our mark
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def chat_body(prompt: str, **fields) -> dict:
    return {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": 24, **fields}


def post(url: str, body: dict, seconds: float = 120):
    """The open response; the caller reads it."""
    request = urllib.request.Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return direct.open(request, timeout=seconds)


def answer(url: str, prompt: str, **fields) -> str:
    """What the server says to one question."""
    with post(url, chat_body(prompt, **fields)) as response:
        return json.load(response)["choices"][0]["message"]["content"]


def once(*arguments: str, seconds: float = READY_SECONDS) -> dict:
    """`punie chat --once ... --json`: the reply."""
    done = punie("chat", "--json", *arguments, seconds=seconds)
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    return next(reply for reply in replies if reply["event"] == "reply")


def train_adapter(model_name: str, folder: Path) -> Path:
    """A LoRA adapter, trained by mlx_lm itself for some seconds: enough to change what the model says, not to make sense."""
    data = folder / "data"
    data.mkdir()
    rows = [
        {"messages": [{"role": "user", "content": f"question {i}"}, {"role": "assistant", "content": "yes yes yes"}]}
        for i in range(16)
    ]
    for name in ("train", "valid"):
        (data / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    adapter = folder / "adapter"
    subprocess.run(
        [str(VENV / "bin/python"), "-m", "mlx_lm", "lora", "--train", "--model", model(model_name), "--data", str(data)]
        + "--iters 60 --batch-size 4 --num-layers 2 --learning-rate 2e-2 --max-seq-length 128".split()
        + "--steps-per-eval 1000 --val-batches 1 --steps-per-report 30 --adapter-path".split()
        + [str(adapter)],
        env=environment(),
        check=True,
        capture_output=True,
        timeout=300,
    )
    return adapter
