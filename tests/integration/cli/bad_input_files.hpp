#pragma once
// The files that the rows of docs/bad-input.md find in their folder.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace punie::cli::test {

using Files = std::vector<std::pair<std::string, std::string>>;  ///< name, bytes

/// A row of the page: what is typed, in a folder with which files, and what Punie says.
struct BadInput {
    std::string group;    ///< the page's section
    std::string command;  ///< as typed
    std::string given;    ///< in words, for the page
    Files files;          ///< beside those of `common_files`
    int code = 0;
    std::string says;  ///< lines in their order; … stands for the folder
};

using Shapes = std::vector<std::pair<std::string, std::pair<int, int>>>;

inline constexpr int width = 8;
inline constexpr auto* layer = "model.layers.0";

/// A safetensors file of zeros.
inline std::string safetensors(const Shapes& shapes) {
    json::object header;
    std::size_t at = 0;
    for (const auto& [name, shape] : shapes) {
        const auto bytes = sizeof(float) * static_cast<std::size_t>(shape.first * shape.second);
        header[name] = {
            {"dtype", "F32"},
            {"shape", {shape.first, shape.second}},
            {"data_offsets", {at, at + bytes}}
        };
        at += bytes;
    }
    const auto text = to_text(header);
    std::string file;
    for (unsigned byte = 0; byte < 8; ++byte)
        file.push_back(static_cast<char>((text.size() >> (8 * byte)) & 0xFFU));
    return file + text + std::string(at, '\0');
}

inline std::string lora_config() {
    return R"({"fine_tune_type":"lora","num_layers":1,"lora_parameters":{"rank":8,"scale":20.0,"dropout":0.0}})";
}

inline std::string lora(int inputs) {
    const auto name = fmt::format("{}.self_attn.q_proj.", layer);
    return safetensors({{name + "lora_a", {inputs, 8}}, {name + "lora_b", {8, inputs}}});
}

inline std::string scores() {
    std::string text;
    for (int prompt = 0; prompt < 4; ++prompt)
        text += fmt::format("{{\"prompt\":\"p{}\",\"score\":{}}}\n", prompt, prompt % 2);
    return text;
}

inline const std::string suite_text = R"(suite: home
prompts:
  - id: sky
    prompt: What colour is the sky?
    expect: [{contains: blue}]
  - id: sum
    prompt: What is 2 and 2?
    expect: [{number: 4}]
)";

inline const std::string model_config =
    R"({"model_type":"llama","hidden_size":8,"intermediate_size":16,"num_hidden_layers":1,"num_attention_heads":2,"vocab_size":4})";

/// Chat rows with these numbers, from up to below.
inline std::string good_rows(int from, int below) {
    std::string rows;
    for (int row = from; row < below; ++row)
        rows += fmt::format(
            R"({{"messages":[{{"role":"user","content":"Why {0}?"}},{{"role":"assistant","content":"Because of {0}."}}]}})"
            "\n",
            row
        );
    return rows;
}

inline std::string without_a_quote(std::string rows) {
    return rows.erase(rows.find('"'), 1);
}

inline std::string with_a_misspelled_role(std::string rows) {
    return rows.erase(rows.find("assistant") + 1, 1);
}

/// Safetensors that fit `model_config`.
inline std::string model_weights() {
    Shapes shapes = {{"model.embed_tokens.weight", {4, width}}};
    for (const auto* name : {"q_proj", "k_proj", "v_proj", "o_proj"})
        shapes.push_back({fmt::format("{}.self_attn.{}.weight", layer, name), {width, width}});
    for (const auto* name : {"gate_proj", "up_proj"})
        shapes.push_back({fmt::format("{}.mlp.{}.weight", layer, name), {2 * width, width}});
    shapes.push_back({fmt::format("{}.mlp.down_proj.weight", layer), {width, 2 * width}});
    return safetensors(shapes);
}

inline std::string gguf_bytes() {
    return std::string("GGUF\x03\0\0\0", 8) + std::string(64, '\0');
}

inline std::string no_database() {
    std::string text;
    while (text.size() < 1000) text += "this is no database, but a text of some length\n";
    return text;
}

/// An adapter in `misfit`, made for a model that is twice as wide.
inline Files misfit_adapter() {
    return {
        {"misfit/adapter_config.json", lora_config()},
        {"misfit/adapters.safetensors", lora(2 * width)}
    };
}

/// What the page says that is there: tiny, adapter, data, suite.yaml, answers.jsonl, a.jsonl.
inline Files common_files() {
    return {
        {"tiny/config.json", model_config},
        {"tiny/model.safetensors", model_weights()},
        {"tiny/tokenizer_config.json", R"({"chat_template":"{{ messages }}"})"},
        {"tiny/tokenizer.json", "{}"},
        {"adapter/adapter_config.json", lora_config()},
        {"adapter/adapters.safetensors", lora(width)},
        {"data/train.jsonl", good_rows(0, 8)},
        {"data/valid.jsonl", good_rows(20, 24)},
        {"suite.yaml", suite_text},
        {"answers.jsonl",
         "{\"id\":\"sky\",\"answer\":\"It is blue.\"}\n{\"id\":\"sum\",\"answer\":\"4\"}\n"},
        {"a.jsonl", scores()}
    };
}

}  // namespace punie::cli::test
