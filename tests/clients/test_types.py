"""Every answer of the gateway against the types of the protocols' own packages."""

import http.client
import json
import unittest

import check_types
from check_types import fetch
from support import OPENAI_TOOLS, Gateway


class Types(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.url = cls.enterClassContext(Gateway()).url

    def test_every_route(self):
        for script in ("hello", "think", "length", "tool", "text_tool", "json"):
            with self.subTest(script=script):
                check_types.check_all(self.url, "fake", f"script:{script}", OPENAI_TOOLS)

    def test_lists_of_models(self):
        check_types.OLLAMA_LIST.validate_json(fetch(f"{self.url}/api/tags")[2])
        check_types.OLLAMA_PS.validate_json(fetch(f"{self.url}/api/ps")[2])
        check_types.OLLAMA_SHOW.validate_json(fetch(f"{self.url}/api/show", {"model": "fake"})[2])

    def test_errors(self):
        ask = {"model": "fake", "max_tokens": 9, "messages": [{"role": "user", "content": "script:status_429"}]}
        for body, wanted in ((ask, 429), ({**ask, "model": "nobody"}, 404), ({**ask, "messages": 7}, 400)):
            with self.subTest(wanted=wanted):
                status, _, text = fetch(f"{self.url}/v1/messages", body)
                self.assertEqual(status, wanted)
                check_types.ANTHROPIC_ERROR.validate_json(text)
                status, _, text = fetch(f"{self.url}/api/chat", {**body, "stream": False})
                self.assertEqual((status, list(json.loads(text))), (wanted, ["error"]))
                status, _, text = fetch(f"{self.url}/v1/responses", {"model": body["model"], "input": body["messages"]})
                self.assertEqual(status, wanted)
                self.assertEqual(sorted(json.loads(text)["error"]), ["code", "message", "param", "type"])

    def test_torn_streams_end_in_an_error(self):
        for path, last in (
            ("/v1/messages", '"type":"error"'),
            ("/v1/responses", '"status":"failed"'),
            ("/api/chat", '{"error":'),
            ("/v1/chat/completions", '{"error":'),
        ):
            with self.subTest(path=path):
                words = [{"role": "user", "content": "script:torn"}]
                field = "input" if path == "/v1/responses" else "messages"
                text = self.read_torn(path, {"model": "fake", "max_tokens": 9, "stream": True, field: words})
                self.assertIn(last, text.strip().split("\n")[-1] if "api" in path else text)
                self.assertNotIn("[DONE]", text)
                self.assertNotIn("message_stop", text)

    def read_torn(self, path: str, body: dict) -> str:
        """What comes before the connection is cut."""
        request = check_types.urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        text = b""
        with check_types.DIRECT.open(request, timeout=60) as response, self.assertRaises((OSError, http.client.HTTPException)):
            while piece := response.read1():
                text += piece
            raise AssertionError("the stream ended as if it were whole")
        return text.decode()
