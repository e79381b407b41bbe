#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "relay/spool.hpp"

namespace punie::relay {
namespace {

TEST(Body, OfTextIsInMemory) {
    const Body body("hello");
    EXPECT_TRUE(body.in_memory());
    EXPECT_EQ(body.size(), 5U);
    EXPECT_EQ(body.text(), "hello");
    EXPECT_EQ(*body.read(1, 3), "ell");
    EXPECT_EQ(*body.read(4, 10), "o");
    EXPECT_EQ(*body.read(5, 10), "");
    EXPECT_EQ(*body.read(50, 10), "");
}

TEST(Body, BeyondMemoryIsInAFileWithoutAName) {
    const auto folder = TemporaryFolder::make();
    ASSERT_TRUE(folder);
    BodyReader reader({.bytes = 100, .in_memory = 8, .folder = folder->path()});
    ASSERT_TRUE(reader.add("01234567"));
    EXPECT_EQ(reader.size(), 8U);
    ASSERT_TRUE(reader.add("89"));
    ASSERT_TRUE(reader.add("abcdef"));
    auto body = reader.take();
    EXPECT_FALSE(body.in_memory());
    EXPECT_EQ(body.size(), 16U);
    EXPECT_TRUE(std::filesystem::is_empty(folder->path()));
    const auto moved = std::move(body);
    EXPECT_EQ(*moved.read(0, 100), "0123456789abcdef");
    EXPECT_EQ(*moved.read(7, 4), "789a");
    EXPECT_EQ(*moved.read(16, 4), "");
}

TEST(Body, UpToTheLimitStaysInMemory) {
    BodyReader reader({.in_memory = 8, .folder = "/no/such/folder"});
    ASSERT_TRUE(reader.add("01234567"));
    const auto beyond = reader.add("8");
    ASSERT_FALSE(beyond);
    EXPECT_NE(beyond.error().message().find("/no/such/folder"), std::string::npos);
}

TEST(Body, SplicesOfAFileAreReadAtEveryPlace) {
    BodyReader reader({.bytes = 100, .in_memory = 4, .folder = {}});
    ASSERT_TRUE(reader.add("0123456789abcdef"));
    const auto body = reader.take();
    const std::vector<Splice> splices{
        {.at = 0, .removed = 0, .put = "<<"},
        {.at = 3, .removed = 4, .put = "model"},
        {.at = 10, .removed = 2, .put = ""},
        {.at = 16, .removed = 0, .put = ">"},
    };
    const auto changed = body.spliced(splices);
    const std::string expected = "<<012model789cdef>";
    EXPECT_FALSE(changed.in_memory());
    EXPECT_EQ(changed.size(), expected.size());
    for (std::size_t at = 0; at <= expected.size() + 1; ++at) {
        for (std::size_t size = 0; size <= expected.size() + 1; ++size) {
            EXPECT_EQ(
                *changed.read(at, size), at < expected.size() ? expected.substr(at, size) : ""
            ) << at
              << " " << size;
        }
    }
    EXPECT_EQ(*body.read(0, 100), "0123456789abcdef");  // the first one is as it was
    EXPECT_EQ(Body("0123456789abcdef").spliced(splices).text(), expected);
}

}  // namespace
}  // namespace punie::relay
