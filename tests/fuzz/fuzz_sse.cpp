// Any bytes, cut in any way, give the same events as the same bytes at once.
#include <vector>

#include "fuzz_input.hpp"
#include "openai/sse.hpp"

namespace {

using punie::fuzz::require;
using punie::openai::SseEvent;
using punie::openai::SseReader;

constexpr std::size_t event_limit = 256;

struct Outcome {
    std::vector<SseEvent> events;
    bool failed = false;

    bool operator==(const Outcome&) const = default;
};

/// Pieces of 1 to 8 bytes, as `seed` has it; 0: all at once.
Outcome read(std::string_view bytes, unsigned seed) {
    SseReader reader(event_limit);
    Outcome outcome;
    while (!bytes.empty()) {
        seed = seed == 0 ? 0 : seed * 1664525U + 1013904223U;
        const auto piece = bytes.substr(0, seed == 0 ? bytes.size() : (seed >> 16U) % 8 + 1);
        bytes.remove_prefix(piece.size());
        auto events = reader.feed(piece);
        if (!events) {
            outcome.failed = true;
            return outcome;
        }
        outcome.events.insert(outcome.events.end(), events->begin(), events->end());
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto bytes = punie::fuzz::text_of(data + 1, size - 1);
    const auto whole = read(bytes, 0);
    const auto cut = read(bytes, 1U + data[0]);
    require(whole.failed == cut.failed, "a limit is exceeded in every chunking or in none");
    // A whole buffer that fails gives none of its events; cut, those before the fault have been
    // given.
    require(whole.failed || whole == cut, "the same events in any chunking");
    for (const auto& event : whole.events) {
        require(event.data.size() <= event_limit + 1, "no event beyond the limit");
        require(event.data.find('\r') == std::string::npos, "no line end inside the data");
    }
    return 0;
}
