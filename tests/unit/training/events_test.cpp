#include "training/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"

namespace punie::training {
namespace {

std::string recorded(const std::string& name) {
    return read_text(std::string(PUNIE_SOURCE_DIR) + "/tests/unit/training/recorded/" + name)
        .value();
}

std::vector<TrainerEvent> events_of(
    const std::string& bytes, std::size_t piece, std::uint64_t* bad = nullptr
) {
    std::vector<TrainerEvent> found;
    EventReader reader;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.feed(std::string_view(bytes).substr(at, piece), [&](const TrainerEvent& event) {
            found.push_back(event);
        });
    }
    if (bad != nullptr) *bad = reader.bad_lines();
    return found;
}

TEST(Events, AnIterationHasAllFigures) {
    const auto event = parse_event(
        R"({"event": "iteration", "t": 1.75, "iteration": 3, "seconds": 0.47, "trainer_seconds": 0.46,)"
        R"( "loss": 6.4, "tokens_per_second": 2949.8, "trained_tokens": 1356.0, "peak_memory_gb": 0.049})"
    );
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, EventKind::iteration);
    EXPECT_EQ(event->t, 1.75);
    EXPECT_EQ(event->iteration, 3);
    EXPECT_EQ(event->seconds, 0.47);
    EXPECT_EQ(event->trainer_seconds, 0.46);
    EXPECT_EQ(event->loss, 6.4);
    EXPECT_EQ(event->tokens_per_second, 2949.8);
    EXPECT_EQ(event->trained_tokens, 1356);
    EXPECT_EQ(event->peak_memory_gb, 0.049);
}

TEST(Events, ALossThatIsNoNumberComesAsNull) {
    const auto event =
        parse_event(R"({"event": "iteration", "t": 1, "iteration": 3, "seconds": 1, "loss": null})"
        );
    ASSERT_TRUE(event);
    EXPECT_FALSE(event->loss);
}

TEST(Events, AnErrorIsShownSafely) {
    const auto event = parse_event(
        R"({"event": "error", "t": 1, "type": "ValueError", "message": "a\u001b[31mb\nc"})"
    );
    ASSERT_TRUE(event);
    EXPECT_EQ(event->error_type, "ValueError");
    EXPECT_EQ(event->message, "abc");
}

class BadEventTest : public testing::TestWithParam<const char*> {};

TEST_P(BadEventTest, IsNoEvent) {
    EXPECT_FALSE(parse_event(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BadEventTest,
    testing::Values(
        "",
        "nonsense",
        "{}",
        "[]",
        "null",
        "42",
        R"("hello")",
        R"({"event": "hello")",
        R"({"event": "hello"} trailing)",
        R"({"event": "unknown", "t": 1})",
        R"({"event": 7, "t": 1})",
        R"({"event": "hello", "t": -1})",
        R"({"event": "hello", "t": 1e300})",
        R"({"event": "hello", "t": "soon"})",
        R"({"event": "iteration", "t": 1})",
        R"({"event": "iteration", "t": 1, "iteration": 0})",
        R"({"event": "iteration", "t": 1, "iteration": 1e12})",
        R"({"event": "iteration", "t": 1, "iteration": -3})",
        R"({"event": "iteration", "t": 1, "iteration": 1, "seconds": -0.1})",
        R"({"event": "iteration", "t": 1, "iteration": 1, "loss": NaN})",
        R"({"event": "iteration", "t": 1, "iteration": 1, "peak_memory_gb": -4})",
        "{\"event\": \"\xff\xfe\"}"
    )
);

TEST(Events, WhatTheCallbackReallyWroteIsUnderstood) {
    std::uint64_t bad = 0;
    const auto found = events_of(recorded("events-0.32.2.jsonl"), 4096, &bad);
    EXPECT_EQ(bad, 0U);
    ASSERT_EQ(found.size(), 19U);
    EXPECT_EQ(found.front().kind, EventKind::hello);
    EXPECT_EQ(found.back().kind, EventKind::end);
    EXPECT_EQ(std::ranges::count(found, EventKind::iteration, &TrainerEvent::kind), 6);
    EXPECT_EQ(std::ranges::count(found, EventKind::validation, &TrainerEvent::kind), 3);
    EXPECT_EQ(std::ranges::count(found, EventKind::checkpoint, &TrainerEvent::kind), 3);
}

TEST(Events, WhereTheBytesAreCutDoesNotMatter) {
    const auto bytes = recorded("events-0.32.2.jsonl");
    for (const std::size_t piece : {1U, 7U, 64U, 100'000U}) {
        EXPECT_EQ(events_of(bytes, piece).size(), 19U) << piece;
    }
}

TEST(Events, BadLinesAreCountedAndSkipped) {
    std::uint64_t bad = 0;
    const auto found = events_of(
        "nonsense\n\n{\"event\": \"hello\", \"t\": 0}\n" + std::string(100'000, 'x') +
            "\n{\"event\": \"begin\", \"t\": 1}\n",
        50,
        &bad
    );
    EXPECT_EQ(bad, 2U);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[1].kind, EventKind::begin);
}

TEST(Events, AnEndlessLineTakesNoMemoryAndIsOneBadLine) {
    EventReader reader;
    const std::string piece(1'000'000, '{');
    const auto never = [](const TrainerEvent&) { FAIL(); };
    for (int i = 0; i < 20; ++i) reader.feed(piece, never);
    reader.feed("\n", never);
    EXPECT_EQ(reader.bad_lines(), 1U);
}

TEST(Events, AnUnfinishedLineIsNotAnEvent) {
    EXPECT_TRUE(events_of(R"({"event": "hello", "t": 0})", 10).empty());
}

}  // namespace
}  // namespace punie::training
