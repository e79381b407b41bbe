#include "training/printed_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/files.hpp"

namespace punie::training {
namespace {

std::string recorded(const std::string& name) {
    return read_text(std::string(PUNIE_SOURCE_DIR) + "/tests/unit/training/recorded/" + name)
        .value();
}

std::vector<TrainerEvent> events_of(const std::string& bytes, std::size_t piece = 4096) {
    PrintedText text;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        text.feed(std::string_view(bytes).substr(at, piece));
    return text.take();
}

std::vector<TrainerEvent> only(const std::vector<TrainerEvent>& events, EventKind kind) {
    std::vector<TrainerEvent> found;
    std::ranges::copy_if(events, std::back_inserter(found), [&](const auto& event) {
        return event.kind == kind;
    });
    return found;
}

TEST(PrintedText, OfTheOldGenerationHasTimesAndMemory) {
    const auto events = events_of(recorded("lora-0.31.3.txt"));
    EXPECT_EQ(only(events, EventKind::begin).size(), 1U);
    const auto iterations = only(events, EventKind::iteration);
    ASSERT_EQ(iterations.size(), 3U);
    EXPECT_EQ(iterations[0].iteration, 2);
    EXPECT_NEAR(iterations[0].seconds.value(), 1 / 2.306, 1e-9);
    EXPECT_EQ(iterations[0].loss, 6.426);
    EXPECT_EQ(iterations[0].tokens_per_second, 3127.507);
    EXPECT_EQ(iterations[0].trained_tokens, 2712);
    EXPECT_EQ(iterations[0].peak_memory_gb, 0.051);
    EXPECT_EQ(iterations[2].iteration, 6);
    const auto validations = only(events, EventKind::validation);
    ASSERT_EQ(validations.size(), 3U);
    EXPECT_EQ(validations[0].iteration, 0);
    EXPECT_EQ(validations[0].loss, 6.439);
    EXPECT_EQ(validations[0].seconds, 0.250);
    EXPECT_EQ(validations[2].iteration, 5);
}

TEST(PrintedText, OfTheNewGenerationIsATable) {
    const auto events = events_of(recorded("lora-0.32.2.txt"));
    EXPECT_EQ(only(events, EventKind::begin).size(), 1U);
    const auto iterations = only(events, EventKind::iteration);
    ASSERT_EQ(iterations.size(), 3U);
    EXPECT_EQ(iterations[1].iteration, 4);
    EXPECT_FALSE(iterations[1].seconds);  // the table has none
    EXPECT_EQ(iterations[1].loss, 6.351);
    EXPECT_EQ(iterations[1].tokens_per_second, 3053);
    EXPECT_EQ(iterations[1].trained_tokens, 5500);
    EXPECT_EQ(iterations[1].peak_memory_gb, 0);
    const auto validations = only(events, EventKind::validation);
    ASSERT_EQ(validations.size(), 3U);
    EXPECT_EQ(validations[0].seconds, 0.31);
    EXPECT_EQ(validations[0].loss, 6.439);
}

TEST(PrintedText, WhereTheBytesAreCutDoesNotMatter) {
    for (const auto* name : {"lora-0.31.3.txt", "lora-0.32.2.txt"}) {
        for (const std::size_t piece : {1U, 3U, 50U}) {
            EXPECT_EQ(events_of(recorded(name), piece).size(), 7U) << name << " " << piece;
        }
    }
}

struct LineCase {
    const char* name;
    std::string line;
    std::optional<EventKind> kind;
};

class PrintedLineTest : public testing::TestWithParam<LineCase> {};

TEST_P(PrintedLineTest, MeansThis) {
    const auto event = parse_printed_line(GetParam().line);
    ASSERT_EQ(event.has_value(), GetParam().kind.has_value());
    if (event) EXPECT_EQ(event->kind, *GetParam().kind);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    PrintedLineTest,
    testing::Values(
        LineCase{
            "old",
            "Iter 1: Train loss 2.1, Learning Rate 1e-05, It/sec 0.5, Tokens/sec 10.0",
            EventKind::iteration
        },
        LineCase{
            "behind_a_bar",
            "Calculating loss...: 100%|##| 1/1Iter 1: Val loss 2.0, Val took 3s",
            EventKind::validation
        },
        LineCase{
            "nan", "Iter 5: Train loss nan, Learning Rate 1e-05, It/sec 0.5", EventKind::iteration
        },
        LineCase{"row", "     2    6.426 \u25BC    2,435      2.7k", EventKind::iteration},
        LineCase{"row_up", "  1000    6.426 \u25B2    2,435    12,345.7k", EventKind::iteration},
        LineCase{"row_nan", "  1000    nan \u25B2    2,435    2.7k", EventKind::iteration},
        LineCase{"row_val", "  1    val 6.439    0.31s", EventKind::validation},
        LineCase{"begin", "Training", EventKind::begin},
        LineCase{"save", "  save  0000004_adapters.safetensors", std::nullopt},
        LineCase{"heading", "  iter   train_loss     tok/s     tokens", std::nullopt},
        LineCase{"empty", "", std::nullopt},
        LineCase{"no_colon", "Iter 5 Train loss 2", std::nullopt},
        LineCase{"no_number", "Iter x: Train loss 2", std::nullopt},
        LineCase{"zero", "Iter 0: Train loss 2", std::nullopt},
        LineCase{"negative", "Iter -4: Train loss 2", std::nullopt},
        LineCase{"too_big", "Iter 99999999999: Train loss 2", std::nullopt},
        LineCase{"saved", "Iter 4: Saved adapter weights to x", std::nullopt},
        LineCase{"row_of_words", "2 6.426 x 2,435 2.7k", std::nullopt},
        LineCase{"row_without_k", "2 6.426 \u25BC 2,435 2.7", std::nullopt},
        LineCase{"val_without_s", "1 val 6.439 0.31", std::nullopt},
        LineCase{"hex", "1 val 0x10 0.31s", std::nullopt},
        LineCase{"bytes", "\xff\xfe\x1b[", std::nullopt},
        LineCase{"long", std::string(5000, '1'), std::nullopt}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(PrintedText, AZeroRateIsNoTime) {
    const auto event =
        parse_printed_line("Iter 1: Train loss 2.1, Learning Rate 1e-05, It/sec 0.000, Tokens/sec 0"
        );
    ASSERT_TRUE(event);
    EXPECT_FALSE(event->seconds);
}

TEST(PrintedText, AnEndlessLineTakesNoMemory) {
    PrintedText text;
    const std::string piece(1'000'000, '#');
    for (int i = 0; i < 20; ++i) text.feed(piece);
    text.feed("\nIter 1: Train loss 2.1, Learning Rate 1e-05, It/sec 2\n");
    EXPECT_EQ(text.take().size(), 1U);
    EXPECT_TRUE(text.take().empty());
}

}  // namespace
}  // namespace punie::training
