#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "backend/backend.hpp"
#include "recorded.hpp"

namespace punie::backend {
namespace {

using process::ExitStatus;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

ServerConfig config_of(int port = 18432) {
    return *make_server_config(
        {.model_path = "/models/x", .port = port, .adapter_path = "/models/a"}
    );
}

// ---- recorded failures of mlx_lm.server 0.32.2

struct Failure {
    const char* recording;
    ErrorCode code;
    const char* says;
    const char* hint;
    bool lives_on;  ///< the process does not exit, so explain_log must see it
};

void PrintTo(const Failure& row, std::ostream* out) {
    *out << row.recording;
}

class RecordedFailure : public testing::TestWithParam<Failure> {};

TEST_P(RecordedFailure, IsExplained) {
    const auto lines = recorded_failure(GetParam().recording);
    ASSERT_THAT(lines, Not(IsEmpty()));
    const auto error = explain_exit(config_of(), {.code = 1}, lines);
    EXPECT_EQ(error.code(), GetParam().code) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(GetParam().says));
    EXPECT_THAT(error.hint(), HasSubstr(GetParam().hint));
    EXPECT_THAT(error.log_tail(), AllOf(Not(IsEmpty()), SizeIs(testing::Le(12U))));
    EXPECT_EQ(error.exit_status(), "exit code 1");
}

TEST_P(RecordedFailure, IsSeenInTheLogOfAServerThatLivesOn) {
    const auto error = explain_log(config_of(), recorded_failure(GetParam().recording));
    ASSERT_EQ(error.has_value(), GetParam().lives_on);
    if (!error) return;
    EXPECT_EQ(error->code(), GetParam().code) << error->message();
    EXPECT_THAT(error->message(), HasSubstr(GetParam().says));
    EXPECT_THAT(error->log_tail(), Not(IsEmpty()));
}

using enum ErrorCode;
const Failure failures[] = {
    {"port_in_use", port_in_use, "port 18432 is in use", "another port", true},
    {"addr_not_avail", invalid_argument, "is no address of this machine", "0.0.0.0", true},
    {"bad_host", invalid_argument, "cannot be resolved", "127.0.0.1", true},
    {"no_such_path", not_found, "/models/x does not exist", "org/name", true},
    {"no_such_repo", not_found, "hub cannot be reached", "network", true},
    {"empty_folder", model_invalid, "is not an MLX model", "mlx_lm.convert", true},
    {"no_weights", model_invalid, "No safetensors found", "mlx_lm.convert", true},
    {"bad_type", model_invalid, "Model type frobnicate not supported", "pip install -U", true},
    {"truncated", model_invalid, "exceeding the size of the file", "fetch", true},
    {"bad_safetensors", model_invalid, "Invalid json header", "fetch", true},
    {"bad_json", model_invalid, "Expecting value", "fetch", true},
    {"wrong_shape", model_invalid, "Expected shape (334, 128)", "convert it anew", true},
    {"missing_config_field", model_invalid, "hidden_size", "convert it anew", true},
    {"no_tokenizer", model_invalid, "no usable tokenizer", "tokenizer.json", true},
    {"no_adapter", not_found, "adapter_path: /models/a", "mlx_lm.lora", true},
    {"adapter_misfit", adapter_mismatch, "/models/a does not fit /models/x", "trained on", true},
    {"oom", out_of_memory, "ran out of memory", "smaller", true},
    {"enospc", disk_full, "no space left", "free some space", true},
    {"unknown_flag", unsupported, "--max-kv-size 5", "extra arguments", false},
    {"bad_value", invalid_argument, "--port: invalid int value: 'abc'", "correct", false},
    {"no_module", program_missing, "module mlx_lm is missing", "pip install mlx_lm", false},
    {"launcher_llama", unsupported, "'llama' makes its own key-value cache", "--kv-bits", false},
    {"launcher_port", port_in_use, "port 18432 is in use", "another port", false},
};
INSTANTIATE_TEST_SUITE_P(Table, RecordedFailure, testing::ValuesIn(failures), [](const auto& row) {
    return std::string(row.param.recording);
});

// ---- texts of other servers, from their sources, and of the system

struct Text {
    const char* name;
    const char* line;
    ErrorCode code;
};

void PrintTo(const Text& row, std::ostream* out) {
    *out << row.name;
}

class KnownText : public testing::TestWithParam<Text> {};

TEST_P(KnownText, HasItsCode) {
    const auto error =
        explain_exit(config_of(80), {.code = 1}, {"first line", GetParam().line, "last line"});
    EXPECT_EQ(error.code(), GetParam().code) << error.message();
    EXPECT_THAT(error.hint(), Not(IsEmpty()));
}

const Text texts[] = {
    {"mac_port", "OSError: [Errno 48] Address already in use", port_in_use},
    {"uvicorn_port",
     "ERROR: [Errno 98] error while attempting to bind on address: address already in use",
     port_in_use},
    {"llama_port", "couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 80", port_in_use},
    {"mac_address", "OSError: [Errno 49] Can't assign requested address", invalid_argument},
    {"low_port", "PermissionError: [Errno 13] Permission denied", invalid_argument},
    {"unreadable", "PermissionError: [Errno 13] Permission denied: '/models/x/config.json'", io},
    {"gated", "huggingface_hub.errors.GatedRepoError: 403 Client Error.", not_found},
    {"repository", "huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error.", not_found},
    {"bad_alloc", "terminate called after throwing an instance of 'std::bad_alloc'", out_of_memory},
    {"metal",
     "RuntimeError: [metal::malloc] Attempting to allocate 9 bytes which is greater than 8",
     out_of_memory},
    {"metal_command",
     "Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
     out_of_memory},
    {"cuda", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", out_of_memory
    },
    {"llama_memory",
     "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 9",
     out_of_memory},
    {"llama_flag", "error: invalid argument: --frobnicate", unsupported},
    {"llama_magic",
     "gguf_init_from_file: invalid magic characters: 'abcd', expected 'GGUF'",
     model_invalid},
    {"llama_truncated",
     "0.00.039.543 E llama_model_load: error loading model: tensor 'x' data is not within the file "
     "bounds, model is corrupted or incomplete",
     model_invalid},
    {"llama_variable",
     "error while handling environment variable \"LLAMA_ARG_THREADS\": stoi",
     invalid_argument},
    {"llama_lora",
     "0.00.9.1 E common_init_from_params: failed to apply lora adapter: tensor has incorrect shape",
     adapter_mismatch},
    {"libraries",
     "llama-server: error while loading shared libraries: libllama.so: cannot open",
     program_missing},
    {"other_module", "ModuleNotFoundError: No module named 'transformers'", program_missing},
    {"quota", "OSError: [Errno 122] Disk quota exceeded", disk_full},
    {"custom_code",
     "ValueError: The model at /m requires importing and running a custom module",
     unsupported},
};
INSTANTIATE_TEST_SUITE_P(Table, KnownText, testing::ValuesIn(texts), [](const auto& row) {
    return std::string(row.param.name);
});

TEST(ExplainExit, LeavesOutTheStampOfLlamaCppsLog) {
    const auto error = explain_exit(
        config_of(80), {.code = 1}, {"0.00.039.543 E llama_model_load: error loading model: odd"}
    );
    EXPECT_THAT(error.message(), testing::HasSubstr(": error loading model: odd"));
    EXPECT_THAT(error.message(), Not(testing::HasSubstr("0.00.039")));
}

// ---- by status alone

struct Ending {
    const char* name;
    ExitStatus status;
    ErrorCode code;
    const char* says;
};

void PrintTo(const Ending& row, std::ostream* out) {
    *out << row.name;
}

class Endings : public testing::TestWithParam<Ending> {};

TEST_P(Endings, AreExplained) {
    const auto error = explain_exit(config_of(), GetParam().status, {"loading", "still loading"});
    EXPECT_EQ(error.code(), GetParam().code);
    EXPECT_THAT(error.message(), HasSubstr(GetParam().says));
    EXPECT_THAT(error.log_tail(), testing::ElementsAre("loading", "still loading"));
}

const Ending endings[] = {
    {"killed", {.signal = SIGKILL}, out_of_memory, "Punie did not send"},
    {"killed_in_a_shell", {.code = 137}, out_of_memory, "memory runs out"},
    {"segfault", {.signal = SIGSEGV}, exited, "crashed"},
    {"abort", {.signal = SIGABRT}, exited, "gave up"},
    {"illegal", {.signal = SIGILL}, exited, "crashed"},
    {"terminated", {.signal = SIGTERM}, exited, "ended by signal 15"},
    {"by_itself", {.code = 0}, exited, "by itself"},
    {"not_run", {.code = 127}, program_missing, "could not be run"},
    {"unknown", {.code = 3}, exited, "exit code 3: still loading"},
};
INSTANTIATE_TEST_SUITE_P(Table, Endings, testing::ValuesIn(endings), [](const auto& row) {
    return std::string(row.param.name);
});

TEST(ExplainExit, ASignalOnRequestIsNotBlamedOnTheLog) {
    const auto error = explain_exit(config_of(), {.signal = SIGTERM}, {"MemoryError"});
    EXPECT_EQ(error.code(), exited);
}

TEST(ExplainExit, WithoutALogThereIsStillAMessage) {
    const auto error = explain_exit(config_of(), {.code = 1}, {});
    EXPECT_EQ(error.message(), "the server ended with exit code 1");
    EXPECT_THAT(error.log_tail(), IsEmpty());
}

TEST(ExplainExit, HostileLinesAreMadePrintable) {
    const auto error = explain_exit(config_of(), {.code = 1}, {"\x1b[31mred\x07\xff"});
    EXPECT_THAT(error.message(), AllOf(HasSubstr("red"), Not(HasSubstr("\x1b"))));
}

// ---- a server that lives on

TEST(ExplainLog, NothingWhileItLoads) {
    EXPECT_FALSE(explain_log(config_of(), {}));
    EXPECT_FALSE(explain_log(config_of(), {"INFO - Starting httpd at 127.0.0.1 on port 8080..."}));
}

TEST(ExplainLog, ATracebackOfARequestIsNoFailure) {
    EXPECT_FALSE(explain_log(
        config_of(),
        {"Exception occurred during processing of request from ('127.0.0.1', 5)",
         "Traceback (most recent call last):",
         "  File \"/usr/lib/python3.11/socketserver.py\", line 691, in process_request_thread",
         "    self.finish_request(request, client_address)",
         "huggingface_hub.errors.CacheNotFound: Cache directory not found: /root/.cache"}
    ));
}

TEST(ExplainLog, WaitsForTheEndOfATraceback) {
    auto lines = recorded_failure("oom");
    while (!lines.empty() && lines.back() != "MemoryError") lines.pop_back();
    ASSERT_FALSE(lines.empty());
    lines.pop_back();
    EXPECT_FALSE(explain_log(config_of(), lines));
    lines.emplace_back("MemoryError");
    EXPECT_TRUE(explain_log(config_of(), lines));
}

TEST(ExplainLog, AnUnknownReasonIsQuoted) {
    const auto error = explain_log(
        config_of(),
        {"2026-01-01 - ERROR - mlx_lm.server generation thread died: the moon is full",
         "Traceback (most recent call last):",
         "  File \"x\", line 1, in y",
         "RuntimeError: the moon is full"}
    );
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), exited);
    EXPECT_EQ(error->message(), "mlx_lm.server cannot load the model: the moon is full");
}

TEST(ExplainLog, AnInterruptIsNoFailure) {
    EXPECT_FALSE(explain_log(
        config_of(),
        {"Traceback (most recent call last):",
         "  File \"<frozen runpy>\", line 198, in _run_module_as_main",
         "KeyboardInterrupt"}
    ));
}

TEST(ExplainLog, OtherServersExitThemselves) {
    const auto llama = make_server_config({.backend = BackendKind::llama, .model_path = "/m.gguf"});
    EXPECT_FALSE(explain_log(*llama, recorded_failure("port_in_use")));
}

}  // namespace
}  // namespace punie::backend
