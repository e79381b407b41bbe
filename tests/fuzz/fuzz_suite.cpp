// A suite in each of its formats: never a crash, and what is accepted keeps its promises.
#include <algorithm>
#include <set>
#include <string>

#include "eval/suite.hpp"
#include "eval/suite_source.hpp"
#include "fuzz_input.hpp"

namespace {

using punie::fuzz::require;

void check(const punie::eval::Suite& suite) {
    require(!suite.prompts.empty(), "a suite has prompts");
    require(suite.hash.size() == 64 && suite.asked_hash.size() == 64, "hashes are SHA-256");
    std::set<std::string> ids;
    for (const auto& prompt : suite.prompts) {
        require(!prompt.id.empty() && ids.insert(prompt.id).second, "ids are unique");
        require(!prompt.messages.empty(), "something is asked");
        require(!prompt.expect.empty(), "something is expected");
        require(prompt.repeats >= 1, "at least one sample");
        for (const auto& expectation : prompt.expect)
            require(expectation.judge != nullptr && expectation.weight > 0, "it can be judged");
    }
}

void read(std::string_view text, const char* file) {
    const auto suite = punie::eval::parse_suite(text, file);
    if (suite) {
        check(*suite);
        const auto again = punie::eval::parse_suite(text, file);
        require(again && again->hash == suite->hash, "the same text, the same hash");
        return;
    }
    const auto& message = suite.error().message();
    require(!message.empty(), "an error has a message");
    require(std::ranges::count(message, '\n') <= 20, "twenty faults and a word on the others");
    require(message.find('\x1b') == std::string::npos, "no control sequence of the file is shown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = punie::fuzz::text_of(data, size);
    // a folder that does not exist: file:// finds nothing
    read(text, "no-such-folder/s.yaml");
    read(text, "no-such-folder/s.json");
    read(text, "no-such-folder/s.jsonl");
    punie::eval::Faults faults;
    const auto rows = punie::eval::read_csv(text, "r.csv", faults);
    for (const auto& row : rows)
        require(row.kind == punie::eval::Node::Kind::map, "a row is a mapping");
    return 0;
}
