"""The gateway with the real mlx_lm: two models, one with two adapters, in memory that holds one server at a time."""

import http.client
import json
import signal
import subprocess
import tempfile
import threading
import unittest
import urllib.error
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import support
from support import Serving, chat_body, environment, marked_processes, model, post, punie

MODELS = {"a": "tiny-qwen3", "b": "tiny"}
ADAPTERS = {"x": "yes yes yes", "y": "get_weather Rome"}  # what each was taught to say
OF_B = ("b", "b:x", "b:y")
NAMES = ("a", *OF_B)
# To each of these the four names answer differently, and by such margins that what is decoded beside a request, which
# changes the last bits of its numbers, cannot change its answer.
QUESTIONS = ("What is the weather in Paris?", "Hello Paris", "Paris Rome Oslo")

CLIENTS = 12
ROUNDS = 8  # requests of each client, in turn to a and to a name of b: no gateway can do with fewer loads
BURST = 24

CONFIG = """\
memory: 1 GB
state_folder: state
control:
  socket: control.sock
queue:
  fairness: 3s
  min_loaded: 200ms
models:
  a:
    path: "{a}"
    memory: 600 MB
  b:
    path: "{b}"
    memory: 600 MB
    adapters:
      x: x
      y: y
"""


class Answer(NamedTuple):
    text: str = ""
    finish_reason: str = ""
    model: str = ""
    failed: str = ""  # why there is no answer


def whole_answer(data: str) -> Answer:
    body = json.loads(data)
    choice = body["choices"][0]
    return Answer(choice["message"]["content"], choice["finish_reason"], body["model"])


def streamed_answer(data: str) -> Answer:
    events = [line.removeprefix("data: ") for line in data.splitlines() if line.startswith("data: ")]
    if events.count("[DONE]") != 1 or events[-1] != "[DONE]":
        return Answer(failed=f"a stream without its end: {data[-300:]}")
    chunks = [json.loads(event) for event in events[:-1]]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    return Answer(text, choices[-1]["finish_reason"], chunks[0]["model"])


def ask(url: str, name: str, question: str, stream: bool = False, **more) -> Answer:
    """One request to its end, whatever that is."""
    try:
        with post(url, chat_body(question, model=name, stream=stream, **more)) as response:
            data = response.read().decode()
        return streamed_answer(data) if stream else whole_answer(data)
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(failed=f"{refused.code}: {refused.read().decode()}")
    except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
        return Answer(failed=repr(error))


def train(folder: Path, name: str) -> None:
    """A LoRA adapter of b: some seconds of mlx_lm itself, enough for answers of its own."""
    data = folder / f"{name}-data"
    data.mkdir()
    rows = [
        {"messages": [{"role": "user", "content": f"question {i}"}, {"role": "assistant", "content": ADAPTERS[name]}]}
        for i in range(16)
    ]
    for part in ("train", "valid"):
        (data / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    subprocess.run(
        [str(support.VENV / "bin/python"), "-m", "mlx_lm", "lora", "--train", "--model", model(MODELS["b"])]
        + ["--data", str(data), "--adapter-path", str(folder / name)]
        + "--iters 60 --batch-size 4 --num-layers 2 --learning-rate 2e-2 --max-seq-length 128 --mask-prompt".split()
        + "--steps-per-eval 1000 --val-batches 1 --steps-per-report 30".split(),
        env=environment(),
        check=True,
        capture_output=True,
        timeout=300,
    )


def write_config(folder: Path) -> str:
    file = folder / "punie.yaml"
    file.write_text(CONFIG.format(a=model(MODELS["a"]), b=model(MODELS["b"])))
    return str(file)


class Gateway(Serving):
    """`punie serve punie.yaml`, asked and told over its control socket."""

    def __init__(self, folder: Path):
        super().__init__(write_config(folder))
        self.socket = str(folder / "control.sock")

    def listening(self) -> str:
        """The base URL, once it listens."""
        return self.next_event(30)["url"] + "/v1"

    def control(self, command: str, *arguments: str) -> str:
        done = punie(command, *arguments, "--socket", self.socket, seconds=60)
        if done.returncode != 0:
            raise AssertionError(f"punie {command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def records(self) -> list:
        """Of the requests to models, in the order of their ends. Not while it runs: reading moves where it writes."""
        lines = [json.loads(line) for line in self.stderr().splitlines() if line.startswith("{")]
        return [line for line in lines if line["route"] == "/v1/chat/completions"]

    def states(self) -> list:
        """(model, state), in their order, to the gateway's end."""
        while (event := self.queue.get(timeout=30)) is not None:
            self.events.append(event)
        return [(event["model"], event["state"]) for event in self.events if event["event"] == "state"]

    def left(self) -> str:
        """What still runs when nothing may any more."""
        try:
            self.wait_until_gone()
        except AssertionError as error:
            return str(error)
        return ""

    def servers(self) -> dict:
        """pid -> model of each server that runs."""
        found = {}
        for pid, command in marked_processes(self.mark).items():
            for name, folder in MODELS.items():
                if f"--model {model(folder)} " in command and "punie-guard" not in command:
                    found[pid] = name
        return found


def both(servers: dict) -> bool:
    return len(set(servers.values())) > 1


class Watch:
    """Looks at the processes of a gateway while it works; a context manager."""

    def __init__(self, gateway: Gateway):
        self.gateway = gateway
        self.seen = {}  # pid -> model
        self.together = []  # what ran at once and should not have
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self.over.wait(0.02):
            servers = self.gateway.servers()
            self.seen.update(servers)
            # One look takes a while: the first may have ended before the second was started.
            if both(servers) and both(still := self.gateway.servers()):
                self.together.append((servers, still))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *ignored):
        self.over.set()
        self.thread.join(30)


class Asked(NamedTuple):
    name: str
    question: str
    stream: bool


def requests_of(client: int) -> list:
    """In turn to a and to a name of b; half of the clients begin with a, and each name is asked both ways."""
    asked = []
    for i in range(ROUNDS):
        turn = client // 2 + i // 2
        name = "a" if (client + i) % 2 == 0 else OF_B[turn % 3]
        asked.append(Asked(name, QUESTIONS[(client + i // 2) % 3], stream=turn // 3 % 2 == 0))
    return asked


def adapter_changes(names: list) -> int:
    """How often the server of b had to load another adapter for the next request."""
    return sum(one != other and "a" not in (one, other) for one, other in zip(names, names[1:]))


class UnderLoad(unittest.TestCase):
    """One gateway with all its requests, from the first to `punie down`; the tests look at what came of it."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="punie-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: train(cls.folder, name), ADAPTERS))
            cls.alone = dict(zip(NAMES, pool.map(cls.answers_alone, NAMES)))
        cls.gateway = Gateway(cls.folder)
        cls.addClassCleanup(cls.gateway.__exit__, None, None, None)
        cls.url = cls.gateway.listening()
        with Watch(cls.gateway) as cls.watch:
            cls.work()
        cls.ps = {one["name"]: one for one in json.loads(cls.gateway.control("ps", "--json"))["models"]}
        cls.gateway.control("down")
        cls.left = cls.gateway.left()
        cls.exit_code = cls.gateway.process.wait(30)
        cls.states = cls.gateway.states()

    @classmethod
    def answers_alone(cls, name: str) -> dict:
        """question -> answer of a server that serves nothing else, without a gateway."""
        base, _, adapter = name.partition(":")
        arguments = ["--adapter", str(cls.folder / adapter)] if adapter else []
        with Serving("--model", model(MODELS[base]), *arguments) as serving:
            url = serving.wait_for("ready")["url"]
            return {question: ask(url, "default_model", question) for question in QUESTIONS}

    @classmethod
    def work(cls):
        cls.before = cls.quiet_answers()
        loads_before = cls.loads()
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = pool.map(lambda client: [(one, cls.ask(one)) for one in requests_of(client)], range(CLIENTS))
            cls.answers = [answer for of_client in answers for answer in of_client]
        cls.loads_under_load = cls.loads() - loads_before
        cls.after = cls.quiet_answers()  # b is loaded from here on
        with ThreadPoolExecutor(BURST) as pool:
            burst = [Asked(OF_B[i % 3], QUESTIONS[i // 3 % 3], stream=i % 2 == 0) for i in range(BURST)]
            cls.answers_in_burst = list(zip(burst, pool.map(cls.ask, burst)))

    @classmethod
    def ask(cls, asked: Asked) -> Answer:
        return ask(cls.url, *asked)

    @classmethod
    def quiet_answers(cls) -> dict:
        """(name, question) -> answer, one after the other."""
        return {(name, question): ask(cls.url, name, question) for name in NAMES for question in QUESTIONS}

    @classmethod
    def loads(cls) -> int:
        return sum(one["loads"] for one in json.loads(cls.gateway.control("ps", "--json"))["models"])

    def expect_quiet_answers(self, answers: list):
        for asked, answer in answers:
            with self.subTest(asked=asked):
                self.assertEqual(answer, self.before[asked.name, asked.question])

    def test_four_names_have_four_answers(self):
        for question in QUESTIONS:
            answers = {name: self.alone[name][question] for name in NAMES}
            self.assertEqual(len({answer.text for answer in answers.values()}), len(NAMES), answers)

    def test_without_load_each_name_answers_as_its_model_and_adapter_do_alone(self):
        for (name, question), answer in self.before.items():
            with self.subTest(name=name, question=question):
                self.assertEqual(answer._replace(model=""), self.alone[name][question]._replace(model=""))

    def test_an_answer_with_an_adapter_names_what_was_asked_for_and_no_path(self):
        for asked, answer in self.answers + self.answers_in_burst:
            expected = asked.name if ":" in asked.name else "default_model"
            with self.subTest(asked=asked):
                self.assertEqual(answer.model, expected)

    def test_under_load_each_name_answers_as_without(self):
        self.assertEqual(len(self.answers), CLIENTS * ROUNDS)
        self.expect_quiet_answers(self.answers)

    def test_a_burst_of_adapters_is_answered_as_without_load(self):
        self.expect_quiet_answers(self.answers_in_burst)

    def test_after_the_load_each_name_answers_as_before(self):
        self.assertEqual(self.after, self.before)

    def test_the_log_has_every_request_once_under_the_name_that_was_asked_for(self):
        asked = [one for one, _ in self.answers + self.answers_in_burst]
        expected = Counter((one.name, one.stream) for one in asked)
        for name, _ in [*self.before, *self.after]:
            expected[name, False] += 1
        records = self.gateway.records()
        self.assertEqual(Counter((record["model"], record["stream"]) for record in records), expected)
        for record in records:
            self.assertEqual((record["status"], record["torn"], record["attempts"]), (200, False, 1), record)

    def test_the_models_were_swapped_many_times_and_not_for_each_request(self):
        self.assertGreaterEqual(self.loads_under_load, ROUNDS)
        self.assertLess(self.loads_under_load, CLIENTS * ROUNDS / 3)
        self.assertEqual([one["crashes"] for one in self.ps.values()], [0, 0])

    def test_a_server_is_started_only_when_the_other_has_stopped(self):
        now = {name: "stopped" for name in MODELS}
        for name, state in self.states:
            now[name] = state
            self.assertIn("stopped", now.values(), f"{name} is {state}")
        self.assertEqual(set(now.values()), {"stopped"})

    def test_two_servers_never_run_at_once(self):
        self.assertEqual(self.watch.together, [])
        seen = Counter(self.watch.seen.values())
        for name, one in self.ps.items():  # none was missed; there are more where a server forks
            self.assertGreaterEqual(seen[name], one["loads"])

    def test_requests_for_one_adapter_go_together(self):
        names = [record["model"] for record in self.gateway.records()]
        begin = len(self.before)
        under_load, in_burst = names[begin : begin + len(self.answers)], names[-BURST:]
        self.assertLess(adapter_changes(under_load), CLIENTS * ROUNDS / 4, under_load)  # half are for b
        self.assertLess(adapter_changes(in_burst), BURST / 3, in_burst)  # they were asked in turn

    def test_down_leaves_nothing(self):
        self.assertEqual((self.left, self.exit_code), ("", 0))


class NamesFiles(unittest.TestCase):
    def test_a_client_cannot_make_the_server_load_what_it_names(self):
        with tempfile.TemporaryDirectory(prefix="punie-e2e-") as folder, Gateway(Path(folder)) as gateway:
            url = gateway.listening()
            foreign = model(MODELS["a"])
            for more in ({"draft_model": foreign}, {"adapters": foreign}):
                for route in (url, url.replace("/v1", "/upstream/b/v1")):
                    with self.subTest(more=more, route=route):
                        answer = ask(route, "b", QUESTIONS[0], **more)
                        self.assertIn("400", answer.failed)
                        self.assertIn(next(iter(more)), answer.failed)
            # The model's name is put in on every way: a path is not looked at.
            there = ask(url.replace("/v1", "/upstream/b/v1"), "/no/such/model", QUESTIONS[0])
            self.assertEqual(there, ask(url, "b", QUESTIONS[0], draft_model=None))
            gateway.control("down")
            gateway.process.wait(30)


class EndsInASwap(unittest.TestCase):
    def test_sigterm_while_one_model_makes_room_for_the_other_leaves_nothing(self):
        with tempfile.TemporaryDirectory(prefix="punie-e2e-") as folder:
            with Gateway(Path(folder)) as gateway, ThreadPoolExecutor(1) as pool:
                url = gateway.listening()
                self.assertEqual(ask(url, "a", QUESTIONS[0]).failed, "")
                waiting = pool.submit(ask, url, "b", QUESTIONS[0], True)
                event = gateway.next_event(30)
                while (event.get("model"), event.get("state")) != ("b", "loading"):
                    event = gateway.next_event(30)
                gateway.process.send_signal(signal.SIGTERM)
                self.assertNotEqual(waiting.result(60).failed, "")  # not an answer that looks whole
                gateway.process.wait(30)
                gateway.wait_until_gone()


if __name__ == "__main__":
    unittest.main()
