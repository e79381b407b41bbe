// The runner against a server that behaves, and one that does not.

#include "eval/runner.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "eval/response_file.hpp"
#include "eval/score_run.hpp"
#include "integration/eval/asking.hpp"
#include "integration/eval/eval_server.hpp"

namespace punie::eval {
namespace {

using test::EvalServer;
using test::NobodyListens;
using testing::AllOf;
using testing::Each;
using testing::Field;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

std::set<std::pair<std::string, int>> samples(const std::vector<ResponseRecord>& records) {
    std::set<std::pair<std::string, int>> all;
    for (const auto& record : records) all.emplace(record.prompt_id, record.sample);
    return all;
}

TEST(Runner, AsksEverythingOnce) {
    const EvalServer server;
    Asking asking{.suite = made_suite(300), .ask = ask_at(server.url())};
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(outcome->asked, 300U);
    EXPECT_EQ(outcome->not_asked, 0U);
    EXPECT_EQ(outcome->ended_by, "");
    EXPECT_EQ(outcome->concurrency, "8 (given)");
    EXPECT_EQ(samples(asking.records).size(), 300U);
    EXPECT_EQ(asking.count(SampleState::answered), 300U);
    EXPECT_THAT(asking.records, Each(Field(&ResponseRecord::attempts, 1)));
    const auto stats = server.stats();
    EXPECT_EQ(stats.requests, 300);
    EXPECT_EQ(stats.answered, 300);
    EXPECT_LE(stats.most_at_once, 8);
    EXPECT_LE(stats.connections, 9) << "eight that are kept, and the one that asks for this";
}

TEST(Runner, RecordsWhatWasSentAndWhatCame) {
    const EvalServer server({"--content", "forty-two", "--usage", "5"});
    Asking asking{.suite = made_suite(1), .ask = ask_at(server.url())};
    ASSERT_TRUE(asking.run());
    ASSERT_EQ(asking.records.size(), 1U);
    const auto& record = asking.records[0];
    EXPECT_EQ(record.suite_hash, "asked");
    EXPECT_EQ(record.request, make_plan(asking.suite, {.model = "fake"})->requests[0].body);
    EXPECT_EQ(openai::read_response(record.response).text, "forty-two") << to_text(record.response);
    EXPECT_EQ(record.error, "");
    EXPECT_GT(record.seconds, 0);
    EXPECT_LT(record.seconds, 10);
}

TEST(Runner, WorksWithServersThatClose) {
    for (const auto* flag : {"--close", "--http10"}) {
        const EvalServer server({flag});
        Asking asking{.suite = made_suite(40), .ask = ask_at(server.url())};
        ASSERT_TRUE(asking.run());
        EXPECT_EQ(asking.count(SampleState::answered), 40U) << flag;
        EXPECT_EQ(server.stats().connections, 41) << flag;
    }
}

TEST(Runner, AGivenNumberIsReachedAndNeverExceeded) {
    for (const int given : {1, 3, 16, 100}) {
        const EvalServer server({"--delay-ms", "20"});
        Asking asking{
            .suite = made_suite(4 * static_cast<std::size_t>(given)), .ask = ask_at(server.url())
        };
        asking.options.concurrency = given;
        ASSERT_TRUE(asking.run());
        EXPECT_EQ(server.stats().most_at_once, given);
    }
}

TEST(Runner, FindsThatMoreAtOnceIsFaster) {
    const EvalServer server({"--delay-ms", "20"});
    Asking asking{.suite = made_suite(500), .ask = ask_at(server.url())};
    asking.options.concurrency = 0;
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_GE(server.stats().most_at_once, 16) << outcome->concurrency;
    EXPECT_THAT(outcome->concurrency, HasSubstr("found"));
}

// Failures.

TEST(Runner, AThirdThatFailsIsToldFromAnswers) {
    const EvalServer server({"--fail-share", "0.33"});
    Asking asking{.suite = made_suite(300), .ask = ask_at(server.url())};
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->asked, 300U);
    EXPECT_EQ(outcome->ended_by, "");
    const auto failed = asking.count(SampleState::failed);
    EXPECT_GT(failed, 60U);
    EXPECT_LT(failed, 140U);
    EXPECT_EQ(asking.count(SampleState::answered), 300 - failed);
    for (const auto& record : asking.records) {
        if (record.state != SampleState::failed) continue;
        EXPECT_EQ(record.attempts, 3);
        EXPECT_THAT(record.error, HasSubstr("this prompt breaks the model"));
        EXPECT_TRUE(record.response.is_null());
        EXPECT_FALSE(record.request.empty());
    }
    EXPECT_EQ(asking.progress.back().unanswered, failed);
    EXPECT_EQ(server.stats().requests, static_cast<std::int64_t>(300 + 2 * failed));
}

struct Fault {
    const char* name;
    std::vector<std::string> flags;
    SampleState state;  ///< of every sample
    int attempts;
    const char* error;
};

class Faults : public testing::TestWithParam<Fault> {};

TEST_P(Faults, EndInAState) {
    const EvalServer server(GetParam().flags);
    Asking asking{.suite = made_suite(12), .ask = ask_at(server.url(), Milliseconds(150))};
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(asking.count(GetParam().state), 12U);
    for (const auto& record : asking.records) {
        EXPECT_EQ(record.attempts, GetParam().attempts);
        EXPECT_THAT(record.error, HasSubstr(GetParam().error));
        EXPECT_EQ(record.error.empty(), GetParam().state == SampleState::answered);
    }
}

constexpr auto answered = SampleState::answered;
constexpr auto failed = SampleState::failed;
constexpr auto refused = SampleState::refused;

INSTANTIATE_TEST_SUITE_P(
    Table,
    Faults,
    testing::Values(
        Fault{"FlakyOnce", {"--flaky", "1"}, answered, 2, ""},
        Fault{"FlakyThrice", {"--flaky", "3"}, answered, 4, ""},
        Fault{"ErrorOnce", {"--fail-share", "1", "--faults", "1"}, answered, 2, ""},
        Fault{"ErrorAlways", {"--fail-share", "1"}, failed, 3, "status 500"},
        Fault{"CutOnce", {"--cut-share", "1", "--faults", "1"}, answered, 2, ""},
        Fault{"CutTwice", {"--cut-share", "1", "--faults", "2"}, answered, 3, ""},
        Fault{"CutAlways", {"--cut-share", "1"}, failed, 3, "closed the connection after"},
        Fault{"HangsOnce", {"--hang-share", "1", "--faults", "1"}, answered, 2, ""},
        Fault{"HangsAlways", {"--hang-share", "1"}, failed, 3, "longer than 0.15 s"},
        Fault{"TooSlow", {"--delay-ms", "2000"}, failed, 3, "longer than 0.15 s"},
        Fault{"BusyWithNobody", {"--status", "429"}, failed, 4, "status 429"},
        Fault{"NoKey", {"--status", "401"}, refused, 1, "status 401"},
        Fault{"NoModel", {"--status", "404"}, refused, 1, "status 404"},
        Fault{"AsksToWait", {"--status", "503"}, failed, 4, "status 503"},
        Fault{"Unavailable", {"--status", "503", "--retry-after", ""}, failed, 3, "status 503"}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST(Runner, AStormOfRefusalsLosesNothing) {
    for (const int given : {0, 64}) {
        const EvalServer server({"--max-at-once", "4", "--delay-ms", "5"});
        Asking asking{.suite = made_suite(400), .ask = ask_at(server.url())};
        asking.options.concurrency = given;
        asking.options.attempts.longest_wait = Milliseconds(200);
        const auto outcome = asking.run();
        ASSERT_TRUE(outcome);
        EXPECT_EQ(asking.count(SampleState::answered), 400U) << given;
        const auto refusals = server.stats().requests - 400;
        if (given == 0) EXPECT_LT(refusals, 100) << outcome->concurrency;
        if (given == 0) EXPECT_THAT(outcome->concurrency, HasSubstr("the server refused some"));
    }
}

TEST(Runner, GivesUpWhenNobodyListens) {
    const NobodyListens nobody;
    Asking asking{.suite = made_suite(200), .ask = ask_at(nobody.url())};
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ended_by, "25 samples in a row without an answer");
    EXPECT_EQ(outcome->asked, 25U);
    EXPECT_EQ(outcome->not_asked, 175U);
    EXPECT_EQ(asking.count(SampleState::failed), 25U);
    EXPECT_THAT(asking.records[0].error, HasSubstr("refused"));
}

TEST(Runner, GivesUpWhenTheServerDies) {
    const EvalServer server({"--exit-after", "50"});
    Asking asking{.suite = made_suite(200), .ask = ask_at(server.url())};
    asking.options.give_up_after = 10;
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ended_by, "10 samples in a row without an answer");
    EXPECT_EQ(asking.count(SampleState::answered), 50U);
    EXPECT_EQ(asking.count(SampleState::failed), 10U);
    EXPECT_EQ(outcome->not_asked, 140U);
}

TEST(Runner, FailuresBetweenAnswersAreNoReasonToGiveUp) {
    const EvalServer server({"--fail-share", "0.5"});
    Asking asking{.suite = made_suite(200), .ask = ask_at(server.url())};
    asking.options.concurrency = 1;
    asking.options.give_up_after = 30;
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ended_by, "");
    EXPECT_GT(asking.count(SampleState::failed), 30U);
}

// Ends.

class Cancelled : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Cancelled, KeepsWhatCameAndLeavesTheRest) {
    const EvalServer server(GetParam());
    Asking asking{.suite = made_suite(500), .ask = ask_at(server.url())};
    asking.on_record = [&asking](const ResponseRecord&) -> Result<void> {
        if (asking.records.size() == 20) asking.loop.cancel();
        if (asking.records.size() == 21) asking.loop.cancel();
        return {};
    };
    asking.options.concurrency = 16;
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(outcome->ended_by, "cancelled");
    EXPECT_GE(asking.records.size(), 20U);
    EXPECT_LT(asking.records.size(), 100U);
    EXPECT_EQ(outcome->asked, asking.records.size());
    EXPECT_EQ(outcome->asked + outcome->not_asked, 500U);
    EXPECT_EQ(samples(asking.records).size(), asking.records.size());
}

INSTANTIATE_TEST_SUITE_P(
    Servers,
    Cancelled,
    testing::Values(
        std::vector<std::string>{},
        std::vector<std::string>{"--delay-ms", "20"},
        std::vector<std::string>{"--hang-share", "0.3"},
        std::vector<std::string>{"--fail-share", "0.3"}
    ),
    [](const auto& info) { return fmt::format("Nr{}", info.index); }
);

TEST(Runner, CancelledTwiceWhileNothingAnswers) {
    const EvalServer server({"--hang-share", "1"});
    Asking asking{.suite = made_suite(10), .ask = ask_at(server.url())};
    asking.options.concurrency = 4;
    asio::steady_timer first(asking.loop.io(), Milliseconds(30));
    first.async_wait([&asking](auto) { asking.loop.cancel(); });
    asio::steady_timer second(asking.loop.io(), Milliseconds(31));
    second.async_wait([&asking](auto) { asking.loop.cancel(); });
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(outcome->ended_by, "cancelled");
    EXPECT_EQ(outcome->not_asked, 10U);
    EXPECT_TRUE(asking.records.empty());
}

TEST(Runner, ATimeLimitGivesUpWhatRuns) {
    const EvalServer server({"--hang-share", "0.2", "--delay-ms", "1"});
    Asking asking{.suite = made_suite(100), .ask = ask_at(server.url())};
    asking.options.max_seconds = 0.3;
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ended_by, "the time limit");
    EXPECT_GE(outcome->seconds, 0.3);
    EXPECT_LT(outcome->seconds, 5);
    EXPECT_GT(outcome->not_asked, 5U);
    EXPECT_EQ(outcome->asked, asking.records.size());
    EXPECT_EQ(asking.count(SampleState::answered), asking.records.size());
}

TEST(Runner, ATimeLimitAlsoEndsWaitsBetweenAttempts) {
    const EvalServer server({"--fail-share", "1"});
    Asking asking{.suite = made_suite(3), .ask = ask_at(server.url())};
    asking.options.attempts = {
        .first_wait = std::chrono::minutes(1), .longest_wait = std::chrono::minutes(1)
    };
    asking.options.max_seconds = 0.1;
    const auto outcome = asking.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ended_by, "the time limit");
    EXPECT_EQ(outcome->not_asked, 3U);
    EXPECT_LT(outcome->seconds, 10);
}

TEST(Runner, ARecordThatCannotBeKeptEndsTheRun) {
    const EvalServer server({"--delay-ms", "2"});
    Asking asking{.suite = made_suite(200), .ask = ask_at(server.url())};
    asking.on_record = [&asking](const ResponseRecord&) -> Result<void> {
        if (asking.records.size() < 10) return {};
        return fail(ErrorCode::disk_full, fmt::format("no space {}", asking.records.size()));
    };
    const auto outcome = asking.run();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::disk_full);
    EXPECT_EQ(outcome.error().message(), "no space 10");
    EXPECT_LE(asking.records.size(), 10U + 8U);
    EXPECT_LE(server.stats().requests, 10 + 2 * 8);
}

TEST(Runner, NothingToAskIsDoneAtOnce) {
    Asking asking{.suite = made_suite(1), .ask = ask_at("http://127.0.0.1:1/v1")};
    const auto outcome = asking.run({});
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->asked, 0U);
    EXPECT_EQ(outcome->ended_by, "");
}

TEST(Runner, ProgressCountsUp) {
    const EvalServer server({"--fail-share", "0.2"});
    Asking asking{.suite = made_suite(100), .ask = ask_at(server.url())};
    ASSERT_TRUE(asking.run());
    std::size_t done = 0;
    for (const auto& now : asking.progress) {
        EXPECT_EQ(now.total, 100U);
        EXPECT_GE(now.done, done);
        EXPECT_LE(now.at_once, 8);
        EXPECT_LE(now.retrying, now.at_once);
        done = now.done;
    }
    EXPECT_EQ(done, 100U);
    EXPECT_EQ(asking.progress.back().retrying, 0);
    EXPECT_THAT(asking.progress.back().last_failure, HasSubstr("breaks the model"));
}

// With the file of responses.

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// Asks what `file` does not have, at most `most` of it.
void ask_what_is_missing(
    const Suite& suite, const std::string& url, const std::filesystem::path& file, std::size_t most
) {
    auto responses = ResponseFile::open(file);
    ASSERT_TRUE(responses) << responses.error().message();
    auto requests = make_plan(suite, {.model = "fake"})->requests;
    std::erase_if(requests, [&](const PlannedRequest& request) {
        return responses->finished().contains({suite.prompts[request.prompt].id, request.sample});
    });
    Asking asking{.suite = suite, .ask = ask_at(url)};
    asking.on_record = [&](const ResponseRecord& record) -> Result<void> {
        if (asking.records.size() == most) asking.loop.cancel();
        return responses->append(record);
    };
    ASSERT_TRUE(asking.run(std::move(requests)));
}

TEST(Runner, AResumeAsksOnlyWhatIsMissing) {
    const auto folder = TemporaryFolder::make("punie-eval").value();
    const auto log = folder.path() / "log";
    const auto file = folder.path() / "responses.jsonl";
    const EvalServer server({"--log", log.string(), "--fail-share", "0.3", "--faults", "4"});
    auto suite = made_suite(100);
    for (auto& prompt : suite.prompts) {
        prompt.repeats = 2;
        prompt.sampling.temperature = 0.5;  // each sample is another request
    }
    for (const std::size_t most : {17U, 40U, 1000U, 1000U})
        ask_what_is_missing(suite, server.url(), file, most);
    const auto asked = lines_of(log);
    // what was under way when a run was cancelled may have been answered into the void
    EXPECT_GE(asked.size(), 200U);
    EXPECT_LE(asked.size(), 200U + 2 * 8U);
    EXPECT_EQ(std::set<std::string>(asked.begin(), asked.end()).size(), 200U);
    const auto before = server.stats().requests;
    ask_what_is_missing(suite, server.url(), file, 1000);
    EXPECT_EQ(server.stats().requests, before) << "all was there";
    const auto run = score_responses(suite, file);
    ASSERT_TRUE(run);
    EXPECT_EQ(count(run->samples).answered, 200U);
}

/// Everything of a judged run but times and attempts.
std::vector<std::string> verdicts(const Suite& suite, const std::filesystem::path& file) {
    const auto run = score_responses(suite, file);
    EXPECT_TRUE(run);
    std::vector<std::string> all;
    if (!run) return all;
    for (const auto& sample : run->samples) {
        all.push_back(fmt::format(
            "{} {} {} {} {}",
            sample.prompt,
            sample.sample,
            name_of(sample.state),
            sample.score,
            sample.reason
        ));
    }
    return all;
}

TEST(Runner, TheOrderOfAnswersDoesNotMatter) {
    const auto folder = TemporaryFolder::make("punie-eval").value();
    const auto suite = made_suite(120);
    std::vector<std::vector<std::string>> all;
    std::vector<std::string> orders;
    for (const auto& flags : std::vector<std::vector<std::string>>{
             {},
             {"--cut-share", "0.5", "--faults", "1"},
             {"--flaky", "1", "--delay-ms", "3"},
         }) {
        const EvalServer server(flags);
        const auto file = folder.path() / fmt::format("{}.jsonl", all.size());
        ask_what_is_missing(suite, server.url(), file, 1000);
        std::string order;
        for (const auto& line : lines_of(file)) order += parse_record(line)->prompt_id;
        orders.push_back(order);
        all.push_back(verdicts(suite, file));
    }
    EXPECT_EQ(all[0].size(), 120U);
    EXPECT_EQ(all[0], all[1]);
    EXPECT_EQ(all[0], all[2]);
    EXPECT_NE(orders[0], orders[1]) << "else this shows nothing";
}

}  // namespace
}  // namespace punie::eval
