"""The real llama-server: what Punie promises of a server holds for it, too.

Skipped where there is none: PUNIE_E2E_LLAMA_SERVER names it, else it is looked for in PATH; PUNIE_E2E_GGUF names a GGUF
file of a small chat model (SmolLM2-135M-Instruct does). Nothing here asks whether what the model says makes sense; one
test wants a model that goes on as the conversation went so far.
"""

import http.client
import json
import os
import shutil
import signal
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import Serving, answer, chat_body, marked_processes, once, post, punie, wait_until

SERVER = os.environ.get("PUNIE_E2E_LLAMA_SERVER") or shutil.which("llama-server")
GGUF = os.environ.get("PUNIE_E2E_GGUF", "")
QUESTION = "What is the capital of France?"
WEATHER = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
THREADS = ("--", "--threads", "1")  # more of them wait for each other where other tests run

CONFIG = """\
memory: 900 MB
state_folder: state
control:
  socket: control.sock
queue:
  fairness: 1s
  min_loaded: 200ms
models:
  a:
    path: "{folder}/a.gguf"
    memory: 600 MB
    context_size: 1024
    arguments: [--threads, "1"]
  b:
    path: "{folder}/b.gguf"
    memory: 600 MB
    context_size: 1024
    arguments: [--threads, "1"]
  vectors:
    path: "{folder}/b.gguf"
    memory: 600 MB
    context_size: 512
    arguments: [--threads, "1", --embeddings, --pooling, mean]
"""


def missing() -> str:
    """What there is not and these tests need."""
    if not SERVER:
        return "no llama-server: PUNIE_E2E_LLAMA_SERVER is not set and PATH has none"
    if not Path(GGUF).is_file():
        return "no model for llama-server: PUNIE_E2E_GGUF names no GGUF file"
    return ""


needs_llama = unittest.skipIf(missing(), missing())


def serve(*arguments: str, more: tuple = ()) -> Serving:
    return Serving("--backend", "llama", "--model", GGUF, *arguments, *THREADS, *more)


def pieces_of(stream: str) -> str:
    """What a whole stream says; it has to have its end."""
    events = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]", stream[-300:]
    choices = [choice for event in events[:-1] for choice in json.loads(event)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def refusal(url: str, prompt: str, **fields) -> tuple:
    """(status, error) of a request that is not answered."""
    try:
        with post(url, chat_body(prompt, **fields)) as response:
            raise AssertionError(f"it was answered: {response.read()[:300]}")
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)["error"]


@needs_llama
class Serves(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serving = serve("--context-size", "256", "--max-tokens", "7")
        cls.addClassCleanup(cls.serving.__exit__, None, None, None)
        cls.url = cls.serving.wait_for("ready", 60)["url"]

    def test_ready_means_that_it_answers(self):
        self.assertTrue(answer(self.url, QUESTION))

    def test_a_stream_says_what_a_whole_answer_says(self):
        with post(self.url, chat_body(QUESTION, stream=True)) as response:
            self.assertEqual(pieces_of(response.read().decode()), answer(self.url, QUESTION))

    def test_the_longest_answer_that_was_set_holds_for_requests_that_say_nothing(self):
        with post(self.url, {"messages": chat_body("Tell me a long story.")["messages"]}) as response:
            self.assertLessEqual(json.load(response)["usage"]["completion_tokens"], 7)

    def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(self):
        status, error = refusal(self.url, "word " * 400)
        self.assertEqual(status, 400)
        self.assertIn("256", error["message"])

    def test_chat_talks_to_it(self):
        reply = once("--url", self.url, "--once", QUESTION, "--temp", "0", "--max-tokens", "24")
        self.assertEqual(reply["content"], answer(self.url, QUESTION))


@needs_llama
class Ends(unittest.TestCase):
    def test_ctrl_c_stops_it_cleanly(self):
        with serve() as serving:
            serving.wait_for("ready", 60)
            self.assertEqual(serving.interrupt(), 130)
            serving.wait_until_gone()

    def test_kill_minus_nine_of_punie_leaves_nothing(self):
        with serve() as serving:
            serving.wait_for("ready", 60)
            self.assertGreater(len(serving.processes()), 1)
            serving.process.kill()
            serving.process.wait()
            serving.wait_until_gone()


@needs_llama
class DoesNotStart(unittest.TestCase):
    def reason(self, *arguments: str) -> dict:
        done = punie("serve", "--json", "--port", "0", "--backend", "llama", *arguments, seconds=60)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stdout.splitlines()[-1])

    def test_half_a_file_is_told_as_such(self):
        with tempfile.TemporaryDirectory(prefix="punie-e2e-") as folder:
            half = Path(folder) / "half.gguf"
            with open(GGUF, "rb") as whole:
                half.write_bytes(whole.read(Path(GGUF).stat().st_size // 2))
            event = self.reason("--model", str(half))
        self.assertEqual(event["code"], "model_invalid")
        self.assertIn("not within the file bounds", event["message"])

    def test_an_argument_that_it_does_not_know_is_named(self):
        event = self.reason("--model", GGUF, "--", "--frobnicate")
        self.assertEqual(event["code"], "unsupported")
        self.assertIn("--frobnicate", event["message"])


class Gateway(Serving):
    """`punie serve punie.yaml` with two models of which one fits."""

    def __init__(self, folder: Path):
        for name in ("a", "b"):
            (folder / f"{name}.gguf").symlink_to(Path(GGUF).resolve())
        (folder / "punie.yaml").write_text(CONFIG.format(folder=folder))
        super().__init__(str(folder / "punie.yaml"))
        self.folder = folder
        self.base = self.next_event(30)["url"]

    def servers(self) -> dict:
        """pid -> name of the model's file."""
        found = {}
        for pid, command in marked_processes(self.mark).items():
            for name in ("a", "b"):
                if f"--model {self.folder}/{name}.gguf " in command and "punie-guard" not in command:
                    found[pid] = name
        return found

    def send(self, method: str, path: str, body=None) -> tuple:
        """(status, text)"""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def long_stream(self, **headers: str) -> tuple:
        """(connection, response) of an answer that has begun and would go on for many seconds."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.base).netloc, timeout=60)
        body = chat_body("Tell me a long story.", model="a", stream=True, max_tokens=900, ignore_eos=True)
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json", **headers}
        )
        response = connection.getresponse()
        response.readline()
        return connection, response


def computes(pid: int) -> bool:
    """Whether one of its slots is busy, asked at its own port."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    url = f"http://127.0.0.1:{words[words.index('--port') + 1]}/slots"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=30) as response:
        return any(slot["is_processing"] for slot in json.load(response))


@needs_llama
class BehindTheGateway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="punie-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.gateway = Gateway(Path(folder.name))
        cls.addClassCleanup(cls.gateway.__exit__, None, None, None)
        cls.url = cls.gateway.base + "/v1"

    def say(self, name: str, path: str = "/v1/chat/completions", **more) -> dict:
        status, text = self.gateway.send("POST", path, chat_body(QUESTION, model=name, **more))
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def test_two_models_take_turns_and_never_run_at_once(self):
        together = []

        def ask(i: int) -> bool:
            with post(self.url, chat_body(QUESTION, model="ab"[i % 2], stream=True, max_tokens=3)) as response:
                text = response.read().decode()
            # One look takes a while: the first may have ended before the second was started.
            if all(len(set(self.gateway.servers().values())) > 1 for _ in range(2)):
                together.append(i)
            return bool(pieces_of(text))

        with ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(ask, range(8))), [True] * 8)
        self.assertEqual(together, [])

    def test_anthropic_and_ollama_say_the_same(self):
        said = self.say("a")["choices"][0]["message"]["content"]
        blocks = self.say("a", "/v1/messages")["content"]
        self.assertEqual("".join(block["text"] for block in blocks), said)
        ollama = self.say("a", "/api/chat", stream=False, options={"temperature": 0, "num_predict": 24})
        self.assertEqual(ollama["message"]["content"], said)

    def test_a_call_that_it_left_in_the_text_is_a_call_for_the_client(self):
        messages = []
        for city in ("Rome", "Oslo", "Berlin"):
            call = {"name": "get_weather", "arguments": {"city": city}}
            messages.append({"role": "user", "content": f"Weather in {city}?"})
            messages.append({"role": "assistant", "content": f"<tool_call>\n{json.dumps(call)}\n</tool_call>"})
        messages.append({"role": "user", "content": "Weather in Paris?"})
        tools = [{"type": "function", "function": WEATHER}]
        choice = self.say("a", messages=messages, tools=tools, max_tokens=60)["choices"][0]
        self.assertEqual(choice["finish_reason"], "tool_calls", choice)
        (call,) = choice["message"]["tool_calls"]
        self.assertEqual(call["function"]["name"], "get_weather")
        self.assertEqual(list(json.loads(call["function"]["arguments"])), ["city"])

    def test_vectors_come_from_a_server_that_was_told_to_make_them(self):
        status, text = self.gateway.send("POST", "/v1/embeddings", {"model": "vectors", "input": ["one", "two"]})
        self.assertEqual(status, 200, text)
        one, two = (entry["embedding"] for entry in json.loads(text)["data"])
        self.assertNotEqual(one, two)

    def test_who_leaves_is_not_computed_for(self):
        connection, response = self.gateway.long_stream()
        (pid,) = self.gateway.servers()
        self.assertTrue(computes(pid))
        response.close()
        connection.close()
        wait_until(lambda: not computes(pid), 5, "the server stopped")

    def test_a_server_that_is_killed_in_its_answer_gives_an_error_and_no_end(self):
        connection, response = self.gateway.long_stream()
        (pid,) = self.gateway.servers()
        os.kill(pid, signal.SIGKILL)
        text = b""
        try:
            while piece := response.read1():
                text += piece
        except (OSError, http.client.HTTPException):
            pass  # it was cut, as it should be
        connection.close()
        self.assertIn(b'"stream_torn"', text)
        self.assertNotIn(b"[DONE]", text)
        self.say("a")  # by a fresh one

    def test_a_client_cannot_name_files(self):
        foreign = [{"id": 0, "path": GGUF, "scale": 1}]
        self.assertEqual(self.say("a", lora=foreign)["choices"], self.say("a")["choices"])
        for path, body in (
            ("/upstream/a/slots/0?action=save", {"filename": "x.bin"}),
            ("/upstream/a/slots/0?action=restore", {"filename": "../a.gguf"}),
            ("/upstream/a/props", {"chat_template": "x"}),
            ("/upstream/a/models/load", {"model": GGUF}),
        ):
            with self.subTest(path=path):
                self.assertGreaterEqual(self.gateway.send("POST", path, body)[0], 400)

    def test_no_answer_has_the_path_of_the_model(self):
        self.assertNotIn("a.gguf", json.dumps(self.say("a")))

    def test_a_client_cannot_change_the_adapters_of_all_others(self):
        self.assertGreaterEqual(self.gateway.send("POST", "/upstream/a/lora-adapters", [])[0], 400)


@needs_llama
class LeavesAStreamBehind(unittest.TestCase):
    def test_no_header_makes_the_server_compute_for_who_left(self):
        with tempfile.TemporaryDirectory(prefix="punie-e2e-") as folder, Gateway(Path(folder)) as gateway:
            connection, response = gateway.long_stream(**{"X-Conversation-Id": "mine"})
            (pid,) = gateway.servers()
            response.close()
            connection.close()
            wait_until(lambda: not computes(pid), 3, "the server stopped")


if __name__ == "__main__":
    unittest.main()
