"""The `anthropic` package."""

import unittest

import anthropic

from fake_openai import HELLO, THOUGHT, WEATHER
from support import PARAMETERS, Gateway

TOOLS = [{"name": "weather", "description": "the weather", "input_schema": PARAMETERS}]


def ask(words: str) -> list:
    return [{"role": "user", "content": words}]


class Messages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = cls.enterClassContext(Gateway())
        cls.client = anthropic.Anthropic(base_url=cls.gateway.url, api_key="none", max_retries=0, timeout=30)
        cls.addClassCleanup(cls.client.close)

    def create(self, words: str, **fields):
        return self.client.messages.create(model="fake", max_tokens=100, messages=ask(words), **fields)

    def test_plain(self):
        message = self.create("hi", system="be kind", stop_sequences=["END"], extra_body={"temperature": 0.5})
        self.assertEqual(message.content[0].text, HELLO)
        self.assertEqual(message.stop_reason, "end_turn")
        self.assertEqual((message.usage.input_tokens, message.usage.output_tokens), (11, 5))
        body = self.gateway.last_seen()["body"]
        self.assertEqual(body["messages"][0], {"role": "system", "content": "be kind"})
        self.assertEqual((body["max_tokens"], body["stop"], body["temperature"]), (100, ["END"], 0.5))

    def test_alias(self):
        message = self.client.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=ask("hi"))
        self.assertEqual(message.content[0].text, HELLO)

    def test_stream(self):
        with self.client.messages.stream(model="fake", max_tokens=100, messages=ask("hi")) as stream:
            self.assertEqual("".join(stream.text_stream), HELLO)
            message = stream.get_final_message()
        self.assertEqual(message.stop_reason, "end_turn")
        self.assertEqual((message.usage.input_tokens, message.usage.output_tokens), (11, 5))

    def test_raw_stream(self):
        types = [event.type for event in self.create("hi", stream=True)]
        self.assertEqual(types[0], "message_start")
        self.assertEqual(types[-2:], ["message_delta", "message_stop"])

    def test_thinking(self):
        message = self.create("script:think", thinking={"type": "enabled", "budget_tokens": 1024})
        self.assertEqual([block.type for block in message.content], ["thinking", "text"])
        self.assertEqual(message.content[0].thinking, THOUGHT)
        kwargs = self.gateway.last_seen()["body"]["chat_template_kwargs"]
        self.assertEqual(kwargs, {"enable_thinking": True})

    def test_thinking_streamed(self):
        with self.client.messages.stream(model="fake", max_tokens=9, messages=ask("script:think")) as stream:
            message = stream.get_final_message()
        self.assertEqual(message.content[0].thinking, THOUGHT)
        self.assertEqual(message.content[1].text, HELLO)

    def call_and_answer(self, script: str, stream: bool):
        if stream:
            with self.client.messages.stream(
                model="fake", max_tokens=100, messages=ask(f"script:{script}"), tools=TOOLS
            ) as events:
                message = events.get_final_message()
        else:
            message = self.create(f"script:{script}", tools=TOOLS)
        self.assertEqual(message.stop_reason, "tool_use")
        self.assertEqual([block.type for block in message.content], ["text", "tool_use"])
        call = message.content[1]
        self.assertEqual((call.name, call.input), ("weather", WEATHER))
        result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "sunny"}]}
        messages = [
            *ask(f"script:{script}"),
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [result]},
        ]
        message = self.client.messages.create(model="fake", max_tokens=100, messages=messages, tools=TOOLS)
        self.assertEqual(message.content[0].text, "The tool says: sunny")

    def test_tool_call(self):
        self.call_and_answer("tool", stream=False)

    def test_tool_call_streamed(self):
        self.call_and_answer("tool", stream=True)

    def test_tool_call_in_text(self):
        self.call_and_answer("text_tool", stream=False)

    def test_tool_call_in_text_streamed(self):
        self.call_and_answer("text_tool", stream=True)

    def test_tool_runner(self):
        @anthropic.beta_tool
        def weather(city: str, days: int) -> str:
            """The weather.

            Args:
                city: where
                days: how many
            """
            return f"sunny in {city} for {days} days"

        runner = self.client.beta.messages.tool_runner(
            model="fake", max_tokens=100, tools=[weather], messages=ask("script:tool")
        )
        self.assertEqual(runner.until_done().content[0].text, "The tool says: sunny in Paris for 2 days")

    def test_cut(self):
        self.assertEqual(self.create("script:length").stop_reason, "max_tokens")

    def test_count_tokens(self):
        self.assertEqual(self.client.messages.count_tokens(model="fake", messages=ask("hi")).input_tokens, 11)

    def test_errors(self):
        for status, kind in (
            (400, anthropic.BadRequestError),
            (429, anthropic.RateLimitError),
            (500, anthropic.InternalServerError),
        ):
            with self.subTest(status=status), self.assertRaises(kind) as caught:
                self.create(f"script:status_{status}")
            self.assertIn(f"the fake says {status}", str(caught.exception))

    def test_unknown_model(self):
        with self.assertRaises(anthropic.NotFoundError):
            self.client.messages.create(model="nobody", max_tokens=9, messages=ask("hi"))

    def test_bad_request_names_the_field(self):
        with self.assertRaisesRegex(anthropic.BadRequestError, "tools\\[0\\].type"):
            self.create("hi", tools=[{"type": "web_search_20250305", "name": "web_search"}])

    def test_torn_stream_is_an_error(self):
        with self.assertRaises(anthropic.APIError):
            with self.client.messages.stream(model="fake", max_tokens=9, messages=ask("script:torn")) as stream:
                stream.until_done()

    def test_error_in_a_stream(self):
        with self.assertRaisesRegex(anthropic.APIError, "out of memory"):
            with self.client.messages.stream(model="fake", max_tokens=9, messages=ask("script:error")) as stream:
                stream.until_done()

    def test_cancel_reaches_the_server(self):
        with self.client.messages.stream(model="fake", max_tokens=9, messages=ask("script:hang")) as stream:
            next(iter(stream.text_stream))
            record = self.gateway.last_seen()
        self.assertTrue(record["end"].wait(10))
        self.assertEqual(record["how"], "cancelled")
