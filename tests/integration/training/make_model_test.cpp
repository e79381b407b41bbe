// fuse_model and quantise_model with a python that only copies (fake_python.hpp).
#include "training/make_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.hpp"
#include "integration/training/fake_python.hpp"

namespace punie::training {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view same =
    R"(FAKE_COMPARE='{"prompts":4,"agree":4,"adapter_to_fused":0.001,"adapter_to_base":1.5,"fused_to_base":1.5,"largest":0.002}')";
constexpr std::string_view lost =
    R"(FAKE_COMPARE='{"prompts":4,"agree":1,"adapter_to_fused":1.5,"adapter_to_base":1.5,"fused_to_base":0.0,"largest":0.9}')";
constexpr std::string_view other =
    R"(FAKE_COMPARE='{"prompts":4,"agree":2,"adapter_to_fused":0.9,"adapter_to_base":1.5,"fused_to_base":1.1,"largest":0.5}')";
constexpr std::string_view nothing = "FAKE_COMPARE='Traceback'";

class MakeModelTest : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make("punie-make-test");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
        ::setenv("XDG_CACHE_HOME", (path() / "cache").c_str(), 1);
        test::write_model(path() / "model");
        test::write_adapter(path() / "adapter");
        fs::create_directory(path() / "made");
    }

    fs::path path() const { return folder_->path(); }

    std::string python(std::string_view environment) const {
        return test::write_fake_python(path() / "python", "", std::string(environment)).native();
    }

    FuseOptions fuse(std::string_view environment = same) const {
        return {
            .model = (path() / "model").native(),
            .adapter = path() / "adapter",
            .out = path() / "made/fused",
            .mlx_lm = python(environment)
        };
    }

    QuantiseOptions quantise(std::string_view environment = "") const {
        return {
            .model = (path() / "model").native(),
            .out = path() / "made/small",
            .mlx_lm = python(environment)
        };
    }

    std::vector<std::string> made() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(path() / "made"))
            names.push_back(entry.path().filename().string());
        std::ranges::sort(names);
        return names;
    }

    std::optional<TemporaryFolder> folder_;
};

TEST_F(MakeModelTest, FusesComparesAndPlaces) {
    const auto result = fuse_model(fuse(), {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_GT(result->bytes, 0U);
    ASSERT_TRUE(result->check);
    EXPECT_EQ(result->check->agree, 4);
    EXPECT_THAT(made(), ElementsAre("fused"));
    const auto record = parse_json(read_text(path() / "made/fused/punie.json").value());
    ASSERT_TRUE(record);
    EXPECT_EQ(record->at("made_by"), "punie fuse");
}

struct Bad {
    std::string_view environment;
    ErrorCode code;
    std::string_view words;
};

class BadFuse : public MakeModelTest, public testing::WithParamInterface<Bad> {};

TEST_P(BadFuse, IsAnErrorAndLeavesNothing) {
    const auto result = fuse_model(fuse(GetParam().environment), {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), GetParam().code) << result.error().describe();
    EXPECT_THAT(result.error().describe(), HasSubstr(std::string(GetParam().words)));
    EXPECT_THAT(made(), testing::IsEmpty());
}

constexpr std::array bad_fuses = {
    Bad{lost, ErrorCode::state, "the adapter was lost"},
    Bad{other, ErrorCode::state, "0.900 nats apart, while the adapter changes the base by 1.500"},
    Bad{nothing, ErrorCode::protocol, "brought no figures"},
    Bad{"FAKE_MAKE_FAILS='OSError: [Errno 28] No space left on device'",
        ErrorCode::disk_full,
        "the disk is full"},
    Bad{"FAKE_MAKE_FAILS='ValueError: whatever'", ErrorCode::exited, "ValueError: whatever"},
};
INSTANTIATE_TEST_SUITE_P(Table, BadFuse, testing::ValuesIn(bad_fuses));

TEST_F(MakeModelTest, AFailedFuseLeavesTheOldModel) {
    test::write_file(path() / "made/fused/old.txt", "old");
    auto options = fuse(lost);
    options.overwrite = true;
    ASSERT_FALSE(fuse_model(options, {}, {}));
    EXPECT_EQ(read_text(path() / "made/fused/old.txt").value(), "old");
    EXPECT_THAT(made(), ElementsAre("fused"));
}

TEST_F(MakeModelTest, WhatIsThereIsReplacedOnlyWhenAsked) {
    test::write_file(path() / "made/fused/old.txt", "old");
    const auto refused = fuse_model(fuse(), {}, {});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().describe(), HasSubstr("--overwrite"));
    auto options = fuse();
    options.overwrite = true;
    ASSERT_TRUE(fuse_model(options, {}, {}));
    EXPECT_FALSE(fs::exists(path() / "made/fused/old.txt"));
    EXPECT_THAT(made(), ElementsAre("fused"));
}

TEST_F(MakeModelTest, AnAdapterOfAnotherModelIsRefusedAtOnce) {
    test::write_adapter(path() / "adapter", 32);
    const auto result = fuse_model(fuse(), {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::adapter_mismatch);
}

TEST_F(MakeModelTest, LeftoversOfAKilledPunieVanish) {
    test::write_file(path() / "made/fused.unfinished-999999999/part", "half");
    ASSERT_TRUE(fuse_model(fuse(), {}, {}));
    EXPECT_THAT(made(), ElementsAre("fused"));
}

TEST_F(MakeModelTest, AStopLeavesNothing) {
    std::stop_source stop;
    MakeCalls calls;
    calls.on_progress = [&](const std::string& phase, double) {
        if (phase == "comparing with the adapter") stop.request_stop();
    };
    const auto result = fuse_model(fuse(), calls, stop.get_token());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::cancelled);
    EXPECT_THAT(made(), testing::IsEmpty());
}

TEST_F(MakeModelTest, QuantisesAndRecordsTheBits) {
    const auto result = quantise_model(quantise(), {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_DOUBLE_EQ(result->bits_per_weight, 4.502);
    EXPECT_GT(result->bytes_before, 0U);
    EXPECT_THAT(made(), ElementsAre("small"));
}

struct BadWidth {
    int bits;
    int group_size;
    int odd;
    std::string_view words;
};

class BadQuantisation : public MakeModelTest, public testing::WithParamInterface<BadWidth> {};

TEST_P(BadQuantisation, IsRefusedBeforeItStarts) {
    test::write_model(path() / "model", 64, GetParam().odd);
    auto options = quantise();
    options.bits = GetParam().bits;
    options.group_size = GetParam().group_size;
    const auto result = quantise_model(options, {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(result.error().describe(), HasSubstr(std::string(GetParam().words)));
    EXPECT_THAT(made(), testing::IsEmpty());
}

constexpr std::array bad_widths = {
    BadWidth{7, 64, 0, "--bits: 7 was given; allowed are 4, 5, 6 and 8"},
    BadWidth{4, 48, 0, "--group-size: 48 was given"},
    BadWidth{4, 128, 0, "a group size of 128 does not divide the 64 inputs of"},
    BadWidth{4, 128, 0, "--group-size 32 or 64 would do"},
};
INSTANTIATE_TEST_SUITE_P(Table, BadQuantisation, testing::ValuesIn(bad_widths));

TEST_F(MakeModelTest, LayersThatNoGroupSizeDividesAreNamed) {
    test::write_model(path() / "model", 64, 100);
    const auto result = quantise_model(quantise(), {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_THAT(result->notes, ElementsAre(HasSubstr("2 of 15 layers keep their full width")));
}

TEST_F(MakeModelTest, AQuantisedModelIsNotQuantisedAgain) {
    auto config = read_text(path() / "model/config.json").value();
    config.insert(1, R"("quantization":{"group_size":64,"bits":4},)");
    test::write_file(path() / "model/config.json", config);
    const auto result = quantise_model(quantise(), {}, {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("is quantised already (4 bits)"));
}

}  // namespace
}  // namespace punie::training
