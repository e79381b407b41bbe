"""Vercel's AI SDK (npm `ai` with `@ai-sdk/openai-compatible`): vercel.mjs runs it, here its findings are looked at."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path

import support
from fake_openai import HELLO, THOUGHT, WEATHER

ANSWER = "The tool says: sunny in Paris for 2 days"


class Vercel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not support.NODE_MODULES:
            raise unittest.SkipTest("Node 20 and npm are needed")
        cls.gateway = cls.enterClassContext(support.Gateway())
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        # A module finds its packages beside itself.
        (folder / "node_modules").symlink_to(support.NODE_MODULES)
        script = shutil.copy(Path(__file__).with_name("vercel.mjs"), folder)
        env = {**support.environment(folder), "PUNIE_URL": cls.gateway.url, "AI_SDK_LOG_WARNINGS": "false"}
        done = support.run_program(["node", script], env, folder, 120)
        if done.returncode != 0:
            raise AssertionError(f"vercel.mjs ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        cls.found = {line.pop("name"): line for line in lines}

    def test_plain(self):
        self.assertEqual(self.found["plain"], {"text": HELLO, "finish": "stop", "tokens": 5})

    def test_stream(self):
        self.assertEqual(self.found["stream"], {"text": HELLO, "errors": []})

    def test_reasoning(self):
        self.assertEqual(self.found["reasoning"], {"text": HELLO, "reasoning": THOUGHT})

    def test_object(self):
        self.assertEqual(self.found["object"], WEATHER)

    def test_tool(self):
        self.assertEqual(self.found["tool"], {"text": ANSWER, "steps": 2})

    def test_tool_in_text(self):
        self.assertEqual(self.found["tool_in_text"], {"text": ANSWER, "steps": 2})

    def test_tool_streamed(self):
        found = self.found["tool_streamed"]
        self.assertTrue(found["text"].endswith(ANSWER), found)
        self.assertEqual((found["errors"], found["steps"]), ([], 2))

    def test_tool_in_text_streamed(self):
        found = self.found["tool_in_text_streamed"]
        self.assertTrue(found["text"].endswith(ANSWER), found)
        self.assertNotIn("<tool_call>", found["text"])
        self.assertEqual((found["errors"], found["steps"]), ([], 2))

    def test_error(self):
        self.assertEqual(self.found["error"]["status"], 429)
        self.assertIn("the fake says 429", self.found["error"]["message"])

    def test_torn_stream_is_an_error(self):
        self.assertTrue(self.found["torn"]["errors"])

    def test_cancel_reaches_the_server(self):
        self.assertEqual(self.found["cancel"], {"aborted": True})
        record = next(seen for seen in self.gateway.fake.seen if "hang" in str(seen["body"]))
        self.assertTrue(record["end"].wait(10))
        self.assertEqual(record["how"], "cancelled")
