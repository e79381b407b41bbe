// The identity of a folder: what decides an answer counts, how it came to be does not.

#include "pipeline/identity.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace punie::pipeline {
namespace {

class IdentityTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryFolder::make();
        ASSERT_TRUE(made);
        folder_.emplace(*std::move(made));
    }

    void write(const std::string& name, const std::string& text) const {
        ASSERT_TRUE(write_atomic(folder_->path() / name, text));
    }

    std::string hash() const {
        const auto hash = content_hash(folder_->path());
        EXPECT_TRUE(hash) << hash.error().describe();
        return hash.value_or("");
    }

    std::optional<TemporaryFolder> folder_;
};

TEST_F(IdentityTest, ContentsAndNamesCount) {
    write("config.json", "{}");
    write("weights/model.safetensors", "1");
    const auto first = hash();
    write("weights/model.safetensors", "2");
    const auto second = hash();
    EXPECT_NE(first, second);
    write("weights/more.safetensors", "2");
    EXPECT_NE(hash(), second);
}

TEST_F(IdentityTest, HalfWrittenHiddenAndOwnFilesDoNot) {
    write("config.json", "{}");
    const auto before = hash();
    write("config.json.123.1.part", "{");
    write("model.safetensors.tmp", "w");
    write(".cache/x", "x");
    write("punie.json", "{}");
    EXPECT_EQ(hash(), before);
}

TEST_F(IdentityTest, OfAnAdapterOnlyWhatIsLoaded) {
    write("adapter_config.json", "{}");
    write("adapters.safetensors", "weights");
    const auto before = hash();
    for (const auto* name :
         {"0000005_adapters.safetensors", "punie_reports.jsonl", "punie_state.json"})
        write(name, "of one training, not of another");
    EXPECT_EQ(hash(), before);
    write("adapter_config.json", R"({"rank":8})");
    const auto other = hash();
    EXPECT_NE(other, before);
    write("adapters.safetensors", "other weights");
    EXPECT_NE(hash(), other);
}

TEST_F(IdentityTest, WhatIsNotThereHasNone) {
    EXPECT_EQ(content_hash(folder_->path() / "gone").error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace punie::pipeline
