"""Makes a tiny, randomly initialised, real MLX model folder (about 0.4 MB) in two seconds.

    python make_tiny_model.py [--shape llama|qwen3] OUT_DIR

The folder is a complete chat model for mlx_lm.server and mlx_lm.lora: 2 layers, hidden size 64, a byte-level BPE of
at most 600 entries, and a chat template with tools from whose wording mlx_lm picks its `json_tools` parser. It knows
nothing: what it says is noise, but the same noise each time. The two shapes differ where it matters to Punie:

    llama   makes its own key-value cache, so mlx_lm ignores a key-value limit
    qwen3   leaves the cache to mlx_lm, so a key-value limit works

Needs mlx-lm (`mlx[cpu]` beside it on Linux).
"""

import argparse
import importlib
import json
import shutil
from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_flatten
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"]
END_OF_TURN = SPECIAL_TOKENS.index("<|im_end|>")

# Enough text for the tokenizer to learn the pieces that a tool call is made of.
CORPUS = [json.dumps({"name": "get_weather", "arguments": {"city": city}}) for city in ("Paris", "Rome", "Oslo")] + [
    "What is the weather in Paris? user assistant system tool function"
] * 3

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

# What the shapes add to the common configuration.
SHAPES = {
    "llama": {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
    "qwen3": {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "head_dim": 16},
}


def make_tokenizer(folder: Path) -> int:
    """Writes tokenizer.json and tokenizer_config.json; the number of tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))
    return tokenizer.get_vocab_size()


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
    module = importlib.import_module(f"mlx_lm.models.{shape}")
    mx.random.seed(0)
    model = module.Model(module.ModelArgs.from_dict(config))
    mx.eval(model.parameters())
    weights = dict(tree_flatten(model.parameters()))
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
    make_weights(unfinished, arguments.shape, make_tokenizer(unfinished))
    shutil.rmtree(arguments.folder, ignore_errors=True)
    unfinished.rename(arguments.folder)


if __name__ == "__main__":
    main()
