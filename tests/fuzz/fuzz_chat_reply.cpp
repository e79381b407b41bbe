// A server's answer, whole: never a crash, and what is a reply or an error keeps its promises.
#include "fuzz_input.hpp"
#include "openai/response.hpp"

using punie::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto body = punie::fuzz::text_of(data, size);
    const auto reply = punie::openai::reply_from_body(std::string(body));
    if (reply) {
        require(reply->raw == body, "raw is the body");
        require(
            reply->lost_tool_calls ==
                (reply->finish_reason == "tool_calls" && reply->tool_calls.empty()),
            "lost_tool_calls means what it says"
        );
    } else {
        require(!reply.error().message().empty(), "an error has a message");
        require(reply.error().message().size() < 2000, "an error is no page");
    }
    const auto error = punie::openai::error_from_answer(500, body);
    require(error.http_status() == 500, "the status is kept");
    require(error.message().size() < 2000, "an error is no page");
    for (const auto& id : punie::openai::model_ids(body))
        require(!id.empty(), "no empty model name");
    return 0;
}
