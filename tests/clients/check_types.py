"""What the gateway answers, against the types of the protocols' own Python packages: strictly, not as their clients read it, which
let much pass. Used by test_types.py.

    check_types.py URL MODEL     looks at a gateway by hand
"""

import json
import sys
import urllib.error
import urllib.request

import anthropic.types
import ollama
import openai.types.chat
import openai.types.responses
import pydantic

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def strict(kind) -> pydantic.TypeAdapter:
    return pydantic.TypeAdapter(kind)


MESSAGE = strict(anthropic.types.Message)
MESSAGE_EVENT = strict(anthropic.types.RawMessageStreamEvent)
COUNT = strict(anthropic.types.MessageTokensCount)
ANTHROPIC_ERROR = strict(anthropic.types.ErrorResponse)
CHAT = strict(openai.types.chat.ChatCompletion)
CHAT_CHUNK = strict(openai.types.chat.ChatCompletionChunk)
RESPONSE = strict(openai.types.responses.Response)
RESPONSE_EVENT = strict(openai.types.responses.ResponseStreamEvent)
OLLAMA_CHAT = strict(ollama.ChatResponse)
OLLAMA_GENERATE = strict(ollama.GenerateResponse)
OLLAMA_LIST = strict(ollama.ListResponse)
OLLAMA_SHOW = strict(ollama.ShowResponse)
OLLAMA_PS = strict(ollama.ProcessResponse)


def fetch(url: str, body: dict = None) -> tuple:
    """Status, content type and text; errors are answers too."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with DIRECT.open(request, timeout=60) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def events_of(text: str) -> list:
    """(name, data) of each event; comments and pings are passed over."""
    assert text.endswith("\n\n"), text[-200:]
    events = []
    for block in text.split("\n\n")[:-1]:
        fields = [line.partition(": ")[::2] for line in block.split("\n") if not line.startswith(":")]
        name = next((value for field, value in fields if field == "event"), "")
        data = "\n".join(value for field, value in fields if field == "data")
        if data and name != "ping":
            events.append((name, data))
    return events


def check_whole(url: str, body: dict, kind: pydantic.TypeAdapter):
    status, content_type, text = fetch(url, body)
    assert status == 200, text
    assert content_type.startswith("application/json"), content_type
    return kind.validate_json(text)


def check_events(url: str, body: dict, kind: pydantic.TypeAdapter, done: bool = False) -> list:
    """Each event of a stream; `done`: it ends in [DONE]. The names are those in the data, where there are any."""
    status, content_type, text = fetch(url, {**body, "stream": True})
    assert status == 200, text
    assert content_type.startswith("text/event-stream"), content_type
    events = events_of(text)
    if done:
        assert events.pop() == ("", "[DONE]"), events
    for name, data in events:
        assert not name or json.loads(data)["type"] == name, (name, data)
    return [kind.validate_json(data) for _, data in events]


def check_lines(url: str, body: dict, kind: pydantic.TypeAdapter) -> list:
    status, content_type, text = fetch(url, {**body, "stream": True})
    assert status == 200, text
    assert content_type.startswith("application/x-ndjson"), content_type
    assert text.endswith("\n"), text[-200:]
    return [kind.validate_json(line) for line in text.splitlines()]


def check_all(url: str, model: str, words: str, tools: list) -> None:
    """Every translated route, whole and as a stream."""
    messages = [{"role": "user", "content": words}]
    functions = [tool["function"] for tool in tools]

    chat = {"model": model, "messages": messages, "tools": tools}
    check_whole(f"{url}/v1/chat/completions", chat, CHAT)
    check_events(f"{url}/v1/chat/completions", chat, CHAT_CHUNK, done=True)

    anthropic_tools = [{"name": tool["name"], "input_schema": tool["parameters"]} for tool in functions]
    request = {"model": model, "max_tokens": 50, "messages": messages, "tools": anthropic_tools}
    check_whole(f"{url}/v1/messages", request, MESSAGE)
    events = check_events(f"{url}/v1/messages", request, MESSAGE_EVENT)
    assert (events[0].type, events[-1].type) == ("message_start", "message_stop")
    check_whole(f"{url}/v1/messages/count_tokens", request, COUNT)

    responses_tools = [{"type": "function", "strict": False, **tool} for tool in functions]
    request = {"model": model, "input": words, "tools": responses_tools, "metadata": {"a": "b"}}
    check_whole(f"{url}/v1/responses", request, RESPONSE)
    events = check_events(f"{url}/v1/responses", request, RESPONSE_EVENT)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type in ("response.completed", "response.incomplete"), events[-1].type

    check_whole(f"{url}/api/chat", {**chat, "stream": False}, OLLAMA_CHAT)
    lines = check_lines(f"{url}/api/chat", chat, OLLAMA_CHAT)
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
    request = {"model": model, "prompt": words}
    check_whole(f"{url}/api/generate", {**request, "stream": False}, OLLAMA_GENERATE)
    check_lines(f"{url}/api/generate", request, OLLAMA_GENERATE)


if __name__ == "__main__":
    check_all(sys.argv[1].rstrip("/"), sys.argv[2], "Say hello.", [])
    print("every answer is of its type")
