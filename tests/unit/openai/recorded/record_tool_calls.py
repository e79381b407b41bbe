"""Records what mlx_lm's own tool parsers make of well-formed calls, for tool_calls_recorded_test.cpp.

    python record_tool_calls.py > tool_calls_mlx_lm.json     (with mlx-lm installed)

Texts are written as the models' chat templates write them; each is cut into the pieces between the
parser's start and end tokens as mlx_lm.server does, and each piece goes through the parser.
"""

import importlib
import json
import sys
from importlib.metadata import version

PROPERTIES = {
    "city": {"type": "string"},
    "days": {"type": "integer"},
    "on": {"type": "boolean"},
    "temp": {"type": "number"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "opts": {"type": "object"},
    "code": {"type": "string"},
    "text": {"type": "string"},
}
ARGUMENTS = [
    {"city": "Paris"},
    {"city": "Köln 🏠", "days": 5},
    {"on": True, "days": 7, "temp": -2.5},
    {"on": False},
    {"tags": ["a", "b c"]},
    {"opts": {"x": 1, "y": [True, None, {"z": "é"}]}},
    {"code": "007"},
    {"code": "5"},
    {"days": 9007199254740993},
    {"text": "one\ntwo \"quoted\" <b> & 'x', {y}: [z]"},
    {"text": "ends </tool_call> early"},
    {"city": ""},
    {},
]
CALLS = [[("get_weather", arguments)] for arguments in ARGUMENTS] + [
    [("get_weather", {"city": "Paris"}), ("set_light", {"on": True, "days": 2})],
    [("a", {}), ("b", {"city": "x"}), ("c", {"tags": []})],
]


def dumps(value):
    return json.dumps(value, ensure_ascii=False)


def bare(value):
    return value if isinstance(value, str) else dumps(value)


def hermes(calls):
    return "\n".join(
        "<tool_call>\n" + dumps({"name": name, "arguments": arguments}) + "\n</tool_call>" for name, arguments in calls
    )


def qwen_xml(calls):
    return "\n".join(
        f"<tool_call>\n<function={name}>\n"
        + "".join(f"<parameter={key}>\n{bare(value)}\n</parameter>\n" for key, value in arguments.items())
        + "</function>\n</tool_call>"
        for name, arguments in calls
    )


def glm(calls):
    return "\n".join(
        f"<tool_call>{name}"
        + "".join(
            f"<arg_key>{key}</arg_key><arg_value>{bare(value)}</arg_value>" for key, value in arguments.items()
        )
        + "</tool_call>"
        for name, arguments in calls
    )


def mistral_list(calls):
    return "[TOOL_CALLS] " + dumps([{"name": name, "arguments": arguments} for name, arguments in calls])


def mistral_named(calls):
    return "[TOOL_CALLS]" + "".join(f"{name}[ARGS]{dumps(arguments)}" for name, arguments in calls)


def kimi(calls):
    return (
        "<|tool_calls_section_begin|>"
        + "".join(
            f"<|tool_call_begin|>functions.{name}:{i}<|tool_call_argument_begin|>{dumps(arguments)}<|tool_call_end|>"
            for i, (name, arguments) in enumerate(calls)
        )
        + "<|tool_calls_section_end|>"
    )


def pythonic(calls):
    return (
        "<|tool_call_start|>["
        + ", ".join(
            f"{name}(" + ", ".join(f"{key}={value!r}" for key, value in arguments.items()) + ")"
            for name, arguments in calls
        )
        + "]<|tool_call_end|>"
    )


def gemma4_value(value):
    if isinstance(value, str):
        return f'<|"|>{value}<|"|>'
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{gemma4_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(gemma4_value(item) for item in value) + "]"
    return dumps(value)


def gemma4(calls):
    return "".join(f"<|tool_call>call:{name}{gemma4_value(arguments)}<tool_call|>" for name, arguments in calls)


def function_gemma(calls):
    def value_of(value):
        return f"<escape>{value}<escape>" if isinstance(value, str) else dumps(value)

    return "".join(
        f"<start_function_call>call:{name}{{"
        + ",".join(f"{key}:{value_of(value)}" for key, value in arguments.items())
        + "}<end_function_call>"
        for name, arguments in calls
    )


def minimax(calls):
    return (
        "<minimax:tool_call>\n"
        + "".join(
            f'<invoke name="{name}">\n'
            + "".join(f'<parameter name="{key}">{bare(value)}</parameter>\n' for key, value in arguments.items())
            + "</invoke>\n"
            for name, arguments in calls
        )
        + "</minimax:tool_call>"
    )


FORMATS = [
    ("hermes", hermes, "json_tools"),
    ("qwen_xml", qwen_xml, "qwen3_coder"),
    ("glm", glm, "glm47"),
    ("mistral", mistral_list, "mistral"),
    ("mistral", mistral_named, "mistral"),
    ("kimi", kimi, "kimi_k2"),
    ("pythonic", pythonic, "pythonic"),
    ("gemma", gemma4, "gemma4"),
    ("gemma", function_gemma, "function_gemma"),
    ("minimax", minimax, "minimax_m2"),
]


def pieces(text, start, end):
    while start in text:
        text = text.split(start, 1)[1]
        if not end:
            yield text
            return
        inside, _, text = text.partition(end)
        yield inside


def recorded(parser, text, tools):
    module = importlib.import_module("mlx_lm.tool_parsers." + parser)
    calls = []
    for piece in pieces(text, module.tool_call_start, module.tool_call_end):
        found = module.parse_tool_call(piece, tools)
        for call in found if isinstance(found, list) else [found]:
            calls.append({"name": call["name"], "arguments": call["arguments"]})
    return calls


def main():
    parameters = {"type": "object", "properties": PROPERTIES}
    names = sorted({name for calls in CALLS for name, _ in calls})
    tools = [{"type": "function", "function": {"name": name, "parameters": parameters}} for name in names]
    cases = []
    for path, write, parser in FORMATS:
        for calls in CALLS:
            case = {"format": path, "parser": parser, "text": write(calls)}
            case["meant"] = [{"name": name, "arguments": arguments} for name, arguments in calls]
            try:
                case["calls"] = recorded(parser, case["text"], tools)
            except Exception as error:  # what the parser refuses is recorded too
                case["error"] = f"{type(error).__name__}: {error}"[:200]
            cases.append(case)
    json.dump(
        {"mlx_lm": version("mlx-lm"), "parameters": parameters, "cases": cases},
        sys.stdout,
        ensure_ascii=False,
        indent=1,
    )
    print()


main()
