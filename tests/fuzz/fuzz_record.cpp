// A line of responses.jsonl: never a crash, and a record comes back as it was written.
#include <string>

#include "eval/record.hpp"
#include "fuzz_input.hpp"

using punie::eval::SampleState;
using punie::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto record = punie::eval::parse_record(punie::fuzz::text_of(data, size));
    if (!record) {
        require(!record.error().message().empty(), "an error has a message");
        require(record.error().message().size() < 2000, "an error is no page");
        return 0;
    }
    require(!record->prompt_id.empty(), "a record has a prompt");
    require(record->sample >= 0, "samples count from 0");
    const bool judged = record->state == SampleState::answered || record->state == SampleState::cut;
    require(!judged || !record->response.is_null(), "what is judged has an answer");
    const auto line = punie::eval::to_line(*record);
    require(line.find('\n') == std::string::npos, "a record is one line");
    const auto again = punie::eval::parse_record(line);
    require(again.has_value(), "what was written reads back");
    require(
        again->prompt_id == record->prompt_id && again->sample == record->sample, "same sample"
    );
    require(again->state == record->state && again->error == record->error, "same end");
    require(again->response == record->response, "same answer");
    require(punie::eval::to_line(*again) == line, "written the same again");
    return 0;
}
