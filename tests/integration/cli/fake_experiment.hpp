#pragma once
// An experiment over fakes, whole: a script that stands for the python of a venv with mlx_lm plays
// trainer, fuse, convert and server. Every server keeps what it answered in a log.

#include <sys/stat.h>

#include <map>
#include <set>
#include <string>

#include "base/files.hpp"
#include "base/json.hpp"
#include "eval/record.hpp"
#include "integration/training/fake_python.hpp"
#include "journal/journal.hpp"

namespace punie::cli::test {

namespace fs = std::filesystem;
namespace fake = training::test;

inline constexpr int experiment_prompts = 24;

/// "@"-words of `text` replaced.
inline std::string filled(std::string text, const std::map<std::string, std::string>& words) {
    for (const auto& [word, value] : words) {
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at))
            text.replace(at, word.size(), value);
    }
    return text;
}

inline std::string probe_answer() {
    const auto help =
        read_text(PUNIE_SOURCE_DIR "/tests/unit/backend/recorded/mlx_lm_server_0.32.2.txt");
    return to_text(json::object{
        {"mlx_lm_version", "0.32.2"},
        {"mlx_version", "0.32.4"},
        {"python_version", "3.11.7"},
        {"server_words", json::array{"-m", "mlx_lm", "server"}},
        {"server_help", help.value_or("")},
        {"lora_help", ""},
        {"training_callbacks", true},
        {"model_types", json::array{"llama"}},
        {"own_cache_types", json::array{}},
        {"metal", false},
        {"recommended_working_set", 0},
        {"watched", json::array{}}
    });
}

/// The server of a variant answers by its own rules and logs what it sent whole to
/// @W/log/VARIANT. A training ends with an adapter that fits the model; the fused model keeps what
/// the adapter knows.
constexpr std::string_view python_script = R"sh(#!/bin/sh
case "$1" in
*probe_mlx.py) cat '@W/probe' ;;
*training_callback.py) shift; exec '@FAKES/fake-trainer' "$@" --iters 2 --iteration-ms 10 ;;
*train_launcher.py)
  shift
  '@FAKES/fake-trainer' "$@" --iteration-ms 4 || exit $?
  for word in "$@"; do case "$word" in *punie_training.json)
    to=$(sed -n 's/.*"adapter_path":"\([^"]*\)".*/\1/p' "$word")
    for file in adapter_config.json adapters.safetensors; do
      cp "@W/adapter/$file" "$to/$file.tmp" && mv "$to/$file.tmp" "$to/$file"
    done
  esac; done ;;
*compare_models.py)
  sleep 0.05
  echo '{"prompts":8,"agree":8,"adapter_to_fused":0.001,"adapter_to_base":0.5,"fused_to_base":0.5,"largest":0.002}' ;;
-m)
  rules=base name=base program="$3"
  for word in "$@"; do
    case "$before" in
    --model|--hf-path) from="$word" ;;
    --save-path|--mlx-path) to="$word" ;;
    --adapter-path) rules=tuned name=$(basename "$word") ;;
    esac
    before="$word"
  done
  case "$from" in */models/*) rules=tuned name=$(basename "$from") ;; esac
  if [ "$program" = server ]; then
    log="@W/log/${name%-????????}"
    exec '@FAKES/fake-eval-server' "$@" --rules "@W/rules.$rules" --log "$log" --delay-ms 5
  fi
  mkdir -p "$to"
  for file in "$from"/*; do sleep 0.02; cp "$file" "$to"; done
  echo '[INFO] Quantized model with 4.502 bits per weight.' ;;
esac
)sh";

constexpr std::string_view experiment_file = R"(experiment: killed
model: model
suite: suite.yaml
data: data
out: out
report: report.html
mlx_lm: python
feasibility: {iterations: 2}
variants:
  - base
  - name: tuned
    train: {iters: 40, batch_size: 4, num_layers: 1, steps_per_report: 1, save_every: 5, steps_per_eval: 10, keep: last}
  - name: fused
    fuse: tuned
    evaluate: false
  - name: small
    quantise: fused
    bits: 4
evaluate: {repeats: 2, max_tokens: 32, temperature: 0.5, seed: 1, concurrency: 4}
)";

inline std::string suite_text() {
    std::string text = "suite: killed\nprompts:\n";
    for (int i = 0; i < experiment_prompts; ++i)
        text += fmt::format(
            "  - {{id: p{0:02}, group: g{1}, category: c{2}, prompt: \"Capital of country {0}?\", "
            "expect: [{{contains: right}}]}}\n",
            i,
            i / 3,
            i % 2
        );
    return text;
}

/// The model knows every fourth capital, with the adapter all but every eighth.
inline std::string rules_text(int every, bool known) {
    std::string text;
    for (int i = 0; i < experiment_prompts; ++i)
        text += fmt::format(
            "{{\"contains\": \"country {}?\", \"content\": \"That is {}.\"}}\n",
            i,
            (i % every == 0) == known ? "right" : "wrong"
        );
    return text;
}

/// All that the experiment needs, in `folder`.
inline void write_experiment(const fs::path& folder) {
    const std::map<std::string, std::string> words = {
        {"@FAKES", PUNIE_FAKES_DIR}, {"@W", folder.native()}
    };
    const auto python = folder / "python/bin/python";
    fake::write_file(python, filled(std::string(python_script), words));
    ::chmod(python.c_str(), 0755);
    fake::write_file(folder / "probe", "PUNIE-PROBE" + probe_answer() + "\n");
    fake::write_model(folder / "model");
    fake::write_adapter(folder / "adapter");
    fake::write_data(folder / "data");
    fake::write_file(folder / "suite.yaml", suite_text());
    fake::write_file(folder / "rules.base", rules_text(4, true));
    fake::write_file(folder / "rules.tuned", rules_text(8, false));
    fake::write_file(folder / "experiment.yaml", std::string(experiment_file));
    fs::create_directories(folder / "log");
}

using Bodies = std::map<std::string, std::multiset<std::string>>;  // of requests, by variant

/// Requests that the servers answered, but for those that ask whether it is ready.
inline Bodies answered(const fs::path& folder) {
    Bodies bodies;
    for (const auto& file : fs::directory_iterator(folder / "log")) {
        auto& of_variant = bodies[file.path().filename().string()];
        std::ifstream lines(file.path());
        for (std::string line; std::getline(lines, line);) {
            if (line.find("Capital of") != std::string::npos) of_variant.insert(line);
        }
    }
    return bodies;
}

/// Requests whose answers Punie has stored, whole lines only.
inline Bodies stored(const fs::path& folder) {
    Bodies bodies;
    std::error_code none_yet;
    if (!fs::exists(folder / "journal/journal.db", none_yet)) return bodies;
    auto journal = journal::Journal::open(folder / "journal");
    EXPECT_TRUE(journal) << journal.error().describe();
    if (!journal) return bodies;
    const auto runs = journal->list({.kind = "eval"});
    EXPECT_TRUE(runs) << runs.error().describe();
    if (!runs) return bodies;
    for (const auto& run : *runs) {
        std::ifstream lines(folder / "journal/runs" / run.id / "responses.jsonl");
        for (std::string line; std::getline(lines, line) && !lines.eof();) {
            const auto record = eval::parse_record(line);
            EXPECT_TRUE(record) << run.id << ": " << line;
            if (record && record->state == eval::SampleState::answered)
                bodies[run.name].insert(to_text(record->request));
        }
    }
    return bodies;
}

}  // namespace punie::cli::test
