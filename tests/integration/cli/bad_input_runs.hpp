#pragma once
// Bad input, part of the table (bad_input_rows.hpp): run, init, journal, report, view.

#include "integration/cli/bad_input_files.hpp"

namespace punie::cli::test {

// clang-format off: one row one line, and its texts as they are printed
inline std::vector<BadInput> bad_input_runs() {
    return {
        {"run", R"(punie run none.yaml)", "a file that is not there",
         {},
         2, R"~(error: cannot read none.yaml: No such file or directory
hint: punie init writes one to start with)~"},
        {"run", R"(punie run bad.yaml)", "a list without an end",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
variants: [base
)~"}},
         2, R"~(error: bad.yaml:4:1: not valid YAML: end of sequence flow not found)~"},
        {"run", R"(punie run bad.yaml)", "a list where keys should be",
         {{"bad.yaml", "- tiny\n"}},
         2, R"~(error: bad.yaml:1:1: expected keys and values, found a list)~"},
        {"run", R"(punie run bad.yaml)", "a key misspelled",
         {{"bad.yaml", R"~(modle: tiny
suite: suite.yaml
variants: [base]
)~"}},
         2, R"~(error: bad.yaml:1:1: modle: unknown key; did you mean model?
bad.yaml:3:1: variant base: no model: give the experiment a `model:`)~"},
        {"run", R"(punie run bad.yaml)", "a suite that is not there",
         {{"bad.yaml", R"~(model: tiny
suite: none.yaml
variants: [base]
)~"}},
         2, R"~(error: bad.yaml:2:8: suite: …/none.yaml does not exist)~"},
        {"run", R"(punie run bad.yaml)", "a model that is not there",
         {{"bad.yaml", R"~(model: tny
suite: suite.yaml
variants: [base]
)~"}},
         2, R"~(error: bad.yaml:1:8: model: …/tny does not exist; expected a model folder seen from this file, or a name of the hub)~"},
        {"run", R"(punie run bad.yaml)", "data that are not there",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
data: nowhere
variants: [base]
)~"}},
         2, R"~(error: bad.yaml:3:7: data: …/nowhere does not exist)~"},
        {"run", R"(punie run bad.yaml)", "no variants",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
variants: []
)~"}},
         2, R"~(error: bad.yaml:3:11: variants: missing: which variants are to be judged? `- base` is one)~"},
        {"run", R"(punie run bad.yaml)", "a name twice",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
variants: [base, base]
)~"}},
         2, R"~(error: bad.yaml:3:18: variants[1].name: "base" stands twice)~"},
        {"run", R"(punie run bad.yaml)", "a variant made of one that is not there",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
variants: [base, {name: small, quantise: fused}]
)~"}},
         2, R"~(error: bad.yaml:3:1: variant small: no variant is called "fused"; there are base or small)~"},
        {"run", R"(punie run bad.yaml)", "bits that mlx_lm does not have",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
variants: [base, {name: small, quantise: base, bits: 3}]
)~"}},
         2, R"~(error: bad.yaml:3:54: variants[1].bits: expected 4, 5, 6 or 8, found 3)~"},
        {"run", R"(punie run bad.yaml)", "a training without data",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
variants: [base, {name: tuned, train: {iters: 10}}]
)~"}},
         2, R"~(error: bad.yaml:3:1: variant tuned: no data: give the experiment a `data:` folder)~"},
        {"run", R"(punie run bad.yaml)", "a training option misspelled",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
data: data
variants: [base, {name: tuned, train: {itres: 10}}]
)~"}},
         2, R"~(error: bad.yaml:4:40: variants[1].train: itres: mlx_lm has no such option; did you mean iters?)~"},
        {"run", R"(punie run bad.yaml)", "a word for a number of iterations",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
data: data
variants: [base, {name: tuned, train: {iters: ten}}]
)~"}},
         2, R"~(error: bad.yaml:4:40: variants[1].train: iters: expected a whole number from 1 to 1000000000, found "ten")~"},
        {"run", R"(punie run bad.yaml)", "a temperature out of range",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
variants: [base]
evaluate: {temperature: 9}
)~"}},
         2, R"~(error: bad.yaml:4:25: evaluate.temperature: expected a number from 0 to 2, found the number 9)~"},
        {"run", R"(punie run bad.yaml)", "a baseline that is no variant",
         {{"bad.yaml", R"~(model: tiny
suite: suite.yaml
variants: [base]
compare: {baseline: tuned}
)~"}},
         2, R"~(error: bad.yaml: compare.baseline: no variant is called "tuned"; there are base)~"},
        {"run", R"(punie run leaking.yaml)", "a question of the suite in the training data",
         {{"leaking.yaml", R"~(model: tiny
suite: suite.yaml
data: leaking
variants: [base, {name: tuned, train: {iters: 4, batch_size: 2}}]
)~"}, {"leaking/train.jsonl", good_rows(0, 8) + R"~({"messages":[{"role":"user","content":"What colour is the sky?"},{"role":"assistant","content":"Blue."}]}
)~"}, {"leaking/valid.jsonl", good_rows(20, 24)}},
         2, R"~(error: data: 1 prompt of the suite stands in the training data; the first: sky: the question stands in the training data: …/leaking/train.jsonl:9
hint: `punie suite lint SUITE --against DATA` shows them all; take them out of one of the two, or --force)~"},
        {"run", R"(punie run experiment.yaml)", "mlx_lm is not installed",
         {{"experiment.yaml", R"~(model: tiny
suite: suite.yaml
data: data
variants: [base]
)~"}},
         3, R"~(error: evaluate:base: mlx_lm was not found:
hint: install it: python3 -m venv .venv && .venv/bin/pip install mlx-lm "mlx[cpu]" (on a Mac mlx-lm alone), or say where it is: --mlx-lm PATH, PUNIE_MLX_LM, or mlx_lm: PATH in the configuration file)~"},
        {"init", R"(punie init)", "an experiment that is there already",
         {{"experiment.yaml", R"~(model: tiny
suite: suite.yaml
data: data
variants: [base]
)~"}},
         2, R"~(error: ./experiment.yaml exists already
hint: --force overwrites it)~"},
        {"init", R"(punie init answers.jsonl)", "a file for a folder",
         {},
         2, R"~(error: answers.jsonl is no folder
hint: name a folder, which is made if need be)~"},
        {"journal", R"(punie journal list)", "no journal yet",
         {},
         2, R"~(error: there is no journal yet (…/.punie/journal.db)
hint: the first punie eval, train or run begins it; in another folder? name its .punie in PUNIE_JOURNAL)~"},
        {"journal", R"(punie journal list)", "a journal that is no database",
         {{".punie/journal.db", no_database()}},
         1, R"~(error: …/.punie/journal.db is damaged or no journal (file is not a database)
hint: it is left as it is; move it away to begin a new journal, or save what is left of it: sqlite3 '…/.punie/journal.db' .recover | sqlite3 '…/.punie/journal.db.recovered')~"},
        {"journal", R"(punie journal list --kind evil)", "a kind of run that does not exist",
         {{".punie/journal.db", ""}},
         2, R"~(error: --kind: 'evil' was given; there is no such kind of run
hint: the kinds are eval, train, fuse, quantise, experiment, bench, dataset, compare or report)~"},
        {"journal", R"(punie journal show eval-12345678)", "a run that is not there",
         {{".punie/journal.db", ""}},
         2, R"~(error: no run 'eval-12345678' in …/.punie/journal.db
hint: the journal has no run yet)~"},
        {"journal", R"(punie journal diff @last @baseline)", "a reference to nothing",
         {{".punie/journal.db", ""}},
         2, R"~(error: @last: …/.punie/journal.db has no run of kind eval
hint: punie journal list shows what there is)~"},
        {"journal", R"(punie journal note @last)", "no text",
         {{".punie/journal.db", ""}},
         2, R"~(error: text is missing
hint: see punie journal note --help)~"},
        {"journal", R"(punie journal prune)", "what to remove is not said",
         {{".punie/journal.db", ""}},
         2, R"~(error: prune needs to be told what may go
hint: --keep N, --older-than 30d or --failed; --dry-run shows what would go)~"},
        {"journal", R"(punie journal prune --failed --older-than 7x)", "a time that is none",
         {{".punie/journal.db", ""}},
         2, R"~(error: --older-than: '7x' is no age: unknown unit 'x'
hint: a number and a unit: 45s, 90min, 12h, 30d or 2w)~"},
        {"report", R"(punie report)", "no journal",
         {},
         2, R"~(error: no journal here: there is no …/.punie
hint: go to the project's folder, or name the journal in PUNIE_JOURNAL)~"},
        {"report", R"(punie report none.json)", "a file that is not there",
         {},
         2, R"~(error: none.json: there is no such file)~"},
        {"report", R"(punie report bad.json)", "half a report",
         {{"bad.json", R"~({"format":)~"}},
         2, R"~(error: bad.json: line 1, column 11: not valid JSON: incomplete JSON)~"},
        {"report", R"(punie report bad.json)", "JSON that is no report",
         {{"bad.json", R"~({"x":1})~"}},
         2, R"~(error: bad.json: this JSON is no report of Punie: expected an object with "format": "punie-report"
hint: name the report.json in a run's folder)~"},
        {"view", R"(punie view --port 70000)", "a port beyond the last",
         {},
         2, R"~(error: --port: '70000' was given; allowed is 0 to 65535
hint: see punie view --help)~"},
        {"view", R"(punie view --port 0)", "no journal",
         {},
         2, R"~(error: no journal here: there is no …/.punie
hint: go to the project's folder, or name the journal in PUNIE_JOURNAL)~"},
    };
}

// clang-format on

}  // namespace punie::cli::test
