"""A scripted OpenAI server: what it answers is said by the words "script:NAME" in the first message that has them.

    with FakeOpenAI() as fake: ... fake.url ... fake.seen

Deterministic: the same conversation gets the same answer. A conversation that ends in a tool's result is answered with it.
"""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HELLO = "Hello from the fake, ünïcode too."
THOUGHT = "It wants a greeting."
WEATHER = {"city": "Paris", "days": 2}
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


def words_of(message: dict) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return content or ""


def script_of(body: dict) -> str:
    for message in body.get("messages", []):
        found = re.search(r"script:(\w+)", words_of(message))
        if found:
            return found.group(1)
    return "hello"


def pieces_of(text: str) -> list:
    return re.findall(r"\S+\s*", text)


def tool_call(name: str, arguments: dict) -> dict:
    return {"id": "call_fake_1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def declared(body: dict, names: list) -> dict:
    """The first declared tool of these names, as its schema; {} if there is none."""
    tools = {tool["function"]["name"]: tool["function"] for tool in body.get("tools", [])}
    return next((tools[name] for name in names if name in tools), {})


class Answer:
    """One answer: what it says, and how it goes wrong."""

    def __init__(self, text="", reasoning="", calls=(), finish="stop"):
        self.text, self.reasoning, self.calls, self.finish = text, reasoning, list(calls), finish
        self.fault = ""  # "torn", "hang", "error": after the first pieces of a stream


def agent_answer(body: dict, in_text: bool) -> Answer:
    """A coding agent's turn: one call of its shell tool; the end comes when its result does."""
    shell = declared(body, ["run_shell_command", "Bash", "bash", "shell"])
    if not shell:
        return Answer("No shell here.")
    arguments = {"command": "echo made by the agent > made.txt"}
    needed = shell.get("parameters", {}).get("required", [])
    if "description" in needed:
        arguments["description"] = "write a file"
    if "is_background" in needed:
        arguments["is_background"] = False
    if in_text:
        call = json.dumps({"name": shell["name"], "arguments": arguments})
        return Answer(f"I write it.\n<tool_call>\n{call}\n</tool_call>")
    return Answer(calls=[tool_call(shell["name"], arguments)], finish="tool_calls")


def answer_for(body: dict) -> Answer:
    script = script_of(body)
    last = body["messages"][-1]
    if last["role"] == "tool":
        return Answer(f"The tool says: {words_of(last).strip()}")
    if script == "tool":
        return Answer("I look.", calls=[tool_call("weather", WEATHER)], finish="tool_calls")
    if script == "text_tool":
        call = json.dumps({"name": "weather", "arguments": WEATHER})
        return Answer(f"I look.\n<tool_call>\n{call}\n</tool_call>")
    if script == "think":
        return Answer(HELLO, reasoning=THOUGHT)
    if script == "length":
        return Answer("Cut o", finish="length")
    if script == "json":
        return Answer(json.dumps({"city": "Paris", "days": 2}))
    if script in ("agent", "text_agent"):
        return agent_answer(body, in_text=script == "text_agent")
    answer = Answer(HELLO)
    if script in ("torn", "hang", "error"):
        answer.fault = script
    return answer


def completion_of(body: dict, answer: Answer) -> dict:
    message = {"role": "assistant", "content": answer.text or None}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.calls:
        message["tool_calls"] = answer.calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish}
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1764000000,
        "model": body.get("model", ""),
        "choices": [choice],
        "usage": USAGE,
    }


def chunks_of(body: dict, answer: Answer):
    def chunk(delta: dict, finish=None) -> dict:
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion.chunk",
            "created": 1764000000,
            "model": body.get("model", ""),
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        }

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces_of(answer.reasoning):
        yield chunk({"reasoning_content": piece})
    for piece in pieces_of(answer.text):
        yield chunk({"content": piece})
    for index, call in enumerate(answer.calls):
        arguments = call["function"]["arguments"]
        head = {**call, "index": index, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield chunk({"tool_calls": [head]})
        half = len(arguments) // 2
        for part in (arguments[:half], arguments[half:]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, answer.finish)
    if body.get("stream_options", {}).get("include_usage"):
        yield {**chunk({}), "choices": [], "usage": USAGE}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *ignored):
        pass

    def do_GET(self):
        if self.path == "/v1/models":
            return self.send_json(200, {"object": "list", "data": [{"id": "fake-upstream", "object": "model"}]})
        return self.send_json(404, {"error": {"message": "nothing here", "type": "not_found"}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        record = {"path": self.path, "body": body, "end": threading.Event(), "how": ""}
        self.server.seen.append(record)
        try:
            record["how"] = self.answer(body)
        except (BrokenPipeError, ConnectionResetError):
            record["how"] = "cancelled"
            self.close_connection = True
        finally:
            record["end"].set()

    def answer(self, body: dict) -> str:
        if self.path != "/v1/chat/completions":
            self.send_json(404, {"error": {"message": f"no route {self.path}", "type": "not_found"}})
            return "404"
        status = re.fullmatch(r"status_(\d+)", script_of(body))
        if status:
            code = int(status.group(1))
            self.send_json(code, {"error": {"message": f"the fake says {code}", "type": "fake", "code": None}})
            return str(code)
        answer = answer_for(body)
        if body.get("stream"):
            return self.stream(body, answer)
        if answer.fault == "hang":
            return self.hang()
        self.send_json(200, completion_of(body, answer))
        return "done"

    def stream(self, body: dict, answer: Answer) -> str:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for count, chunk in enumerate(chunks_of(body, answer)):
            if count == 3 and answer.fault:
                return self.go_wrong(answer.fault)
            self.send_event(json.dumps(chunk))
        self.send_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")
        return "done"

    def go_wrong(self, fault: str) -> str:
        if fault == "hang":
            return self.hang()
        if fault == "error":
            self.send_event(json.dumps({"error": {"message": "out of memory", "code": 500}}))
        self.close_connection = True
        self.connection.close()
        return fault

    def hang(self) -> str:
        """Until the other side has gone."""
        self.connection.settimeout(60)
        try:
            gone = not self.connection.recv(1)
        except OSError:
            gone = True
        self.close_connection = True
        return "cancelled" if gone else "more came"

    def send_event(self, data: str):
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()

    def send_json(self, status: int, value: dict):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *ignored):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that leaves is part of the tests
            super().handle_error(*ignored)


class FakeOpenAI:
    def __init__(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.seen = []
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @property
    def seen(self) -> list:
        return self.server.seen

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *ignored):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


if __name__ == "__main__":  # to look at by hand
    with FakeOpenAI() as by_hand:
        print(by_hand.url, flush=True)
        by_hand.thread.join()
