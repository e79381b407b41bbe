// What is kept of a request for suites, and what is not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "gateway/capture.hpp"
#include "gateway/redact.hpp"

namespace punie::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Secret {
    const char* name;
    std::string text;
    std::string gone;  ///< must not be there any more
    std::string kept;  ///< must be
};

class RedactText : public testing::TestWithParam<Secret> {};

TEST_P(RedactText, TakesTheSecretAndLeavesTheRest) {
    const auto text = redact_text(GetParam().text);
    EXPECT_THAT(text, Not(HasSubstr(GetParam().gone)));
    EXPECT_THAT(text, HasSubstr(GetParam().kept));
    EXPECT_THAT(text, HasSubstr("[redacted]"));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    RedactText,
    testing::Values(
        Secret{"openai", "use sk-abcdEFGH1234567890xyz please", "abcdEFGH", "please"},
        Secret{"anthropic", "sk-ant-api03-Abc_def-123456789012345", "Abc_def", ""},
        Secret{"github", "ghp_0123456789012345678901234567890123 is it", "0123456", "is it"},
        Secret{"hugging_face", "hf_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghij", ""},
        Secret{"aws", "id AKIAIOSFODNN7EXAMPLE end", "IOSFODNN7", "end"},
        Secret{"google", "AIzaSyA1234567890abcdefghijklmnopqrstuv", "SyA1234", ""},
        Secret{"slack", "xoxb-123456789012-abcdefghij", "123456789012", ""},
        Secret{"jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123456", "eyJzdWIi", ""},
        Secret{"bearer", "Authorization: Bearer abcdef1234567890", "abcdef1234", "Authorization"},
        Secret{"basic", "basic dXNlcjpwYXNzd29yZA==", "dXNlcjpw", "basic"},
        Secret{"assignment", "export OPENAI_API_KEY=abc123def456", "abc123def456", "export"},
        Secret{"yaml", "password: hunter22\nuser: me", "hunter22", "user: me"},
        Secret{"json", R"({"client_secret": "abcd1234", "a": 1})", "abcd1234", R"("a": 1)"},
        Secret{"address", "postgres://me:hunter22@db/x", "hunter22", "@db/x"},
        Secret{
            "pem",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\nafter",
            "MIIEow",
            "after"
        }
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

class NoSecret : public testing::TestWithParam<const char*> {};

TEST_P(NoSecret, StaysAsItIs) {
    EXPECT_EQ(redact_text(GetParam()), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    All,
    NoSecret,
    testing::Values(
        "What is the capital of France?",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "123e4567-e89b-12d3-a456-426614174000",
        "the secret of a good soup is time",
        "I forgot my password, what now?",
        "http://localhost:8080/v1/models",
        "a basic question about skating",
        "max_tokens: 500, tokens=12",
        "task-oriented: sk-",
        ""
    )
);

TEST(Redact, MembersByTheirNames) {
    auto value = *parse_json(
        R"({"api_key":"short","Authorization":"x","user_password":"p","tokens":5,"max_tokens":7,)"
        R"("key":"c sharp","nested":[{"secret":"s","fine":"f"}],"password":null,"cookie":{"a":"b"}})"
    );
    redact(value);
    EXPECT_EQ(
        to_text(value),
        R"({"api_key":"[redacted]","Authorization":"[redacted]","user_password":"[redacted]",)"
        R"("tokens":5,"max_tokens":7,"key":"c sharp","nested":[{"secret":"[redacted]","fine":"f"}],)"
        R"("password":null,"cookie":{"a":"b"}})"
    );
}

TEST(Redact, ASchemaThatSpeaksOfPasswordsStaysASchema) {
    const std::string tool =
        R"({"type":"object","properties":{"password":{"type":"string"}},"required":["password"]})";
    auto value = *parse_json(tool);
    redact(value);
    EXPECT_EQ(to_text(value), tool);
}

constexpr std::chrono::system_clock::time_point epoch{};
constexpr std::string_view question =
    R"({"model":"tiny","messages":[{"role":"user","content":"Hello"}]})";

TEST(CaptureLine, OfAWholeAnswer) {
    const auto line = capture_line(
        {"/v1/chat/completions",
         "tiny",
         question,
         R"({"choices":[{"message":{"role":"assistant","content":"Hi"}}]})"},
        epoch
    );
    ASSERT_TRUE(line);
    EXPECT_EQ(
        *line,
        R"({"time":"1970-01-01T00:00:00.000Z","route":"/v1/chat/completions","model":"tiny",)"
        R"("request":{"model":"tiny","messages":[{"role":"user","content":"Hello"}]},)"
        R"("answer":{"choices":[{"message":{"role":"assistant","content":"Hi"}}]}})"
    );
}

TEST(CaptureLine, OfAStreamPutsItsEventsTogether) {
    const auto line = capture_line(
        {"/v1/chat/completions",
         "tiny",
         question,
         "data: "
         "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"He\"}}]}\n\n"
         "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"llo\"}}]}\n\n"
         "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
         "data: [DONE]\n\n"},
        epoch
    );
    ASSERT_TRUE(line);
    EXPECT_THAT(*line, HasSubstr(R"("content":"Hello")"));
    EXPECT_THAT(*line, HasSubstr(R"("finish_reason":"stop")"));
}

TEST(CaptureLine, OfAStreamWithACall) {
    const auto line = capture_line(
        {"/v1/chat/completions",
         "tiny",
         question,
         "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\","
         "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}"
         "\n\n"
         "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
         "\"function\":{\"arguments\":\":1}\"}}]}}]}\n\n"
         "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n"
         "data: [DONE]\n\n"},
        epoch
    );
    ASSERT_TRUE(line);
    EXPECT_THAT(*line, HasSubstr(R"("name":"f","arguments":"{\"a\":1}")"));
}

TEST(CaptureLine, OfATornStreamHasNoAnswer) {
    const auto line = capture_line(
        {"/v1/chat/completions", "tiny", question, "data: {\"choices\":[{\"index\":0,\"del"}, epoch
    );
    ASSERT_TRUE(line);
    EXPECT_THAT(*line, Not(HasSubstr("answer")));
}

TEST(CaptureLine, HasNoSecretOfTheRequestOrTheAnswer) {
    const auto line = capture_line(
        {"/v1/chat/completions",
         "tiny",
         R"({"api_key":"k1","messages":[{"role":"user","content":"my key is sk-abcdEFGH1234567890"}]})",
         R"({"choices":[{"message":{"content":"Bearer abcdef1234567890"}}]})"},
        epoch
    );
    ASSERT_TRUE(line);
    EXPECT_THAT(*line, Not(HasSubstr("abcd")));
    EXPECT_THAT(*line, Not(HasSubstr("k1")));
}

TEST(CaptureLine, OfWhatIsNoJsonOrTooLargeIsNone) {
    EXPECT_FALSE(capture_line({"/v1/chat/completions", "tiny", "not json", ""}, epoch));
    EXPECT_FALSE(capture_line({"/v1/chat/completions", "tiny", "[1]", ""}, epoch));
    EXPECT_FALSE(capture_line({"/v1/chat/completions", "tiny", question, ""}, epoch, {.text = 10}));
}

class CaptureFile : public testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryFolder::make("punie-capture");
        ASSERT_TRUE(made);
        folder_.emplace(*std::move(made));
    }

    std::filesystem::path file() const { return folder_->path() / "capture.jsonl"; }

    std::optional<TemporaryFolder> folder_;
};

TEST_F(CaptureFile, IsOurs) {
    auto capture = Capture::open(file());
    ASSERT_TRUE(capture);
    capture->add({"/v1/chat/completions", "tiny", question, ""});
    capture->flush();
    EXPECT_EQ(split_lines(*read_text(file())).size(), 1U);
    struct stat found{};
    ASSERT_EQ(::stat(file().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(CaptureFile, EndsAtItsLimitWithWholeLines) {
    auto capture = Capture::open(file(), {.file = 400});
    ASSERT_TRUE(capture);
    for (int i = 0; i < 10; ++i) capture->add({"/v1/chat/completions", "tiny", question, ""});
    capture->flush();
    const auto text = *read_text(file());
    EXPECT_LE(text.size(), 400U);
    EXPECT_TRUE(text.ends_with("}\n"));
    EXPECT_EQ(capture->dropped(), 10 - split_lines(text).size());
}

}  // namespace
}  // namespace punie::gateway
