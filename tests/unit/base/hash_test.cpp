#include "base/hash.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace punie {
namespace {

// FIPS 180-4 examples.
TEST(HashTest, PublishedVectors) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(
        sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

TEST(HashTest, PiecesAreTheWhole) {
    EXPECT_EQ(Sha256().add("a").add("bc").hex(), sha256_hex("abc"));
}

TEST(HashTest, PartsDoNotRunIntoEachOther) {
    EXPECT_NE(
        Sha256().add_part("a").add_part("bc").hex(), Sha256().add_part("ab").add_part("c").hex()
    );
}

TEST(HashTest, FileAndMissingFile) {
    auto folder = TemporaryFolder::make();
    ASSERT_TRUE(folder);
    const auto file = folder->path() / "x";
    const std::string bytes(200'000, 'x');
    ASSERT_TRUE(write_atomic(file, bytes));
    EXPECT_EQ(*sha256_file(file), sha256_hex(bytes));
    const auto missing = sha256_file(folder->path() / "none");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace punie
