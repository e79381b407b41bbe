#pragma once
// responses.jsonl: one line a sample, the unit of scoring again and of exchange
// (docs/responses.md).

#include <punie/error.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace punie::eval {

/// How a sample ended. Only `answered` and `cut` are judged; `cut` is judged as it stands and
/// counted apart.
enum class SampleState {
    answered,
    cut,        ///< finish_reason length, or thinking that never closed
    refused,    ///< the server refused the request (4xx): repeating would not help
    failed,     ///< timeouts, 5xx, cut streams, after all retries
    not_asked,  ///< a limit or Ctrl-C came first
};
std::string_view name_of(SampleState state);
std::optional<SampleState> sample_state_from(std::string_view name);

struct ResponseRecord {
    std::string suite_hash;  ///< Suite::asked_hash of when it was asked; "" from elsewhere
    std::string prompt_id;
    int sample = 0;        ///< from 0
    json::object request;  ///< the body that was sent
    json::value response;  ///< the OpenAI response as it came; null if none
    SampleState state = SampleState::answered;
    std::string error;   ///< of refused and failed
    double seconds = 0;  ///< from the first attempt's start to the answer
    int attempts = 1;
};

/// One line without its end. Keys: suite, prompt, sample, state, request, response, error, seconds,
/// attempts.
std::string to_line(const ResponseRecord& record);

/// Also reads records from elsewhere: OpenAI batch output ({"custom_id", "response": {"body"}};
/// "light-on#2" is sample 2 of light-on) and {"id" or "prompt_id", "response": {...} or "answer":
/// "text"}. Errors: protocol naming the field.
Result<ResponseRecord> parse_record(std::string_view line);

/// Calls `on_record` for each line, in order; streams. A torn last line (no line end, and no whole
/// record) is left out and reported through `torn`. Errors: not_found, io, protocol (with
/// file:line), or what `on_record` returned.
Result<void> read_records(
    const std::filesystem::path& file,
    const std::function<Result<void>(ResponseRecord&&, std::size_t line)>& on_record,
    bool* torn = nullptr
);

}  // namespace punie::eval
