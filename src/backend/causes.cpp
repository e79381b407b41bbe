// Every text here was printed by a real server (mlx_lm.server 0.32.2, see
// tests/unit/backend/recorded/failures/) or stands in the sources of llama.cpp, vLLM or MLX; a new
// cause is a new row.

#include "backend/causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/ascii.hpp"
#include "base/text.hpp"
#include "process/system.hpp"

namespace punie::backend {

namespace {

/// Where a cause was seen: the line, and what stands after the needle.
struct Seen {
    const ServerConfig& config;
    std::string_view line;
    std::string_view rest;
};

using Explain = Error (*)(const Seen&);

struct Cause {
    std::string_view needle;  ///< compared without regard to case
    Explain explain;
};

std::string server_of(const ServerConfig& config) {
    switch (config.backend()) {
        case BackendKind::mlx:
            return "mlx_lm.server";
        case BackendKind::llama:
            return "llama-server";
        case BackendKind::vllm:
            return "vllm";
        case BackendKind::openai:
            break;
    }
    return "the server";
}

std::string model_of(const Seen& seen) {
    return printable(seen.config.model_path());
}

/// The exception's own words: the line from its last "Error: " on, else the whole line.
/// "0.00.039.543 E llama_model_load: no such tensor" without what llama.cpp's log puts in front.
std::string_view without_stamp(std::string_view line) {
    const auto stamp = line.find_first_not_of("0123456789.");
    const bool stamped = stamp != std::string_view::npos && stamp > 0 && line[stamp] == ' ' &&
                         line.size() > stamp + 3 && line[stamp + 2] == ' ';
    if (!stamped) return line;
    line.remove_prefix(stamp + 3);
    const auto colon = line.find(": ");
    const auto name = line.substr(0, colon);
    return colon == std::string_view::npos || name.contains(' ') ? line : line.substr(colon + 2);
}

std::string words_of(std::string_view line) {
    line = without_stamp(trim(line));
    const auto at = line.find("Error: ");
    return printable(trim(at == std::string_view::npos ? line : line.substr(at + 7)));
}

Error because(ErrorCode code, std::string message, std::string hint = {}) {
    return Error(code, std::move(message)).with_hint(std::move(hint));
}

// ---- listening

Error port_taken(const Seen& seen) {
    const auto port = seen.config.port();
    const auto holder = process::port_holder(port);
    std::string who = "by another process";
    if (holder && holder->pid > 0)
        who = fmt::format("by process {} ({})", holder->pid, printable(holder->program));
    return because(
        ErrorCode::port_in_use,
        fmt::format("port {} is in use {}", port, who),
        "end that process, choose another port, or port 0 for a free one"
    );
}

Error address_not_ours(const Seen& seen) {
    return because(
        ErrorCode::invalid_argument,
        fmt::format("host: {} is no address of this machine", seen.config.host()),
        "use 127.0.0.1 (this machine only) or 0.0.0.0 (all its addresses)"
    );
}

Error host_unknown(const Seen& seen) {
    return because(
        ErrorCode::invalid_argument,
        fmt::format("host: the name {} cannot be resolved to an address", seen.config.host()),
        "use 127.0.0.1 (this machine only) or 0.0.0.0 (all its addresses)"
    );
}

Error not_permitted(const Seen& seen) {
    const auto port = seen.config.port();
    if (port > 0 && port < 1024 && seen.line.find("denied: '") == std::string_view::npos) {
        return because(
            ErrorCode::invalid_argument,
            fmt::format("port: {} was given; ports below 1024 need special rights", port),
            "choose a port from 1024 on"
        );
    }
    return because(
        ErrorCode::io,
        fmt::format(
            "{} may not read or write a file: {}", server_of(seen.config), words_of(seen.line)
        ),
        "check the owner and mode of the model's files and of the cache folder"
    );
}

// ---- the program itself

Error module_missing(const Seen& seen) {
    const auto name = std::string(trim(seen.rest.substr(0, seen.rest.find(';'))));
    std::string module;
    std::ranges::copy_if(name, std::back_inserter(module), [](char c) { return c != '\''; });
    return because(
        ErrorCode::program_missing,
        fmt::format(
            "the Python module {} is missing from the installation of {}",
            module,
            server_of(seen.config)
        ),
        fmt::format("install it into the same virtual environment: pip install {}", module)
    );
}

Error broken_program(const Seen& seen) {
    return because(
        ErrorCode::program_missing,
        fmt::format(
            "the installation of {} is broken: {}",
            server_of(seen.config),
            printable(trim(seen.line))
        ),
        "make its virtual environment anew; `punie doctor` tells which one is used"
    );
}

Error unknown_flag(const Seen& seen) {
    return because(
        ErrorCode::unsupported,
        fmt::format(
            "{} does not know the argument {}", server_of(seen.config), printable(trim(seen.rest))
        ),
        "leave it out of the extra arguments, or install a version that knows it"
    );
}

Error bad_value(const Seen& seen) {
    return because(
        ErrorCode::invalid_argument,
        fmt::format(
            "{} refuses a value: argument {}", server_of(seen.config), printable(trim(seen.rest))
        ),
        "correct the extra arguments"
    );
}

Error bad_variable(const Seen& seen) {
    return because(
        ErrorCode::invalid_argument,
        fmt::format(
            "{} refuses a variable of its environment: {}",
            server_of(seen.config),
            words_of(seen.line)
        ),
        "correct or unset it"
    );
}

Error no_effect(const Seen& seen) {
    return because(
        ErrorCode::unsupported,
        fmt::format("max_kv_size{}", printable(seen.rest)),
        "leave max_kv_size out and bound the memory otherwise: max_tokens, the extra arguments "
        "--kv-bits 8 or "
        "--prompt-cache-bytes, or a qwen2, qwen3, mistral3 or phi3 model"
    );
}

// ---- the machine

Error disk_full(const Seen& seen) {
    return because(
        ErrorCode::disk_full,
        fmt::format("no space left on a disk that {} writes to", server_of(seen.config)),
        "free some space: the hub cache (~/.cache/huggingface) is often the largest"
    );
}

Error no_memory(const Seen& seen) {
    return because(
        ErrorCode::out_of_memory,
        fmt::format(
            "{} ran out of memory with the model {}", server_of(seen.config), model_of(seen)
        ),
        "close other programs, or take a smaller or more strongly quantised model or a shorter "
        "context"
    );
}

// ---- the model

Error no_such_path(const Seen& seen) {
    return because(
        ErrorCode::not_found,
        fmt::format("model_path: {} does not exist", model_of(seen)),
        "name a model folder, or a repository as org/name"
    );
}

Error no_such_repository(const Seen& seen) {
    return because(
        ErrorCode::not_found,
        fmt::format("model_path: the model hub has no {} for you", model_of(seen)),
        "check the name; a private or gated model needs HF_TOKEN in the environment"
    );
}

Error hub_out_of_reach(const Seen& seen) {
    return because(
        ErrorCode::not_found,
        fmt::format(
            "model_path: {} is not on this machine and the model hub cannot be reached",
            model_of(seen)
        ),
        "check the name and the network, or name a local model folder"
    );
}

Error unknown_type(const Seen& seen) {
    return because(
        ErrorCode::model_invalid,
        fmt::format("model_path: {}: {}", model_of(seen), words_of(seen.line)),
        "a newer mlx-lm may know this architecture (pip install -U mlx-lm)"
    );
}

Error not_mlx(const Seen& seen) {
    return because(
        ErrorCode::model_invalid,
        fmt::format("model_path: {} is not an MLX model: {}", model_of(seen), words_of(seen.line)),
        "an MLX model folder has config.json, model*.safetensors and tokenizer files; "
        "mlx_lm.convert makes one"
    );
}

Error damaged(const Seen& seen) {
    return because(
        ErrorCode::model_invalid,
        fmt::format(
            "model_path: the files of {} are damaged: {}", model_of(seen), words_of(seen.line)
        ),
        "fetch the model again"
    );
}

Error files_disagree(const Seen& seen) {
    return because(
        ErrorCode::model_invalid,
        fmt::format(
            "model_path: config.json and weights of {} do not fit: {}",
            model_of(seen),
            words_of(seen.line)
        ),
        "fetch the model again, or convert it anew with this version of mlx_lm"
    );
}

Error no_tokenizer(const Seen& seen) {
    return because(
        ErrorCode::model_invalid,
        fmt::format("model_path: {} has no usable tokenizer", model_of(seen)),
        "copy tokenizer.json and tokenizer_config.json of the original model into the folder"
    );
}

Error own_code(const Seen& seen) {
    return because(
        ErrorCode::unsupported,
        fmt::format("model_path: {} brings code of its own", model_of(seen)),
        "if you trust it, give the extra argument --trust-remote-code"
    );
}

Error not_gguf(const Seen& seen) {
    return because(
        ErrorCode::model_invalid,
        fmt::format(
            "model_path: llama-server cannot load {}: {}", model_of(seen), words_of(seen.line)
        ),
        "it needs a GGUF file of an architecture that it knows; a newer llama.cpp may know it"
    );
}

// ---- the adapter

Error no_adapter(const Seen& seen) {
    return because(
        ErrorCode::not_found,
        fmt::format("adapter_path: {} does not exist", printable(seen.config.adapter_path())),
        "name the folder that mlx_lm.lora wrote"
    );
}

Error adapter_misfit(const Seen& seen) {
    return because(
        ErrorCode::adapter_mismatch,
        fmt::format(
            "adapter_path: {} does not fit {}",
            printable(seen.config.adapter_path()),
            model_of(seen)
        ),
        "serve the model that it was trained on"
    );
}

/// In order of trust: a row that says more stands before a row that its traceback would match too.
constexpr std::array causes = {
    Cause{"punie: max_kv_size", no_effect},
    Cause{
        "ValueError: Model type ", unknown_type
    },  // its traceback begins with a ModuleNotFoundError
    Cause{"ModuleNotFoundError: No module named ", module_missing},
    Cause{": No module named ", module_missing},
    Cause{"error while loading shared libraries", broken_program},
    Cause{"Library not loaded", broken_program},
    Cause{"Fatal Python error: init", broken_program},
    Cause{"bad interpreter", broken_program},
    Cause{"ImportError: ", broken_program},
    Cause{"error: unrecognized arguments: ", unknown_flag},
    Cause{"error: invalid argument: ", unknown_flag},
    Cause{"error: argument ", bad_value},
    Cause{"error while handling argument ", bad_value},
    Cause{"No space left on device", disk_full},
    Cause{"Disk quota exceeded", disk_full},
    Cause{"MemoryError", no_memory},
    Cause{"std::bad_alloc", no_memory},
    Cause{"[metal::malloc]", no_memory},
    Cause{"[malloc", no_memory},
    Cause{"Insufficient Memory", no_memory},
    Cause{"ErrorOutOfMemory", no_memory},
    Cause{"Cannot allocate memory", no_memory},
    Cause{"OutOfMemoryError", no_memory},
    Cause{"CUDA out of memory", no_memory},
    Cause{"failed to allocate buffer", no_memory},
    Cause{"unable to allocate", no_memory},
    Cause{"address already in use", port_taken},
    Cause{"Cannot assign requested address", address_not_ours},
    Cause{"Can't assign requested address", address_not_ours},
    Cause{"The adapter path does not exist", no_adapter},
    Cause{"contains incompatible tensors", adapter_misfit},
    Cause{"failed to apply lora adapter", adapter_misfit},
    Cause{"failed to load lora adapter", adapter_misfit},
    Cause{"LoRA config is missing required key", adapter_misfit},
    Cause{"Permission denied: '", not_permitted},
    Cause{"Repo id must be in the form", no_such_path},
    Cause{"RepositoryNotFoundError", no_such_repository},
    Cause{"GatedRepoError", no_such_repository},
    Cause{"401 Client Error", no_such_repository},
    Cause{"404 Client Error", no_such_repository},
    Cause{"LocalEntryNotFoundError", hub_out_of_reach},
    Cause{"trying to locate the files on the Hub", hub_out_of_reach},
    Cause{"OfflineModeIsEnabled", hub_out_of_reach},
    Cause{"socket.gaierror: ", host_unknown},
    Cause{"No safetensors found in ", not_mlx},
    Cause{"config.json'", not_mlx},
    Cause{"[load_safetensors]", damaged},
    Cause{"SafetensorError", damaged},
    Cause{"json.decoder.JSONDecodeError: ", damaged},
    Cause{"ValueError: Expected shape ", files_disagree},
    Cause{"parameters not in model", files_disagree},
    Cause{"ValueError: Missing ", files_disagree},
    Cause{"TypeError: ModelArgs.__init__() missing ", files_disagree},
    Cause{"instantiate the backend tokenizer", no_tokenizer},
    Cause{"requires importing and running a custom module", own_code},
    Cause{"couldn't bind HTTP server socket", port_taken},
    Cause{"not within the file bounds", damaged},
    Cause{"failed to read key-value pairs", damaged},
    Cause{"failed to read header", damaged},
    Cause{"error while handling environment variable", bad_variable},
    Cause{"invalid magic characters", not_gguf},
    Cause{"error loading model", not_gguf},
    Cause{"failed to open GGUF file", not_gguf},
    Cause{"failed to load model", not_gguf},
    Cause{"Permission denied", not_permitted},
};

/// Position after the first occurrence of `needle`, ASCII case ignored; npos if there is none.
std::size_t after(std::string_view line, std::string_view needle) {
    const auto same = [](char a, char b) { return lower(a) == lower(b); };
    const auto found = std::ranges::search(line, needle, same);
    if (found.empty()) return std::string_view::npos;
    return static_cast<std::size_t>(found.end() - line.begin());
}

}  // namespace

std::optional<Error> known_cause(const ServerConfig& config, std::span<const std::string> lines) {
    for (const auto& cause : causes) {
        for (std::size_t i = lines.size(); i-- > 0;) {  // the newest line tells best
            const std::string_view line = lines[i];
            const auto end = after(line, cause.needle);
            if (end != std::string_view::npos)
                return cause.explain({config, line, line.substr(end)});
        }
    }
    return std::nullopt;
}

}  // namespace punie::backend
