// Any request, any stream, cut in any way: no crash; what the translators write is whole events or
// lines of valid JSON; the mender's output is the same in every chunking, and no text is lost.
#include <array>
#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "fuzz_input.hpp"
#include "openai/sse.hpp"
#include "translate/mending.hpp"
#include "translate/protocol.hpp"

namespace {

namespace json = boost::json;
using punie::fuzz::require;
using namespace punie::translate;

constexpr std::array<std::string_view, 5> paths = {
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/api/chat",
    "/api/generate",
    "/v1/responses",
};

const json::value& tools() {
    static const json::value value = json::parse(
        R"([{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":)"
        R"({"n":{"type":"integer"}}}}},{"type":"function","function":{"name":"weather"}}])"
    );
    return value;
}

AnswerContext context() {
    return {.id = "a1", .created = 1764000000, .load_seconds = 0.5, .total_seconds = 1};
}

void check_events(std::string_view bytes) {
    punie::openai::SseReader reader;
    const auto events = reader.feed(bytes);
    require(events.has_value() && !reader.in_event(), "a stream of whole events");
    for (const auto& event : *events)
        require(punie::parse_json(event.data).has_value(), "the data of an event is JSON");
}

void check_lines(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        require(end != std::string_view::npos, "a stream of whole lines");
        require(punie::parse_json(bytes.substr(0, end)).has_value(), "a line is JSON");
        bytes.remove_prefix(end + 1);
    }
}

ChatForm plain_form(const Protocol& protocol) {
    auto request = json::parse(R"({"model":"m","max_tokens":5,"stream":true})").as_object();
    const json::array messages{json::object{{"role", "user"}, {"content", "a"}}};
    request[protocol.name() == "responses" ? "input" : "messages"] = messages;
    if (protocol.name() == "ollama_generate") request["prompt"] = "a";
    auto form = protocol.request(request);
    require(form.has_value(), "a request that is right");
    return *std::move(form);
}

/// The lines of `text` as the data of a stream's events.
void translate_stream(const Protocol& protocol, std::string_view text) {
    const auto form = plain_form(protocol);
    auto stream = protocol.stream(form, context());
    std::string bytes = stream->keep_alive(text.substr(0, 20)) + stream->begin();
    bool failed = false;
    while (!text.empty() && !failed) {
        const auto end = std::min(text.find('\n'), text.size());
        auto words = stream->feed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        failed = !words;
        bytes += words ? *words : stream->fail(words.error());
    }
    if (!failed) bytes += stream->finish(2);
    if (protocol.stream_type() == "text/event-stream")
        check_events(bytes);
    else
        check_lines(bytes);
}

void translate_whole(const Protocol& protocol, const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) return;
    if (const auto form = protocol.request(*object))
        require(punie::parse_json(json::serialize(form->body)).has_value(), "a body is JSON");
    else
        require(
            punie::parse_json(protocol.error(400, form.error())).has_value(), "an error is JSON"
        );
    const auto answer = protocol.answer(plain_form(protocol), *object, context());
    if (answer)
        require(punie::parse_json(json::serialize(*answer)).has_value(), "an answer is JSON");
    auto completion = *object;
    mend_completion(completion, tools(), "a1");
}

/// All output and what is held at the end; `seed` 0: all at once.
std::string mend(std::string_view bytes, unsigned seed) {
    StreamMender mender(tools(), "a1");
    StreamEye eye;
    std::string out;
    while (!bytes.empty()) {
        seed = seed == 0 ? 0 : seed * 1664525U + 1013904223U;
        const auto piece = bytes.substr(0, seed == 0 ? bytes.size() : (seed >> 16U) % 40 + 1);
        bytes.remove_prefix(piece.size());
        eye.feed(piece);
        const auto fed = mender.feed(piece);
        require(fed.has_value(), "no event is too large here");
        out += *fed;
    }
    return out + mender.release();
}

/// The text of choice 0 in a stream of chunks.
std::string text_of(std::string_view bytes) {
    punie::openai::SseReader reader;
    const auto events = reader.feed(bytes);
    std::string text;
    for (const auto& event : *events) {
        const auto chunk = punie::parse_json(event.data);
        json::error_code missing;
        const auto* delta = chunk ? chunk->find_pointer("/choices/0/delta", missing) : nullptr;
        if (delta != nullptr) text += punie::string_member(*delta, "content").value_or("");
    }
    return text;
}

/// The words as a stream of one or more chunks: without calls all of the text comes out.
void mend_words(std::string_view words, unsigned seed) {
    if (!punie::parse_json(json::serialize(json::value(words)))) return;  // no UTF-8
    std::string bytes;
    while (!words.empty()) {
        seed = seed * 1664525U + 1013904223U;
        auto size = std::min<std::size_t>((seed >> 16U) % 9 + 1, words.size());
        while (size < words.size() && (static_cast<unsigned char>(words[size]) & 0xC0U) == 0x80U)
            ++size;
        const json::object delta{{"content", words.substr(0, size)}};
        const json::array choices{json::object{{"index", 0}, {"delta", delta}}};
        bytes += "data: " + json::serialize(json::object{{"choices", choices}}) + "\n\n";
        words.remove_prefix(size);
    }
    const auto torn = mend(bytes, 0);
    require(torn == mend(bytes, seed), "the same in every chunking");
    require(text_of(torn) == text_of(bytes), "no text is lost");
    const auto whole = mend(bytes + "data: [DONE]\n\n", seed);
    require(whole == mend(bytes + "data: [DONE]\n\n", 0), "the same in every chunking");
    require(whole.ends_with("data: [DONE]\n\n"), "[DONE] comes last");
    if (whole.find("\"tool_calls\"") == std::string::npos)
        require(text_of(whole) == text_of(bytes), "without calls no text is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto text = punie::fuzz::text_of(data + 1, size - 1);
    const auto seed = 1U + data[0];
    if (const auto value = punie::parse_json(text)) {
        for (const auto path : paths) translate_whole(*protocol_for(path), *value);
    }
    for (const auto path : paths) translate_stream(*protocol_for(path), text);
    require(mend(text, 0) == mend(text, seed), "the same in every chunking");
    mend_words(text, seed);
    return 0;
}
