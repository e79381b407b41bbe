"""A tiny OpenAI server for making the files of this folder: adds two numbers, and model "small" errs.

Prints its port. "small" is wrong where the first number is a multiple of 4, different in each of
three askings where it is a multiple of 5, and fails with status 400 for 7 + anything (only when
started with --fail).
"""
import collections, http.server, json, re, sys

asked = collections.Counter()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.dumps(request["messages"][-1]["content"])
        first, second = map(int, re.findall(r"(\d+) \+ (\d+)", text)[-1])
        small = request["model"] == "small"
        if small and first == 7 and "--fail" in sys.argv:
            return self.reply(400, {"error": {"message": "no answer for 7", "type": "bad_request"}})
        answer = first + second
        asked[(request["model"], first)] += 1
        if small and first % 4 == 0:
            answer += 1
        if small and first % 5 == 0 and asked[(request["model"], first)] % 3 == 0:
            answer += 2
        self.reply(200, {
            "id": "c", "object": "chat.completion", "created": 1, "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": f"The answer is {answer}"}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
