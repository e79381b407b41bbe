#include "relay/chunked.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace punie::relay {
namespace {

struct Outcome {
    std::string data;
    std::size_t used = 0;
    bool done = false;
    bool bad = false;

    bool operator==(const Outcome&) const = default;
};

/// Feeds the bytes in pieces of `step`.
Outcome decoded(std::string bytes, std::size_t step) {
    ChunkDecoder decoder;
    Outcome outcome;
    while (outcome.used < bytes.size() && !decoder.done()) {
        const auto size = std::min(step, bytes.size() - outcome.used);
        const auto result = decoder.decode(bytes.data() + outcome.used, size);
        outcome.data += result.data;
        outcome.used += result.used;
        outcome.bad = result.bad != nullptr;
        if (outcome.bad) break;
    }
    outcome.done = decoder.done();
    return outcome;
}

TEST(ChunkDecoder, TakesChunksApartHoweverTheyArrive) {
    const std::string bytes =
        "5\r\nhello\r\n1;a=b\r\n,\r\n00A\r\n beautiful\r\n6\r\n world\r\n0\r\nX: y\r\n\r\nnext";
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        const Outcome expected{"hello, beautiful world", bytes.size() - 4, true, false};
        EXPECT_EQ(decoded(bytes, step), expected) << step;
    }
}

TEST(ChunkDecoder, TellsWhatAChunkAnnounced) {
    ChunkDecoder decoder;
    std::string bytes = "ff\r\nhello";
    decoder.decode(bytes.data(), bytes.size());
    EXPECT_EQ(decoder.announced(), 250U);
    EXPECT_FALSE(decoder.done());
}

TEST(ChunkDecoder, RefusesWhatIsNoChunkHoweverItArrives) {
    const auto bad = std::to_array<std::string>({
        "x\r\n",
        "\r\n",
        ";a\r\n",
        "5\n",
        "5 \r\n",
        "5\rx",
        "2\r\nabc\r\n",
        "1\r\na\n",
        "11111111111111111\r\n",
        "1;\x01\r\n",
        "1;" + std::string(5000, 'a'),
        "0\r\n\n",
        "0\r\n x: y\r\n",
        "0\r\nx: \x01\r\n",
        "0\r\nx: y\n",
        "0\r\nx: " + std::string(9000, 'y'),
    });
    for (const auto& bytes : bad) {
        for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
            EXPECT_TRUE(decoded(bytes, step).bad) << bytes.substr(0, 20) << " in " << step;
        }
    }
}

}  // namespace
}  // namespace punie::relay
