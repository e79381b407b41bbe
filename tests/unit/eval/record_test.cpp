#include "eval/record.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <optional>

#include "base/files.hpp"

namespace punie::eval {

namespace {

using testing::HasSubstr;

json::value parsed(std::string_view text) {
    return json::parse(text);
}

constexpr std::string_view answer_body =
    R"({"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"Paris"},"finish_reason":"stop"}]})";

ResponseRecord full_record() {
    ResponseRecord record;
    record.suite_hash = "abc";
    record.prompt_id = "capital \"of\" France\n";
    record.sample = 3;
    record.request =
        parsed(R"({"model":"m","messages":[{"role":"user","content":"Größe?"}]})").as_object();
    record.response = parsed(answer_body);
    record.state = SampleState::answered;
    record.seconds = 0.125;
    record.attempts = 2;
    return record;
}

TEST(Record, ComesBackAsItWasWritten) {
    const auto record = full_record();
    const auto line = to_line(record);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto back = parse_record(line);
    ASSERT_TRUE(back) << back.error().describe();
    EXPECT_EQ(back->suite_hash, record.suite_hash);
    EXPECT_EQ(back->prompt_id, record.prompt_id);
    EXPECT_EQ(back->sample, 3);
    EXPECT_EQ(back->request, record.request);
    EXPECT_EQ(back->response, record.response);
    EXPECT_EQ(back->state, SampleState::answered);
    EXPECT_EQ(back->error, "");
    EXPECT_DOUBLE_EQ(back->seconds, 0.125);
    EXPECT_EQ(back->attempts, 2);
}

TEST(Record, HasTheDocumentedKeysInTheDocumentedOrder) {
    const auto value = parsed(to_line(full_record()));
    std::vector<std::string> keys;
    for (const auto& member : value.get_object()) keys.emplace_back(member.key());
    EXPECT_THAT(
        keys,
        testing::ElementsAre(
            "suite",
            "prompt",
            "sample",
            "state",
            "request",
            "response",
            "error",
            "seconds",
            "attempts"
        )
    );
}

class EachState : public testing::TestWithParam<SampleState> {};

TEST_P(EachState, HasANameThatReadsBack) {
    EXPECT_EQ(sample_state_from(name_of(GetParam())), GetParam());
    auto record = full_record();
    record.state = GetParam();
    if (GetParam() == SampleState::failed) {
        record.response = nullptr;
        record.error = "timeout after 60 s";
    }
    const auto back = parse_record(to_line(record));
    ASSERT_TRUE(back) << back.error().describe();
    EXPECT_EQ(back->state, GetParam());
    EXPECT_EQ(back->error, record.error);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    EachState,
    testing::Values(
        SampleState::answered,
        SampleState::cut,
        SampleState::refused,
        SampleState::failed,
        SampleState::not_asked
    )
);

struct Foreign {
    std::string_view name;
    std::string_view line;
    std::string_view prompt;
    int sample;
    SampleState state;
    std::string_view content;  ///< of the first choice; "" when there is no answer
    std::string_view error;
};

constexpr std::array foreign = {
    Foreign{
        "batch",
        R"({"id":"b1","custom_id":"light-on","response":{"status_code":200,"request_id":"r","body":{"choices":[{"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}},"error":null})",
        "light-on",
        0,
        SampleState::answered,
        "yes",
        ""
    },
    Foreign{
        "batch_sample",
        R"({"custom_id":"light-on#2","response":{"status_code":200,"body":{"choices":[{"message":{"content":"yes"},"finish_reason":"length"}]}}})",
        "light-on",
        2,
        SampleState::cut,
        "yes",
        ""
    },
    Foreign{
        "batch_refused",
        R"({"custom_id":"a","response":{"status_code":400,"body":{"error":{"message":"too long"}}},"error":null})",
        "a",
        0,
        SampleState::refused,
        "",
        "too long"
    },
    Foreign{
        "batch_overloaded",
        R"({"custom_id":"a","response":{"status_code":429,"body":{}},"error":null})",
        "a",
        0,
        SampleState::failed,
        "",
        "HTTP status 429"
    },
    Foreign{
        "batch_expired",
        R"({"custom_id":"a","response":null,"error":{"code":"batch_expired","message":"not within 24h"}})",
        "a",
        0,
        SampleState::failed,
        "",
        "not within 24h"
    },
    Foreign{
        "hash_is_no_sample",
        R"({"custom_id":"c#","response":{"body":{"choices":[]}}})",
        "c#",
        0,
        SampleState::answered,
        "",
        ""
    },
    Foreign{"text", R"({"id":"a","answer":"Paris"})", "a", 0, SampleState::answered, "Paris", ""},
    Foreign{
        "number_id", R"({"id":7,"output":"x","sample":1})", "7", 1, SampleState::answered, "x", ""
    },
    Foreign{
        "prompt_id", R"({"prompt_id":"p","completion":""})", "p", 0, SampleState::answered, "", ""
    },
    Foreign{
        "response_text",
        R"({"prompt":"p","response":"hi"})",
        "p",
        0,
        SampleState::answered,
        "hi",
        ""
    },
    Foreign{
        "error_only",
        R"({"id":"a","error":{"message":"boom"}})",
        "a",
        0,
        SampleState::failed,
        "",
        "boom"
    },
};

class FromElsewhere : public testing::TestWithParam<Foreign> {};

TEST_P(FromElsewhere, IsUnderstood) {
    const auto& row = GetParam();
    const auto record = parse_record(row.line);
    ASSERT_TRUE(record) << record.error().describe();
    EXPECT_EQ(record->prompt_id, row.prompt);
    EXPECT_EQ(record->sample, row.sample);
    EXPECT_EQ(record->state, row.state);
    EXPECT_EQ(record->error, row.error);
    if (row.content.empty()) return;
    EXPECT_EQ(
        record->response.at("choices").at(0).at("message").at("content").as_string(), row.content
    );
}

INSTANTIATE_TEST_SUITE_P(All, FromElsewhere, testing::ValuesIn(foreign), [](const auto& info) {
    return std::string(info.param.name);
});

struct Wrong {
    std::string_view name;
    std::string_view line;
    std::string_view message;
};

constexpr std::array wrong_lines = {
    Wrong{"text", "hello", "not valid JSON"},
    Wrong{"torn", R"({"prompt":"a","resp)", "ends in the middle"},
    Wrong{"list", "[1]", "a JSON object"},
    Wrong{"no_id", R"({"answer":"x"})", "`prompt`"},
    Wrong{"empty_id", R"({"id":"","answer":"x"})", "`prompt`"},
    Wrong{"nothing", R"({"id":"a"})", "`response`"},
    Wrong{"state", R"({"id":"a","state":"done","answer":"x"})", "answered, cut, refused"},
    Wrong{"answered_without", R"({"id":"a","state":"answered"})", "as `state` says"},
    Wrong{"sample", R"({"id":"a","sample":-1,"answer":"x"})", "`sample`"},
    Wrong{"sample_text", R"({"id":"a","sample":"1","answer":"x"})", "`sample`"},
    Wrong{"seconds", R"({"id":"a","seconds":"1","answer":"x"})", "`seconds`"},
    Wrong{"attempts", R"({"id":"a","attempts":1.5,"answer":"x"})", "`attempts`"},
    Wrong{"request", R"({"id":"a","request":[],"answer":"x"})", "`request`"},
    Wrong{"response", R"({"id":"a","response":[]})", "`response`"},
    Wrong{"answer", R"({"id":"a","answer":5})", "`answer`"},
    Wrong{"error", R"({"id":"a","error":5})", "`error`"},
    Wrong{"suite", R"({"id":"a","suite":5,"answer":"x"})", "`suite`"},
    Wrong{"custom_id", R"({"custom_id":null,"response":{"body":{}}})", "`custom_id`"},
    Wrong{"utf8", "{\"id\":\"a\",\"answer\":\"\xff\"}", "not valid JSON"},
    Wrong{"twice", R"({"id":"a","answer":"x"}{})", "not valid JSON"},
};

class WrongLine : public testing::TestWithParam<Wrong> {};

TEST_P(WrongLine, IsRefusedWithItsField) {
    const auto record = parse_record(GetParam().line);
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().code(), ErrorCode::protocol);
    EXPECT_THAT(record.error().message(), HasSubstr(std::string(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(All, WrongLine, testing::ValuesIn(wrong_lines), [](const auto& info) {
    return std::string(info.param.name);
});

class RecordFile : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make();
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
    }

    std::filesystem::path file(std::string_view content) const {
        const auto path = folder_->path() / "responses.jsonl";
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    /// Ids and line numbers as "a:1 b:3".
    Result<std::string> read(std::string_view content) {
        std::string seen;
        auto result = read_records(
            file(content),
            [&](ResponseRecord&& record, std::size_t line) -> Result<void> {
                seen += fmt::format("{}:{} ", record.prompt_id, line);
                return {};
            },
            &torn_
        );
        if (!result) return std::unexpected(std::move(result).error());
        return seen;
    }

    std::optional<TemporaryFolder> folder_;
    bool torn_ = false;
};

TEST_F(RecordFile, GivesEachLineInOrderWithItsNumber) {
    EXPECT_EQ(
        read("\xEF\xBB\xBF{\"id\":\"a\",\"answer\":\"1\"}\r\n\n  {\"id\":\"b\",\"answer\":\"2\"}\n")
            .value(),
        "a:1 b:3 "
    );
    EXPECT_FALSE(torn_);
}

TEST_F(RecordFile, LeavesOutATornLastLine) {
    EXPECT_EQ(read("{\"id\":\"a\",\"answer\":\"1\"}\n{\"id\":\"b\",\"answ").value(), "a:1 ");
    EXPECT_TRUE(torn_);
}

TEST_F(RecordFile, TakesAWholeLastLineThatOnlyLacksItsEnd) {
    EXPECT_EQ(read("{\"id\":\"a\",\"answer\":\"1\"}").value(), "a:1 ");
    EXPECT_FALSE(torn_);
}

TEST_F(RecordFile, NamesTheLineOfABadRecord) {
    const auto result =
        read("{\"id\":\"a\",\"answer\":\"1\"}\nnonsense\n{\"id\":\"b\",\"answer\":\"2\"}\n");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::protocol);
    EXPECT_THAT(result.error().message(), HasSubstr("responses.jsonl:2: not valid JSON"));
}

TEST_F(RecordFile, IsEmptyWhenTheFileIs) {
    EXPECT_EQ(read("").value(), "");
    EXPECT_FALSE(torn_);
}

TEST_F(RecordFile, StopsWithWhatTheReceiverSays) {
    int calls = 0;
    const auto result = read_records(
        file("{\"id\":\"a\",\"answer\":\"1\"}\n{\"id\":\"b\",\"answer\":\"2\"}\n"),
        [&](ResponseRecord&&, std::size_t) -> Result<void> {
            ++calls;
            return fail(ErrorCode::state, "enough");
        }
    );
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "enough");
    EXPECT_EQ(calls, 1);
}

TEST_F(RecordFile, ThatIsMissingIsNotFound) {
    const auto result = read_records(
        folder_->path() / "none.jsonl",
        [](ResponseRecord&&, std::size_t) -> Result<void> { return {}; }
    );
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::not_found);
    EXPECT_THAT(result.error().message(), HasSubstr("none.jsonl"));
}

TEST_F(RecordFile, ReadsLinesAcrossItsPieces) {
    // lines of every length around a piece of 1 MiB
    std::string content;
    std::string expected;
    for (const std::size_t length : {1U, 1'048'500U, 1'048'530U, 1'048'560U, 2'200'000U, 10U}) {
        content +=
            fmt::format("{{\"id\":\"{}\",\"answer\":\"{}\"}}\n", length, std::string(length, 'x'));
    }
    std::vector<std::size_t> lengths;
    const auto result =
        read_records(file(content), [&](ResponseRecord&& record, std::size_t) -> Result<void> {
            const auto& text = record.response.at("choices").at(0).at("message").at("content");
            lengths.push_back(text.get_string().size());
            return {};
        });
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_THAT(lengths, testing::ElementsAre(1, 1'048'500, 1'048'530, 1'048'560, 2'200'000, 10));
}

}  // namespace

}  // namespace punie::eval
