"""pydantic-ai: an agent with a tool, by OpenAI's two protocols and by Anthropic's."""

import asyncio
import unittest

from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from fake_openai import HELLO
from support import Gateway

ANSWER = "The tool says: sunny in Paris for 2 days"


def weather(city: str, days: int) -> str:
    """The weather of the next days."""
    return f"sunny in {city} for {days} days"


class Agents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = cls.enterClassContext(Gateway())

    def models(self) -> list:
        """New ones for each event loop: their connections belong to it."""
        openai = OpenAIProvider(base_url=f"{self.gateway.url}/v1", api_key="none")
        anthropic = AnthropicProvider(base_url=self.gateway.url, api_key="none")
        return [
            OpenAIChatModel("fake", provider=openai),
            OpenAIResponsesModel("fake", provider=openai),
            AnthropicModel("fake", provider=anthropic),
        ]

    def each(self, work):
        async def one(place: int):
            return await work(self.models()[place])

        for place in range(3):
            with self.subTest(place=place):
                asyncio.run(one(place))

    def test_plain(self):
        async def work(model):
            result = await Agent(model, system_prompt="be kind").run("hi")
            self.assertEqual(result.output, HELLO)

        self.each(work)

    def test_streamed(self):
        async def work(model):
            async with Agent(model).run_stream("hi") as result:
                self.assertEqual("".join([text async for text in result.stream_text(delta=True)]), HELLO)

        self.each(work)

    def test_tool(self):
        async def work(model):
            for script in ("tool", "text_tool"):
                result = await Agent(model, tools=[weather]).run(f"script:{script}")
                self.assertEqual(result.output, ANSWER)

        self.each(work)

    def test_tool_streamed(self):
        async def work(model):
            async with Agent(model, tools=[weather]).run_stream("script:text_tool") as result:
                output = await result.get_output()
            self.assertIn(output.strip(), (ANSWER, "I look."))  # the text before a call may end the stream

        self.each(work)
