// A line a request; and the writer that never waits for its reader.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "gateway/access_log.hpp"
#include "gateway/control_json.hpp"

namespace punie::gateway {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

RequestRecord usual() {
    RequestRecord record;
    record.time =
        std::chrono::system_clock::time_point(std::chrono::milliseconds(1'772'366'400'250));
    record.id = "req-1";
    record.method = "POST";
    record.route = "/v1/chat/completions";
    record.model = "tiny";
    record.key = "laptop";
    record.peer = "127.0.0.1";
    record.status = 200;
    record.stream = true;
    record.total = 1.2041;
    record.waited = 0.0502;
    record.first_byte = 0.12;
    record.tokens_in = 12;
    record.tokens_out = 34;
    record.bytes_in = 150;
    record.bytes_out = 4'000;
    return record;
}

TEST(AccessLine, OfAUsualRequest) {
    EXPECT_EQ(
        access_line(usual(), LogFormat::text),
        "2026-03-01T12:00:00.250Z 200 POST /v1/chat/completions model=tiny 1.204s waited=0.050s "
        "first=0.120s tokens=12+34 bytes=150+4000 stream key=laptop peer=127.0.0.1 id=req-1"
    );
}

TEST(AccessLine, OfAFailure) {
    RequestRecord record = usual();
    record.status = 502;
    record.torn = true;
    record.attempts = 2;
    record.error = "server_died";
    record.reason = "the server ended (signal 9)";
    const auto line = access_line(record, LogFormat::text);
    EXPECT_THAT(line, HasSubstr(" torn attempts=2 "));
    EXPECT_THAT(line, EndsWith("error=server_died reason=\"the server ended (signal 9)\""));
}

TEST(AccessLine, LeavesOutWhatIsNotThere) {
    RequestRecord record;
    record.method = "GET";
    record.route = "/v1/models";
    record.status = 200;
    EXPECT_EQ(
        access_line(record, LogFormat::text),
        "1970-01-01T00:00:00.000Z 200 GET /v1/models 0.000s bytes=0+0"
    );
}

struct Hostile {
    const char* name;
    std::string value;
};

class HostileValue : public testing::TestWithParam<Hostile> {};

TEST_P(HostileValue, StaysOneLineAndOneField) {
    RequestRecord record = usual();
    record.id = GetParam().value;
    record.reason = GetParam().value;
    record.method = GetParam().value;
    for (const auto format : {LogFormat::text, LogFormat::json}) {
        const auto line = access_line(record, format);
        EXPECT_THAT(line, Not(HasSubstr("\n")));
        EXPECT_THAT(line, Not(HasSubstr("\r")));
        EXPECT_THAT(line, Not(HasSubstr("\x1b")));
        EXPECT_THAT(line, Not(HasSubstr(" status=999 ")));
    }
    EXPECT_TRUE(parse_json(access_line(record, LogFormat::json)));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    HostileValue,
    testing::Values(
        Hostile{"line_end", "a\n2026 200 GET"},
        Hostile{"carriage_return", "a\rb"},
        Hostile{"escape", "\x1b[31mred"},
        Hostile{"quote", "a\" error=\"b"},
        Hostile{"no_utf8", "\xff\xfe"},
        Hostile{"zero", std::string("a\0b", 3)},
        Hostile{"empty", ""}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST(AccessLine, AsJsonHasTheFieldsOfControl) {
    auto failed = usual();
    failed.stream = false;
    failed.first_byte.reset();
    failed.status = 502;
    failed.torn = true;
    failed.attempts = 2;
    failed.key = "";
    failed.model = "m\u00f6del \"x\"";
    failed.error = "server_died";
    failed.reason = "the server ended (signal 9)";
    for (const auto& record : {usual(), failed}) {
        auto expected = request_json(7, record);
        expected.erase("number");
        const auto line = parse_json(access_line(record, LogFormat::json));
        ASSERT_TRUE(line && line->is_object());
        EXPECT_EQ(line->get_object(), expected) << to_text(expected);
    }
}

TEST(LogFormatName, IsOneOfTwo) {
    EXPECT_EQ(*log_format_from_name("text"), LogFormat::text);
    EXPECT_EQ(*log_format_from_name("json"), LogFormat::json);
    const auto wrong = log_format_from_name("xml");
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().message(), HasSubstr("text and json"));
}

class LineWriterTest : public testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryFolder::make("punie-lines");
        ASSERT_TRUE(made);
        folder_.emplace(*std::move(made));
    }

    std::filesystem::path file() const { return folder_->path() / "log"; }

    std::optional<TemporaryFolder> folder_;
};

TEST_F(LineWriterTest, WritesInOrderToAFileThatOnlyWeRead) {
    auto writer = LineWriter::open(file());
    ASSERT_TRUE(writer);
    for (int i = 0; i < 1'000; ++i) writer->add(std::to_string(i));
    writer->flush();
    const auto lines = split_lines(*read_text(file()));
    ASSERT_EQ(lines.size(), 1'000U);
    EXPECT_EQ(lines.front(), "0");
    EXPECT_EQ(lines.back(), "999");
    struct stat found{};
    ASSERT_EQ(::stat(file().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(LineWriterTest, AppendsToWhatIsThere) {
    ASSERT_TRUE(write_atomic(file(), "old\n"));
    {
        auto writer = LineWriter::open(file());
        ASSERT_TRUE(writer);
        writer->add("new");
    }
    EXPECT_EQ(*read_text(file()), "old\nnew\n");
}

TEST_F(LineWriterTest, GoesOnInAFreshFileAfterARename) {
    auto writer = LineWriter::open(file());
    ASSERT_TRUE(writer);
    writer->add("first");
    writer->flush();
    std::filesystem::rename(file(), folder_->path() / "log.1");
    writer->reopen();
    writer->add("second");
    writer->flush();
    EXPECT_EQ(*read_text(file()), "second\n");
    EXPECT_EQ(*read_text(folder_->path() / "log.1"), "first\n");
}

TEST_F(LineWriterTest, SaysWhichFileCannotBeWritten) {
    const auto writer = LineWriter::open(folder_->path() / "no" / "log");
    ASSERT_FALSE(writer);
    EXPECT_THAT(writer.error().message(), HasSubstr("no/log"));
}

TEST_F(LineWriterTest, AReaderThatTakesNothingHoldsNobodyUp) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const auto begun = std::chrono::steady_clock::now();
    {
        LineWriter writer(ends[1], 100'000);
        const std::string line(1'000, 'x');
        for (int i = 0; i < 1'000; ++i) writer.add(line);
        EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
        EXPECT_GT(writer.dropped(), 700U);
    }  // the destructor gives up after a second
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(LineWriterTest, AReaderThatIsGoneEndsNothing) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    ::close(ends[0]);
    {
        LineWriter writer(ends[1]);
        writer.add("nobody reads this");
        writer.flush();
        EXPECT_EQ(writer.dropped(), 1U);
    }
    ::close(ends[1]);
    ::signal(SIGPIPE, before);
}

TEST_F(LineWriterTest, LinesOfManyThreadsStayWhole) {
    auto writer = LineWriter::open(file());
    ASSERT_TRUE(writer);
    {
        std::vector<std::jthread> threads;
        threads.reserve(4);
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&writer, t] {
                for (int i = 0; i < 500; ++i)
                    writer->add(std::string(50, static_cast<char>('a' + t)));
            });
    }
    writer->flush();
    const auto lines = split_lines(*read_text(file()));
    ASSERT_EQ(lines.size(), 2'000U);
    for (const auto& line : lines) EXPECT_EQ(line, std::string(50, line.front()));
}

}  // namespace
}  // namespace punie::gateway
