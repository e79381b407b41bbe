#include "openai/sse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace punie::openai {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<SseEvent> read_in_pieces(std::string_view bytes, std::size_t size) {
    SseReader reader;
    std::vector<SseEvent> all;
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, size);
        bytes.remove_prefix(piece.size());
        auto events = reader.feed(piece);
        EXPECT_TRUE(events) << events.error().message();
        if (events) all.insert(all.end(), events->begin(), events->end());
    }
    return all;
}

std::vector<std::string> data_of(const std::vector<SseEvent>& events) {
    std::vector<std::string> data;
    data.reserve(events.size());
    for (const auto& event : events) data.push_back(event.data);
    return data;
}

struct Row {
    const char* name;
    std::string_view bytes;
    std::vector<SseEvent> events;
};

using namespace std::string_view_literals;

/// The examples of the standard (9.2.6) are among them.
const Row rows[] = {
    {"one", "data: a\n\n", {{"message", "a", ""}}},
    {"without_space", "data:a\n\n", {{"message", "a", ""}}},
    {"only_one_space_is_dropped", "data:  a\n\n", {{"message", " a", ""}}},
    {"carriage_returns", "data: a\r\rdata: b\r\r", {{"message", "a", ""}, {"message", "b", ""}}},
    {"both", "data: a\r\n\r\ndata: b\r\n\r\n", {{"message", "a", ""}, {"message", "b", ""}}},
    {"mixed_line_ends", "data: a\r\n\ndata: b\n\r\n", {{"message", "a", ""}, {"message", "b", ""}}},
    {"several_lines", "data: YHOO\ndata: +2\ndata: 10\n\n", {{"message", "YHOO\n+2\n10", ""}}},
    {"comments",
     ": keepalive 9/10\n\n:\n: x\ndata: a\n: between\ndata: b\n\n",
     {{"message", "a\nb", ""}}},
    {"byte_order_mark",
     "\xEF\xBB\xBF"
     "data: a\n\n",
     {{"message", "a", ""}}},
    {"mark_only_at_the_start",
     "data: a\n\n\xEF\xBB\xBF"
     "data: b\n\n",
     {{"message", "a", ""}}},
    {"type", "event: add\ndata: 7\n\ndata: 8\n\n", {{"add", "7", ""}, {"message", "8", ""}}},
    {"type_without_data_is_forgotten", "event: add\n\ndata: 8\n\n", {{"message", "8", ""}}},
    {"id_stays",
     "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
     {{"message", "a", "1"}, {"message", "b", "1"}, {"message", "c", ""}}},
    {"id_with_nul_is_ignored", "id: 1\0\ndata: a\n\n"sv, {{"message", "a", ""}}},
    {"empty_data", "data\n\ndata\ndata\n\ndata:", {{"message", "", ""}, {"message", "\n", ""}}},
    {"unknown_fields", "retry: 10\nfoo: bar\nDATA: no\ndata: a\n\n", {{"message", "a", ""}}},
    {"colons_in_the_value", "data: {\"a\": \"b: c\"}\n\n", {{"message", R"({"a": "b: c"})", ""}}},
    {"no_empty_line_at_the_end", "data: a\n\ndata: torn\n", {{"message", "a", ""}}},
    {"nothing", "", {}},
    {"empty_lines", "\n\n\r\r\n\n", {}},
};

class SseTable : public testing::TestWithParam<Row> {};

TEST_P(SseTable, GivesTheSameEventsInAnyChunking) {
    const auto& row = GetParam();
    for (std::size_t size = 1; size <= row.bytes.size() + 1; ++size) {
        EXPECT_EQ(read_in_pieces(row.bytes, size), row.events) << "in pieces of " << size;
    }
}

INSTANTIATE_TEST_SUITE_P(Standard, SseTable, testing::ValuesIn(rows), [](const auto& row) {
    return std::string(row.param.name);
});

TEST(SseReader, AnEmptyPieceChangesNothing) {
    SseReader reader;
    ASSERT_THAT(reader.feed("data: a\r").value(), IsEmpty());
    ASSERT_THAT(reader.feed("").value(), IsEmpty());
    EXPECT_THAT(data_of(reader.feed("\n\r\n").value()), ElementsAre("a"));
}

TEST(SseReader, RandomBytesGiveTheSameEventsInAnyChunking) {
    std::mt19937 random(7);
    const std::string_view alphabet = "\r\n\n: adtevni\xEF\xBB\xBF";
    for (int round = 0; round < 200; ++round) {
        std::string bytes;
        for (int i = 0; i < 60; ++i)
            bytes += random() % 6 == 0 ? "data: x"
                                       : std::string(1, alphabet[random() % alphabet.size()]);
        const auto whole = read_in_pieces(bytes, bytes.size());
        for (const std::size_t size : {1U, 2U, 3U, 7U})
            ASSERT_EQ(read_in_pieces(bytes, size), whole);
    }
}

TEST(SseReader, CountsCommentsAndKnowsWhenItIsInsideAnEvent) {
    SseReader reader;
    ASSERT_TRUE(reader.feed(": keepalive 1/10\n\n: keepalive 2/10\n\n"));
    EXPECT_EQ(reader.comments(), 2U);
    EXPECT_FALSE(reader.in_event());
    ASSERT_TRUE(reader.feed("data: {\"a\""));
    EXPECT_TRUE(reader.in_event());
    ASSERT_TRUE(reader.feed(": 1}\n"));
    EXPECT_TRUE(reader.in_event());
    ASSERT_TRUE(reader.feed("\n"));
    EXPECT_FALSE(reader.in_event());
}

class SseLimit : public testing::TestWithParam<std::size_t> {};

TEST_P(SseLimit, RefusesAnEventOfManyBytesWithoutKeepingThem) {
    for (const auto& endless :
         {std::string(200, 'x'),
          std::string("data: 34567890\n") + "data: 4567890123\n" + "data: 4567890123\n" +
              "data: 4567890123\n\n"}) {
        SseReader reader(32);
        bool refused = false;
        for (std::size_t at = 0; at < endless.size() && !refused; at += GetParam()) {
            const auto events = reader.feed(std::string_view(endless).substr(at, GetParam()));
            refused = !events;
            if (refused) {
                EXPECT_EQ(events.error().code(), ErrorCode::protocol);
                EXPECT_THAT(events.error().message(), HasSubstr("more than 32 bytes"));
            }
        }
        EXPECT_TRUE(refused);
    }
}

INSTANTIATE_TEST_SUITE_P(Chunks, SseLimit, testing::Values(1, 5, 1000));

TEST(SseReader, TakesAnEventOfExactlyTheLimit) {
    SseReader reader(32);
    const auto line = "data: " + std::string(26, 'x');
    EXPECT_THAT(data_of(reader.feed(line + "\n\n").value()), ElementsAre(std::string(26, 'x')));
}

}  // namespace
}  // namespace punie::openai
