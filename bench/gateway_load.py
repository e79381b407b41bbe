#!/usr/bin/env python3
"""Whether the whole gateway keeps its promises under load: `punie serve FILE` with fake servers and many clients.

    swaps    two models that exclude each other, clients of both at once: no request lost or wrong, never two servers
    clients  500 connections while a model loads: all are answered, streams get comments meanwhile
    ready    from "the model could answer" (the fake's clock) to the waiting client's answer, three ways of loading
    memory   200 MB answers that are read slowly or fast, a 100 MB body whose model is replaced: growth of the
             process's peak (VmHWM, reset before), and every byte where it belongs
    idle     10,000 idle connections, half of which have asked once

Prints a table with PASS or FAIL; exit code 1 if a promise is broken. Loopback only, each part is bounded in time.

    cmake --build --preset bench --target punie && cmake --build --preset debug --target fake-model-server
    bench/gateway_load.py --punie build/bench/punie --fake build/debug/tests/fake-model-server [PART ...]
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import select
import socket
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HELP_FILE = ROOT / "tests/unit/backend/recorded/llama_server_0.3.36.txt"
MB = 1_000_000
ANSWER_BYTES = 200 * MB
BODY_BYTES = 100 * MB
GROWTH_MB = 40
IDLE_GROWTH_MB = 100
READY_MS = 50


class Fault(Exception):
    """A promise that was broken, or something that makes measuring it pointless."""


# ---- the gateway ----


def fake_model(folder, flags, more=""):
    return (
        f"    backend: llama\n    path: {folder}/model.gguf\n    parallel: 64\n{more}"
        f'    environment:\n      FAKE_SERVER_ARGS: "--help-file {HELP_FILE} {flags}"\n'
    )


class Gateway:
    """`punie serve` with one configuration, in a folder of its own; an asynchronous context."""

    def __init__(self, options, config):
        self.options, self.config = options, config
        self.events, self.on_event = [], lambda event: None

    async def __aenter__(self):
        self.place = tempfile.TemporaryDirectory(prefix="punie-load-")
        self.folder = folder = pathlib.Path(self.place.name)
        (folder / "bin").mkdir()
        (folder / "bin/llama-server").symlink_to(self.options.fake.resolve())
        (folder / "model.gguf").write_bytes(b"GGUF\x03\0\0\0" + bytes(64))
        (folder / "punie.yaml").write_text(self.config(folder))
        environment = {
            "PATH": f"{folder}/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "PUNIE_CONTROL_SOCKET": str(folder / "control.sock"),
            "FAKE_SERVER_ARGS": f"--help-file {HELP_FILE}",
        }
        self.log = open(folder / "log", "wb")
        self.process = await asyncio.create_subprocess_exec(
            self.options.punie.resolve(), "serve", folder / "punie.yaml", "--port", "0", "--json",
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=self.log,
        )
        first = await asyncio.wait_for(self.process.stdout.readline(), 20)
        if not first:
            raise Fault("punie serve ended at once: " + (folder / "log").read_text(errors="replace")[-500:])
        self.port = int(json.loads(first)["url"].rsplit(":", 1)[1])
        self.reader = asyncio.create_task(self.read_events())
        return self

    async def __aexit__(self, *_):
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 20)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()
        await self.reader
        self.log.close()
        left = [p.name for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and names(p, str(self.folder))]
        self.place.cleanup()
        if left:
            raise Fault(f"processes left behind: {left}")

    async def read_events(self):
        while line := await self.process.stdout.readline():
            event = json.loads(line)
            self.events.append(event)
            self.on_event(event)

    async def control(self, method, target):
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "control.sock"))
        writer.write(f"{method} /control{target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        answer = await read_answer(reader)
        writer.close()
        return answer["body"].decode()

    def status(self, name):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024 / MB
        raise Fault(f"no {name} in the process's status")

    def reset_peak(self):
        """Resident memory now, in MB; the peak counts from here."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self.status("VmRSS")


def names(process, folder):
    try:
        return folder.encode() in (process / "cmdline").read_bytes() and process.name != str(os.getpid())
    except OSError:
        return False


# ---- requests ----


async def read_answer(reader, take=None):
    """One answer to its end. `take` gets the pieces of the body instead of keeping them."""
    kept = bytearray()
    take = take or kept.extend
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    answer = {"status": int(head.split(b" ")[1])}
    if b"transfer-encoding: chunked" in head:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            while size:
                piece = await reader.read(min(size, 1 << 18))
                if not piece:
                    raise Fault("the answer broke off")
                take(piece)
                size -= len(piece)
            await reader.readexactly(2)
        await reader.readexactly(2)
    else:
        left = int(re.search(rb"content-length: *(\d+)", head).group(1))
        while left:
            piece = await reader.read(min(left, 1 << 18))
            if not piece:
                raise Fault("the answer broke off")
            take(piece)
            left -= len(piece)
    answer["body"] = bytes(kept)
    return answer


def head_of(size):
    return f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()


def post(members):
    body = json.dumps(members).encode()
    return head_of(len(body)) + body


class Client:
    """Asks on one connection that is kept, or on a new one each time."""

    def __init__(self, port, keep=True):
        self.port, self.keep = port, keep
        self.writer = None
        self.comments = 0

    async def ask(self, model, stream, expected):
        """Seconds until the whole answer was there. Raises Fault if it is not the expected one."""
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hi"}]}
        began = time.monotonic()
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.writer.write(post(body))
            answer = await read_answer(self.reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Fault(f"{model}: no whole answer: {error!r}") from error
        seconds = time.monotonic() - began
        if not self.keep:
            self.close()
        text = answer["body"].decode()
        content = self.streamed(text) if stream and answer["status"] == 200 else whole(text, answer["status"])
        if answer["status"] != 200 or content != expected:
            raise Fault(f"{model}: status {answer['status']}, {text[-300:]!r}")
        return seconds

    def streamed(self, text):
        lines = text.split("\n")
        self.comments = sum(line.startswith(":") for line in lines)
        events = [line[6:] for line in lines if line.startswith("data: ")]
        if not events or events[-1] != "[DONE]":
            raise Fault(f"a stream without its end: {text[-300:]!r}")
        choices = [choice for event in events[:-1] for choice in json.loads(event).get("choices", [])]
        return "".join(choice.get("delta", {}).get("content") or "" for choice in choices)

    def close(self):
        if self.writer:
            self.writer.close()
        self.writer = None


def whole(text, status):
    return json.loads(text)["choices"][0]["message"]["content"] if status == 200 else None


# ---- the parts ----


class Bench:
    def __init__(self, options):
        self.options = options
        self.rows, self.faults = [], []
        self.random = random.Random(1)

    def row(self, what, wanted, measured, kept):
        self.rows.append({"what": what, "wanted": wanted, "measured": measured, "pass": bool(kept)})
        print(f"{'PASS' if kept else 'FAIL'}  {what}: {measured}", file=sys.stderr, flush=True)

    # Two models that exclude each other.

    def swap_config(self, folder):
        queue = "queue: {fairness: 50ms, min_loaded: 20ms}\ngroups: {one: {models: [a, b], together: false}}\nmodels:\n"
        slow = "--slow-tokens 2 --first-token-ms 4"
        a = fake_model(folder, f"--answer the%20answer%20of%20a {slow}")
        b = fake_model(folder, f"--answer the%20answer%20of%20b {slow} --chunked --load-503-ms 10")
        return f"{queue}  a:\n{a}  b:\n{b}"

    async def swaps(self):
        async with Gateway(self.options, self.swap_config) as gateway:
            lives = Lives()
            gateway.on_event = lives.saw
            waits, faults = [], []
            began = time.monotonic()
            end = began + 330

            async def client(model, stream, keep):
                one = Client(gateway.port, keep)
                while lives.swaps < self.options.swaps and time.monotonic() < end and len(faults) < 100:
                    try:
                        waits.append(await asyncio.wait_for(one.ask(model, stream, f"the answer of {model}"), 30))
                    except (Fault, asyncio.TimeoutError, ValueError, KeyError) as fault:
                        faults.append(f"swaps: {fault!r}")
                        one.close()
                one.close()

            kinds = [(m, s, k) for m in "ab" for s in (False, True) for k in (False, True)] * 2
            await asyncio.gather(*(client(*kind) for kind in kinds))
            seconds = time.monotonic() - began
        self.faults += faults + lives.faults
        crashed = sum(event.get("state") == "failed" for event in gateway.events)
        self.row("swaps under load of 16 clients", f"{self.options.swaps}", f"{lives.swaps} in {seconds:.0f} s, "
                 f"{lives.swaps / seconds:.1f} a second, longest wait {max(waits, default=0):.2f} s, median "
                 f"{statistics.median(waits or [0]) * 1e3:.0f} ms", lives.swaps >= self.options.swaps and crashed == 0)
        self.row("requests lost or wrong in them", "0", f"{len(faults)} of {len(waits) + len(faults)}", not faults)
        self.row("both servers alive at once", "never", f"{len(lives.faults)} times in {lives.starts} starts",
                 not lives.faults)

    # Many connections while a model loads.

    def client_config(self, folder):
        return f"models:\n  m:\n{fake_model(folder, '--answer here%20it%20is --chunked --load-503-ms 4000')}"

    async def clients(self):
        async with Gateway(self.options, self.client_config) as gateway:
            faults, silent, seconds = [], 0, []
            ready = []
            gateway.on_event = lambda event: ready.append(time.monotonic()) if event.get("state") == "ready" else None

            async def client(number):
                nonlocal silent
                await asyncio.sleep(self.random.random() * 1.5)
                one = Client(gateway.port)
                try:
                    seconds.append(await one.ask("m", number % 2 == 0, "here it is"))
                    silent += number % 2 == 0 and one.comments == 0
                except (Fault, ValueError, KeyError) as fault:
                    faults.append(f"clients: {fault!r}")
                one.close()

            await asyncio.gather(*(client(number) for number in range(self.options.clients)))
            after = time.monotonic() - ready[0] if ready else -1
        self.faults += faults
        count = self.options.clients
        self.row(f"{count} connections during a load of 4 s: lost or wrong", "0", f"{len(faults)}; the last was "
                 f"answered {after * 1e3:.0f} ms after ready, longest wait {max(seconds, default=0):.2f} s", not faults)
        self.row("streams among them without a comment", "0", f"{silent} of {(count + 1) // 2}", silent == 0)

    # From "could answer" to the answer of who waited.

    WAYS = {"load-ms": "load while listening", "load-503-ms": "503 while loading", "listen-after-ms": "listens late"}

    def ready_config(self, folder):
        models = ""
        for way in self.WAYS:
            for number in range(20):
                flags = f"--answer here --{way} {self.random.randrange(100, 500)}"
                models += f"  {way}-{number}:\n{fake_model(folder, flags)}"
        return f"queue: {{min_loaded: 1ms}}\nmodels:\n{models}"

    async def ready(self):
        async with Gateway(self.options, self.ready_config) as gateway:
            for way, words in self.WAYS.items():
                delays = []
                for number in range(20):
                    client = Client(gateway.port, keep=False)
                    await client.ask(f"{way}-{number}", False, "here")
                    answered = time.monotonic()
                    log = await gateway.control("GET", f"/models/{way}-{number}/logs?lines=50")
                    could = int(re.findall(r"ready-at (\d+)", log)[-1]) / 1e9
                    delays.append((answered - could) * 1e3)
                    await gateway.control("POST", f"/models/{way}-{number}/unload")
                self.row(f"could answer to the waiting client's answer, {words}", f"{READY_MS} ms", f"median "
                         f"{statistics.median(delays):.1f} ms, worst of {len(delays)} loads {max(delays):.1f} ms",
                         max(delays) <= READY_MS)

    # Memory of the process.

    async def memory(self):
        upstream = Upstream()
        server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, limit=1 << 17)
        port = server.sockets[0].getsockname()[1]
        config = f"models:\n  m:\n    upstream: {{url: 'http://127.0.0.1:{port}/v1', model: other-name}}\n"
        async with server, Gateway(self.options, lambda folder: config) as gateway:
            await self.warm_up(gateway)
            await self.slow_readers(gateway, upstream)
            for kind in ("json", "stream"):
                await self.fast_reader(gateway, kind)
            await self.large_body(gateway, upstream)

    async def warm_up(self, gateway):
        for _ in range(50):
            await self.ask_upstream(gateway, "small")

    async def ask_upstream(self, gateway, kind, take=None):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1 << 20)
        writer.write(post({"model": "m", "stream": kind == "stream", "kind": kind}))
        answer = await read_answer(reader, take)
        writer.close()
        if answer["status"] != 200:
            raise Fault(f"status {answer['status']}: {answer['body'][:300]!r}")
        return answer

    def grown(self, gateway, before, what, detail, kept=True):
        growth = gateway.status("VmHWM") - before
        self.row(f"memory: {what}", f"+{GROWTH_MB} MB", f"+{growth:.1f} MB (from {before:.1f}), {detail}",
                 growth < GROWTH_MB and kept)

    async def slow_readers(self, gateway, upstream):
        before = gateway.reset_peak()

        async def read_slowly(kind):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, ("127.0.0.1", gateway.port))
            await loop.sock_sendall(sock, post({"model": "m", "stream": kind == "stream", "kind": kind}))
            for _ in range(10):
                await asyncio.sleep(1)
                await loop.sock_recv(sock, 1024)
            sock.close()

        upstream.sent = 0
        upstream.cut.clear()
        await asyncio.gather(read_slowly("json"), read_slowly("stream"))
        left = time.monotonic()
        while len(upstream.cut) < 2 and time.monotonic() < left + 10:
            await asyncio.sleep(0.01)
        cut = len(upstream.cut) == 2
        words = f"upstream cut after {(max(upstream.cut) - left) * 1e3:.1f} ms" if cut else "upstream never cut"
        self.grown(gateway, before, "200 MB answers, one whole and one stream, read at 1 KB/s for 10 s, then left",
                   f"{upstream.sent / MB:.1f} MB taken from the upstream, {words}", cut)

    async def fast_reader(self, gateway, kind):
        before = gateway.reset_peak()
        hashed = hashlib.sha256()
        began = time.monotonic()
        await self.ask_upstream(gateway, kind, hashed.update)
        seconds = time.monotonic() - began
        right = hashed.hexdigest() == hash_of_answer(kind)
        title = "a 200 MB answer" if kind == "json" else "a stream of 200 MB"
        self.grown(gateway, before, f"{title} read at full speed",
                   f"{ANSWER_BYTES / MB / seconds:.0f} MB/s, bytes {'right' if right else 'WRONG'}", right)

    async def large_body(self, gateway, upstream):
        half = base64.b64encode(os.urandom(BODY_BYTES * 3 // 8))
        parts = [b'{"kind":"take","first":"', half, b'", "model" : "m","second":"', half, b'","stream":false}']
        hashed = hashlib.sha256()
        for part in parts:
            hashed.update(part.replace(b'"m"', b'"other-name"'))
        size = sum(map(len, parts))
        done = threading.Event()
        before = gateway.reset_peak()
        watcher = asyncio.create_task(asyncio.to_thread(longest_request, gateway.port, done))
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(head_of(size))
        for part in parts:
            for at in range(0, len(part), 1 << 18):
                writer.write(part[at:at + (1 << 18)])
                await writer.drain()
        answer = await read_answer(reader)
        writer.close()
        done.set()
        longest = await watcher
        right = answer["status"] == 200 and upstream.taken == hashed.hexdigest()
        words = "bytes right" if right else f"status {answer['status']}, bytes WRONG"
        self.grown(gateway, before, "a 100 MB body, its model replaced, taken at about 10 MB/s",
                   f"{words}; another client's longest request meanwhile {longest * 1e3:.0f} ms", right)

    # Connections that do nothing.

    async def idle(self):
        count = min(self.options.idle, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500)
        config = "models:\n  m: {upstream: {url: 'http://127.0.0.1:9/v1'}}\n"
        async with Gateway(self.options, lambda folder: config) as gateway:
            before = gateway.status("VmRSS")
            held = await asyncio.to_thread(hold, gateway.port, count)
            await asyncio.sleep(1)
            growth = gateway.status("VmRSS") - before
            poll = select.poll()
            for one in held:
                poll.register(one, select.POLLIN)
            closed = len(poll.poll(0))
            there = len(os.listdir(f"/proc/{gateway.process.pid}/fd"))
            some = held[::100]
            answered = await asyncio.to_thread(lambda: sum(map(asks, some)))
            for one in held:
                one.close()
        alive = count == self.options.idle and closed == 0 and there >= count and answered == len(some)
        measured = f"+{growth:.1f} MB (from {before:.1f}), {closed} closed, {answered} of {len(some)} then answered"
        self.row(f"{count} idle connections", f"+{IDLE_GROWTH_MB} MB", measured, growth <= IDLE_GROWTH_MB and alive)


class Lives:
    """Which servers are alive, by events, and by their process ids when the next one is there."""

    def __init__(self):
        self.alive, self.pids, self.faults = set(), {}, []
        self.swaps = self.starts = 0
        self.last = None

    def saw(self, event):
        model, state = event.get("model"), event.get("state")
        if state == "starting":
            self.starts += 1
            if self.alive:
                self.faults.append(f"{model} starts while {self.alive} is alive, event {event['number']}")
            self.alive.add(model)
        elif state == "loading" and (pid := re.match(r"pid (\d+)", event["text"])):
            for other, theirs in self.pids.items():
                if other != model and runs(theirs):
                    self.faults.append(f"{model} runs and so does {other}, event {event['number']}")
            self.pids[model] = pid.group(1)
        elif state == "ready":
            self.swaps += self.last not in (None, model)
            self.last = model
        elif state in ("stopped", "failed"):
            self.alive.discard(model)


def runs(pid):
    try:
        return b"llama-server" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def hold(port, count):
    """So many connections; each second one has asked once and got its answer."""
    held = []
    for number in range(count):
        one = socket.create_connection(("127.0.0.1", port), 10)
        held.append(one)
        if number % 2 == 0 and not asks(one):
            raise Fault("no answer while connections were opened")
    return held


def asks(one):
    one.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return one.recv(65536).startswith(b"HTTP/1.1 200")


def longest_request(port, done):
    """What another client notices: its longest request, in seconds."""
    longest = 0.0
    with socket.create_connection(("127.0.0.1", port), 30) as one:
        while not done.is_set():
            began = time.monotonic()
            if not asks(one):
                raise Fault("another client got no answer")
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.005)
    return longest


class Upstream:
    """An endpoint whose answers are large and which takes bodies slowly; the body's "kind" chooses."""

    def __init__(self):
        self.sent, self.cut, self.taken = 0, [], ""

    async def serve(self, reader, writer):
        writer.transport.set_write_buffer_limits(1 << 18)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(re.search(rb"content-length: *(\d+)", head.lower()).group(1))
                if size > MB:
                    await self.take_slowly(reader, size)
                    kind = "small"
                else:
                    kind = json.loads(await reader.readexactly(size))["kind"]
                await self.answer(writer, kind)
        except asyncio.IncompleteReadError:
            pass
        except OSError:
            self.cut.append(time.monotonic())
        finally:
            writer.close()

    async def take_slowly(self, reader, size):
        hashed = hashlib.sha256()
        began, taken = time.monotonic(), 0
        while taken < size:
            piece = await reader.read(min(1 << 16, size - taken))
            if not piece:
                raise asyncio.IncompleteReadError(b"", size)
            hashed.update(piece)
            taken += len(piece)
            await asyncio.sleep(max(0, began + taken / (10 * MB) - time.monotonic()))
        self.taken = hashed.hexdigest()

    async def answer(self, writer, kind):
        if kind == "small":
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}')
            return await writer.drain()
        type_and_length = (f"application/json\r\nContent-Length: {ANSWER_BYTES}" if kind == "json"
                           else "text/event-stream\r\nTransfer-Encoding: chunked")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {type_and_length}\r\n\r\n".encode())
        for piece in pieces(kind):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if kind == "stream" else piece)
            await writer.drain()
            self.sent += len(piece)
        if kind == "stream":
            writer.write(b"0\r\n\r\n")
        await writer.drain()


def pieces(kind):
    """The 200 MB of an answer."""
    if kind == "json":
        text = b'{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"'
        tail = b'"}}]}'
        yield text
        left = ANSWER_BYTES - len(text) - len(tail)
        block = bytes(range(97, 123)) * 2520
        while left:
            yield block[:left]
            left -= min(left, len(block))
        yield tail
        return
    event = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"word " * 200 + b'"}}]}\n\n'
    for _ in range(ANSWER_BYTES // len(event) // 60):
        yield event * 60
    yield b"data: [DONE]\n\n"


def hash_of_answer(kind):
    hashed = hashlib.sha256()
    for piece in pieces(kind):
        hashed.update(piece)
    return hashed.hexdigest()


PARTS = {"swaps": 360, "clients": 90, "ready": 90, "memory": 90, "idle": 90}


async def run(bench, parts):
    for part in parts:
        try:
            await asyncio.wait_for(getattr(bench, part)(), PARTS[part])
        except (Fault, OSError, ValueError, IndexError, asyncio.TimeoutError, asyncio.IncompleteReadError) as fault:
            bench.row(part, "an end", f"{fault!r}", False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS) + "; all without any")
    parser.add_argument("--punie", type=pathlib.Path, default=ROOT / "build/bench/punie")
    parser.add_argument("--fake", type=pathlib.Path, default=ROOT / "build/debug/tests/fake-model-server")
    parser.add_argument("--swaps", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="the figures as JSON instead of a table")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    bench = Bench(options)
    asyncio.run(run(bench, options.parts or PARTS))
    for fault in bench.faults[:20]:
        print("FAULT", fault, file=sys.stderr)
    if options.json:
        print(json.dumps({"figures": bench.rows, "faults": bench.faults[:100]}, indent=1))
    else:
        print("| figure | wanted | measured | |\n|---|---|---|---|")
        for row in bench.rows:
            print(f"| {row['what']} | {row['wanted']} | {row['measured']} | {'PASS' if row['pass'] else 'FAIL'} |")
    return 0 if all(row["pass"] for row in bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
