#pragma once
// What the fake model server is told to do: by flags, and by the same flags in the environment
// variable FAKE_SERVER_ARGS (separated by spaces; %20 in a value stands for a space), so that a
// command line built by a backend need not know them. Flags that are not listed here are ignored,
// with or without a value: the fake stands in for mlx_lm.server, llama-server and others.

#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fake {

struct Options {
    // What the real servers take.
    std::string host = "127.0.0.1";
    long port = 8080;  // 0: the kernel's choice, announced
    std::string model = "default_model";
    std::string adapter;

    // Loading and listening.
    long load_ms = 0;          // listens at once, completions wait (mlx_lm.server)
    long load_503_ms = 0;      // answers 503 while loading (llama-server)
    long listen_after_ms = 0;  // bound at once ("bound to PORT"), refuses connections until then
    bool health_before_load = false;  // with load_503_ms: /health says 200 all the same
    bool never_ready = false;         // completions are accepted and never answered
    bool hang_health = false;
    long wrong_port = -1;  // listens there instead of at `port`

    // How it ends.
    long exit_code = -1;      // at once, after what is printed
    long exit_after_ms = -1;  // with exit code 1, or the signal of die_by_signal
    long die_by_signal = 0;   // at once, or at the moment of exit_after_ms or die_before_listen
    bool die_before_listen = false;
    long crash_on_request = 0;  // the Nth completion ends the process by SIGSEGV
    bool ignore_sigterm = false;
    bool stop_self = false;  // SIGSTOP once it listens

    // Processes.
    bool fork_grandchild = false;  // one child in the same group that sleeps for ever
    bool double_fork =
        false;  // a daemon in its own session that sleeps for ever, holding our output open
    bool fork_real_server = false;    // this process only waits for a child, which serves
    bool exec_wrapper_exits = false;  // this process exits 0, its child serves in its own session

    // Output.
    std::string print;       // to stderr before anything else
    std::string print_file;  // likewise, a file's content
    std::string help_file;   // what --help prints
    long flood_bytes = 0;
    bool flood_forever = false;
    bool no_newline = false;
    bool invalid_utf8 = false;
    bool close_output = false;  // stdout and stderr, once it listens
    long alloc_mb = 0;

    // Answers.
    std::string answer = "The capital of France is Paris.";
    std::string reasoning;   // sent as `reasoning` before the answer
    std::string api_key;     // asked for, else 401
    std::string error_body;  // of an error status, instead of {"error": {"message": ...}}
    long status = 0;         // of every completion
    long status_times = -1;  // only so many times
    std::string retry_after;
    bool chunked = false;  // streams with chunked encoding instead of closing the connection
    bool bad_json = false;
    bool empty_choices = false;
    bool empty_models = false;
    bool lost_tool_calls = false;
    bool tool_call = false;
    bool logprobs = false;
    bool echo_request = false;    // content: the body of the request
    bool short_body = false;      // closes before the announced length of a complete answer
    bool answer_garbage = false;  // not HTTP at all

    // Streams.
    bool keepalive_comments =
        false;  // before the first token and between tokens; for ever while hanging
    long first_token_ms = 0;
    long slow_tokens = 0;
    bool hang_first_token = false;
    bool hang_mid_stream = false;  // after two tokens
    bool die_mid_stream = false;   // likewise, the whole process
    bool torn_stream = false;      // likewise, closes the connection
    bool reset_stream = false;     // likewise, by RST
    bool malformed_sse = false;    // likewise, data that is not JSON
    bool stream_error = false;     // likewise, an error event
    bool no_done = false;          // whole, with finish_reason, but without [DONE]

    bool help = false;
    bool version = false;
};

namespace detail {

struct Targets {
    std::map<std::string_view, std::string*> texts;
    std::map<std::string_view, long*> numbers;
    std::map<std::string_view, bool*> switches;
};

inline Targets targets(Options& o) {
    return {
        {{"host", &o.host},
         {"model", &o.model},
         {"adapter-path", &o.adapter},
         {"print", &o.print},
         {"print-file", &o.print_file},
         {"help-file", &o.help_file},
         {"answer", &o.answer},
         {"reasoning", &o.reasoning},
         {"require-key", &o.api_key},
         {"error-body", &o.error_body},
         {"retry-after", &o.retry_after}},
        {{"port", &o.port},
         {"load-ms", &o.load_ms},
         {"load-503-ms", &o.load_503_ms},
         {"listen-after-ms", &o.listen_after_ms},
         {"wrong-port", &o.wrong_port},
         {"exit-code", &o.exit_code},
         {"exit-after-ms", &o.exit_after_ms},
         {"die-by-signal", &o.die_by_signal},
         {"crash-on-request", &o.crash_on_request},
         {"flood-bytes", &o.flood_bytes},
         {"alloc-mb", &o.alloc_mb},
         {"status", &o.status},
         {"status-times", &o.status_times},
         {"first-token-ms", &o.first_token_ms},
         {"slow-tokens", &o.slow_tokens}},
        {{"health-before-load", &o.health_before_load},
         {"never-ready", &o.never_ready},
         {"hang-health", &o.hang_health},
         {"die-before-listen", &o.die_before_listen},
         {"ignore-sigterm", &o.ignore_sigterm},
         {"stop-self", &o.stop_self},
         {"fork-grandchild", &o.fork_grandchild},
         {"double-fork", &o.double_fork},
         {"fork-real-server", &o.fork_real_server},
         {"exec-wrapper-exits", &o.exec_wrapper_exits},
         {"flood-forever", &o.flood_forever},
         {"no-newline", &o.no_newline},
         {"invalid-utf8", &o.invalid_utf8},
         {"close-output", &o.close_output},
         {"chunked", &o.chunked},
         {"bad-json", &o.bad_json},
         {"empty-choices", &o.empty_choices},
         {"empty-models", &o.empty_models},
         {"lost-tool-calls", &o.lost_tool_calls},
         {"tool-call", &o.tool_call},
         {"logprobs", &o.logprobs},
         {"echo-request", &o.echo_request},
         {"short-body", &o.short_body},
         {"answer-garbage", &o.answer_garbage},
         {"keepalive-comments", &o.keepalive_comments},
         {"hang-first-token", &o.hang_first_token},
         {"hang-mid-stream", &o.hang_mid_stream},
         {"die-mid-stream", &o.die_mid_stream},
         {"torn-stream", &o.torn_stream},
         {"reset-stream", &o.reset_stream},
         {"malformed-sse", &o.malformed_sse},
         {"stream-error", &o.stream_error},
         {"no-done", &o.no_done},
         {"help", &o.help},
         {"version", &o.version}},
    };
}

inline void apply(Options& options, const std::vector<std::string>& words) {
    const auto known = targets(options);
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view word = words[i];
        if (!word.starts_with("--")) continue;
        word.remove_prefix(2);
        const auto equals = word.find('=');
        const auto name = word.substr(0, equals);
        if (auto it = known.switches.find(name); it != known.switches.end()) *it->second = true;
        const auto text = known.texts.find(name);
        const auto number = known.numbers.find(name);
        if (text == known.texts.end() && number == known.numbers.end()) continue;
        std::string value;
        if (equals != std::string_view::npos) {
            value = word.substr(equals + 1);
        } else if (i + 1 < words.size()) {
            value = words[++i];
        }
        if (text != known.texts.end()) *text->second = value;
        if (number != known.numbers.end())
            *number->second = std::strtol(value.c_str(), nullptr, 10);
    }
}

inline std::string with_spaces(std::string word) {
    for (auto at = word.find("%20"); at != std::string::npos; at = word.find("%20"))
        word.replace(at, 3, " ");
    return word;
}

inline std::vector<std::string> environment_words() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read before there are threads
    const char* text = std::getenv("FAKE_SERVER_ARGS");
    std::vector<std::string> words;
    std::string word;
    for (const char* at = text == nullptr ? "" : text;; ++at) {
        if (*at != ' ' && *at != '\0') {
            word += *at;
            continue;
        }
        if (!word.empty()) words.push_back(with_spaces(std::move(word)));
        word.clear();
        if (*at == '\0') return words;
    }
}

}  // namespace detail

/// The environment's flags come last: they win.
inline Options read_options(int argc, char** argv) {
    Options options;
    detail::apply(options, std::vector<std::string>(argv + 1, argv + argc));
    detail::apply(options, detail::environment_words());
    return options;
}

}  // namespace fake
