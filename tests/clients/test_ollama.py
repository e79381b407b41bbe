"""The `ollama` package."""

import unittest

import ollama

from fake_openai import HELLO, THOUGHT, WEATHER
from support import OPENAI_TOOLS, Gateway


def ask(words: str) -> list:
    return [{"role": "user", "content": words}]


class Ollama(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = cls.enterClassContext(Gateway())
        cls.client = ollama.Client(host=cls.gateway.url, timeout=30)

    def test_chat(self):
        reply = self.client.chat("fake", ask("hi"), options={"temperature": 0, "num_predict": 9})
        self.assertEqual(reply.message.content, HELLO)
        self.assertTrue(reply.done)
        self.assertEqual((reply.done_reason, reply.prompt_eval_count, reply.eval_count), ("stop", 11, 5))
        body = self.gateway.last_seen()["body"]
        self.assertEqual((body["temperature"], body["max_tokens"]), (0, 9))

    def test_chat_streamed(self):
        parts = list(self.client.chat("fake", ask("hi"), stream=True))
        self.assertEqual("".join(part.message.content for part in parts), HELLO)
        self.assertEqual([part.done for part in parts[-2:]], [False, True])
        self.assertEqual(parts[-1].eval_count, 5)

    def test_thinking(self):
        reply = self.client.chat("fake", ask("script:think"), think=True)
        self.assertEqual((reply.message.thinking, reply.message.content), (THOUGHT, HELLO))
        parts = list(self.client.chat("fake", ask("script:think"), think=True, stream=True))
        self.assertEqual("".join(part.message.thinking or "" for part in parts), THOUGHT)

    def call_and_answer(self, script: str, stream: bool):
        messages = ask(f"script:{script}")
        if stream:
            parts = list(self.client.chat("fake", messages, tools=OPENAI_TOOLS, stream=True))
            calls = [call for part in parts for call in part.message.tool_calls or ()]
            message = {"role": "assistant", "content": "", "tool_calls": calls}
        else:
            message = self.client.chat("fake", messages, tools=OPENAI_TOOLS).message
            calls = message.tool_calls
        (call,) = calls
        self.assertEqual((call.function.name, call.function.arguments), ("weather", WEATHER))
        messages += [message, {"role": "tool", "tool_name": "weather", "content": "sunny"}]
        reply = self.client.chat("fake", messages, tools=OPENAI_TOOLS)
        self.assertEqual(reply.message.content, "The tool says: sunny")

    def test_tool_call(self):
        self.call_and_answer("tool", stream=False)

    def test_tool_call_streamed(self):
        self.call_and_answer("tool", stream=True)

    def test_tool_call_in_text(self):
        self.call_and_answer("text_tool", stream=False)

    def test_tool_call_in_text_streamed(self):
        self.call_and_answer("text_tool", stream=True)

    def test_generate(self):
        reply = self.client.generate("fake", "hi", system="be kind")
        self.assertEqual((reply.response, reply.done_reason), (HELLO, "stop"))
        roles = [message["role"] for message in self.gateway.last_seen()["body"]["messages"]]
        self.assertEqual(roles, ["system", "user"])

    def test_generate_streamed(self):
        parts = list(self.client.generate("fake", "hi", stream=True))
        self.assertEqual("".join(part.response for part in parts), HELLO)

    def test_format(self):
        self.client.generate("fake", "hi", format={"type": "object"})
        self.assertEqual(self.gateway.last_seen()["body"]["response_format"]["type"], "json_schema")

    def test_loading(self):
        self.assertEqual(self.client.generate("fake").done_reason, "load")

    def test_errors(self):
        for status in (400, 500):
            with self.subTest(status=status), self.assertRaises(ollama.ResponseError) as caught:
                self.client.chat("fake", ask(f"script:status_{status}"))
            self.assertIn(f"the fake says {status}", caught.exception.error)
            self.assertEqual(caught.exception.status_code, status)

    def test_unknown_model(self):
        with self.assertRaises(ollama.ResponseError) as caught:
            self.client.chat("nobody", ask("hi"))
        self.assertEqual(caught.exception.status_code, 404)

    def test_raw_is_refused_by_name(self):
        with self.assertRaisesRegex(ollama.ResponseError, "raw"):
            self.client.generate("fake", "hi", raw=True)

    def test_torn_stream_is_an_error(self):
        with self.assertRaises(ollama.ResponseError):
            for _ in self.client.chat("fake", ask("script:torn"), stream=True):
                pass

    def test_cancel_reaches_the_server(self):
        stream = self.client.chat("fake", ask("script:hang"), stream=True)
        next(stream)
        record = self.gateway.last_seen()
        stream.close()
        self.assertTrue(record["end"].wait(10))
        self.assertEqual(record["how"], "cancelled")

    def test_list_show_ps(self):
        self.assertIn("fake", [model.model.split(":")[0] for model in self.client.list().models])
        self.assertIsNotNone(self.client.show("fake"))
        self.client.ps()
