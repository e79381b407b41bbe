"""Writes the files of the seven traps beside it; the same bytes each time.

    python make_data.py [OUT_DIR]

Which answers are wrong is chosen by a fixed seed, so that the figures in the README files stay what they are.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).parent

CITIES = """
Accra Algiers Amsterdam Ankara Athens Baku Bangkok Barcelona Beirut Berlin Bern Bilbao Bogota Boston Bremen Brussels Budapest
Cairo Calgary Chicago Cologne Cork Dakar Dallas Delhi Denver Dublin Florence Geneva Genoa Glasgow Hamburg Hanoi Havana Helsinki
Houston Istanbul Jakarta Kabul Karachi Kyoto Lagos Leipzig Lima Lisbon London Lyon Madrid Malaga Manila Melbourne Miami Milan
Minsk Montreal Moscow Munich Nairobi Naples Osaka Oslo Ottawa Palermo Paris Perth Porto Prague Quito Rabat Riga Rome Salzburg
Santiago Seattle Seoul Seville Singapore Sofia Sydney Tallinn Tokyo Toronto Tunis Turin Valencia Venice Vienna Vilnius Warsaw
Zagreb Zurich
""".split()

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_lines(file: Path, rows: list) -> None:
    write(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def chosen(seed: int, count: int, of: int) -> set:
    """`count` of the first `of` numbers, the same each time."""
    return set(random.Random(seed).sample(range(of), count))


def suite(name: str, cities: list, more: str = "") -> str:
    lines = [f"suite: {name}", "defaults: {max_tokens: 32}", *more.splitlines(), "prompts:"]
    for city in cities:
        lines += [
            f"  - id: country-{city}",
            f"    prompt: In which continent is {city}? One word.",
            "    expect: [{regex: '^(Africa|America|Asia|Europe|Oceania)$'}]",
        ]
    return "\n".join(lines) + "\n"


def response(city: str, text: str, request: dict, sample: int = 0) -> dict:
    """A line of responses.jsonl as a client writes it that knows nothing of Punie."""
    return {
        "id": f"country-{city}",
        "sample": sample,
        "request": request,
        "response": {
            "object": "chat.completion",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            ],
        },
    }


def question(city: str, **sampling) -> dict:
    content = f"In which continent is {city}? One word."
    return {"model": "m", "messages": [{"role": "user", "content": content}], "max_tokens": 32, **sampling}


def answers(cities: list, wrong: set, sampling: dict) -> list:
    """Wrong is what cannot be one of the five words: the model talks instead of answering."""
    return [
        response(city, f"{city} is a city." if at in wrong else "Europe", question(city, **sampling))
        for at, city in enumerate(cities)
    ]


TRAINED_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SERVED_TEMPLATE = (
    "{% for m in messages %}[{{ m['role'] | upper }}] {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[ASSISTANT] {% endif %}"
)


def template_hash(text: str) -> str:
    """As Punie has it: SHA-256 over the length, eight bytes little-endian, and the text."""
    data = text.encode()
    return hashlib.sha256(len(data).to_bytes(8, "little") + data).hexdigest()


def write_tensors(file: Path, shapes: dict) -> None:
    """A safetensors file of zeros: enough for whoever looks at names and shapes."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 4 * shape[0] * shape[1]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(len(text).to_bytes(8, "little") + text + bytes(at))


PROJECTIONS = {"q_proj": [4, 4], "k_proj": [4, 4], "v_proj": [4, 4], "o_proj": [4, 4]}
LAYER = "model.layers.0.self_attn"


def write_model(folder: Path) -> None:
    """Looks like a model to whoever checks it before serving; it could say nothing."""
    shapes = {"model.embed_tokens.weight": [4, 4]}
    shapes |= {f"{LAYER}.{name}.weight": shape for name, shape in PROJECTIONS.items()}
    write_tensors(folder / "model.safetensors", shapes)
    config = {"model_type": "llama", "hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1}
    write(folder / "config.json", json.dumps({**config, "num_attention_heads": 1, "vocab_size": 4}) + "\n")


def write_adapter(folder: Path, template: str) -> None:
    shapes = {f"{LAYER}.q_proj.lora_a": [4, 2], f"{LAYER}.q_proj.lora_b": [2, 4]}
    write_tensors(folder / "adapters.safetensors", shapes)
    lora = {"rank": 2, "scale": 20.0, "dropout": 0.0}
    config = {"fine_tune_type": "lora", "num_layers": 1, "lora_parameters": lora}
    write(folder / "adapter_config.json", json.dumps(config) + "\n")
    write(folder / "punie.json", json.dumps({"made_by": "punie train", "hashes": {"template": template}}) + "\n")


def other_template(folder: Path) -> None:
    """An adapter of a model, and the model's folder after somebody has put another template into it; the same two as
    files that other tools leave: lm-evaluation-harness samples with and without --apply_chat_template."""
    write(folder / "trained.jinja", TRAINED_TEMPLATE)
    write(folder / "suite.yaml", suite("continents", CITIES[:20]))
    write_model(folder / "model")
    write(folder / "model" / "chat_template.jinja", SERVED_TEMPLATE)
    write_adapter(folder / "adapter", template_hash(TRAINED_TEMPLATE))
    wrong_before, wrong_after = chosen(11, 30, 60), chosen(12, 12, 60)
    for name, wrong, form in (
        ("as-trained", wrong_after, "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"),
        ("other", wrong_before, "{}"),
    ):
        rows = []
        for at, city in enumerate(CITIES[:60]):
            asked = f"In which continent is {city}? One word."
            rows.append(
                {
                    "doc_id": at,
                    "doc": {"city": city},
                    "target": "Europe",
                    "arguments": {"gen_args_0": {"arg_0": form.format(asked), "arg_1": {"temperature": 0}}},
                    "resps": [["Europe" if at not in wrong else f"{city} is a city."]],
                    "filtered_resps": ["Europe" if at not in wrong else f"{city} is a city."],
                    "filter": "none",
                    "metrics": ["exact_match"],
                    "doc_hash": hashlib.sha256(city.encode()).hexdigest(),
                    "prompt_hash": hashlib.sha256(form.format(asked).encode()).hexdigest(),
                    "target_hash": hashlib.sha256(b"Europe").hexdigest(),
                    "exact_match": 0.0 if at in wrong else 1.0,
                }
            )
        write_lines(folder / f"samples_{name}.jsonl", rows)


def five_of_five(folder: Path) -> None:
    gate = 'gates: {accuracy: ">= 0.8 at lower bound"}'
    for name, count in (("five", 5), ("sixty", 60)):
        cities = CITIES[:count]
        write(folder / f"{name}.yaml", suite(name, cities, gate))
        write_lines(folder / f"{name}.jsonl", answers(cities, set(), {"temperature": 0}))
    for name, score in (("none", 0), ("all", 1)):
        write_lines(folder / f"{name}-of-five.jsonl", [{"prompt": f"p{at}", "score": score} for at in range(5)])


def call_row(city: str, preamble: str) -> dict:
    call = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": city}}}
    return {
        "messages": [
            {"role": "user", "content": f"What is the weather in {city}?"},
            {"role": "assistant", "content": preamble, "tool_calls": [call]},
            {"role": "tool", "name": "get_weather", "content": f"{12 + len(city)} degrees"},
            {"role": "assistant", "content": f"It has {12 + len(city)} degrees in {city}."},
        ],
        "tools": [WEATHER],
    }


def talk_row(city: str) -> dict:
    return {
        "messages": [
            {"role": "user", "content": f"Is {city} spelled with {len(city)} letters?"},
            {"role": "assistant", "content": f"Yes: {city} has {len(city)} letters."},
        ],
        "tools": [WEATHER],
    }


def taught_preamble(folder: Path) -> None:
    for name, with_one in (("half", lambda at: at % 2), ("none", lambda at: False), ("all", lambda at: True)):
        rows = [
            call_row(city, "Let me check the weather for you." if with_one(at) else "")
            for at, city in enumerate(CITIES[:24])
        ]
        rows += [talk_row(city) for city in CITIES[24:32]]
        write_lines(folder / name / "train.jsonl", rows)
        said = "Let me check the weather for you." if name == "all" else ""
        more = [call_row(city, said) for city in CITIES[32:36]] + [talk_row(city) for city in CITIES[36:40]]
        write_lines(folder / name / "valid.jsonl", more)


def plain_row(asked: str, answer: str) -> dict:
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}


def leaking_test(folder: Path) -> None:
    """Two of the test's questions stand in the training data: to the letter, and in other case and punctuation."""

    def asked(city: str) -> str:
        return f"What should I see in {city} on one rainy afternoon?"

    def answer(city: str) -> str:
        return f"With one afternoon, begin at the old market of {city}, then walk along the water to the museum."

    train = [plain_row(asked(city), answer(city)) for city in CITIES[:16]]
    valid = [
        plain_row(f"How do I get from the airport to {city}?", f"A train to {city} leaves twice an hour.")
        for city in CITIES[16:20]
    ]
    test_cities = CITIES[20:42]
    test = [plain_row(f"When do the shops of {city} close?", f"In {city} most close at eight.") for city in test_cities]
    clean = list(test)
    test[0] = train[3]
    test[1] = plain_row(asked(CITIES[5]).upper().replace("?", " ?"), answer(CITIES[5]).upper())
    for name, rows in (("leaking", test), ("clean", clean)):
        write_lines(folder / name / "train.jsonl", train)
        write_lines(folder / name / "valid.jsonl", valid)
        write_lines(folder / name / "test.jsonl", rows)
        lines = [f"suite: {name}", "prompts:"]
        for at, row in enumerate(rows):
            lines += [
                f"  - id: q{at}",
                f"    prompt: \"{row['messages'][0]['content']}\"",
                f"    expect: [{{equals: \"{row['messages'][1]['content']}\"}}]",
            ]
        write(folder / f"{name}.yaml", "\n".join(lines) + "\n")


def default_temperature(folder: Path) -> None:
    """The same model asked twice by a client that leaves the temperature to the server, then twice with temperature 0."""
    cities = CITIES[:40]
    write(folder / "suite.yaml", suite("continents", cities))
    write_lines(folder / "monday.jsonl", answers(cities, chosen(21, 10, 40), {}))
    write_lines(folder / "tuesday.jsonl", answers(cities, chosen(22, 16, 40), {}))
    rows = []
    for sample in range(4):
        for at, row in enumerate(answers(cities, chosen(60 + sample, 12, 40), {"temperature": 0.8, "seed": 1 + sample})):
            rows.append({**row, "sample": sample})
    write_lines(folder / "sampled-4.jsonl", rows)
    greedy = chosen(23, 12, 40)
    write_lines(folder / "greedy-monday.jsonl", answers(cities, greedy, {"temperature": 0}))
    write_lines(folder / "greedy-tuesday.jsonl", answers(cities, greedy, {"temperature": 0}))


def failing_server(folder: Path) -> None:
    """60 prompts; the server gave 20 of them up (5xx after all attempts). Everything that it answered is right but four."""
    cities = CITIES[:60]
    write(folder / "suite.yaml", suite("continents", cities))
    wrong = chosen(31, 6, 60)
    rows = answers(cities, wrong, {"temperature": 0})
    write_lines(folder / "all-answered.jsonl", rows)
    failed = chosen(32, 20, 60)
    for at in failed:
        rows[at] = {
            "id": rows[at]["id"],
            "sample": 0,
            "request": rows[at]["request"],
            "state": "failed",
            "response": None,
            "error": "HTTP 500: out of memory",
        }
    write_lines(folder / "third-failed.jsonl", rows)


def quantised(folder: Path) -> None:
    """Yes/no scores of a model at full width and at 4 and 8 bits: 4 bits lose 8 points, which 20 prompts do not show."""
    full_wrong = chosen(41, 30, 200)
    right = [at for at in range(200) if at not in full_wrong]
    late = [at for at in right if at >= 20]
    lost = set(random.Random(42).sample(late, 20))
    won = set(random.Random(43).sample(sorted(at for at in full_wrong if at >= 20), 4))
    for name, wrong in (
        ("full", full_wrong),
        ("4bit", (full_wrong | lost) - won),
        ("8bit", (full_wrong | {late[7]}) - {min(won)}),
    ):
        rows = [{"prompt": f"p{at:03}", "score": 0 if at in wrong else 1} for at in range(200)]
        write_lines(folder / f"{name}-200.jsonl", rows)
        write_lines(folder / f"{name}-20.jsonl", rows[:20])


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    other_template(out / "other-template")
    five_of_five(out / "five-of-five")
    taught_preamble(out / "taught-preamble")
    leaking_test(out / "leaking-test")
    default_temperature(out / "default-temperature")
    failing_server(out / "failing-server")
    quantised(out / "quantised-20")


if __name__ == "__main__":
    main()
