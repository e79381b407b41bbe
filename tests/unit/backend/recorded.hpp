#pragma once
// Texts that real programs printed.

#include <punie/server_command.hpp>

#include <string>
#include <vector>

#include "backend/flags.hpp"
#include "base/files.hpp"
#include "base/text.hpp"

namespace punie::backend {

inline std::string recorded(const std::string& name) {
    const auto text =
        read_text(std::string(PUNIE_SOURCE_DIR "/tests/unit/backend/recorded/") + name);
    return text.value_or("");
}

inline std::vector<std::string> recorded_failure(const std::string& name) {
    return split_lines(recorded("failures/" + name + ".log"));
}

inline ServerCapabilities mlx_can() {
    ServerCapabilities can;
    can.backend = BackendKind::mlx;
    can.python = {"/venv/bin/python"};
    can.program = {"/venv/bin/python", "-m", "mlx_lm", "server"};
    can.version = "0.32.2";
    can.flags = flags_of_help(recorded("mlx_lm_server_0.32.2.txt"));
    can.kv_launcher = "/cache/server_launcher.py";
    can.own_cache_types = {"llama"};
    return can;
}

inline ServerCapabilities llama_can() {
    ServerCapabilities can;
    can.backend = BackendKind::llama;
    can.program = {"/usr/bin/llama-server"};
    can.version = "9000 (abcdef)";
    can.flags = flags_of_help(recorded("llama_server_0.3.36.txt"));
    return can;
}

inline ServerCapabilities vllm_can() {
    ServerCapabilities can;
    can.backend = BackendKind::vllm;
    can.program = {"/venv/bin/vllm", "serve"};
    can.version = "0.33.0";
    can.flags = flags_of_help(recorded("vllm_serve_0.33.0.txt"));
    return can;
}

}  // namespace punie::backend
