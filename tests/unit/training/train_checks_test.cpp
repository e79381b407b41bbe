#include "training/train_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/files.hpp"
#include "base/text.hpp"
#include "training/adapter_folder.hpp"
#include "training/make_model.hpp"
#include "training/train.hpp"

namespace punie::training {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FolderTest : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make("punie-checks");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
    }

    fs::path path() const { return folder_->path(); }

    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path() / name).parent_path());
        std::ofstream(path() / name, std::ios::binary) << text;
    }

    std::optional<TemporaryFolder> folder_;
};

using Fingerprint = FolderTest;

TEST_F(Fingerprint, ChangesWithConfigTokenizerAndWeights) {
    write("config.json", "{}");
    write("model.safetensors", std::string(9'000'000, 'w'));
    const auto before = model_fingerprint(path().native());
    write("README.md", "other");
    EXPECT_EQ(model_fingerprint(path().native()), before);
    write("tokenizer.json", "{}");
    const auto with_tokenizer = model_fingerprint(path().native());
    EXPECT_NE(with_tokenizer, before);
    auto other = std::string(9'000'000, 'w');
    other.back() = 'x';
    write("model.safetensors", other);
    EXPECT_NE(model_fingerprint(path().native()), with_tokenizer);
}

TEST_F(Fingerprint, OfAHubNameIsTheName) {
    EXPECT_EQ(model_fingerprint("org/name"), "org/name");
}

using DataHash = FolderTest;

TEST_F(DataHash, CoversBothFilesAndTellsThemApart) {
    write("train.jsonl", "a");
    const auto alone = data_hash(path()).value();
    write("valid.jsonl", "b");
    const auto both = data_hash(path()).value();
    EXPECT_NE(alone, both);
    write("train.jsonl", "b");
    write("valid.jsonl", "a");
    EXPECT_NE(data_hash(path()).value(), both);
}

TEST_F(DataHash, NeedsTrainingRows) {
    const auto hash = data_hash(path());
    ASSERT_FALSE(hash);
    EXPECT_EQ(hash.error().code(), ErrorCode::not_found);
}

json::object identity(json::object settings, const std::string& model = "m") {
    return identity_of(settings, model, "d", "mlx_lm 1");
}

TEST(Identity, LengthAndCheckpointsMayChange) {
    EXPECT_EQ(
        identity({{"iters", 10}, {"save_every", 5}, {"seed", 1}}),
        identity({{"iters", 20}, {"save_every", 1}, {"seed", 1}})
    );
}

TEST(Identity, TheLengthMayNotWhenAScheduleIsSpreadOverIt) {
    const json::object schedule{{"name", "cosine_decay"}};
    EXPECT_NE(
        identity({{"iters", 10}, {"lr_schedule", schedule}}),
        identity({{"iters", 20}, {"lr_schedule", schedule}})
    );
}

using Changes = FolderTest;

TEST_F(Changes, AreNamed) {
    const auto before = identity({{"seed", 1}, {"batch_size", 4}});
    write("punie_state.json", to_text(json::object{{"iteration", 5}, {"identity", before}}));
    EXPECT_THAT(changes_since(path(), before), IsEmpty());
    EXPECT_THAT(
        changes_since(path(), identity({{"seed", 2}, {"mask_prompt", true}}, "n")),
        testing::UnorderedElementsAre(
            "seed was 1 and is 2",
            "batch_size was 4 and is not set",
            "model was m and is n",
            "mask_prompt was not set and is true"
        )
    );
}

TEST_F(Changes, OfNothingAreNone) {
    EXPECT_THAT(changes_since(path(), identity({})), IsEmpty());
    write("punie_state.json", "{torn");
    EXPECT_THAT(changes_since(path(), identity({})), IsEmpty());
}

TEST(Disk, ATooSmallOneIsNamedWithItsNumbers) {
    const auto room = check_disk("/tmp/not/there/yet", 1e18, "the fused model");
    ASSERT_FALSE(room);
    EXPECT_EQ(room.error().code(), ErrorCode::disk_full);
    EXPECT_THAT(room.error().message(), HasSubstr("the fused model needs about"));
    EXPECT_TRUE(check_disk("/tmp/not/there/yet", 1000, "it"));
}

using ReportFileTest = FolderTest;

TEST_F(ReportFileTest, KeepsWhatTheCheckpointKnows) {
    {
        auto file = ReportFile::open(path(), 0);
        ASSERT_TRUE(file);
        for (int i = 1; i <= 4; ++i)
            ASSERT_TRUE(file->add({.iteration = i, .train_loss = 1.0 / i}));
        ASSERT_TRUE(file->add({.iteration = 3, .valid_loss = 0.5, .is_validation = true}));
        ASSERT_TRUE(file->add({.iteration = 2, .valid_loss = 0.6, .is_validation = true}));
    }
    std::ofstream(path() / reports_name, std::ios::app) << "{torn";
    const auto again = ReportFile::open(path(), 3);
    ASSERT_TRUE(again);
    std::vector<std::pair<int, bool>> kept;
    for (const auto& report : again->earlier())
        kept.emplace_back(report.iteration, report.is_validation);
    using P = std::pair<int, bool>;
    EXPECT_THAT(kept, ElementsAre(P{1, false}, P{2, false}, P{3, false}, P{2, true}));
}

TEST_F(ReportFileTest, TakesFromTheTrainersStateWhatPunieMissed) {
    {
        auto file = ReportFile::open(path(), 0);
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->add({.iteration = 1, .train_loss = 1}));
    }
    write(
        "punie_state.json",
        R"({"iteration": 2, "reports": [{"event": "iteration", "iteration": 1, "loss": 1.0}, )"
        R"({"event": "validation", "iteration": 1, "loss": 0.75, "best": true}, )"
        R"({"event": "iteration", "iteration": 2, "loss": 0.5}]})"
    );
    const auto again = ReportFile::open(path(), 2);
    ASSERT_TRUE(again);
    ASSERT_EQ(again->earlier().size(), 3U);
    EXPECT_EQ(again->earlier()[1].valid_loss, 0.75);
    EXPECT_TRUE(again->earlier()[1].best);
    EXPECT_EQ(again->earlier()[2].train_loss, 0.5);
    EXPECT_THAT(
        split_lines(read_text(path() / reports_name).value()),
        ElementsAre(HasSubstr("\"iteration\":1"), HasSubstr("7.5E-1"), HasSubstr("\"iteration\":2"))
    );
}

TEST(Report, ComesBackFromItsLine) {
    const TrainReport report{
        .iteration = 7,
        .train_loss = 1.25,
        .seconds_per_iter = 0.5,
        .learning_rate = 1e-5,
        .tokens_per_second = 12,
        .trained_tokens = 99,
        .peak_memory_gb = 0.25
    };
    const auto back = report_from(to_text(to_json(report)));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->iteration, 7);
    EXPECT_EQ(back->train_loss, 1.25);
    EXPECT_EQ(back->learning_rate, 1e-5);
    EXPECT_FALSE(back->is_validation);
}

TEST(Report, WithoutANumberIsKeptAsSuch) {
    const auto back = report_from(
        to_text(to_json(TrainReport{.iteration = 7, .not_a_number = true, .is_validation = true}))
    );
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->not_a_number);
    EXPECT_TRUE(back->is_validation);
}

using Room = FolderTest;

TEST_F(Room, OfAFreshFolder) {
    EXPECT_EQ(make_room(path() / "new", false, false).value(), Begin::fresh);
    EXPECT_EQ(make_room(path() / "new", true, false).value(), Begin::fresh);
    write("a/notes.txt", "mine");
    EXPECT_EQ(make_room(path() / "a", false, false).value(), Begin::fresh);
}

TEST_F(Room, AFileIsNoFolder) {
    write("a", "x");
    EXPECT_EQ(make_room(path() / "a", false, true).error().code(), ErrorCode::invalid_argument);
}

TEST_F(Room, OverwritingSparesTheRest) {
    for (const auto* name :
         {"adapters.safetensors",
          "adapter_config.json",
          "0000100_adapters.safetensors",
          "writing_0000200_state.safetensors",
          "punie_state.json.tmp",
          "my_adapters.safetensors",
          "7_adapters.safetensors",
          "notes.txt"})
        write(std::string("a/") + name, "x");
    ASSERT_EQ(make_room(path() / "a", false, true).value(), Begin::fresh);
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(path() / "a"))
        left.push_back(entry.path().filename().string());
    EXPECT_THAT(
        left,
        testing::UnorderedElementsAre(
            "my_adapters.safetensors", "7_adapters.safetensors", "notes.txt"
        )
    );
}

struct Judgement {
    FuseCheck check;
    bool fine;
};

class JudgeFuse : public testing::TestWithParam<Judgement> {};

TEST_P(JudgeFuse, ByWhatTheAdapterChanges) {
    EXPECT_EQ(judge_fuse(GetParam().check).has_value(), GetParam().fine);
}

FuseCheck check(double adapter_to_fused, double adapter_to_base, double fused_to_base) {
    return {
        .prompts = 4,
        .adapter_to_fused = adapter_to_fused,
        .adapter_to_base = adapter_to_base,
        .fused_to_base = fused_to_base
    };
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    JudgeFuse,
    testing::Values(
        Judgement{check(1e-6, 2.0, 2.0), true},       // full width
        Judgement{check(0.3, 2.0, 1.9), true},        // requantised
        Judgement{check(2.0, 2.0, 0.0), false},       // lost
        Judgement{check(1.5, 2.0, 0.6), false},       // nearer to the base
        Judgement{check(0.004, 0.005, 0.004), true},  // less than rounding
        Judgement{check(0.0, 0.0, 0.0), true},        // an adapter without effect
        Judgement{check(0.1, 0.1, 0.0), false}
    )
);

}  // namespace
}  // namespace punie::training
