#include "training/measurement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "training/printed_text.hpp"

namespace punie::training {
namespace {

TrainerEvent event_of(EventKind kind, double t) {
    TrainerEvent event;
    event.kind = kind;
    event.t = t;
    return event;
}

TrainerEvent timed(EventKind kind, double t, double seconds, int iteration = 0) {
    auto event = event_of(kind, t);
    event.seconds = seconds;
    event.iteration = iteration;
    event.peak_memory_gb = iteration * 0.1;
    event.tokens_per_second = 100 * iteration;
    event.trained_tokens = 500 * iteration;
    return event;
}

/// A run that starts 0.5 s before the trainer's clock: load 2.5 s in all, 12 iterations, validation
/// twice.
Measurement example(int iterations = 12) {
    Measurement measurement;
    const double offset = 0.5;
    const auto take = [&](const TrainerEvent& event) {
        measurement.take(event, event.t + offset, Source::callback);
    };
    take(event_of(EventKind::hello, 0));
    take(event_of(EventKind::imports, 1));
    take(event_of(EventKind::begin, 2));
    double t = 3;
    take(timed(EventKind::validation, t, 1));
    for (int i = 1; i <= iterations; ++i) {
        const double seconds = i == 1 ? 10 : i;
        t += seconds;
        take(timed(EventKind::iteration, t, seconds, i));
    }
    take(timed(EventKind::validation, t + 0.8, 0.8));
    take(timed(EventKind::checkpoint, t + 1, 0.2));
    take(event_of(EventKind::end, t + 1));
    return measurement;
}

TEST(Measurement, PartsAddUpToTheTotal) {
    BenchmarkResult result;
    example().fill(result, 100);
    EXPECT_DOUBLE_EQ(result.load_seconds, 2.5);
    EXPECT_DOUBLE_EQ(result.first_iteration_seconds, 10);
    EXPECT_DOUBLE_EQ(result.training_seconds, 77);  // 2 + ... + 12
    EXPECT_DOUBLE_EQ(result.validation_seconds, 1.8);
    EXPECT_DOUBLE_EQ(result.checkpoint_seconds, 0.2);
    EXPECT_DOUBLE_EQ(result.other_seconds, 100 - 2.5 - 10 - 77 - 1.8 - 0.2);
    EXPECT_DOUBLE_EQ(result.total_seconds, 100);
}

TEST(Measurement, TheFirstIterationIsInNoAverage) {
    BenchmarkResult result;
    example().fill(result, 100);
    EXPECT_EQ(result.num_iters, 12);
    EXPECT_DOUBLE_EQ(result.seconds_per_iter, 7);  // of 2 ... 12
    EXPECT_DOUBLE_EQ(result.spread_low, 2);
    EXPECT_DOUBLE_EQ(result.spread_high, 12);
    EXPECT_DOUBLE_EQ(
        result.ci_low.value(), 3
    );  // 11 values: the second smallest and the second largest
    EXPECT_DOUBLE_EQ(result.ci_high.value(), 11);
    EXPECT_DOUBLE_EQ(result.tokens_per_second, 700);
    EXPECT_DOUBLE_EQ(result.peak_memory_gb, 1.2);
    EXPECT_EQ(result.event_source, "callback");
}

TEST(Measurement, NoIntervalUnderSixSteadyIterations) {
    BenchmarkResult six;
    example(6).fill(six, 100);
    EXPECT_FALSE(six.ci_low);
    BenchmarkResult seven;
    example(7).fill(seven, 100);
    EXPECT_TRUE(seven.ci_low);
}

TEST(Measurement, OneIterationIsAllThereIs) {
    BenchmarkResult result;
    example(1).fill(result, 20);
    EXPECT_DOUBLE_EQ(result.seconds_per_iter, 10);
    EXPECT_DOUBLE_EQ(result.training_seconds, 0);
    EXPECT_DOUBLE_EQ(result.tokens_per_second, 100);
}

TEST(Measurement, ThePeakAfterTwoIterationsIsTheProbe) {
    EXPECT_DOUBLE_EQ(example().probe_peak_gb().value(), 0.2);
    EXPECT_DOUBLE_EQ(example(1).probe_peak_gb().value(), 0.1);
    EXPECT_FALSE(Measurement().probe_peak_gb());
}

TEST(Measurement, ThePaceHasTheLastValidation) {
    const auto pace = example().pace();
    EXPECT_DOUBLE_EQ(pace.load, 2.5);
    EXPECT_DOUBLE_EQ(pace.first_iteration, 10);
    EXPECT_DOUBLE_EQ(pace.iteration, 7);
    EXPECT_DOUBLE_EQ(pace.validation_pass, 0.8);
    EXPECT_DOUBLE_EQ(pace.checkpoint, 0.2);
}

TEST(Measurement, PhasesFollowTheEvents) {
    Measurement measurement;
    EXPECT_EQ(measurement.phase(true), "loading");
    measurement.take(event_of(EventKind::hello, 0), 0, Source::callback);
    EXPECT_EQ(measurement.phase(true), "loading");
    measurement.take(event_of(EventKind::begin, 1), 1, Source::callback);
    EXPECT_EQ(measurement.phase(true), "validating");
    EXPECT_EQ(measurement.phase(false), "compiling");
    measurement.take(timed(EventKind::validation, 2, 1), 2, Source::callback);
    EXPECT_EQ(measurement.phase(true), "compiling");
    measurement.take(timed(EventKind::iteration, 3, 1, 1), 3, Source::callback);
    EXPECT_EQ(measurement.phase(true), "training");
}

TEST(Measurement, RepeatedIterationsAreOne) {
    Measurement measurement;
    for (const int i : {1, 2, 2, 1, 3})
        measurement.take(timed(EventKind::iteration, i, 1, i), i, Source::callback);
    EXPECT_EQ(measurement.iterations().size(), 3U);
}

TEST(Measurement, PrintedTextIsDroppedWhenTheCallbackSpeaks) {
    Measurement measurement;
    measurement.take(timed(EventKind::iteration, 0, 9, 1), 5, Source::printed_text);
    measurement.take(timed(EventKind::iteration, 5, 1, 1), 5, Source::callback);
    measurement.take(timed(EventKind::iteration, 0, 9, 2), 6, Source::printed_text);
    ASSERT_EQ(measurement.iterations().size(), 1U);
    EXPECT_EQ(measurement.iterations()[0].seconds, 1);
    EXPECT_EQ(measurement.source(), Source::callback);
}

TEST(Measurement, AValidationThatIsPrintedTooCountsOnce) {
    Measurement measurement;
    measurement.take(event_of(EventKind::begin, 2), 2, Source::callback);
    measurement.take(timed(EventKind::validation, 3, 1, 1), 3, Source::callback);
    measurement.take(timed(EventKind::validation, 0, 1, 1), 3.1, Source::printed_text);
    measurement.take(timed(EventKind::iteration, 5, 2, 1), 5, Source::callback);
    BenchmarkResult result;
    measurement.fill(result, 6);
    EXPECT_DOUBLE_EQ(result.validation_seconds, 1);
    EXPECT_DOUBLE_EQ(result.other_seconds, 1);
}

TEST(Measurement, KeepsWhatTheTrainerSaidOfItsError) {
    Measurement measurement;
    auto error = event_of(EventKind::error, 1);
    error.error_type = "ValueError";
    measurement.take(error, 1, Source::callback);
    EXPECT_EQ(measurement.reported_error(), "ValueError");
    error.message = "no rows";
    measurement.take(error, 1, Source::callback);
    EXPECT_EQ(measurement.reported_error(), "ValueError: no rows");
}

std::string recorded(const std::string& name) {
    return read_text(std::string(PUNIE_SOURCE_DIR) + "/tests/unit/training/recorded/" + name)
        .value();
}

TEST(Measurement, TheRecordedRunAddsUp) {
    Measurement measurement;
    double last = 0;
    for (const auto& line : split_lines(recorded("events-0.32.2.jsonl"))) {
        const auto event = parse_event(line).value();
        last = event.t + 0.02;
        measurement.take(event, last, Source::callback);
    }
    BenchmarkResult result;
    measurement.fill(result, last + 0.1);
    EXPECT_EQ(result.num_iters, 6);
    EXPECT_GE(result.other_seconds, 0.1);
    EXPECT_LT(result.other_seconds, 0.1 + 0.1);  // printing and finding the time between the parts
    for (const auto& report : result.iterations) {
        EXPECT_NEAR(report.seconds, report.trainer_seconds, 0.1 * report.trainer_seconds)
            << report.iteration;
    }
}

/// Feeds a recorded output line by line, `step` seconds apart.
BenchmarkResult printed(const std::string& name, double step) {
    Measurement measurement;
    PrintedText text;
    double now = 0;
    for (const auto& line : split_lines(recorded(name))) {
        now += step;
        text.feed(line + "\n");
        for (const auto& event : text.take()) measurement.take(event, now, Source::printed_text);
    }
    BenchmarkResult result;
    measurement.fill(result, now);
    return result;
}

TEST(Measurement, OfOldTextHasTheTrainersTimes) {
    const auto result = printed("lora-0.31.3.txt", 1);
    EXPECT_EQ(result.num_iters, 6);
    EXPECT_NEAR(
        result.seconds_per_iter, 1 / 2.443, 1e-9
    );  // every second iteration is reported, none is the first
    EXPECT_EQ(result.peak_memory_gb, 0.051);
    EXPECT_NEAR(result.validation_seconds, 0.694, 1e-9);
    EXPECT_EQ(result.event_source, "printed text");
}

TEST(Measurement, OfTheTableHasTimesOfArrival) {
    const auto result = printed("lora-0.32.2.txt", 1);
    EXPECT_EQ(result.num_iters, 6);
    // Rows: val at 14, 2 at 15, val at 16, 4 at 17, save at 18, val at 19, 6 at 20 (seconds after
    // the start).
    ASSERT_EQ(result.iterations.size(), 3U);
    EXPECT_NEAR(result.iterations[1].seconds, (2 - 0.25) / 2, 1e-9);
    EXPECT_NEAR(result.iterations[2].seconds, (3 - 0.23) / 2, 1e-9);
    EXPECT_EQ(result.peak_memory_gb, 0);
}

TEST(ResultJson, HasEveryFigureAndNullForWhatIsUnknown) {
    BenchmarkResult result;
    example(3).fill(result, 40);
    result.model_path = "models/\"tiny\"";
    result.verdict = Verdict::slow;
    result.advice.push_back({.change = "--batch-size 1", .explanation = "smaller"});
    result.command = {"python", "x y"};
    result.notes = {"a note"};
    const auto value = parse_json(to_json(result)).value();
    EXPECT_EQ(string_member(value, "model_path"), "models/\"tiny\"");
    EXPECT_EQ(string_member(value, "verdict"), "slow");
    EXPECT_EQ(integer_member(value, "num_iters"), 3);
    EXPECT_EQ(number_member(value, "seconds_per_iter"), 2.5);
    EXPECT_EQ(number_member(value, "total_seconds"), 40);
    EXPECT_TRUE(value.at("interval_95").is_null());
    EXPECT_TRUE(value.at("projected_seconds_plan").is_null());
    EXPECT_TRUE(value.at("memory").at("estimated_peak_gb").is_null());
    EXPECT_TRUE(value.at("advice").at(0).at("estimated_peak_gb").is_null());
    EXPECT_EQ(value.at("iterations").as_array().size(), 3U);
    EXPECT_EQ(value.at("command").as_array().size(), 2U);
    double parts = 0;
    for (const auto& part : value.at("parts_seconds").as_object())
        parts += part.value().to_number<double>();
    EXPECT_NEAR(parts, 40, 1e-9);
}

TEST(ResultJson, NoNumberIsNull) {
    BenchmarkResult result;
    result.seconds_per_iter = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(parse_json(to_json(result)).value().at("seconds_per_iter").is_null());
}

}  // namespace
}  // namespace punie::training
