// A streamed answer as bytes, through the SSE reader into the stream reader. The deltas add up to
// the reply.
#include "fuzz_input.hpp"
#include "openai/sse.hpp"
#include "openai/stream.hpp"

using punie::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    punie::openai::SseReader sse(1U << 16U);
    punie::openai::StreamReader reader;
    std::string content;
    std::string reasoning;
    const auto events = sse.feed(punie::fuzz::text_of(data, size));
    if (!events) return 0;
    for (const auto& event : *events) {
        const auto delta = reader.add(event);
        if (!delta) {
            require(!delta.error().message().empty(), "an error has a message");
            return 0;
        }
        if (!*delta) continue;
        content += (*delta)->content;
        reasoning += (*delta)->reasoning;
    }
    require(!reader.progress().empty(), "progress has words");
    const bool ended = reader.done() || reader.finished();
    const auto reply = reader.finish();
    if (!reply) return 0;
    require(ended, "no reply from a torn stream");
    require(reply->content == content, "the deltas add up to the content");
    require(reply->reasoning == reasoning, "the deltas add up to the reasoning");
    return 0;
}
