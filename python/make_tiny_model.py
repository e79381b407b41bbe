"""Makes a tiny, randomly initialised, real MLX model folder (about 0.4 MB) in two seconds.

    python make_tiny_model.py [--shape llama|qwen3|teachable] OUT_DIR

The folder is a complete chat model for mlx_lm.server and mlx_lm.lora: 2 layers, hidden size 64, a byte-level BPE of
at most 600 entries, and a chat template with tools from whose wording mlx_lm picks its `json_tools` parser. It knows
nothing: what it says is noise, but the same noise each time. The shapes differ where it matters to Punie:

    llama       makes its own key-value cache, so mlx_lm ignores a key-value limit
    qwen3       leaves the cache to mlx_lm, so a key-value limit works
    teachable   llama, prepared so that two minutes of training on two cores teach it something (examples/quickstart):
                its tokenizer knows whole words, its template names tools in a line, its logits are sharp, and its last
                layer begins as one that repeats what it attends to. It still has to learn which tool is meant, where
                in the question its argument stands, and what a call looks like.

Needs mlx-lm (`mlx[cpu]` beside it on Linux).
"""

import argparse
import importlib
import json
import shutil
from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_flatten
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"]
END_OF_TURN = SPECIAL_TOKENS.index("<|im_end|>")

# Enough text for the tokenizer to learn the pieces that a tool call is made of.
CORPUS = [json.dumps({"name": "get_weather", "arguments": {"city": city}}) for city in ("Paris", "Rome", "Oslo")] + [
    "What is the weather in Paris? user assistant system tool function"
] * 3

# The words that the teachable tokenizer has a token for. Whether one of the cities occurs in training is up to the data.
CITIES = """
Accra Adelaide Algiers Amsterdam Ankara Antwerp Athens Austin Baghdad Baku Bangkok Barcelona Beirut Belgrade Bergen
Berlin Bern Bilbao Bogota Bologna Bonn Boston Bremen Brisbane Brussels Budapest Cairo Calgary Caracas Chennai Chicago
Cologne Copenhagen Cork Dakar Dallas Damascus Delhi Denver Dresden Dubai Dublin Durban Edinburgh Florence Frankfurt
Geneva Genoa Glasgow Granada Hamburg Hanoi Havana Helsinki Houston Istanbul Jakarta Johannesburg Kabul Kampala Karachi
Kathmandu Krakow Kyoto Lagos Leipzig Lima Lisbon Liverpool London Lyon Madrid Malaga Manila Marseille Melbourne Miami
Milan Minsk Montreal Moscow Munich Nairobi Nantes Naples Osaka Oslo Ottawa Palermo Paris Perth Phoenix Porto Prague
Quito Rabat Riga Rome Salzburg Santiago Seattle Seoul Seville Singapore Sofia Sydney Tallinn Tbilisi Tokyo Toronto
Tunis Turin Utrecht Valencia Venice Vienna Vilnius Warsaw Zagreb Zurich
""".split()
SENTENCES = """
what is the weather today in - how is it now - tell me the weather for - is it raining in - do I need an umbrella in
is it warm or sunny or cold or windy or dry in - show me - how cold is it in - how warm is it in - will it rain in
what time is it in - is it late in - is it morning or evening or night in - how late is it now in - is it still night
what does the clock say in - give me the local time in - please - can you check - I want to know
""".split()
PUNCTUATION = [': {"', '": {"', '": "', '", "', '"}}', '{"', "?", ".", ", ", "(", ") ", ": "]
WORDS = [*CITIES, *SENTENCES, *(word.capitalize() for word in SENTENCES), *PUNCTUATION]
WORDS += "get_weather get_time city name arguments tools system user assistant tool function".split()

CHAT_TEMPLATE = """{%- if tools %}<|im_start|>system
You have tools: <tools>{% for tool in tools %}{{ tool | tojson }}
{% endfor %}</tools> reply with <tool_call>{json}</tool_call><|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{% if message.content %}{{ message.content }}{% endif %}{% for call in message.tool_calls or [] %}\
{% set tool_call = call.function %}<tool_call>
{"name": "{{ tool_call.name }}", "arguments": {{ tool_call.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

TEACHABLE_TEMPLATE = (
    """{%- if tools %}<|im_start|>system
tools: {% for tool in tools %}{{ tool.function.name }}({{ tool.function.parameters.properties | join(", ") }}) \
{% endfor %}<|im_end|>
"""
    + CHAT_TEMPLATE[CHAT_TEMPLATE.index("{% endif %}{% for message") :]
)
SHARPNESS = 4.0  # of the logits, through the last norm; which of them is largest stays the same
COPY_SCALE = 0.7  # of values and outputs in the copying layer

# What the shapes add to the common configuration.
SHAPES = {
    "teachable": {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
    "llama": {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
    "qwen3": {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "head_dim": 16},
}


def split_by_words() -> pre_tokenizers.PreTokenizer:
    """A word with the space after it, or what stands between words: a name is the same token in a question and a call."""
    words = pre_tokenizers.Split(Regex("[A-Za-z_]+ ?|[^A-Za-z_]+"), "isolated")
    return pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def make_tokenizer(folder: Path, shape: str) -> int:
    """Writes tokenizer.json and tokenizer_config.json; the number of tokens."""
    teachable = shape == "teachable"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = (
        split_by_words() if teachable else pre_tokenizers.ByteLevel(add_prefix_space=False)
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1200 if teachable else 600,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [text for word in WORDS for text in (word, word + " ")] * 2 if teachable else CORPUS
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "chat_template": TEACHABLE_TEMPLATE if teachable else CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))
    return tokenizer.get_vocab_size()


def prepare_for_teaching(weights: dict) -> None:
    """Sharp logits, and a last layer whose heads write what they attend to (as far as their size allows)."""
    weights["model.norm.weight"] = weights["model.norm.weight"] * SHARPNESS
    values = weights["model.layers.1.self_attn.v_proj.weight"]
    size, hidden = values.shape
    random_square = mx.random.normal((hidden, hidden), key=mx.random.key(2))
    directions = mx.linalg.qr(random_square, stream=mx.cpu)[0][:size] * COPY_SCALE
    weights["model.layers.1.self_attn.v_proj.weight"] = directions
    halves = mx.split(directions.T, 2, axis=1)  # one for each of the two value heads; two query heads share one
    weights["model.layers.1.self_attn.o_proj.weight"] = mx.concatenate(
        [halves[0], halves[0], halves[1], halves[1]], axis=1
    )


def make_weights(folder: Path, shape: str, vocabulary: int) -> None:
    """Writes model.safetensors and config.json; the same bytes each time."""
    config = {
        **SHAPES[shape],
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "intermediate_size": 128,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5,
        "vocab_size": vocabulary,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "max_position_embeddings": 2048,
        "eos_token_id": END_OF_TURN,
    }
    module = importlib.import_module(f"mlx_lm.models.{config['model_type']}")
    mx.random.seed(0)
    model = module.Model(module.ModelArgs.from_dict(config))
    mx.eval(model.parameters())
    weights = dict(tree_flatten(model.parameters()))
    if shape == "teachable":
        prepare_for_teaching(weights)
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a tiny real MLX model folder.")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="llama", help="architecture (llama)")
    parser.add_argument("folder", type=Path, help="where to write it")
    arguments = parser.parse_args()
    # Made beside its place and renamed: an interrupted run leaves no half model that looks like one.
    unfinished = arguments.folder.with_name(arguments.folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    make_weights(unfinished, arguments.shape, make_tokenizer(unfinished, arguments.shape))
    shutil.rmtree(arguments.folder, ignore_errors=True)
    unfinished.rename(arguments.folder)


if __name__ == "__main__":
    main()
