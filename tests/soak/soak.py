"""Runs the gateway for a while under everything at once: requests at a steady rate, servers that are killed, swaps,
reloads, clients that leave. Fails on a wrong answer, a torn answer that looks whole, a request without a final status,
or anything that grows: memory, descriptors, processes.

    soak.py --punie build/release/punie --fakes build/debug/tests [--seconds 120] [--rate 200] [--seed 1]

Everything happens on the loopback interface and ends by itself. The last line of --counts FILE is "passed failed
skipped".
"""

import argparse
import asyncio
import collections
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

WARM_UP_SECONDS = 8
MEMORY_GROWTH_MB = 24  # allocators keep what bursts of requests needed
DESCRIPTOR_GROWTH = 12
ANSWERS = {name: f"the answer of {name}" for name in ("a", "b", "c", "slow")}


class Fault(Exception):
    """Something that must not happen."""


def yaml_of(folder: Path, help_file: Path, unused_ttl: int) -> str:
    flags = {"a": "", "b": "--chunked", "c": "--load-503-ms 200", "slow": "--slow-tokens 10 --chunked"}
    models = ""
    for name, more in flags.items():
        words = ANSWERS[name].replace(" ", "%20")
        models += (
            f"  {name}:\n    backend: llama\n    path: {folder}/model.gguf\n    parallel: 64\n"
            f"    stop_grace: 1s\n    environment:\n"
            f'      FAKE_SERVER_ARGS: "--answer {words} {more} --help-file {help_file}"\n'
        )
    models += f"  unused:\n    backend: llama\n    path: {folder}/model.gguf\n    ttl: {unused_ttl}s\n"
    return (
        "groups:\n  one:\n    models: [a, b]\n    together: false\n"
        "queue:\n  fairness: 500ms\n  min_loaded: 200ms\n  drain: 5s\nmodels:\n" + models
    )


class Soak:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.counts = collections.Counter()
        self.faults = []
        self.latencies = []
        self.running = 0
        self.chaos = collections.Counter()

    async def start(self, folder: Path):
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin/llama-server").symlink_to(self.options.fakes.resolve() / "fake-model-server")
        (folder / "model.gguf").write_bytes(b"GGUF\x03\0\0\0" + bytes(64))
        self.help_file = Path(__file__).parent.parent / "unit/backend/recorded/llama_server_0.3.36.txt"
        self.ttl = 1000
        self.write_config()
        environment = {
            "PATH": f"{folder}/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "PUNIE_CONTROL_SOCKET": str(folder / "control.sock"),
            "FAKE_SERVER_ARGS": f"--help-file {self.help_file}",  # when it is asked what it can do
        }
        self.log = open(folder / "log", "wb")
        self.began = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            str(self.options.punie), "serve", str(folder / "punie.yaml"), "--port", "0", "--json",
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=self.log,
        )
        first = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 30))
        self.port = int(first["url"].rsplit(":", 1)[1])
        self.reader = asyncio.create_task(self.read_events())

    def write_config(self):
        path = self.folder / "new.yaml"
        path.write_text(yaml_of(self.folder, self.help_file, self.ttl))
        path.rename(self.folder / "punie.yaml")

    async def read_events(self):
        while line := await self.process.stdout.readline():
            event = json.loads(line)
            if self.options.events:
                self.options.events.write(f"{time.monotonic() - self.began:9.3f} {line.decode()}")
            self.chaos[f"event {event['event']}"] += 1

    async def control(self, method: str, target: str) -> dict:
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "control.sock"))
        writer.write(f"{method} /control{target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await asyncio.wait_for(reader.readexactly(length), 20)
        writer.close()
        return json.loads(body)

    # One request, looked at byte for byte.

    async def request(self):
        model = self.random.choices(list(ANSWERS), [6, 2, 6, 2])[0]
        stream = self.random.random() < 0.5
        leaves = self.random.random() < 0.03
        body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hi"}]}).encode()
        began = time.monotonic()
        self.running += 1
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(
                    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(body) + body
                )
                if leaves:
                    await asyncio.sleep(self.random.random() * 0.1)
                    writer.transport.abort()
                    self.counts["left"] += 1
                    return
                data = await asyncio.wait_for(self.read_all(reader), 60)
                self.judge(model, stream, *data)
            finally:
                writer.close()
        except asyncio.TimeoutError:
            self.faults.append(f"{model}: no end after 60 s")
        except (Fault, ValueError, IndexError) as fault:
            self.faults.append(f"{model}, {'stream' if stream else 'whole'}: {fault!r}")
        except OSError as error:
            self.faults.append(f"{model}: {error!r}")
        finally:
            self.running -= 1
            self.latencies.append(time.monotonic() - began)

    @staticmethod
    async def read_all(reader) -> tuple:
        data = b""
        reset = False
        try:
            while piece := await reader.read(65536):
                data += piece
        except ConnectionResetError:
            reset = True
        return data, reset

    def judge(self, model: str, stream: bool, data: bytes, reset: bool):
        if not data:
            raise Fault("closed without a status")
        head, _, rest = data.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        if b"transfer-encoding: chunked" in head.lower():
            body, whole = unchunk(rest)
        else:
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body, whole = rest, len(rest) == length
        text = body.decode()
        if status != 200:
            error = json.loads(text)["error"]
            self.counts[f"{status} {error['code']}"] += 1
            if status not in (502, 503, 504) and error["code"] != "queue_full":
                raise Fault(f"{status}: {text[:300]}")
            return
        if stream:
            self.judge_stream(model, text, whole and not reset)
            return
        if not whole:
            raise Fault("a short answer")
        content = json.loads(text)["choices"][0]["message"]["content"]
        if content != ANSWERS[model]:
            raise Fault(f"the wrong answer: {content!r}")
        self.counts["200"] += 1

    def judge_stream(self, model: str, text: str, whole: bool):
        events = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
        done = bool(events) and events[-1] == "[DONE]"
        if done != whole:
            raise Fault(f"whole {whole}, but [DONE] {done}: {text[-300:]!r}")
        if not done:
            if not events or "error" not in json.loads(events[-1]):
                raise Fault(f"torn without a word: {text[-300:]!r}")
            self.counts["torn and said so"] += 1
            return
        content = "".join(
            choice.get("delta", {}).get("content") or ""
            for event in events[:-1]
            for choice in json.loads(event).get("choices", [])
        )
        if content != ANSWERS[model]:
            raise Fault(f"the wrong answer: {content!r}")
        self.counts["200 stream"] += 1

    # What goes wrong meanwhile.

    async def break_something(self):
        kind = self.random.choice(["kill", "kill", "unload", "reload", "reload", "load", "torn request", "silent client"])
        self.chaos[kind] += 1
        models = (await self.control("GET", "/ps"))["models"]
        if kind == "kill":
            pids = [model["pid"] for model in models if model.get("pid") and model["state"] == "ready"]
            if pids:
                try:
                    os.kill(self.random.choice(pids), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        elif kind in ("unload", "load"):
            await self.control("POST", f"/models/{self.random.choice(list(ANSWERS))}/{kind}")
        elif kind == "reload":
            self.ttl += self.random.randrange(2)
            self.write_config()
            self.process.send_signal(signal.SIGHUP)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{\"mod")
            if kind == "torn request":
                writer.transport.abort()
            else:
                asyncio.get_running_loop().call_later(3, writer.close)

    async def chaos_loop(self, end: float):
        while time.monotonic() < end:
            await asyncio.sleep(self.random.uniform(0.3, 1.5))
            try:
                await self.break_something()
            except (OSError, asyncio.TimeoutError, ValueError, KeyError, IndexError, asyncio.IncompleteReadError) as error:
                self.faults.append(f"control: {error!r}")

    async def load_loop(self, end: float):
        tasks = set()
        interval = 1 / self.options.rate
        due = time.monotonic()
        while time.monotonic() < end:
            due += interval
            task = asyncio.create_task(self.request())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(max(0, due - time.monotonic()))
        await asyncio.gather(*tasks)

    def memory_mb(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
        raise Fault("no RssAnon")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    async def settle(self):
        """Until nothing is asked for any more and the idle connections have gone."""
        for _ in range(100):
            models = (await self.control("GET", "/ps"))["models"]
            if all(m["running"] == 0 and m["waiting"] == 0 for m in models):
                return
            await asyncio.sleep(0.1)
        raise Fault("requests that never end: " + json.dumps(models))

    async def run(self):
        with tempfile.TemporaryDirectory(prefix="punie-soak-") as folder:
            await self.start(Path(folder))
            try:
                await self.work()
            finally:
                if self.process.returncode is None:
                    self.process.terminate()
                    await asyncio.wait_for(self.process.wait(), 20)
                self.reader.cancel()
            left = [p for p in Path("/proc").iterdir() if p.name.isdigit() and holds(p, folder)]
            if left:
                self.faults.append(f"processes left: {[p.name for p in left]}")
            if self.faults:
                print((Path(folder) / "log").read_text(errors="replace")[-3000:])

    async def work(self):
        await self.load_loop(time.monotonic() + WARM_UP_SECONDS)
        await self.settle()
        memory, descriptors = self.memory_mb(), self.descriptors()
        end = time.monotonic() + self.options.seconds
        chaos = asyncio.create_task(self.chaos_loop(end))
        await self.load_loop(end)
        await chaos
        await self.settle()
        after = self.memory_mb()
        print(f"memory {memory:.1f} -> {after:.1f} MB, descriptors {descriptors} -> {self.descriptors()}")
        if after > memory + MEMORY_GROWTH_MB:
            self.faults.append(f"memory grew from {memory:.1f} to {after:.1f} MB")
        if self.descriptors() > descriptors + DESCRIPTOR_GROWTH:
            self.faults.append(f"descriptors grew from {descriptors} to {self.descriptors()}")


def holds(process: Path, folder: str) -> bool:
    try:
        return folder.encode() in (process / "cmdline").read_bytes() and process.name != str(os.getpid())
    except OSError:
        return False


def unchunk(data: bytes) -> tuple:
    """The body and whether its last chunk came."""
    body = b""
    while True:
        line, found, rest = data.partition(b"\r\n")
        if not found:
            return body, False
        size = int(line, 16)
        if size == 0:
            return body, rest.startswith(b"\r\n")
        body += rest[:size]
        if len(rest) < size + 2:
            return body, False
        data = rest[size + 2:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--punie", type=Path, required=True)
    parser.add_argument("--fakes", type=Path, required=True, help="folder with fake-model-server")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--counts", type=Path)
    parser.add_argument("--events", type=argparse.FileType("w"), help="where the gateway's events go, with their time")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.seconds:.0f} s at {options.rate:.0f} requests/s")
    soak = Soak(options)
    try:
        asyncio.run(soak.run())
    except Fault as fault:
        soak.faults.append(str(fault))
    for counter in (soak.counts, soak.chaos):
        print(", ".join(f"{name}: {count}" for name, count in sorted(counter.items())))
    latencies = sorted(soak.latencies) or [0]
    print(f"latency median {latencies[len(latencies) // 2] * 1000:.1f} ms, p99 {latencies[len(latencies) * 99 // 100]:.2f} s")
    for fault in soak.faults[:20]:
        print("FAULT", fault)
    total = sum(soak.counts.values())
    print(f"{total} requests, {len(soak.faults)} faults")
    if soak.counts["200"] + soak.counts["200 stream"] < total / 2:
        soak.faults.append("fewer than half of the requests were answered")
        print("FAULT", soak.faults[-1])
    failed = len(soak.faults) > 0 or soak.counts["200"] == 0 or soak.counts["200 stream"] == 0
    if options.counts:
        options.counts.write_text(f"{0 if failed else 1} {1 if failed else 0} 0\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
