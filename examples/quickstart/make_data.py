"""Writes data/{train,valid,test}.jsonl and cities.jsonl of this folder and of smollm2/; the same bytes each time.

    python make_data.py [OUT_DIR]

The cities of `NEW` never occur in the training data, and none of the suite's questions does.
"""

import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).parent
TOOLS = HERE / "tools.json"

KNOWN = """
Algiers Amsterdam Ankara Antwerp Athens Austin Baghdad Baku Bangkok Barcelona Beirut Belgrade Bergen Berlin Bern Bogota
Bologna Bonn Boston Bremen Brisbane Brussels Budapest Cairo Calgary Caracas Chennai Chicago Cologne Cork Dakar Dallas
Damascus Delhi Denver Dresden Dubai Dublin Durban Edinburgh Florence Frankfurt Geneva Genoa Glasgow Granada Hamburg
Hanoi Havana Helsinki Houston Istanbul Jakarta Johannesburg Kabul Karachi Kathmandu Kyoto Lagos Leipzig Lima Lisbon
Liverpool London Lyon Madrid Malaga Manila Marseille Melbourne Miami Milan Minsk Montreal Moscow Munich Nairobi Naples
Osaka Oslo Ottawa Palermo Paris Perth Porto Prague Quito Riga Rome Santiago Seattle Seoul Seville Singapore Sofia
Sydney Tallinn Tokyo Toronto Tunis Turin Valencia Venice Vienna Vilnius Warsaw Zagreb Zurich
""".split()
NEW = "Accra Adelaide Bilbao Copenhagen Kampala Krakow Nantes Phoenix Rabat Salzburg".split()
ASKED = [*KNOWN[4::11], *NEW]  # the suite's cities: ten that the model has met, ten that it has not

QUESTIONS = {
    "get_weather": [
        "What is the weather in {}?",
        "How is the weather today in {}?",
        "Tell me the weather for {}.",
        "Is it raining in {}?",
        "How is the weather now in {}?",
        "Do I need an umbrella today in {}?",
        "Is it warm now in {}?",
        "Show me the weather in {}.",
        "Is it sunny or windy in {}?",
        "How cold is it in {}?",
        "Will it rain today in {}?",
        "Is it dry today in {}?",
        "Tell me how windy it is in {}.",
        "Is it warm or cold now in {}?",
        "Is it raining or dry today in {}?",
    ],
    "get_time": [
        "What time is it in {}?",
        "What is the time now in {}?",
        "Tell me the time in {}.",
        "Is it late in {}?",
        "Is it morning or evening in {}?",
        "How late is it now in {}?",
        "Show me the local time for {}.",
        "Is it still night in {}?",
        "What does the clock say in {}?",
        "Give me the time in {}.",
        "Is it morning now in {}?",
        "Is it late in the evening in {}?",
        "Tell me how late it is in {}.",
        "Is it evening or night now in {}?",
        "What is the local time in {}?",
    ],
}
SIZES = {"train": 800, "valid": 64, "test": 64}
SMOLLM2_SIZES = {"train": 160, "valid": 16, "test": 16}
# Cities that SmolLM2 can spell; its training rows leave them out.
SMOLLM2_ASKED = "Athens Berlin Cairo Dublin Lima London Madrid Oslo Paris Rome Sydney Tokyo".split()
SYSTEM = "Tools: get_weather(city), get_time(city). Answer with a call."


def row(tool: str, question: str, city: str, tools: list) -> dict:
    call = {"type": "function", "function": {"name": tool, "arguments": {"city": city}}}
    return {
        "messages": [
            {"role": "user", "content": question.format(city)},
            {"role": "assistant", "content": "", "tool_calls": [call]},
        ],
        "tools": tools,
    }


def text_row(tool: str, question: str, city: str) -> dict:
    """For a model whose chat template knows no tools: they stand in the system prompt, the call in the text."""
    return {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": question.format(city)},
            {"role": "assistant", "content": f'[{tool}(city="{city}")]'},
        ]
    }


def write_lines(file: Path, rows: list) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_smollm2(folder: Path) -> None:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    cities = [city for city in KNOWN if city not in SMOLLM2_ASKED]
    rows = [text_row(tool, question, city) for tool, all in QUESTIONS.items() for question in all for city in cities]
    random.Random(2).shuffle(rows)
    for name, size in SMOLLM2_SIZES.items():
        write_lines(folder / "data" / f"{name}.jsonl", rows[:size])
        rows = rows[size:]
    write_lines(folder / "cities.jsonl", [{"city": city} for city in SMOLLM2_ASKED])


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    (folder / "data").mkdir(parents=True, exist_ok=True)
    tools = json.loads(TOOLS.read_text())
    rows = [row(tool, question, city, tools) for tool, all in QUESTIONS.items() for question in all for city in KNOWN]
    random.Random(1).shuffle(rows)
    for name, size in SIZES.items():
        write_lines(folder / "data" / f"{name}.jsonl", rows[:size])
        rows = rows[size:]
    write_smollm2(folder / "smollm2")
    write_lines(folder / "cities.jsonl", [{"city": city, "kind": "new" if city in NEW else "known"} for city in ASKED])


if __name__ == "__main__":
    main()
