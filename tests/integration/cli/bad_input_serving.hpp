#pragma once
// Bad input, part of the table (bad_input_rows.hpp): serve, chat, bench, doctor, completions.

#include "integration/cli/bad_input_files.hpp"

namespace punie::cli::test {

// clang-format off: one row one line, and its texts as they are printed
inline std::vector<BadInput> bad_input_serving() {
    return {
        {"General", R"(punie sevre)", "a command that does not exist",
         {},
         2, R"~(error: The following argument was not expected: sevre
hint: did you mean serve?)~"},
        {"General", R"(punie --frobnicate)", "an option that does not exist",
         {},
         2, R"~(error: The following argument was not expected: --frobnicate
hint: see punie --help)~"},
        {"serve", R"(punie serve)", "no model",
         {},
         2, R"~(error: neither a model nor a file was given
hint: punie serve --model DIR, or punie serve punie.yaml)~"},
        {"serve", R"(punie serve --modle tiny)", "an option misspelled",
         {},
         2, R"~(error: The following argument was not expected: --modle
hint: did you mean --model?)~"},
        {"serve", R"(punie serve --model tiny --port 70000)", "a port beyond the last",
         {},
         2, R"~(error: port: 70000 was given; allowed is 0 to 65535 (0: a free one))~"},
        {"serve", R"(punie serve --model tiny --port eighty)", "a word for a number",
         {},
         2, R"~(error: --port: 'eighty' was given; expected a whole number
hint: see punie serve --help)~"},
        {"serve", R"(punie serve --model tiny --backend mxl)", "an unknown backend",
         {},
         2, R"~(error: --backend: backend: 'mxl' was given; allowed is mlx, llama, vllm or openai)~"},
        {"serve", R"(punie serve --model tiny --backend openai)", "an endpoint that is not ours",
         {},
         2, R"~(error: --backend openai: an endpoint that is not ours cannot be served
hint: talk to it with punie chat --url URL)~"},
        {"serve", R"(punie serve --model tiny --env NOVALUE)", "an environment variable without a value",
         {},
         2, R"~(error: --env: 'NOVALUE' was given; expected NAME=VALUE)~"},
        {"serve", R"(punie serve --model tiny --temp 9)", "a temperature out of range",
         {},
         2, R"~(error: temperature: 9 was given; allowed is 0 to 2)~"},
        {"serve", R"(punie serve --model tiny --max-kv-size 0)", "a cache of no tokens",
         {},
         2, R"~(error: max_kv_size: 0 was given; allowed is 1 token or more)~"},
        {"serve", R"(punie serve --model tiny --start-timeout 0)", "no time to start",
         {},
         2, R"~(error: --start-timeout: '0' was given; allowed is 0.001 to 1000000
hint: see punie serve --help)~"},
        {"serve", R"(punie serve --model tny)", "a folder that is not there, `tiny` beside it",
         {},
         2, R"~(error: model_path: tny does not exist
hint: did you mean tiny?)~"},
        {"serve", R"(punie serve --model empty)", "a folder without a model",
         {{"empty/README", "nothing\n"}},
         2, R"~(error: empty: no config.json, so it is not a model that mlx_lm can load
hint: an MLX model folder has config.json, model*.safetensors and tokenizer files)~"},
        {"serve", R"(punie serve --model torch)", "weights of PyTorch",
         {{"torch/config.json", model_config}, {"torch/pytorch_model.bin", "x"}},
         2, R"~(error: torch: no model*.safetensors, so mlx_lm cannot load it
hint: it holds PyTorch weights: convert them with mlx_lm.convert --hf-path torch --mlx-path NEW)~"},
        {"serve", R"(punie serve --model cut)", "weights of one byte",
         {{"cut/config.json", model_config}, {"cut/model.safetensors", "@"}},
         2, R"~(error: cut/model.safetensors: byte 1: the file ends within the length of its header
hint: the file is damaged or half downloaded: fetch it again)~"},
        {"serve", R"(punie serve --model torn)", "half a config.json",
         {{"torn/config.json", R"~({"model_type":)~"}, {"torn/model.safetensors", model_weights()}},
         2, R"~(error: torn/config.json: line 1, column 15: not valid JSON: incomplete JSON
hint: fetch the file again)~"},
        {"serve", R"(punie serve --model model.gguf)", "a GGUF file for mlx",
         {{"model.gguf", gguf_bytes()}},
         2, R"~(error: model_path: model.gguf is a GGUF file, which mlx_lm does not load
hint: serve it with --backend llama, or take a folder in MLX format)~"},
        {"serve", R"(punie serve --model tiny --adapter none)", "an adapter that is not there",
         {},
         2, R"~(error: adapter_path: none does not exist
hint: nothing in this folder has a similar name)~"},
        {"serve", R"(punie serve --model tiny --adapter misfit)", "an adapter of a larger model",
         misfit_adapter(),
         2, R"~(error: adapter_path: misfit does not fit tiny: 0 parts fit, 1 do not
model.layers.0.self_attn.q_proj: made for 16 inputs and 16 outputs, the model's has 8 and 8
hint: serve the model that it was trained on)~"},
        {"serve", R"(punie serve --model model.gguf --backend llama)", "llama-server is not installed",
         {{"model.gguf", gguf_bytes()}},
         3, R"~(error: llama-server was not found: PUNIE_LLAMA_SERVER is not set, the configuration has no llama_server, PATH has no llama-server
hint: install llama.cpp (brew install llama.cpp, or build it: https://github.com/ggml-org/llama.cpp) or name it with PUNIE_LLAMA_SERVER)~"},
        {"serve", R"(punie serve --model tiny)", "mlx_lm is not installed",
         {},
         3, R"~(error: mlx_lm was not found:
hint: install it: python3 -m venv .venv && .venv/bin/pip install mlx-lm "mlx[cpu]" (on a Mac mlx-lm alone), or say where it is: --mlx-lm PATH, PUNIE_MLX_LM, or mlx_lm: PATH in the configuration file)~"},
        {"serve", R"(punie serve --model tiny --mlx-lm nowhere)", "mlx_lm is not where it is said to be",
         {},
         3, R"~(error: --mlx-lm: …/nowhere does not exist)~"},
        {"chat", R"(punie chat)", "neither model nor endpoint",
         {},
         2, R"~(error: neither --model nor --url was given
hint: punie chat --model models/tiny, or punie chat --url http://127.0.0.1:8080/v1)~"},
        {"chat", R"(punie chat --url ftp://host --once hi)", "an address that is not of the web",
         {},
         2, R"~(error: base_url: `ftp://host` was given, which is neither http nor https
hint: it looks like http://127.0.0.1:8080/v1)~"},
        {"chat", R"(punie chat --url http://127.0.0.1:1/v1 --once hi)", "nobody listens there",
         {},
         3, R"~(error: cannot connect to 127.0.0.1:1: connection refused
hint: nothing listens there: is the server running?)~"},
        {"chat", R"(punie chat --url http://127.0.0.1:1/v1 --adapter adapter --once hi)", "an adapter for a server that is not ours",
         {},
         2, R"~(error: --adapter is for a server that punie starts, and --url names one that runs already
hint: leave one of the two out; that server has to be started with it by whoever starts it)~"},
        {"chat", R"(punie chat --model tiny --seed -1 --once hi)", "a seed below 0",
         {},
         2, R"~(error: --seed: '-1' was given; expected a whole number from 0
hint: see punie chat --help)~"},
        {"chat", R"(punie chat --model tiny --max-tokens 0 --once hi)", "an answer of no tokens",
         {},
         2, R"~(error: max_tokens: 0 was given; allowed is 1 or more)~"},
        {"bench", R"(punie bench train)", "no model",
         {},
         2, R"~(error: --model is missing
hint: see punie bench train --help)~"},
        {"bench", R"(punie bench train --model tiny --iters 0)", "no iterations",
         {},
         2, R"~(error: --iters: '0' was given; allowed is 1 to 1000000
hint: see punie bench train --help)~"},
        {"bench", R"(punie bench train --model tiny --require quick)", "a verdict that does not exist",
         {},
         2, R"~(error: --require: 'quick' was given; allowed is excellent, acceptable or slow
hint: see punie bench train --help)~"},
        {"bench", R"(punie bench train --model tiny --learning-rate fast)", "a word for a number",
         {},
         2, R"~(error: --learning-rate: 'fast' was given; expected a number
hint: see punie bench train --help)~"},
        {"bench", R"(punie bench train --model tny)", "a model that is not there",
         {},
         2, R"~(error: model_path: tny does not exist
hint: did you mean tiny?)~"},
        {"bench", R"(punie bench train --model tiny --data nowhere)", "data that are not there",
         {},
         2, R"~(error: cannot read nowhere/train.jsonl: No such file or directory)~"},
        {"bench", R"(punie bench train --model tiny --data data --batch-size 64)", "fewer rows than a batch",
         {},
         2, R"~(error: data/train.jsonl has 8 rows, fewer than a batch of 64
hint: lower --batch-size, add rows, or leave --data out to measure with made-up rows)~"},
        {"doctor", R"(punie doctor --jsno)", "an option misspelled",
         {},
         2, R"~(error: The following argument was not expected: --jsno
hint: did you mean --json?)~"},
        {"doctor", R"(punie doctor --mlx-lm nowhere)", "mlx_lm is not where it is said to be",
         {},
         3, R"~(failed   mlx_lm          --mlx-lm: …/nowhere does not exist)~"},
        {"completions", R"(punie completions)", "no shell",
         {},
         2, R"~(error: shell is missing
hint: see punie completions --help)~"},
        {"completions", R"(punie completions tcsh)", "a shell that it does not know",
         {},
         2, R"~(error: shell: 'tcsh' was given; allowed is bash, zsh or fish
hint: see punie completions --help)~"},
    };
}

// clang-format on

}  // namespace punie::cli::test
