"""Renders rows of training data as mlx_lm's own dataset classes do, for Punie.

    python render_rows.py REQUEST.json

REQUEST: {"model": folder or hub name, "files": [paths], "lines": [numbers of the first file; [] for all rows],
          "mask_prompt": bool, "max_seq_length": int, "pieces": bool, "serving_template": text or null,
          "serving_model": folder or null}

Answers with JSON lines on the descriptor in PUNIE_EVENTS_FD: one {"event": "model", ...}, then one {"event": "row", ...}
a row, then {"event": "end"}; {"event": "error", "message"} when the tokenizer cannot be loaded.

What is counted follows mlx_lm 0.32.2, mlx_lm/tuner/datasets.py (process) and trainer.py (default_loss): the tokens
max(1, offset) .. min(length, max_seq_length) - 1 are trained.
"""

import copy
import json
import os
import sys
from pathlib import Path

SHOWN = 160  # characters of both texts from a little before the difference
BEFORE = 60


class Events:
    def __init__(self):
        self.out = os.fdopen(int(os.environ.pop("PUNIE_EVENTS_FD")), "w", encoding="utf-8")

    def send(self, event, **fields):
        self.out.write(json.dumps({"event": event, **fields}) + "\n")

    def flush(self):
        self.out.flush()


def load_tokenizer(name):
    """As mlx_lm.lora gets it: with the end tokens of generation_config.json and config.json."""
    import mlx_lm.utils as utils

    path = Path(name)
    if not path.exists():
        fetch = getattr(utils, "_download", None) or utils.get_model_path
        path = Path(fetch(name))
    config = utils.load_config(path)
    return utils.load_tokenizer(path, eos_token_ids=config.get("eos_token_id"))


def template_text(tokenizer):
    template = getattr(tokenizer, "chat_template", None)
    if isinstance(template, dict):
        template = template.get("default")
    return template if isinstance(template, str) else ""


def as_served(messages):
    """What mlx_lm.server makes of the messages of a request (process_message_content)."""
    messages = copy.deepcopy(messages)
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            message["content"] = "".join(part["text"] for part in content if part.get("type") == "text")
        elif content is None:
            message["content"] = ""
        for call in message.get("tool_calls") or []:
            function = call.get("function") or {}
            if isinstance(function.get("arguments"), str) and function["arguments"]:
                function["arguments"] = json.loads(function["arguments"])
    return messages


def first_difference(one, other):
    for place, (a, b) in enumerate(zip(one, other)):
        if a != b:
            return place
    return min(len(one), len(other))


class Renderer:
    def __init__(self, request, tokenizer, serving_template):
        self.request = request
        self.tokenizer = tokenizer
        self.serving = {"chat_template": serving_template} if serving_template else {}
        self.limit = request["max_seq_length"]
        self.eos = set(getattr(tokenizer, "eos_token_ids", None) or [])
        if tokenizer.eos_token_id is not None:
            self.eos.add(tokenizer.eos_token_id)

    def render(self, messages, tools, **more):
        return self.tokenizer.apply_chat_template(messages, tools=tools, return_dict=False, **more)

    def text_row(self, row):
        tokens = self.tokenizer.encode(row["text"])
        if tokens[-1] != self.tokenizer.eos_token_id:
            tokens.append(self.tokenizer.eos_token_id)
        return self.answer(row, tokens, 0)

    def chat_row(self, row, messages, always_answer):
        tools = row.get("tools", None)
        tokens = self.render(messages, tools)
        answers = always_answer or messages[-1].get("role") == "assistant"
        offset = 0
        if self.request["mask_prompt"]:
            offset = len(self.render(messages[:-1], tools, add_generation_prompt=answers))
        answer = self.answer(row, tokens, offset)
        if answers and len(messages) > 1:
            answer.update(self.compare(messages, tools, tokens))
        calls = any(m.get("tool_calls") for m in messages if isinstance(m, dict))
        if calls and '"{\\"' in self.render(messages, tools, tokenize=False):
            answer["double_encoded"] = True
        return answer

    def compare(self, messages, tools, tokens):
        """The prompt as a server renders it must be the beginning of what is trained."""
        full = self.render(messages, tools, tokenize=False)
        served = as_served(messages[:-1])
        prompt = self.render(served, tools, tokenize=False, add_generation_prompt=True, **self.serving)
        if not full.startswith(prompt):
            start = max(0, first_difference(full, prompt) - BEFORE)
            return {
                "prompt_differs": True,
                "training_text": full[start : start + SHOWN],
                "serving_text": prompt[start : start + SHOWN],
            }
        sent = self.render(served, tools, add_generation_prompt=True, **self.serving)
        if list(tokens[: len(sent)]) == list(sent):
            return {}
        start = max(0, first_difference(tokens, sent) - 4)
        words = self.tokenizer.convert_ids_to_tokens
        return {
            "prompt_differs": True,
            "training_text": " | ".join(map(str, words(list(tokens[start : start + 8])))),
            "serving_text": " | ".join(map(str, words(list(sent[start : start + 8])))),
        }

    def answer(self, row, tokens, offset):
        tokens = list(tokens)
        used = min(len(tokens), self.limit)
        answer = {
            "keys": len(row),
            "tokens": len(tokens),
            "offset": offset,
            "trained": max(0, used - max(1, offset)),
        }
        last = len(tokens) - 1
        while last > 0 and tokens[last] not in self.eos and not self.tokenizer.decode([tokens[last]]).strip():
            last -= 1  # templates put a line end behind the end token
        if self.eos and tokens[last] not in self.eos:
            answer["ends_with_eos"] = False
            answer["last_token"] = self.tokenizer.decode([tokens[last]])
        bos = getattr(self.tokenizer, "bos_token_id", None)
        if bos is not None and tokens[:2] == [bos, bos]:
            answer["double_bos"] = True
        if self.request["pieces"]:
            answer["pieces"] = self.pieces(tokens, max(1, offset), used)
        return answer

    def pieces(self, tokens, first, used):
        parts = [(0, min(first, used), False, False), (first, used, True, False), (used, len(tokens), False, True)]
        return [
            {"text": self.tokenizer.decode(tokens[a:b]), "trained": trained, "cut": cut, "tokens": b - a}
            for a, b, trained, cut in parts
            if b > a
        ]


def kind_of(sample):
    """create_dataset looks at the first row of a file."""
    if "prompt" in sample and "completion" in sample:
        return "completion"
    return "chat" if "messages" in sample else "text" if "text" in sample else None


def rows_of(path, wanted):
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if number > 1 and wanted and number > max(wanted):
                return
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except ValueError:
                continue  # said by the checks of the lines
            if isinstance(row, dict):
                yield number, row


def render_file(renderer, index, path, wanted, events):
    kind = None
    for count, (number, row) in enumerate(rows_of(path, wanted)):
        kind = kind or kind_of(row)
        if wanted and number not in wanted:
            continue
        try:
            if kind == "completion":
                messages = [
                    {"role": "user", "content": row["prompt"]},
                    {"role": "assistant", "content": row["completion"]},
                ]
                answer = renderer.chat_row(row, messages, True)
            elif kind == "chat":
                answer = renderer.chat_row(row, row["messages"], False)
            elif kind == "text":
                answer = renderer.text_row(row)
            else:
                continue
        except Exception as error:  # whatever a template raises is what training would raise
            answer = {"keys": len(row), "error": f"{type(error).__name__}: {error}"[:500]}
        events.send("row", file=index, line=number, **answer)
        if count % 64 == 0:
            events.flush()


def main():
    events = Events()
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    try:
        tokenizer = load_tokenizer(request["model"])
        serving = request.get("serving_template")
        if request.get("serving_model"):
            serving = template_text(load_tokenizer(request["serving_model"]))
    except Exception as error:
        events.send("error", message=f"{type(error).__name__}: {error}"[:1000])
        events.flush()
        return 1
    own = template_text(tokenizer)
    renderer = Renderer(request, tokenizer, serving)
    events.send(
        "model",
        has_template=bool(getattr(tokenizer, "has_chat_template", own)),
        serving_differs=bool(serving) and serving.strip() != own.strip(),
        eos=sorted(renderer.eos),
        eos_texts=[tokenizer.decode([token]) for token in sorted(renderer.eos)],
    )
    wanted = set(request.get("lines") or [])
    for index, path in enumerate(request["files"]):
        render_file(renderer, index, path, wanted, events)
    events.send("end")
    events.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
