#pragma once
// Bad input, part of the table (bad_input_rows.hpp): dataset, train, fuse, quantise.

#include "integration/cli/bad_input_files.hpp"

namespace punie::cli::test {

// clang-format off: one row one line, and its texts as they are printed
inline std::vector<BadInput> bad_input_training() {
    return {
        {"dataset", R"(punie dataset validate nowhere)", "a folder that is not there",
         {},
         2, R"~(error: nowhere does not exist
hint: name a folder with train.jsonl, or a .jsonl file)~"},
        {"dataset", R"(punie dataset validate bad)", "a quote forgotten in line 1",
         {{"bad/train.jsonl", without_a_quote(good_rows(0, 8))}, {"bad/valid.jsonl", good_rows(20, 24)}},
         1, R"~(error   D120 bad JSON
train.jsonl:1:2: 'm' where a key in double quotes should be
fix: correct the line)~"},
        {"dataset", R"(punie dataset validate bad)", "two formats in one file",
         {{"bad/train.jsonl", good_rows(0, 8) + R"~({"text":"hello"}
)~"}, {"bad/valid.jsonl", good_rows(20, 24)}},
         1, R"~(error   D202 formats mixed in a file
train.jsonl:9: a text row in a file that begins with chat rows
fix: one format a file: punie dataset convert)~"},
        {"dataset", R"(punie dataset validate bad)", "a role misspelled",
         {{"bad/train.jsonl", with_a_misspelled_role(good_rows(0, 8))}, {"bad/valid.jsonl", good_rows(20, 24)}},
         1, R"~(error   D304 unknown role
train.jsonl:1:57 messages[1].role: unknown role "asistant"; was "assistant" meant?
fix: system, user, assistant or tool)~"},
        {"dataset", R"(punie dataset validate bad)", "a row in two files",
         {{"bad/train.jsonl", good_rows(0, 8)}, {"bad/valid.jsonl", good_rows(20, 24) + good_rows(3, 4)}},
         1, R"~(error   D601 row in two files
train.jsonl:4: valid.jsonl line 5 is the same
fix: remove it from one (punie dataset split keeps them apart))~"},
        {"dataset", R"(punie dataset validate bad)", "a file misnamed",
         {{"bad/trian.jsonl", good_rows(0, 8)}},
         1, R"~(error   D101 no training file
the folder: train.jsonl is not in the folder; was trian.jsonl meant?)~"},
        {"dataset", R"(punie dataset validate data --batch-size 16)", "fewer rows than a batch",
         {},
         1, R"~(train.jsonl          8 rows  chat                     112 tokens (estimated), longest 14, 8 left over
error   D105 fewer rows than a batch (2 times)
train.jsonl: 8 rows, and a batch has 16
fix: add rows or take a smaller --batch-size)~"},
        {"dataset", R"(punie dataset validate data --batch-size 0)", "a batch of no rows",
         {},
         2, R"~(error: --batch-size: '0' was given; allowed is 1 to 1000000
hint: see punie dataset validate --help)~"},
        {"dataset", R"(punie dataset validate data --baseline bad.json)", "a baseline that is none",
         {{"bad.json", "[]"}},
         2, R"~(error: bad.json is no baseline of punie dataset validate
hint: write one with --write-baseline)~"},
        {"dataset", R"(punie dataset validate data --fix data)", "a repair over the data",
         {},
         2, R"~(error: data is where the data is
hint: name a new folder for the repaired files)~"},
        {"dataset", R"(punie dataset validate data --serving-template t.jinja)", "a template, and no model to compare with",
         {{"t.jinja", "{{ messages }}"}},
         2, R"~(error: --serving-template and --serving-model compare with a model, and none was named
hint: --model FOLDER)~"},
        {"dataset", R"(punie dataset validate data --model ./tny)", "a model that is not there",
         {},
         2, R"~(error: model_path: ./tny does not exist
hint: did you mean tiny?)~"},
        {"dataset", R"(punie dataset show data 99)", "a row that is not there",
         {},
         2, R"~(error: data/train.jsonl has 8 rows; row 99 is not among them)~"},
        {"dataset", R"(punie dataset stats nowhere)", "a folder that is not there",
         {},
         2, R"~(error: nowhere does not exist
hint: name a folder with train.jsonl, or a .jsonl file)~"},
        {"dataset", R"(punie dataset split data/train.jsonl data)", "files that are there already",
         {},
         2, R"~(error: data/train.jsonl exists already
hint: name another place, or overwrite it with --force)~"},
        {"dataset", R"(punie dataset split data/train.jsonl out --valid 2)", "a share of 2",
         {},
         2, R"~(error: --valid: '2' was given; allowed is 0 to 0.9
hint: see punie dataset split --help)~"},
        {"dataset", R"(punie dataset convert bad.json out.jsonl)", "rows of no known form",
         {{"bad.json", R"~([{"foo": 1}])~"}},
         2, R"~(error: bad.json: row 1: no known format; the row has foo
hint: expected messages, conversations, instruction and output, prompt and completion, chosen, or text)~"},
        {"dataset", R"(punie dataset create data)", "a folder that has data",
         {},
         2, R"~(error: data/train.jsonl exists already
hint: name an empty folder, or overwrite it with --force)~"},
        {"train", R"(punie train)", "no model",
         {},
         2, R"~(error: --model is missing
hint: punie train --model models/tiny --data data --adapter adapters/first)~"},
        {"train", R"(punie train --model tiny --data data)", "no place for the adapter",
         {},
         2, R"~(error: --adapter is missing
hint: punie train --model models/tiny --data data --adapter adapters/first)~"},
        {"train", R"(punie train --model tiny --data data --adapter out --iters 0)", "no iterations",
         {},
         2, R"~(error: iters: expected a whole number from 1 to 1000000000, found 0)~"},
        {"train", R"(punie train --model tiny --data data --adapter out --optimizer adan)", "an optimiser misspelled",
         {},
         2, R"~(error: optimizer: expected adam, adamw, muon, sgd or adafactor, found "adan")~"},
        {"train", R"(punie train --model tiny --data data --adapter out --keep first)", "a choice that does not exist",
         {},
         2, R"~(error: --keep: 'first' was given; allowed is best or last
hint: see punie train --help)~"},
        {"train", R"(punie train --config none.yaml)", "a file that is not there",
         {},
         2, R"~(error: cannot read none.yaml: No such file or directory)~"},
        {"train", R"(punie train --config bad.yaml)", "an option misspelled in line 4",
         {{"bad.yaml", R"~(model: tiny
data: data
adapter_path: out
itres: 10
)~"}},
         2, R"~(error: bad.yaml:4: itres: there is no such option; did you mean iters?
hint: the keys are those of `mlx_lm lora --config`, and keep and early_stop)~"},
        {"train", R"(punie train --config bad.yaml)", "a word for a number in line 4",
         {{"bad.yaml", R"~(model: tiny
data: data
adapter_path: out
iters: ten
)~"}},
         2, R"~(error: bad.yaml:4: iters: expected a whole number from 1 to 1000000000, found "ten"
hint: the keys are those of `mlx_lm lora --config`, and keep and early_stop)~"},
        {"train", R"(punie train --model tny --data data --adapter out)", "a model that is not there",
         {},
         2, R"~(error: model_path: tny does not exist
hint: did you mean tiny?)~"},
        {"train", R"(punie train --model tiny --data nowhere --adapter out)", "data that are not there",
         {},
         2, R"~(error: nowhere does not exist
hint: name a folder with train.jsonl, or a .jsonl file)~"},
        {"train", R"(punie train --model tiny --data bad --adapter out)", "a quote forgotten in the data",
         {{"bad/train.jsonl", without_a_quote(good_rows(0, 8))}, {"bad/valid.jsonl", good_rows(20, 24)}},
         2, R"~(error: bad has 1 error that spoil the training:
train.jsonl:1: 'm' where a key in double quotes should be (D120)
hint: `punie dataset validate bad` shows all of them; --force trains all the same)~"},
        {"train", R"(punie train --model tiny --data data --adapter out)", "mlx_lm is not installed",
         {},
         3, R"~(error: mlx_lm was not found:
hint: install it: python3 -m venv .venv && .venv/bin/pip install mlx-lm "mlx[cpu]" (on a Mac mlx-lm alone), or say where it is: --mlx-lm PATH, PUNIE_MLX_LM, or mlx_lm: PATH in the configuration file)~"},
        {"fuse", R"(punie fuse --model tiny --adapter adapter)", "no place for the model",
         {},
         2, R"~(error: --out is missing
hint: see punie fuse --help)~"},
        {"fuse", R"(punie fuse --model tiny --adapter none --out fused)", "an adapter that is not there",
         {},
         2, R"~(error: adapter_path: none does not exist
hint: nothing in this folder has a similar name)~"},
        {"fuse", R"(punie fuse --model tiny --adapter misfit --out fused)", "an adapter of a larger model",
         misfit_adapter(),
         2, R"~(error: adapter_path: misfit does not fit tiny: 0 parts fit, 1 do not
model.layers.0.self_attn.q_proj: made for 16 inputs and 16 outputs, the model's has 8 and 8
hint: serve the model that it was trained on)~"},
        {"fuse", R"(punie fuse --model tiny --adapter adapter --out data)", "a folder that is there already",
         {},
         2, R"~(error: data is there already
hint: name another folder, or --overwrite it)~"},
        {"fuse", R"(punie fuse --model tny --adapter adapter --out fused)", "a model that is not there",
         {},
         2, R"~(error: model_path: tny does not exist
hint: did you mean tiny?)~"},
        {"fuse", R"(punie fuse --model tiny --adapter adapter --out fused)", "mlx_lm is not installed",
         {},
         3, R"~(error: mlx_lm was not found:
hint: install it: python3 -m venv .venv && .venv/bin/pip install mlx-lm "mlx[cpu]" (on a Mac mlx-lm alone), or say where it is: --mlx-lm PATH, PUNIE_MLX_LM, or mlx_lm: PATH in the configuration file)~"},
        {"quantise", R"(punie quantise --model tiny --out small --bits 3)", "bits that mlx_lm does not have",
         {},
         2, R"~(error: --bits: '3' was given; allowed is 4, 5, 6 or 8
hint: see punie quantise --help)~"},
        {"quantise", R"(punie quantise --model tiny --out small --group-size 7)", "a group size that mlx_lm does not have",
         {},
         2, R"~(error: --group-size: '7' was given; allowed is 32, 64 or 128
hint: see punie quantise --help)~"},
        {"quantise", R"(punie quantise --model tny --out small)", "a model that is not there",
         {},
         2, R"~(error: model_path: tny does not exist
hint: did you mean tiny?)~"},
        {"quantise", R"(punie quantise --model tiny --out data)", "a folder that is there already",
         {},
         2, R"~(error: data is there already
hint: name another folder, or --overwrite it)~"},
        {"quantise", R"(punie quantise --model tiny --out tiny --overwrite)", "the model's own folder",
         {},
         2, R"~(error: --out: tiny holds what the new model is made of
hint: name another folder: the source would be lost)~"},
    };
}

// clang-format on

}  // namespace punie::cli::test
