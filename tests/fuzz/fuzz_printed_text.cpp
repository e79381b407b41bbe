// What a trainer prints, of either generation: never a crash, the same events in any chunking.
#include <cmath>
#include <vector>

#include "fuzz_input.hpp"
#include "training/printed_text.hpp"

namespace {

using punie::fuzz::require;
using punie::training::TrainerEvent;

std::vector<TrainerEvent> read(std::string_view bytes, std::size_t piece) {
    punie::training::PrintedText text;
    std::vector<TrainerEvent> events;
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, piece);
        bytes.remove_prefix(part.size());
        text.feed(part);
        for (auto& event : text.take()) events.push_back(std::move(event));
    }
    return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = punie::fuzz::text_of(data, size);
    const auto whole = read(bytes, bytes.size() + 1);
    const auto cut = read(bytes, 5);
    require(whole.size() == cut.size(), "the same events in any chunking");
    for (std::size_t i = 0; i < whole.size(); ++i) {
        require(
            whole[i].kind == cut[i].kind && whole[i].iteration == cut[i].iteration, "the same event"
        );
        require(whole[i].iteration >= 0, "iterations are not negative");
        require(!whole[i].seconds || std::isfinite(*whole[i].seconds), "seconds are finite");
    }
    static_cast<void>(punie::training::parse_printed_line(bytes));
    return 0;
}
