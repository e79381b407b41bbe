"""The `openai` package: chat completions and responses."""

import asyncio
import unittest

import openai
import pydantic

from fake_openai import HELLO, THOUGHT, WEATHER
from support import OPENAI_TOOLS, PARAMETERS, Gateway, wait_until


def ask(words: str) -> list:
    return [{"role": "user", "content": words}]


class OpenAI(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = cls.enterClassContext(Gateway())
        cls.client = openai.OpenAI(base_url=f"{cls.gateway.url}/v1", api_key="none", max_retries=0, timeout=30)
        cls.addClassCleanup(cls.client.close)


class Chat(OpenAI):
    def test_plain(self):
        reply = self.client.chat.completions.create(model="fake", messages=ask("hi"))
        self.assertEqual(reply.choices[0].message.content, HELLO)
        self.assertEqual(reply.choices[0].finish_reason, "stop")
        self.assertEqual(reply.usage.total_tokens, 16)
        self.assertEqual(self.gateway.last_seen()["body"]["model"], "fake-upstream")

    def test_alias(self):
        reply = self.client.chat.completions.create(model="gpt-4o-mini", messages=ask("hi"))
        self.assertEqual(reply.choices[0].message.content, HELLO)

    def test_stream(self):
        stream = self.client.chat.completions.create(model="fake", messages=ask("hi"), stream=True)
        self.assertEqual("".join(chunk.choices[0].delta.content or "" for chunk in stream), HELLO)

    def test_stream_with_usage(self):
        options = {"include_usage": True}
        chunks = list(
            self.client.chat.completions.create(model="fake", messages=ask("hi"), stream=True, stream_options=options)
        )
        self.assertEqual(chunks[-1].usage.completion_tokens, 5)

    def call_and_answer(self, script: str, stream: bool):
        """A call, its result, the answer: as tool loops do it."""
        messages = ask(f"script:{script}")
        if stream:
            with self.client.chat.completions.stream(model="fake", messages=messages, tools=OPENAI_TOOLS) as events:
                message = events.get_final_completion().choices[0].message
        else:
            reply = self.client.chat.completions.create(model="fake", messages=messages, tools=OPENAI_TOOLS)
            self.assertEqual(reply.choices[0].finish_reason, "tool_calls")
            message = reply.choices[0].message
        (call,) = message.tool_calls
        self.assertEqual(call.function.name, "weather")
        self.assertEqual(pydantic.TypeAdapter(dict).validate_json(call.function.arguments), WEATHER)
        self.assertEqual((message.content or "").strip(), "I look.")
        messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        reply = self.client.chat.completions.create(model="fake", messages=messages, tools=OPENAI_TOOLS)
        self.assertEqual(reply.choices[0].message.content, "The tool says: sunny")

    def test_tool_call(self):
        self.call_and_answer("tool", stream=False)

    def test_tool_call_streamed(self):
        self.call_and_answer("tool", stream=True)

    def test_tool_call_in_text(self):
        self.call_and_answer("text_tool", stream=False)

    def test_tool_call_in_text_streamed(self):
        self.call_and_answer("text_tool", stream=True)

    def test_text_of_a_call_without_tools_stays_text(self):
        reply = self.client.chat.completions.create(model="fake", messages=ask("script:text_tool"))
        self.assertIn("<tool_call>", reply.choices[0].message.content)

    def test_parsed_answer(self):
        class Place(pydantic.BaseModel):
            city: str
            days: int

        reply = self.client.chat.completions.parse(model="fake", messages=ask("script:json"), response_format=Place)
        self.assertEqual(reply.choices[0].message.parsed, Place(city="Paris", days=2))

    def test_errors(self):
        for status, kind in (
            (400, openai.BadRequestError),
            (401, openai.AuthenticationError),
            (429, openai.RateLimitError),
            (500, openai.InternalServerError),
        ):
            with self.subTest(status=status), self.assertRaises(kind) as caught:
                self.client.chat.completions.create(model="fake", messages=ask(f"script:status_{status}"))
            self.assertIn(f"the fake says {status}", str(caught.exception))

    def test_unknown_model(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.chat.completions.create(model="nobody", messages=ask("hi"))
        self.assertEqual(caught.exception.code, "model_not_found")

    def test_torn_stream_is_an_error(self):
        stream = self.client.chat.completions.create(model="fake", messages=ask("script:torn"), stream=True)
        with self.assertRaises(openai.APIError):
            for _ in stream:
                pass

    def test_error_in_a_stream(self):
        stream = self.client.chat.completions.create(model="fake", messages=ask("script:error"), stream=True)
        with self.assertRaisesRegex(openai.APIError, "out of memory"):
            for _ in stream:
                pass

    def test_cancel_reaches_the_server(self):
        stream = self.client.chat.completions.create(model="fake", messages=ask("script:hang"), stream=True)
        next(iter(stream))
        record = self.gateway.last_seen()
        stream.close()
        self.assertTrue(record["end"].wait(10))
        self.assertEqual(record["how"], "cancelled")

    def test_models(self):
        names = [model.id for model in self.client.models.list()]
        self.assertIn("fake", names)
        self.assertEqual(self.client.models.retrieve("fake").id, "fake")

    def test_many_at_once(self):
        async def all_of_them():
            async with openai.AsyncOpenAI(base_url=f"{self.gateway.url}/v1", api_key="none", max_retries=0) as client:
                replies = await asyncio.gather(
                    *(client.chat.completions.create(model="fake", messages=ask(str(i))) for i in range(50))
                )
            return [reply.choices[0].message.content for reply in replies]

        self.assertEqual(asyncio.run(all_of_them()), [HELLO] * 50)


class Responses(OpenAI):
    TOOL = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}

    def test_plain(self):
        response = self.client.responses.create(model="fake", input="hi", instructions="be kind")
        self.assertEqual(response.output_text, HELLO)
        self.assertEqual(response.status, "completed")
        self.assertEqual(response.usage.output_tokens, 5)
        roles = [message["role"] for message in self.gateway.last_seen()["body"]["messages"]]
        self.assertEqual(roles, ["system", "user"])

    def test_stream(self):
        with self.client.responses.stream(model="fake", input="hi") as events:
            deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
            response = events.get_final_response()
        self.assertEqual("".join(deltas), HELLO)
        self.assertEqual(response.output_text, HELLO)

    def test_reasoning(self):
        response = self.client.responses.create(model="fake", input="script:think")
        self.assertEqual([item.type for item in response.output], ["reasoning", "message"])
        self.assertEqual(response.output[0].content[0].text, THOUGHT)

    def test_reasoning_streamed(self):
        with self.client.responses.stream(model="fake", input="script:think") as events:
            thought = "".join(event.delta for event in events if event.type == "response.reasoning_text.delta")
            self.assertEqual(events.get_final_response().output_text, HELLO)
        self.assertEqual(thought, THOUGHT)

    def call_and_answer(self, script: str, stream: bool):
        items = ask(f"script:{script}")
        if stream:
            with self.client.responses.stream(model="fake", input=items, tools=[self.TOOL]) as events:
                response = events.get_final_response()
        else:
            response = self.client.responses.create(model="fake", input=items, tools=[self.TOOL])
        call = response.output[-1]
        self.assertEqual((call.type, call.name), ("function_call", "weather"))
        self.assertEqual(pydantic.TypeAdapter(dict).validate_json(call.arguments), WEATHER)
        items += [item.to_dict() for item in response.output]
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
        response = self.client.responses.create(model="fake", input=items, tools=[self.TOOL])
        self.assertEqual(response.output_text, "The tool says: sunny")

    def test_tool_call(self):
        self.call_and_answer("tool", stream=False)

    def test_tool_call_streamed(self):
        self.call_and_answer("tool", stream=True)

    def test_tool_call_in_text_streamed(self):
        self.call_and_answer("text_tool", stream=True)

    def test_incomplete(self):
        response = self.client.responses.create(model="fake", input="script:length", max_output_tokens=3)
        self.assertEqual(response.status, "incomplete")
        self.assertEqual(response.incomplete_details.reason, "max_output_tokens")

    def test_what_is_kept_by_servers_is_refused(self):
        with self.assertRaisesRegex(openai.BadRequestError, "previous_response_id"):
            self.client.responses.create(model="fake", input="hi", previous_response_id="resp_1")

    def test_torn_stream_fails(self):
        events = []
        with self.assertRaises(openai.APIError):  # the connection is cut behind the event that says why
            for event in self.client.responses.create(model="fake", input="script:torn", stream=True):
                events.append(event)
        self.assertEqual(events[-1].type, "response.failed")
        self.assertTrue(events[-1].response.error.message)

    def test_cancel_reaches_the_server(self):
        stream = self.client.responses.create(model="fake", input="script:hang", stream=True)
        wait_until(lambda: next(stream).type == "response.output_text.delta", 10, "text")
        record = self.gateway.last_seen()
        stream.close()
        self.assertTrue(record["end"].wait(10))
        self.assertEqual(record["how"], "cancelled")
