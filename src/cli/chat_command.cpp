// cli/chat_command.cpp: `punie chat`, a conversation with a managed server or any endpoint.

#include <fmt/format.h>
#include <punie/chat.hpp>

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdlib>
#include <memory>

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/line_editor.hpp"
#include "cli/model_options.hpp"
#include "cli/ticker.hpp"

namespace punie::cli {

namespace {

struct ChatOptions {
    ModelOptions model;
    std::string url;
    std::string once;
    std::string system;
    bool json = false;
    std::optional<std::uint64_t> seed;
};

class Chat {
public:
    Chat(const ChatOptions& options, ChatModel model, Terminal& terminal)
        : options_(options), model_(std::move(model)), terminal_(terminal) {
        if (!options.system.empty())
            request_.messages.push_back({.role = "system", .content = options.system});
        request_.seed = options.seed;
        if (options.url.empty()) return;  // a managed server got these as its own defaults
        request_.temperature = options.model.server.sampling.temperature;
        request_.top_p = options.model.server.sampling.top_p;
        request_.max_tokens = options.model.server.sampling.max_tokens;
    }

    /// Asks, prints the answer as it comes, and keeps it as part of the conversation.
    ExitCode ask(const std::string& prompt, std::stop_token stop) {
        request_.messages.push_back({.role = "user", .content = prompt});
        std::string answer;
        pieces_ = 0;
        const auto show = [&](const ChatDelta& delta) {
            answer += delta.content;
            ++pieces_;
            if (!options_.json && !delta.content.empty())
                terminal_.print_raw(printable_lines(delta.content));
        };
        auto reply = model_.stream(request_, show, std::move(stop));
        if (!options_.json && !answer.empty()) terminal_.print_raw("\n");
        if (!reply) {
            // What came before Ctrl-C is kept, so that the next question can refer to it.
            if (answer.empty())
                request_.messages.pop_back();
            else
                request_.messages.push_back({.role = "assistant", .content = answer});
            return terminal_.report(reply.error(), options_.json);
        }
        request_.messages.push_back(
            {.role = "assistant", .content = reply->content, .tool_calls = reply->tool_calls}
        );
        show_figures(*reply);
        return ExitCode::done;
    }

private:
    /// A model's text must not drive the terminal, but its line ends are wanted.
    static std::string printable_lines(std::string_view text) {
        std::string shown;
        while (true) {
            const auto end = text.find('\n');
            shown += printable(text.substr(0, end));
            if (end == std::string_view::npos) return shown;
            shown += '\n';
            text.remove_prefix(end + 1);
        }
    }

    /// Without the wait for the first token, unless everything came at once: then that wait is all
    /// there is to divide by.
    double tokens_per_second(const ChatReply& reply, std::int64_t tokens) const {
        const bool streamed = tokens > 1 && pieces_ > 1;
        const auto time =
            streamed ? reply.total_time - reply.time_to_first_token : reply.total_time;
        if (tokens < 1 || time.count() <= 0) return 0;
        return static_cast<double>(streamed ? tokens - 1 : tokens) / time.count();
    }

    void show_figures(const ChatReply& reply) {
        const auto tokens = reply.usage ? reply.usage->completion_tokens : 0;
        const double rate = tokens_per_second(reply, tokens);
        if (options_.json) {
            print_json(reply, rate);
            return;
        }
        for (const auto& call : reply.tool_calls)
            terminal_.print(fmt::format("tool call: {}({})", call.name, call.arguments));
        if (reply.lost_tool_calls) {
            terminal_.note(
                "note: the server says that the model called a tool but sent no call: what it "
                "wrote was lost there"
            );
        }
        auto line = fmt::format("first token after {}", human_duration(reply.time_to_first_token));
        if (tokens > 0) line = fmt::format("{} tokens, {:.1f} tokens/s, {}", tokens, rate, line);
        if (reply.finish_reason == "length") line += ", cut at the token limit";
        terminal_.note(terminal_.interactive() ? terminal_.paint(Colour::dim, line) : line);
    }

    void print_json(const ChatReply& reply, double rate) {
        json::array calls;
        for (const auto& call : reply.tool_calls) {
            calls.push_back(
                json::object{{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}}
            );
        }
        json::object object{
            {"event", "reply"},
            {"content", reply.content},
            {"reasoning", reply.reasoning},
            {"tool_calls", std::move(calls)},
            {"finish_reason", reply.finish_reason},
            {"lost_tool_calls", reply.lost_tool_calls},
            {"ttft_s", reply.time_to_first_token.count()},
            {"total_s", reply.total_time.count()},
            {"tokens_per_second", rate},
            {"attempts", reply.attempts},
        };
        if (reply.usage) {
            object["usage"] = json::object{
                {"prompt_tokens", reply.usage->prompt_tokens},
                {"completion_tokens", reply.usage->completion_tokens}
            };
        }
        terminal_.print(to_text(object));
    }

    const ChatOptions& options_;
    ChatModel model_;
    Terminal& terminal_;
    ChatRequest request_;
    int pieces_ = 0;  ///< deltas of the last answer
};

ExitCode converse(Chat& chat, Terminal& terminal) {
    LineEditor editor("> ");  // no colour codes: libedit would show them as text
    if (editor.interactive())
        terminal.note("Ctrl-D ends the conversation, Ctrl-C stops an answer.");
    auto last = ExitCode::done;
    while (auto line = editor.read()) {
        const auto prompt = std::string(trim(*line));
        if (prompt.empty()) continue;
        if (prompt == "/bye" || prompt == "/exit") break;
        const Interrupt interrupt;
        last = chat.ask(prompt, interrupt.token());
    }
    return editor.interactive() ? ExitCode::done : last;
}

ExitCode talk(const ChatOptions& options, ChatModel model, Terminal& terminal) {
    Chat chat(options, std::move(model), terminal);
    if (options.once.empty()) return converse(chat, terminal);
    const Interrupt interrupt;
    return chat.ask(options.once, interrupt.token());
}

ExitCode chat_with_url(const ChatOptions& options, Terminal& terminal) {
    if (auto fits = check_endpoint_options(options.model); !fits)
        return terminal.report(fits.error(), options.json);
    EndpointOptions endpoint{.base_url = options.url};
    endpoint.model = options.model.server.model_path;
    const char* key = std::getenv("PUNIE_API_KEY");  // NOLINT(concurrency-mt-unsafe): read only
    if (key == nullptr) key = std::getenv("OPENAI_API_KEY");  // NOLINT(concurrency-mt-unsafe)
    if (key != nullptr) endpoint.api_key = key;
    auto model = create_endpoint_model(std::move(endpoint));
    if (!model) return terminal.report(model.error(), options.json);
    return talk(options, *std::move(model), terminal);
}

Result<void> start_with_progress(ServerProcess& server, Terminal& terminal) {
    const Interrupt interrupt;
    const Ticker ticker(terminal, [&server](std::chrono::duration<double> time) {
        return fmt::format(
            "{} {}, {}", name_of(server.state()), server.config().model_path(), human_duration(time)
        );
    });
    return server.start(interrupt.token());
}

ExitCode chat_with_own_server(const ChatOptions& options, Terminal& terminal) {
    auto config = config_from(options.model);
    if (!config) return terminal.report(config.error(), options.json);
    ServerProcess server(*std::move(config), process_options_from(options.model));
    if (auto started = start_with_progress(server, terminal); !started)
        return terminal.report(started.error(), options.json);
    auto model = create_server_model(server.config());
    if (!model) return terminal.report(model.error(), options.json);
    return talk(options, *std::move(model), terminal);
}

ExitCode run_chat(const ChatOptions& options, Terminal& terminal) {
    if (!options.url.empty()) return chat_with_url(options, terminal);
    if (options.model.server.model_path.empty()) {
        return terminal.report(
            Error(ErrorCode::invalid_argument, "neither --model nor --url was given")
                .with_hint(
                    "punie chat --model models/tiny, or punie chat --url http://127.0.0.1:8080/v1"
                ),
            options.json
        );
    }
    return chat_with_own_server(options, terminal);
}

}  // namespace

void add_chat(CLI::App& app, Commands& commands) {
    auto options = std::make_shared<ChatOptions>();
    options->model.server.port = 0;  // nobody else needs to know it
    auto* sub = app.add_subcommand("chat", "Talk to a model");
    add_model_options(*sub, options->model);
    sub->add_option("--url", options->url, "Talk to this endpoint instead of a server of our own");
    sub->add_option("--once", options->once, "Ask this, print the answer and end");
    sub->add_option("--system", options->system, "System message of the conversation");
    sub->add_option("--seed", options->seed, "Seed of the sampling");
    sub->add_flag("--json", options->json, "One JSON object an answer");
    sub->footer(
        "Examples:\n"
        "  punie chat --model models/tiny\n"
        "  punie chat --model models/tiny --once \"What is the capital of France?\"\n"
        "  punie chat --url http://127.0.0.1:8080/v1 --system \"Answer in one sentence.\"\n"
        "  echo \"Hello\" | punie chat --model models/tiny\n\n"
        "An API key for --url is taken from PUNIE_API_KEY or OPENAI_API_KEY."
    );
    commands.on(sub, [options](Terminal& terminal) { return run_chat(*options, terminal); });
}

}  // namespace punie::cli
