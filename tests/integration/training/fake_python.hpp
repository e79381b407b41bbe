#pragma once
// A folder that looks like a virtual environment with mlx_lm: its `python` is a script that answers
// Punie's probe and hands the rest to fake-trainer. A tiny model and data to go with it.

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace punie::training {

namespace fs = std::filesystem;

namespace test {

inline void write_file(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
}

/// A .safetensors file of F32 zeros.
inline void write_tensors(
    const fs::path& file, const std::map<std::string, std::pair<int, int>>& tensors
) {
    std::string header = "{";
    std::size_t at = 0;
    for (const auto& [name, shape] : tensors) {
        const auto bytes =
            static_cast<std::size_t>(shape.first) * static_cast<std::size_t>(shape.second) * 4;
        header += fmt::format(
            R"({}"{}":{{"dtype":"F32","shape":[{},{}],"data_offsets":[{},{}]}})",
            at == 0 ? "" : ",",
            name,
            shape.first,
            shape.second,
            at,
            at + bytes
        );
        at += bytes;
    }
    header += "}";
    std::string length(8, '\0');
    for (int i = 0; i < 8; ++i)
        length[static_cast<std::size_t>(i)] = static_cast<char>((header.size() >> (8 * i)) & 0xFF);
    write_file(file, length + header + std::string(at, '\0'));
}

/// Llama-shaped, two layers; `width` inputs of the linears but for `odd` of one of them.
inline void write_model(const fs::path& folder, int width = 64, int odd = 0) {
    write_file(
        folder / "config.json",
        fmt::format(
            R"({{"model_type":"llama","hidden_size":{0},"intermediate_size":128,)"
            R"("num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,)"
            R"("head_dim":16,"vocab_size":300,"tie_word_embeddings":true}})",
            width
        )
    );
    std::map<std::string, std::pair<int, int>> tensors = {
        {"model.embed_tokens.weight", {300, width}}
    };
    for (int layer = 0; layer < 2; ++layer) {
        const auto name = [layer](std::string_view part) {
            return fmt::format("model.layers.{}.{}.weight", layer, part);
        };
        tensors[name("self_attn.q_proj")] = {64, width};
        tensors[name("self_attn.k_proj")] = {32, width};
        tensors[name("self_attn.v_proj")] = {32, width};
        tensors[name("self_attn.o_proj")] = {width, 64};
        tensors[name("mlp.gate_proj")] = {128, width};
        tensors[name("mlp.up_proj")] = {128, width};
        tensors[name("mlp.down_proj")] = {width, odd > 0 ? odd : 128};
    }
    write_tensors(folder / "model.safetensors", tensors);
}

/// An adapter of rank 8 on the query projection of the last layer.
inline void write_adapter(const fs::path& folder, int width = 64) {
    write_file(
        folder / "adapter_config.json",
        R"({"fine_tune_type":"lora","num_layers":1,"model":"m",)"
        R"("lora_parameters":{"rank":8,"scale":20.0,"dropout":0.0,"keys":["self_attn.q_proj"]}})"
    );
    write_tensors(
        folder / "adapters.safetensors",
        {{"model.layers.1.self_attn.q_proj.lora_a", {width, 8}},
         {"model.layers.1.self_attn.q_proj.lora_b", {8, 64}}}
    );
}

inline void write_data(const fs::path& folder, int rows = 41) {
    std::string text;
    for (int i = 0; i < rows; ++i)
        text += fmt::format(
            R"({{"messages":[{{"role":"user","content":"What is {0} and {0}?"}},)"
            R"({{"role":"assistant","content":"It is {1}, of course."}}]}})"
            "\n",
            i,
            2 * i
        );
    write_file(folder / "train.jsonl", text);
    text.clear();
    for (int i = 0; i < 8; ++i)
        text += fmt::format(
            R"({{"messages":[{{"role":"user","content":"Name the {}th letter, please."}},)"
            R"({{"role":"assistant","content":"{}"}}]}})"
            "\n",
            i + 1,
            static_cast<char>('A' + i)
        );
    write_file(folder / "valid.jsonl", text);
}

/// `arguments` go to fake-trainer; `environment` lines ("NAME=value") are set for all it runs.
/// mlx_lm fuse and convert copy the model; FAKE_COMPARE is what compare_models.py says,
/// FAKE_MAKE_FAILS what fuse and convert end with.
inline fs::path write_fake_python(
    const fs::path& folder, const std::string& arguments, const std::string& environment = ""
) {
    const auto probe = std::string(
        R"(PUNIE-PROBE{"mlx_lm_version": "0.32.2", "mlx_version": "0.32.4", )"
        R"("python_version": "3.11.7", "server_words": ["-m", "mlx_lm", "server"], )"
        R"("server_help": "", "lora_help": "", "training_callbacks": true, "model_types": ["llama"], )"
        R"("own_cache_types": [], "metal": false, "recommended_working_set": 0, "watched": []})"
    );
    const auto python = folder / "bin/python";
    write_file(
        python,
        fmt::format(
            "#!/bin/sh\n"
            "{2}\n"
            "case \"$1\" in\n"
            "*probe_mlx.py) cat <<'EOF'\n{0}\nEOF\n;;\n"
            "*train_launcher.py) shift; exec '{3}/fake-trainer' \"$@\" {1} ;;\n"
            "*compare_models.py) echo \"$FAKE_COMPARE\" ;;\n"
            "-m)\n"
            "  [ -n \"$FAKE_MAKE_FAILS\" ] && {{ echo \"$FAKE_MAKE_FAILS\"; exit 1; }}\n"
            "  while [ $# -gt 0 ]; do case \"$1\" in\n"
            "    --model|--hf-path) from=\"$2\" ;; --save-path|--mlx-path) to=\"$2\" ;;\n"
            "  esac; shift; done\n"
            "  mkdir -p \"$to\" && cp \"$from\"/* \"$to\"\n"
            "  echo '[INFO] Quantized model with 4.502 bits per weight.' ;;\n"
            "esac\n",
            probe,
            arguments,
            environment,
            PUNIE_FAKES_DIR
        )
    );
    ::chmod(python.c_str(), 0755);
    return folder;
}

}  // namespace test
}  // namespace punie::training
