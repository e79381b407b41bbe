#include <gtest/gtest.h>

#include <filesystem>

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

}  // namespace
}  // namespace punie::relay
