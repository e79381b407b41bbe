#pragma once
// Bad input, part of the table (bad_input_rows.hpp): suite, eval.

#include "integration/cli/bad_input_files.hpp"

namespace punie::cli::test {

// clang-format off: one row one line, and its texts as they are printed
inline std::vector<BadInput> bad_input_suites() {
    return {
        {"suite", R"(punie suite show none.yaml)", "a file that is not there",
         {},
         2, R"~(error: cannot read none.yaml: No such file or directory)~"},
        {"suite", R"(punie suite show bad.yaml)", "a key misspelled, so that one is missing",
         {{"bad.yaml", R"~(suite: x
promts: []
)~"}},
         2, R"~(error: bad.yaml:2:1: unknown key `promts`; did you mean `prompts`?
bad.yaml:1:1: a suite needs `prompts`)~"},
        {"suite", R"(punie suite show bad.yaml)", "a list without an end",
         {{"bad.yaml", R"~(suite: x
prompts: [
)~"}},
         2, R"~(error: bad.yaml:3:1: not valid YAML: end of sequence flow not found)~"},
        {"suite", R"(punie suite show bad.yaml)", "a scorer misspelled",
         {{"bad.yaml", R"~(prompts:
  - id: a
    prompt: x
    expect: [{contain: y}]
)~"}},
         2, R"~(error: bad.yaml:4:15: prompts[0].expect[0]: unknown scorer `contain`; did you mean `contains`?)~"},
        {"suite", R"(punie suite show bad.yaml)", "a pattern without an end",
         {{"bad.yaml", R"~(prompts:
  - {id: a, prompt: x, expect: [{regex: '(['}]}
)~"}},
         2, R"~(error: bad.yaml:2:41: prompts[0].expect[0].regex: the pattern "([" is not understood: missing ]: [ (RE2's syntax: no lookahead, no back references))~"},
        {"suite", R"(punie suite show bad.yaml)", "one id for two prompts",
         {{"bad.yaml", R"~(prompts:
  - {id: a, prompt: x, expect: [{contains: y}]}
  - {id: a, prompt: z, expect: [{contains: y}]}
)~"}},
         2, R"~(error: bad.yaml:3:10: prompts[1].id: a second prompt "a"; with rows of variables the id needs one of them: id: "name-{{variable}}")~"},
        {"suite", R"(punie suite show bad.yaml)", "a variable misspelled",
         {{"bad.yaml", R"~(prompts:
  - {id: a, prompt: 'Hi {{nme}}', vars: {name: Ann}, expect: [{contains: y}]}
)~"}},
         2, R"~(error: bad.yaml:2:21: prompts[0].prompt: unknown variable {{nme}}; did you mean {{name}}?)~"},
        {"suite", R"(punie suite show bad.yaml)", "a file of variables that is not there",
         {{"bad.yaml", R"~(prompts:
  - {id: 'a{{n}}', prompt: x, vars: file://rows.csv, expect: [{contains: y}]}
)~"}},
         2, R"~(error: bad.yaml:2:37: prompts[0].vars: there is no file …/rows.csv)~"},
        {"suite", R"(punie suite show bad.yaml)", "a file outside of the suite's folder",
         {{"bad.yaml", R"~(prompts:
  - {id: 'a{{n}}', prompt: x, vars: file://../rows.jsonl, expect: [{contains: y}]}
)~"}},
         2, R"~(error: bad.yaml:2:37: prompts[0].vars: file://../rows.jsonl is outside of the suite's folder; put the file beside the suite and write file://NAME)~"},
        {"suite", R"(punie suite show bad.yaml)", "a word for a number",
         {{"bad.yaml", R"~(prompts:
  - {id: a, prompt: x, temperature: hot, expect: [{contains: y}]}
)~"}},
         2, R"~(error: bad.yaml:2:37: prompts[0].temperature: expected a number from 0 to 2, found the text "hot")~"},
        {"suite", R"(punie suite show bad.yaml)", "nothing expected",
         {{"bad.yaml", R"~(prompts:
  - {id: a, prompt: x}
)~"}},
         2, R"~(error: bad.yaml:2:5: prompts[0]: nothing is expected: a prompt needs `expect` with at least one scorer)~"},
        {"suite", R"(punie suite show bad.yaml)", "arguments that are a number",
         {{"bad.yaml", R"~(prompts:
  - {id: a, prompt: x, expect: [{tool_call: {name: get, arguments: 5}}]}
)~"}},
         2, R"~(error: bad.yaml:2:68: prompts[0].expect[0].tool_call.arguments: should be an object (name: value), is the number 5)~"},
        {"suite", R"(punie suite show bad.yaml)", "a gate misspelled",
         {{"bad.yaml", R"~(prompts:
  - {id: a, prompt: x, expect: [{contains: y}]}
gates: {acuracy: '>= 0.8'}
)~"}},
         2, R"~(error: bad.yaml:3:9: gates: unknown key `acuracy`; did you mean `accuracy`?)~"},
        {"suite", R"(punie suite show bad.jsonl)", "JSON with a hole in line 2",
         {{"bad.jsonl", R"~({"id":"a","prompt":"x","expect":[{"equals":"y"}]}
{"id":"b","prompt":}
)~"}},
         2, R"~(error: bad.jsonl:2:20: not valid JSON: syntax error)~"},
        {"suite", R"(punie suite show suite.yaml --only moon)", "a choice that chooses nothing",
         {},
         2, R"~(error: only: no prompt of home matches moon
hint: `punie suite show` lists ids, groups and categories)~"},
        {"suite", R"(punie suite lint suite.yaml)", "two prompts",
         {},
         1, R"~(suite.yaml: warning: 2 prompts: a comparison by fewer than 20 is too few to tell [few-prompts]
suite.yaml: 2 prompts: 1 to put right)~"},
        {"suite", R"(punie suite lint suite.yaml --against rows.jsonl)", "a question that stands in the training rows",
         {{"rows.jsonl", R"~({"prompt":"What colour is the sky?","completion":"Blue."}
)~"}},
         1, R"~(suite.yaml:3: error: sky: the question stands in the training data: rows.jsonl:1 [leak-exact])~"},
        {"suite", R"(punie suite lint suite.yaml --against nowhere.jsonl)", "training rows that are not there",
         {},
         2, R"~(error: cannot read nowhere.jsonl: No such file or directory)~"},
        {"eval", R"(punie eval)", "no suite",
         {},
         2, R"~(error: suite is missing
hint: see punie eval --help)~"},
        {"eval", R"(punie eval suite.yaml)", "neither model nor endpoint",
         {},
         2, R"~(error: neither --model nor --url was given
hint: punie eval SUITE --model models/tiny, or punie eval SUITE --url http://127.0.0.1:8080/v1)~"},
        {"eval", R"(punie eval none.yaml --url http://127.0.0.1:1/v1 --model m)", "a suite that is not there",
         {},
         2, R"~(error: cannot read none.yaml: No such file or directory)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1)", "nobody listens there",
         {},
         3, R"~(error: cannot connect to 127.0.0.1:1: connection refused
hint: nothing listens there: is the server running?)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1 --model m)", "nobody listens there, whatever is asked",
         {},
         1, R"~(incomplete: 2 of 2 have no answer (2 failed)
the same command with --resume asks what has no answer yet)~"},
        {"eval", R"(punie eval suite.yaml --url ftp://host)", "an address that is not of the web",
         {},
         2, R"~(error: url: 'ftp://host' was given; allowed is the base URL of an endpoint, such as https://host:port/v1)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1 --model m --adapter adapter)", "an adapter for a server that is not ours",
         {},
         2, R"~(error: --adapter is for a server that punie starts, and --url names one that runs already
hint: leave one of the two out; that server has to be started with it by whoever starts it)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1 --model m --temp 9)", "a temperature out of range",
         {},
         2, R"~(error: temperature: 9 was given; allowed is 0 to 2)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1 --model m --repeats 0)", "no samples",
         {},
         2, R"~(error: repeats: 0 was given; allowed is 1 to 10000)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1 --model m --limit -1)", "a number below 0",
         {},
         2, R"~(error: --limit: '-1' was given; expected a whole number from 0
hint: see punie eval --help)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1 --model m --threshold 60)", "a share of 60, where 0.6 is meant",
         {},
         2, R"~(error: --threshold: '60' was given; allowed is 0 to 1
hint: see punie eval --help)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1 --model m --only moon)", "a choice that chooses nothing",
         {},
         2, R"~(error: only: no prompt of home matches moon
hint: `punie suite show` lists ids, groups and categories)~"},
        {"eval", R"(punie eval suite.yaml --url http://127.0.0.1:1/v1 --model m --out other.jsonl)", "a file with the answers to another suite",
         {{"other.jsonl", R"~({"suite":"0123","prompt":"sky","sample":0,"state":"answered","request":{},"response":{"choices":[]},"error":"","seconds":1,"attempts":1}
)~"}},
         2, R"~(error: other.jsonl has answers to another suite, or another version of this one
hint: give another --out)~"},
        {"eval", R"(punie eval suite.yaml --model tny)", "a model that is not there",
         {},
         2, R"~(error: model_path: tny does not exist
hint: did you mean tiny?)~"},
        {"eval", R"(punie eval suite.yaml --model tiny --adapter misfit)", "an adapter of a larger model",
         misfit_adapter(),
         2, R"~(error: adapter_path: misfit does not fit tiny: 0 parts fit, 1 do not
model.layers.0.self_attn.q_proj: made for 16 inputs and 16 outputs, the model's has 8 and 8
hint: serve the model that it was trained on)~"},
        {"eval", R"(punie eval suite.yaml --model tiny --adapter adapter)", "an adapter that was trained with another chat template",
         {{"adapter/punie.json", R"~({"hashes":{"template":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}})~"}},
         2, R"~(error: adapter: the adapter was trained with another chat template (9f86d081884c) than the one that would be served (afca0176a90a)
hint: serve it with the template that it was trained with; a score under another one says nothing about the training)~"},
    };
}

// clang-format on

}  // namespace punie::cli::test
