#include "translate/ollama_answer.hpp"

#include <boost/json.hpp>
#include <cmath>
#include <utility>

#include "translate/ollama_request.hpp"
#include "translate/wire.hpp"

namespace punie::translate {

namespace {

std::int64_t nanoseconds(double seconds) {
    return seconds > 0 ? std::llround(seconds * 1e9) : 0;
}

/// What the last line, or the whole answer, says of the work. Without the server's own times all
/// but the loading counts as answering.
void add_end(
    json::object& line,
    std::string_view finish_reason,
    const TokenCounts& tokens,
    const AnswerContext& context,
    const json::value* timings
) {
    const auto total = nanoseconds(context.total_seconds);
    const auto load = nanoseconds(context.load_seconds);
    line["done"] = true;
    line["done_reason"] = finish_reason == "length" ? "length" : "stop";
    line["total_duration"] = total;
    line["load_duration"] = load;
    line["prompt_eval_count"] = tokens.prompt;
    line["eval_count"] = tokens.completion;
    const auto milliseconds = [&](std::string_view name) {
        return timings == nullptr ? std::nullopt : number_member(*timings, name);
    };
    if (const auto prompt = milliseconds("prompt_ms"))
        line["prompt_eval_duration"] = nanoseconds(*prompt / 1000);
    const auto answering = milliseconds("predicted_ms");
    line["eval_duration"] =
        answering ? nanoseconds(*answering / 1000) : std::max<std::int64_t>(total - load, 0);
}

json::object call_of(const Block& block, std::int64_t place) {
    return {
        {"id", block.id},
        {"function",
         {{"index", place}, {"name", block.name}, {"arguments", arguments_object(block.text)}}},
    };
}

json::object head(const std::string& model, const AnswerContext& context) {
    return {{"model", model}, {"created_at", date_text(context.created)}};
}

void add(json::object& line, json::object&& members) {
    for (auto& member : members) line[member.key()] = std::move(member.value());
}

class OllamaStream : public StreamTranslator {
public:
    OllamaStream(std::string model, AnswerContext context, const OllamaShape& shape)
        : model_(std::move(model)),
          context_(std::move(context)),
          shape_(shape),
          reader_(context_.id) {}

    std::string begin() override { return {}; }

    Result<std::string> feed(std::string_view data) override {
        auto events = reader_.feed(data);
        if (!events) return std::unexpected(std::move(events).error());
        if (data.contains("\"timings\"")) {  // llama-server, on its last chunks
            const auto parsed = parse_json(data);
            if (const auto* timings = parsed ? member(*parsed, "timings") : nullptr)
                timings_ = *timings;
        }
        return write(*events);
    }

    std::string finish(double total_seconds) override {
        auto out = write(reader_.finish());
        auto line = head(model_, context_);
        add(line, shape_.piece("", "", {}));
        context_.total_seconds = total_seconds;
        add_end(line, reader_.finish_reason(), reader_.tokens(), context_, &timings_);
        return out + json_line(line);
    }

    std::string fail(const Error& error) override { return ollama_error(error) + '\n'; }

    /// White space in front of a line, which every reader of JSON passes over.
    std::string keep_alive(std::string_view /*text*/) override { return " "; }

private:
    std::string write(const std::vector<BlockEvent>& events) {
        std::string out;
        for (const auto& event : events) out += write(event);
        return out;
    }

    /// Text as it comes; a call when it is whole, as Ollama does it.
    std::string write(const BlockEvent& event) {
        if (event.type == BlockEvent::Type::begin) kind_ = event.block.kind;
        if (event.type == BlockEvent::Type::more) {
            if (kind_ == BlockKind::text) return line(event.text, "", {});
            if (kind_ == BlockKind::thinking) return line("", event.text, {});
        }
        if (event.type == BlockEvent::Type::end && kind_ == BlockKind::call)
            return line("", "", {call_of(event.block, calls_++)});
        return {};
    }

    std::string line(std::string_view text, std::string_view thinking, const json::array& calls) {
        auto object = head(model_, context_);
        add(object, shape_.piece(text, thinking, calls));
        object["done"] = false;
        return json_line(object);
    }

    std::string model_;
    AnswerContext context_;
    const OllamaShape& shape_;
    BlockReader reader_;
    BlockKind kind_ = BlockKind::text;
    std::int64_t calls_ = 0;
    json::value timings_;
};

}  // namespace

Result<json::object> ollama_answer(
    const ChatForm& form,
    const json::object& completion,
    const AnswerContext& context,
    const OllamaShape& shape
) {
    auto whole = read_completion(completion, context.id);
    if (!whole) return std::unexpected(std::move(whole).error());
    auto line = head(form.model, context);
    if (asks_for_loading(form)) {
        add(line, shape.piece("", "", {}));
        line["done"] = true;
        line["done_reason"] = "load";
        return line;
    }
    std::string text;
    std::string thinking;
    json::array calls;
    for (const auto& block : whole->blocks) {
        if (block.kind == BlockKind::text)
            text += block.text;
        else if (block.kind == BlockKind::thinking)
            thinking += block.text;
        else
            calls.emplace_back(call_of(block, static_cast<std::int64_t>(calls.size())));
    }
    add(line, shape.piece(text, thinking, calls));
    add_end(line, whole->finish_reason, whole->tokens, context, completion.if_contains("timings"));
    return line;
}

std::unique_ptr<StreamTranslator> ollama_stream(
    const ChatForm& form, const AnswerContext& context, const OllamaShape& shape
) {
    return std::make_unique<OllamaStream>(form.model, context, shape);
}

std::string ollama_error(const Error& error) {
    return to_text(json::object{{"error", message_of(error)}});
}

}  // namespace punie::translate
