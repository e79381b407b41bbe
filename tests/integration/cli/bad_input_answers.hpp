#pragma once
// Bad input, part of the table (bad_input_rows.hpp): score, compare.

#include "integration/cli/bad_input_files.hpp"

namespace punie::cli::test {

// clang-format off: one row one line, and its texts as they are printed
inline std::vector<BadInput> bad_input_answers() {
    return {
        {"score", R"(punie score suite.yaml)", "no answers",
         {},
         2, R"~(error: responses is missing
hint: see punie score --help)~"},
        {"score", R"(punie score suite.yaml none.jsonl)", "a file that is not there",
         {},
         2, R"~(error: cannot read none.jsonl: No such file or directory)~"},
        {"score", R"(punie score suite.yaml data)", "a folder",
         {},
         2, R"~(error: data is a folder
hint: name the responses.jsonl in it)~"},
        {"score", R"(punie score suite.yaml empty.jsonl)", "an empty file",
         {{"empty.jsonl", ""}},
         2, R"~(error: empty.jsonl: no record in it
hint: `punie eval` writes one a line; docs/responses.md describes them)~"},
        {"score", R"(punie score suite.yaml bad.jsonl)", "JSON with a hole in line 2",
         {{"bad.jsonl", R"~({"id":"sky","answer":"blue"}
{"id":"sum","answer":}
)~"}},
         2, R"~(error: bad.jsonl:2: not valid JSON: syntax error)~"},
        {"score", R"(punie score suite.yaml bad.jsonl)", "a record without an answer",
         {{"bad.jsonl", R"~({"id":"sky","answer":"blue"}
{"id":"sum"}
)~"}},
         2, R"~(error: bad.jsonl:2: `response`: expected an answer, or `error` with the reason why there is none)~"},
        {"score", R"(punie score suite.yaml bad.jsonl)", "answers to prompts that the suite does not have",
         {{"bad.jsonl", R"~({"id":"sea","answer":"blue"}
)~"}},
         2, R"~(error: bad.jsonl: none of its 1 record is for a prompt of suite.yaml
hint: records name their prompt by its id in the suite)~"},
        {"score", R"(punie score suite.yaml bad.jsonl)", "a sample below 0",
         {{"bad.jsonl", R"~({"suite":"","prompt":"sky","sample":-1,"state":"answered","response":{}}
)~"}},
         2, R"~(error: bad.jsonl:1: `sample`: expected a whole number from 0)~"},
        {"score", R"(punie score suite.yaml bad.jsonl)", "a state that does not exist",
         {{"bad.jsonl", R"~({"suite":"","prompt":"sky","sample":0,"state":"done","response":{}}
)~"}},
         2, R"~(error: bad.jsonl:1: `state`: expected answered, cut, refused, failed or not_asked)~"},
        {"score", R"(punie score suite.yaml wrong.jsonl --threshold 1)", "a threshold that is missed",
         {{"wrong.jsonl", R"~({"id":"sky","answer":"It is blue."}
{"id":"sum","answer":"5"}
)~"}},
         1, R"~(wrong sum  the number should be 4, is 5
threshold missed: 50.0 % passed, at least 100.0 % was asked for)~"},
        {"score", R"(punie score gated.yaml wrong.jsonl)", "a gate of the suite that is missed",
         {{"gated.yaml", suite_text + "gates: {accuracy: '>= 0.8'}\n"}, {"wrong.jsonl", R"~({"id":"sky","answer":"grey"}
{"id":"sum","answer":"4"}
)~"}},
         1, R"~(gate missed: accuracy: 50.0 % is under 80.0 %)~"},
        {"score", R"(punie score suite.yaml failed.jsonl)", "a prompt without an answer",
         {{"failed.jsonl", R"~({"id":"sky","answer":"It is blue."}
{"id":"sum","error":"timeout"}
)~"}},
         1, R"~(incomplete: 1 of 2 have no answer (1 failed)
no answer sum  timeout)~"},
        {"compare", R"(punie compare)", "nothing to compare",
         {},
         2, R"~(error: variants is missing
hint: see punie compare --help)~"},
        {"compare", R"(punie compare a.jsonl)", "one variant",
         {},
         2, R"~(error: found 1 variant, expected two or more to compare)~"},
        {"compare", R"(punie compare a.jsonl none.jsonl)", "a file that is not there",
         {},
         2, R"~(error: none.jsonl: no such file)~"},
        {"compare", R"(punie compare a.jsonl data)", "a folder",
         {},
         2, R"~(error: data is a folder
hint: name the score file, or the responses.jsonl, in it)~"},
        {"compare", R"(punie compare a.jsonl b.jsonl)", "a word for a score",
         {{"b.jsonl", R"~({"prompt":"p0","score":1}
{"prompt":"p1","score":"high"}
)~"}},
         2, R"~(error: b.jsonl:2: "score": found "high", expected a number from 0 to 1 (or null for no answer))~"},
        {"compare", R"(punie compare a.jsonl b.jsonl)", "half a row",
         {{"b.jsonl", R"~({"prompt":"p0","score":1}
{"prompt":"p1",
)~"}},
         2, R"~(error: b.jsonl:2: column 16: not valid JSON: incomplete JSON)~"},
        {"compare", R"(punie compare a.jsonl b.jsonl)", "a score of 7",
         {{"b.jsonl", R"~({"prompt":"p0","score":7}
)~"}},
         2, R"~(error: b.jsonl:1: "score": found 7, expected a number from 0 to 1 (or null for no answer))~"},
        {"compare", R"(punie compare a.jsonl b.jsonl)", "a prompt twice",
         {{"b.jsonl", R"~({"prompt":"p0","score":1}
{"prompt":"p0","score":1}
)~"}},
         2, R"~(error: b.jsonl:2: prompt "p0" sample 0 is there twice
hint: number the samples of a prompt with "sample": 0, 1, 2)~"},
        {"compare", R"(punie compare a.jsonl b.jsonl)", "other prompts",
         {{"b.jsonl", R"~({"prompt":"q0","score":1}
)~"}},
         2, R"~(error: not comparable: a and b have no prompt in common ("p0", "p1", "p2" and 1 more in the one, "q0" in the other)
hint: variants are paired by the prompt's name)~"},
        {"compare", R"(punie compare a.jsonl b.jsonl)", "prompts missing on one side",
         {{"b.jsonl", R"~({"prompt":"p0","score":1}
)~"}},
         2, R"~(error: not comparable: b lacks 3 of 4 prompts ("p1", "p2", "p3")
hint: answer the missing prompts, or compare the common ones with --only-common)~"},
        {"compare", R"(punie compare a.jsonl b.jsonl)", "an empty file",
         {{"b.jsonl", ""}},
         2, R"~(error: b.jsonl: the file is empty, expected rows {"prompt": ..., "score": ...}, samples of lm-evaluation-harness, a JSON log of Inspect, an output of promptfoo, or responses.jsonl
hint: see docs/statistics.md for the formats)~"},
        {"compare", R"(punie compare a.jsonl b.csv)", "a table",
         {{"b.csv", R"~(prompt,score
p0,1
)~"}},
         2, R"~(error: b.csv: line 1, column 1: not valid JSON: syntax error, expected rows {"prompt": ..., "score": ...}, samples of lm-evaluation-harness, a JSON log of Inspect, an output of promptfoo, or responses.jsonl
hint: see docs/statistics.md for the formats)~"},
        {"compare", R"(punie compare a.jsonl answers.jsonl)", "answers that nobody has judged",
         {},
         2, R"~(error: answers.jsonl: answers that are not judged yet
hint: name the suite that judges them: --suite SUITE)~"},
        {"compare", R"(punie compare @baseline @last)", "runs, where there is no journal",
         {},
         2, R"~(error: @baseline: no such file, and there is no journal here
hint: name score files, or run `punie eval` first)~"},
        {"compare", R"(punie compare a.jsonl a.jsonl --baseline third)", "a variant that is not there",
         {},
         2, R"~(error: --baseline: no variant is named "third"
hint: the variants are a or a (2))~"},
        {"compare", R"(punie compare a.jsonl a.jsonl --no-regression speed)", "a category that no prompt has",
         {},
         2, R"~(error: no prompt has category "speed")~"},
        {"compare", R"(punie compare a.jsonl a.jsonl --threshold 60)", "a share of 60, where 0.6 is meant",
         {},
         2, R"~(error: --threshold: '60' was given; allowed is 0 to 1
hint: see punie compare --help)~"},
        {"compare", R"(punie compare a.jsonl a.jsonl --threshold 0.9)", "a threshold that is missed",
         {},
         1, R"~(failed    threshold: mean of a (2): found 50.0 %, required: 90.0 %)~"},
    };
}

// clang-format on

}  // namespace punie::cli::test
