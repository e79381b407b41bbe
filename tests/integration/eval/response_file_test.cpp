// responses.jsonl under hardship: torn lines, two writers, a full disk, SIGKILL.

#include "eval/response_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <random>
#include <set>
#include <stdexcept>
#include <string>

#include "base/files.hpp"
#include "support/forked.hpp"

namespace punie::eval {
namespace {

namespace fs = std::filesystem;
using test::Forked;
using test::Say;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

ResponseRecord record(
    const std::string& prompt, int sample = 0, SampleState state = SampleState::answered
) {
    ResponseRecord made{.suite_hash = "asked", .prompt_id = prompt, .sample = sample};
    made.state = state;
    made.request = {{"messages", json::array{}}};
    if (state == SampleState::answered || state == SampleState::cut)
        made.response = json::object{{"choices", json::array{json::object{}}}};
    made.error = state == SampleState::failed ? "it broke" : "";
    return made;
}

class ResponseFileTest : public testing::Test {
protected:
    ResponseFileTest() : folder_(TemporaryFolder::make("punie-responses").value()) {}

    fs::path file() const { return folder_.path() / "deep" / "responses.jsonl"; }

    ResponseFile opened() const {
        auto responses = ResponseFile::open(file());
        if (!responses) throw std::runtime_error(responses.error().message());
        return *std::move(responses);
    }

    std::string text() const { return read_text(file()).value_or(""); }

    void put(const std::string& text) const {
        fs::create_directories(file().parent_path());
        ASSERT_TRUE(write_atomic(file(), text));
    }

    TemporaryFolder folder_;
};

TEST_F(ResponseFileTest, IsMadeWithItsFolder) {
    EXPECT_THAT(opened().finished(), IsEmpty());
    EXPECT_TRUE(fs::exists(file()));
}

TEST_F(ResponseFileTest, WhatWasAppendedIsThereAgain) {
    {
        auto responses = opened();
        ASSERT_TRUE(responses.append(record("a", 1)));
        ASSERT_TRUE(responses.append(record("b")));
        ASSERT_TRUE(responses.sync());
    }
    EXPECT_EQ(text(), to_line(record("a", 1)) + "\n" + to_line(record("b")) + "\n");
    EXPECT_THAT(opened().finished(), ElementsAre(Pair("a", 1), Pair("b", 0)));
}

TEST_F(ResponseFileTest, FailedAndRefusedSamplesAreNotFinished) {
    {
        auto responses = opened();
        ASSERT_TRUE(responses.append(record("cut", 0, SampleState::cut)));
        ASSERT_TRUE(responses.append(record("failed", 0, SampleState::failed)));
        ASSERT_TRUE(responses.append(record("refused", 0, SampleState::refused)));
        ASSERT_TRUE(responses.append(record("later", 0, SampleState::failed)));
        ASSERT_TRUE(responses.append(record("later")));
    }
    EXPECT_THAT(opened().finished(), ElementsAre(Pair("cut", 0), Pair("later", 0)));
}

TEST_F(ResponseFileTest, MovingKeepsTheLock) {
    auto first = opened();
    ResponseFile second = std::move(first);
    EXPECT_FALSE(ResponseFile::open(file()));
    ASSERT_TRUE(second.append(record("a")));
    {
        const ResponseFile gone = std::move(second);
    }
    EXPECT_TRUE(ResponseFile::open(file()));
}

TEST_F(ResponseFileTest, KnowsOfOtherSuites) {
    auto responses = opened();
    EXPECT_FALSE(responses.has_other_suite("asked")) << "an empty file";
    {
        ASSERT_TRUE(responses.append(record("a")));
        const ResponseFile closed = std::move(responses);
    }
    EXPECT_FALSE(opened().has_other_suite("asked"));
    EXPECT_TRUE(opened().has_other_suite("another"));
}

// Ends of files.

struct Tail {
    const char* name;
    std::string tail;
    std::string mended;  ///< what the tail becomes
};

class TornTail : public ResponseFileTest, public testing::WithParamInterface<Tail> {};

TEST_P(TornTail, IsMended) {
    const auto whole = to_line(record("a")) + "\n";
    put(whole + GetParam().tail);
    {
        auto responses = opened();
        EXPECT_EQ(text(), whole + GetParam().mended);
        ASSERT_TRUE(responses.append(record("next")));
    }
    EXPECT_EQ(text(), whole + GetParam().mended + to_line(record("next")) + "\n");
    EXPECT_TRUE(opened().finished().contains({"next", 0}));
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    TornTail,
    testing::Values(
        Tail{"None", "", ""},
        Tail{"OneByte", "{", ""},
        Tail{
            "AllButTheLastByte", to_line(record("b")).substr(0, to_line(record("b")).size() - 1), ""
        },
        Tail{"WholeWithoutItsEnd", to_line(record("b")), to_line(record("b")) + "\n"},
        Tail{"Zeros", std::string(100, '\0'), ""},
        Tail{"Long", "{\"suite\":\"" + std::string(300'000, 'x'), ""}
    ),
    [](const auto& info) { return info.param.name; }
);

TEST_F(ResponseFileTest, NothingButATornLineIsAnEmptyFile) {
    put(R"({"suite":"a)");
    EXPECT_THAT(opened().finished(), IsEmpty());
    EXPECT_EQ(text(), "");
}

TEST_F(ResponseFileTest, NonsenseInTheMiddleIsAnErrorAndStays) {
    const auto all = to_line(record("a")) + "\nnonsense\n" + to_line(record("b")) + "\n";
    put(all);
    const auto responses = ResponseFile::open(file());
    ASSERT_FALSE(responses);
    EXPECT_EQ(responses.error().code(), ErrorCode::protocol);
    EXPECT_THAT(responses.error().message(), HasSubstr("responses.jsonl:2"));
    EXPECT_EQ(text(), all);
}

TEST_F(ResponseFileTest, AFolderIsNoFile) {
    fs::create_directories(file());
    const auto responses = ResponseFile::open(file());
    ASSERT_FALSE(responses);
    EXPECT_THAT(responses.error().message(), HasSubstr(file().string()));
}

// Other processes.

TEST_F(ResponseFileTest, TwoProcessesDoNotWriteAtOnce) {
    Forked holder([this](const Say& say) {
        auto held = ResponseFile::open(file());
        say(held ? "held" : "not held");
        ::pause();
        return 0;
    });
    ASSERT_TRUE(holder.read_lines(1));
    ASSERT_THAT(holder.lines(), ElementsAre("held"));
    const auto second = ResponseFile::open(file());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::state);
    EXPECT_THAT(second.error().describe(), HasSubstr("another punie"));
    EXPECT_THAT(second.error().describe(), HasSubstr("--out"));
    holder.kill();
    EXPECT_EQ(holder.wait(), -SIGKILL);
    EXPECT_TRUE(ResponseFile::open(file())) << "the lock went with its process";
}

/// Appends until it is killed, from `first` on; says each record that append acknowledged.
int append_for_ever(const fs::path& file, int first, const Say& say) {
    auto responses = ResponseFile::open(file);
    if (!responses) return 1;
    for (int i = first;; ++i) {
        auto made = record(fmt::format("p{}", i));
        made.error = std::string(static_cast<std::size_t>(i * 37 % 20'000), 'e');
        if (!responses->append(made)) return 2;
        say(fmt::format("p{}", i));
    }
}

TEST_F(ResponseFileTest, AKilledWriterLosesNoAcknowledgedRecord) {
    std::mt19937 random(7);
    std::set<std::string> acknowledged;
    int next = 0;
    for (int round = 0; round < 50; ++round) {
        Forked writer([&](const Say& say) { return append_for_ever(file(), next, say); });
        ASSERT_TRUE(writer.read_lines(1 + random() % 30)) << round;
        writer.kill();
        ASSERT_EQ(writer.wait(), -SIGKILL);
        for (const auto& line : writer.lines()) acknowledged.insert(line);
        next += static_cast<int>(writer.lines().size()) + 1;
    }
    const auto responses = opened();
    for (const auto& id : acknowledged) EXPECT_TRUE(responses.finished().contains({id, 0})) << id;
    EXPECT_GE(acknowledged.size(), 50U);
    EXPECT_LE(responses.finished().size(), acknowledged.size() + 50) << "at most one more a kill";
}

/// Appends until that fails; says how often it worked, and the error.
int append_until_full(const fs::path& file, const Say& say) {
    auto responses = ResponseFile::open(file);
    if (!responses) return 1;
    for (int i = 0; i < 10'000; ++i) {
        auto made = record(fmt::format("p{}", i));
        made.error = std::string(777, 'e');
        if (const auto appended = responses->append(made); !appended) {
            say(std::to_string(i));
            say(appended.error().message());
            return 0;
        }
    }
    return 2;
}

/// A limit on the size of files stands for the disk.
TEST_F(ResponseFileTest, AFullDiskLeavesWholeRecords) {
    Forked writer([this](const Say& say) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100'000, 100'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        return append_until_full(file(), say);
    });
    ASSERT_EQ(writer.wait(), 0);
    ASSERT_EQ(writer.lines().size(), 2U);
    EXPECT_THAT(writer.lines()[1], HasSubstr(file().string()));
    const auto kept = static_cast<std::size_t>(std::stoi(writer.lines()[0]));
    EXPECT_GT(kept, 50U);
    EXPECT_TRUE(text().ends_with("\n")) << "no torn line";
    EXPECT_LT(text().size(), 100'000U);
    auto responses = opened();
    EXPECT_EQ(responses.finished().size(), kept);
    EXPECT_TRUE(responses.append(record("after"))) << "there is space again";
}

}  // namespace
}  // namespace punie::eval
