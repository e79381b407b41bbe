"""A managed server of the real mlx_lm: it answers, and each option has an effect that can be seen."""

import json
import os
import shutil
import signal
import struct
import tempfile
import unittest
from pathlib import Path

from support import READY_SECONDS, Serving, answer, chat_body, model, once, post, train_adapter

QUESTION = "What is the weather in Paris?"
# Longer than the key-value limits below, so that they must bite.
LONG_QUESTION = " ".join(f"Tell me about city number {i} and its weather." for i in range(12))


def longest_run(text: str) -> int:
    """How often a character comes at most in a row."""
    longest = current = 0
    for i, letter in enumerate(text):
        current = current + 1 if i and letter == text[i - 1] else 1
        longest = max(longest, current)
    return longest


class Answers(unittest.TestCase):
    """One server, many questions."""

    @classmethod
    def setUpClass(cls):
        cls.serving = Serving("--model", model("tiny"))
        cls.addClassCleanup(cls.serving.__exit__, None, None, None)
        cls.ready = cls.serving.wait_for("ready")

    def test_states_come_in_their_order_with_times(self):
        states = [event for event in self.serving.events if event["event"] == "state"]
        self.assertEqual([event["state"] for event in states][:3], ["starting", "loading", "ready"])
        times = [event["elapsed_s"] for event in states]
        self.assertEqual(times, sorted(times))

    def test_ready_names_the_url_and_a_running_process(self):
        self.assertRegex(self.ready["url"], r"^http://127\.0\.0\.1:\d+/v1$")
        os.kill(self.ready["pid"], 0)

    def test_answers_whole(self):
        self.assertTrue(answer(self.ready["url"], QUESTION))

    def test_answers_the_same_at_temperature_zero(self):
        self.assertEqual(answer(self.ready["url"], QUESTION), answer(self.ready["url"], QUESTION))

    def test_streams_the_same_answer(self):
        pieces, finished = [], False
        with post(self.ready["url"], chat_body(QUESTION, stream=True)) as response:
            for line in response:
                if not line.startswith(b"data: "):
                    continue
                data = line[len(b"data: ") :].strip()
                if data == b"[DONE]":
                    finished = True
                    break
                for choice in json.loads(data)["choices"]:
                    pieces.append(choice["delta"].get("content") or "")
        self.assertTrue(finished)
        self.assertEqual("".join(pieces), answer(self.ready["url"], QUESTION))

    def test_chat_talks_to_it_by_url(self):
        reply = once("--url", self.ready["url"], "--once", QUESTION, "--temp", "0", "--max-tokens", "24")
        self.assertEqual(reply["content"], answer(self.ready["url"], QUESTION))
        self.assertEqual(reply["usage"]["completion_tokens"] > 0, True)


class RepetitionPenalty(unittest.TestCase):
    def test_a_penalty_shortens_the_runs_of_one_character(self):
        common = ("--model", model("tiny"), "--once", QUESTION, "--temp", "0", "--max-tokens", "40")
        without = once(*common)["content"]
        with_penalty = once(*common, "--repetition-penalty", "1.8")["content"]
        self.assertNotEqual(without, with_penalty)
        self.assertLess(longest_run(with_penalty), longest_run(without))


class KeyValueLimit(unittest.TestCase):
    def long_answer(self, *arguments: str) -> str:
        with Serving("--model", model("tiny-qwen3"), *arguments) as serving:
            url = serving.wait_for("ready")["url"]
            return answer(url, LONG_QUESTION, max_tokens=60)

    def test_a_small_limit_changes_a_long_answer_and_a_large_one_does_not(self):
        unlimited = self.long_answer()
        self.assertNotEqual(self.long_answer("--max-kv-size", "16"), unlimited)
        self.assertEqual(self.long_answer("--max-kv-size", "4096"), unlimited)

    def test_an_architecture_that_ignores_the_limit_is_an_error_with_alternatives(self):
        with Serving("--model", model("tiny"), "--max-kv-size", "16") as serving:
            self.assertNotEqual(serving.process.wait(READY_SECONDS), 0)
            events = [serving.next_event(10)]
            while events[-1].get("event") != "error":
                events.append(serving.next_event(10))
            text = json.dumps(events[-1])
            self.assertIn("llama", text)
            self.assertIn("max_kv_size", text.replace("--max-kv-size", "max_kv_size"))


class Adapter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="punie-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.adapter = train_adapter("tiny", cls.folder)

    def test_an_adapter_changes_the_answer(self):
        with Serving("--model", model("tiny"), "--adapter", str(self.adapter)) as serving:
            with_adapter = answer(serving.wait_for("ready")["url"], "question 3")
        with Serving("--model", model("tiny")) as serving:
            without = answer(serving.wait_for("ready")["url"], "question 3")
        self.assertNotEqual(with_adapter, without)

    def test_an_adapter_for_other_tensors_is_refused_before_the_start(self):
        misfit = self.folder / "misfit"
        shutil.copytree(self.adapter, misfit)
        self.rename_tensors(misfit / "adapters.safetensors", "model.layers.", "model.blocks.")
        with Serving("--model", model("tiny"), "--adapter", str(misfit)) as serving:
            self.assertNotEqual(serving.process.wait(60), 0)
            event = serving.next_event(5)
            while event.get("code") != "adapter_mismatch":
                event = serving.next_event(5)
            self.assertIn("model.blocks.", json.dumps(event))

    @staticmethod
    def rename_tensors(file: Path, old: str, new: str) -> None:
        """In the header of a safetensors file: 8 bytes of length, then JSON."""
        data = file.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = data[8 : 8 + length].decode().replace(old, new).encode()
        file.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + length :])


class Ends(unittest.TestCase):
    def test_ctrl_c_stops_it_cleanly(self):
        with Serving("--model", model("tiny")) as serving:
            serving.wait_for("ready")
            self.assertEqual(serving.interrupt(), 130)
            serving.wait_until_gone()
            serving.wait_for("stopped", 5)

    def test_a_server_that_is_killed_is_reported_with_its_signal(self):
        with Serving("--model", model("tiny")) as serving:
            ready = serving.wait_for("ready")
            os.kill(ready["pid"], signal.SIGKILL)
            self.assertNotEqual(serving.process.wait(10), 0)
            event = serving.next_event(5)
            while event.get("event") != "error":
                event = serving.next_event(5)
            self.assertIn("signal 9", json.dumps(event))
            serving.wait_until_gone()

    def test_restart_brings_a_dead_server_back(self):
        with Serving("--model", model("tiny"), "--restart") as serving:
            first = serving.wait_for("ready")
            os.kill(first["pid"], signal.SIGTERM)
            event = serving.next_event(30)
            while event.get("event") != "restart":
                event = serving.next_event(30)
            second = serving.wait_for("ready")
            self.assertNotEqual(first["pid"], second["pid"])
            self.assertTrue(answer(second["url"], QUESTION))

    def test_kill_minus_nine_of_punie_leaves_nothing(self):
        with Serving("--model", model("tiny")) as serving:
            serving.wait_for("ready")
            self.assertGreater(len(serving.processes()), 1)
            serving.process.kill()
            serving.process.wait()
            serving.wait_until_gone()

    def test_kill_minus_nine_in_mid_start_leaves_nothing(self):
        with Serving("--model", model("tiny")) as serving:
            serving.wait_for("loading", 30)
            serving.process.kill()
            serving.process.wait()
            serving.wait_until_gone()

    def test_a_busy_port_is_reported_with_its_holder(self):
        with Serving("--model", model("tiny")) as first:
            url = first.wait_for("ready")["url"]
            port = url.rsplit(":", 1)[1].removesuffix("/v1")
            with Serving("--model", model("tiny"), port=port) as second:
                self.assertNotEqual(second.process.wait(60), 0)
                event = second.next_event(5)
                while event.get("code") != "port_in_use":
                    event = second.next_event(5)
                self.assertIn(str(first.server_pid), json.dumps(event))


if __name__ == "__main__":
    unittest.main()
