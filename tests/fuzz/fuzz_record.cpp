// A line of responses.jsonl: never a crash, and a record comes back as it was written.
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <string>

#include "eval/record.hpp"
#include "fuzz_input.hpp"

using punie::eval::SampleState;
using punie::fuzz::require;

namespace {

/// Boost.JSON reads long numbers to within a few units in the last place, so what was written and
/// read again may differ by that much; all else is the same.
bool same(const boost::json::value& one, const boost::json::value& other) {
    if (one.is_double() && other.is_double()) {
        const double a = one.get_double();
        const double b = other.get_double();
        return a == b || std::abs(a - b) <= 1e-14 * std::max(std::abs(a), std::abs(b));
    }
    if (one.kind() != other.kind()) return false;
    if (const auto* array = one.if_array())
        return std::ranges::equal(*array, other.get_array(), same);
    if (const auto* object = one.if_object()) {
        return std::ranges::equal(*object, other.get_object(), [](const auto& a, const auto& b) {
            return a.key() == b.key() && same(a.value(), b.value());
        });
    }
    return one == other;
}

}  // namespace

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
    require(same(again->response, record->response), "same answer");
    require(
        same(boost::json::parse(punie::eval::to_line(*again)), boost::json::parse(line)),
        "written the same again"
    );
    return 0;
}
