// The event lines of a training process: the same events in any chunking, and only sane numbers.
#include <cmath>
#include <vector>

#include "fuzz_input.hpp"
#include "training/events.hpp"

namespace {

using punie::fuzz::require;
using punie::training::TrainerEvent;

std::vector<TrainerEvent> read(std::string_view bytes, std::size_t piece) {
    punie::training::EventReader reader;
    std::vector<TrainerEvent> events;
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, piece);
        bytes.remove_prefix(part.size());
        reader.feed(part, [&](const TrainerEvent& event) { events.push_back(event); });
    }
    return events;
}

void check(const TrainerEvent& event) {
    require(std::isfinite(event.t) && event.t >= 0, "times are finite and not negative");
    require(event.iteration >= 0, "iterations are not negative");
    require(
        !event.seconds || (std::isfinite(*event.seconds) && *event.seconds >= 0),
        "seconds are not negative"
    );
    require(
        std::isfinite(event.peak_memory_gb) && event.peak_memory_gb >= 0, "memory is not negative"
    );
    require(std::isfinite(event.tokens_per_second), "rates are finite");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = punie::fuzz::text_of(data, size);
    const auto whole = read(bytes, bytes.size() + 1);
    const auto cut = read(bytes, 3);
    require(whole.size() == cut.size(), "the same events in any chunking");
    for (std::size_t i = 0; i < whole.size(); ++i) {
        check(whole[i]);
        require(
            whole[i].kind == cut[i].kind && whole[i].iteration == cut[i].iteration, "the same event"
        );
        require(whole[i].message == cut[i].message, "the same message");
    }
    static_cast<void>(punie::training::parse_event(bytes));
    return 0;
}
