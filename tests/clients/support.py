"""What the client tests share: the gateway in front of the fake server, and where the clients are installed."""

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from fake_openai import FakeOpenAI

PUNIE = Path()
NODE_MODULES = Path()  # of build/clients; "" if there is no Node
START_SECONDS = 60

CONFIG = """\
listen:
  port: 0
models:
  fake:
    aliases: [gpt-4o-mini, claude-sonnet-4-5]
    upstream:
      url: {url}
      model: fake-upstream
"""

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
OPENAI_TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "the weather", "parameters": PARAMETERS}}
]


def set_up(punie: Path, node_modules: Path) -> None:
    global PUNIE, NODE_MODULES
    PUNIE, NODE_MODULES = punie, node_modules


def environment(home: Path) -> dict:
    """Nothing of who runs the tests: no keys, no proxies, no configuration."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "NO_COLOR": "1"}


class Gateway:
    """`punie serve` in front of a fake server; one for all tests of a file."""

    def __enter__(self):
        self.fake = FakeOpenAI().__enter__()
        self.folder = tempfile.TemporaryDirectory()
        home = Path(self.folder.name)
        config = home / "punie.yaml"
        config.write_text(CONFIG.format(url=self.fake.url))
        self.errors = (home / "stderr").open("w+")
        self.process = subprocess.Popen(
            [str(PUNIE), "serve", "--json", str(config)],
            env={**environment(home), "XDG_RUNTIME_DIR": str(home), "XDG_CACHE_HOME": str(home / "cache")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            first = self.lines.get(timeout=START_SECONDS)
            self.url = json.loads(first)["url"].rstrip("/")
        except (queue.Empty, ValueError, KeyError, TypeError) as error:
            log = self.log()
            self.__exit__()
            raise AssertionError(f"punie serve did not say where it listens: {error!r}\n{log}") from None
        return self

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def log(self) -> str:
        self.errors.seek(0)
        return self.errors.read()

    def last_seen(self) -> dict:
        return self.fake.seen[-1]

    def __exit__(self, *ignored):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(10)
        self.process.stdout.close()
        self.errors.close()
        self.fake.__exit__()
        self.folder.cleanup()


def run_program(arguments: list, env: dict, cwd: Path, seconds: float) -> subprocess.CompletedProcess:
    """A client that is a program, to its end; its whole process group goes if it hangs."""
    process = subprocess.Popen(
        [str(argument) for argument in arguments],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        out, err = process.communicate()
        raise AssertionError(f"{arguments[0]} still ran after {seconds} s\n{out}\n{err}") from None
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def wait_until(condition, seconds: float, what: str):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.02)
    return value
