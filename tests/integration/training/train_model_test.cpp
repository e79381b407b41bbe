// train_model against a trainer that misbehaves on command (tests/fakes/fake_trainer.cpp).
#include "training/train.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "base/files.hpp"
#include "base/text.hpp"
#include "integration/training/fake_python.hpp"
#include "training/adapter_folder.hpp"

namespace punie::training {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class TrainModelTest : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make("punie-train-test");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
        ::setenv("XDG_CACHE_HOME", (path() / "cache").c_str(), 1);
        test::write_model(path() / "model");
        test::write_data(path() / "data");
    }

    fs::path path() const { return folder_->path(); }

    fs::path adapter() const { return path() / "adapter"; }

    /// 20 iterations, a report each, a checkpoint each fifth, a validation each fourth.
    TrainOptions options(const std::string& fake = "") const {
        TrainOptions options;
        options.model = (path() / "model").native();
        options.data = path() / "data";
        options.adapter = adapter();
        options.settings = {
            {"iters", 20},
            {"steps_per_report", 1},
            {"save_every", 5},
            {"steps_per_eval", 4},
            {"num_layers", 2},
            {"max_seq_length", 128}
        };
        // A folder for each behaviour: what a python answers is remembered.
        const auto python = path() / fmt::format("python-{}", count_++);
        options.mlx_lm = test::write_fake_python(python, fake).native();
        return options;
    }

    static std::vector<int> trained(const std::vector<TrainReport>& reports) {
        std::vector<int> iterations;
        for (const auto& report : reports) {
            if (report.train_loss) iterations.push_back(report.iteration);
        }
        return iterations;
    }

    static std::vector<int> up_to(int last) {
        std::vector<int> all(static_cast<std::size_t>(last));
        std::iota(all.begin(), all.end(), 1);
        return all;
    }

    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(adapter()))
            found.push_back(entry.path().filename().string());
        std::ranges::sort(found);
        return found;
    }

    std::optional<TemporaryFolder> folder_;
    mutable int count_ = 0;
};

TEST_F(TrainModelTest, TrainsToTheEnd) {
    std::vector<int> told;
    std::vector<int> checkpoints;
    std::optional<TrainDataFacts> facts;
    TrainCalls calls;
    calls.on_report = [&](const TrainReport& report) {
        if (report.train_loss) told.push_back(report.iteration);
    };
    calls.on_checkpoint = [&](int iteration) { checkpoints.push_back(iteration); };
    calls.on_facts = [&](const TrainDataFacts& found) { facts = found; };
    const auto result = train_model(options("--peak-gb 0.5"), calls, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->iterations, 20);
    EXPECT_TRUE(result->complete());
    EXPECT_EQ(told, up_to(20));
    EXPECT_EQ(trained(result->reports), up_to(20));
    EXPECT_THAT(checkpoints, ElementsAre(5, 10, 15, 20));
    EXPECT_EQ(result->best_iteration, 19);
    EXPECT_EQ(result->kept_iteration, 19);
    EXPECT_TRUE(result->kept_best);
    EXPECT_DOUBLE_EQ(result->peak_memory_gb, 0.5);
    EXPECT_GT(result->estimated_peak_gb, 0);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->rows_cut, 2);
    EXPECT_EQ(facts->rows_left_over, 1);
}

TEST_F(TrainModelTest, TheRecordSaysWhatItWasMadeOf) {
    const auto result = train_model(options(), {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    const auto record = parse_json(read_text(adapter() / "punie.json").value());
    ASSERT_TRUE(record);
    EXPECT_EQ(record->at("schema"), "punie.adapter/1");
    EXPECT_EQ(record->at("hashes").at("model").as_string().size(), 64U);
    EXPECT_EQ(record->at("hashes").at("data").as_string(), result->data_hash);
    EXPECT_EQ(record->at("hashes").at("adapter").as_string(), result->adapter_hash);
    EXPECT_EQ(record->at("versions").at("mlx_lm"), "0.32.2");
    EXPECT_EQ(record->at("settings").at("learning_rate").to_number<double>(), 1e-5);
    EXPECT_EQ(record->at("reports").as_array().size(), result->reports.size());
    EXPECT_EQ(result->reports.size(), 20U + 6U);  // validations at 1, 4, 8, 12, 16, 20
}

struct Failure {
    std::string_view fake;
    ErrorCode code;
    std::string_view words;
};

void PrintTo(const Failure& failure, std::ostream* out) {
    *out << failure.fake;
}

class FailingTrainer : public TrainModelTest, public testing::WithParamInterface<Failure> {};

TEST_P(FailingTrainer, IsExplained) {
    const auto result =
        train_model(options(fmt::format("--fail-after 12 --failure {}", GetParam().fake)), {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), GetParam().code) << result.error().describe();
    EXPECT_THAT(result.error().describe(), HasSubstr(std::string(GetParam().words)));
    EXPECT_EQ(resumable(adapter()), 10);
}

constexpr std::array failures = {
    Failure{"exit:1", ErrorCode::exited, "exit code 1 after 12 iterations"},
    Failure{"exit:1", ErrorCode::exited, "iteration 10 is saved: --resume goes on"},
    Failure{"signal:9", ErrorCode::out_of_memory, "the system killed it because memory ran out"},
    Failure{"signal:11", ErrorCode::exited, "crashed inside a compiled module"},
    Failure{"memory", ErrorCode::out_of_memory, "Python ran out of memory"},
    Failure{"disk", ErrorCode::disk_full, "the disk is full"},
    Failure{"module", ErrorCode::program_missing, "No module named 'mlx'"},
    Failure{"refuse", ErrorCode::invalid_argument, "this is another training"},
    Failure{"unsupported", ErrorCode::unsupported, "--resume is not possible with mlx_lm 0.99"},
    Failure{"quiet", ErrorCode::exited, "exit code 0 after 12 iterations"},
};
INSTANTIATE_TEST_SUITE_P(Table, FailingTrainer, testing::ValuesIn(failures));

TEST_F(TrainModelTest, ALossThatIsNoNumberNamesItsRows) {
    const auto result = train_model(options("--fail-after 13 --failure nan"), {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    ASSERT_TRUE(result->stop);
    EXPECT_EQ(result->stop->reason, "not_a_number");
    EXPECT_THAT(result->stop->rows, ElementsAre(7, 9));
    EXPECT_EQ(result->iterations, 12);
    EXPECT_FALSE(result->complete());
    EXPECT_EQ(resumable(adapter()), 10);
    EXPECT_TRUE(fs::exists(adapter() / "adapters.safetensors"));
}

TEST_F(TrainModelTest, ADivergenceIsAResult) {
    const auto result = train_model(options("--fail-after 9 --failure diverge"), {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    ASSERT_TRUE(result->stop);
    EXPECT_EQ(result->stop->reason, "diverged");
    EXPECT_EQ(result->iterations, 9);
    EXPECT_FALSE(result->complete());
}

TEST_F(TrainModelTest, SaysWhenNoIterationWasBetterThanNone) {
    const auto result = train_model(options("--valid-rises"), {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->best_iteration, 0);
    EXPECT_FALSE(result->kept_best);
    EXPECT_THAT(result->notes, testing::Contains(HasSubstr("the model before training")));
}

TEST_F(TrainModelTest, AKilledTrainingGoesOn) {
    ASSERT_FALSE(train_model(options("--fail-after 12 --failure signal:9"), {}, {}));
    auto again = options();
    again.resume = true;
    const auto result = train_model(again, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->resumed_from, 10);
    EXPECT_EQ(trained(result->reports), up_to(20));  // each once, 11 and 12 too
    EXPECT_EQ(result->iterations, 20);
}

TEST_F(TrainModelTest, ATornCheckpointIsNotTaken) {
    ASSERT_FALSE(train_model(options("--fail-after 7 --failure torn"), {}, {}));
    auto again = options();
    again.resume = true;
    const auto result = train_model(again, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->resumed_from, 5);
    EXPECT_EQ(result->iterations, 20);
}

TEST_F(TrainModelTest, KilledBeforeTheFirstCheckpointItStartsAnew) {
    ASSERT_FALSE(train_model(options("--fail-after 3 --failure signal:9"), {}, {}));
    auto again = options();
    again.resume = true;
    const auto result = train_model(again, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->resumed_from, 0);
    EXPECT_EQ(trained(result->reports), up_to(20));
    EXPECT_THAT(result->notes, testing::Contains(HasSubstr("no checkpoint yet")));
}

TEST_F(TrainModelTest, ACompleteTrainingIsNotTrainedFurther) {
    ASSERT_TRUE(train_model(options(), {}, {}));
    auto again = options();
    again.resume = true;
    const auto result = train_model(again, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->iterations, 20);
    EXPECT_EQ(result->resumed_from, 20);
    EXPECT_EQ(trained(result->reports), up_to(20));
}

struct Change {
    std::string_view name;
    void (*make)(TrainOptions& options);
    std::string_view words;
};

void PrintTo(const Change& change, std::ostream* out) {
    *out << change.name;
}

class ChangedTraining : public TrainModelTest, public testing::WithParamInterface<Change> {};

TEST_P(ChangedTraining, IsNotResumed) {
    ASSERT_FALSE(train_model(options("--fail-after 12 --failure signal:9"), {}, {}));
    auto again = options();
    again.resume = true;
    GetParam().make(again);
    const auto result = train_model(again, {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(result.error().message(), HasSubstr(std::string(GetParam().words)));
    EXPECT_EQ(resumable(adapter()), 10);
}

constexpr std::array changes = {
    Change{
        "batch_size",
        [](TrainOptions& options) { options.settings["batch_size"] = 2; },
        "batch_size was 4 and is 2"
    },
    Change{
        "rank",
        [](TrainOptions& options) {
            options.settings["lora_parameters"] = json::object{{"rank", 4}};
        },
        "lora_parameters was not set and is {\"rank\":4}"
    },
    Change{"data", [](TrainOptions& options) { test::write_data(options.data, 42); }, "data was "},
    Change{
        "model", [](TrainOptions& options) { test::write_model(options.model, 128); }, "model was "
    },
    Change{
        "seed", [](TrainOptions& options) { options.settings["seed"] = 9; }, "seed was 0 and is 9"
    },
};
INSTANTIATE_TEST_SUITE_P(Table, ChangedTraining, testing::ValuesIn(changes));

TEST_F(TrainModelTest, MoreIterationsAreNoChange) {
    ASSERT_FALSE(train_model(options("--fail-after 12 --failure signal:9"), {}, {}));
    auto again = options();
    again.resume = true;
    again.settings["iters"] = 25;
    again.settings["save_every"] = 3;
    const auto result = train_model(again, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->iterations, 25);
}

TEST_F(TrainModelTest, AskedToStopItLeavesACheckpointOfThatIteration) {
    std::stop_source stop;
    TrainCalls calls;
    int last = 0;
    calls.on_report = [&](const TrainReport& report) {
        if (!report.train_loss) return;
        last = report.iteration;
        if (last == 7) stop.request_stop();
    };
    const auto result = train_model(options("--iteration-ms 20"), calls, stop.get_token());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::cancelled);
    EXPECT_EQ(resumable(adapter()), last);
    EXPECT_THAT(result.error().message(), HasSubstr(fmt::format("iteration {} is saved", last)));
    auto again = options();
    again.resume = true;
    const auto rest = train_model(again, {}, {});
    ASSERT_TRUE(rest) << rest.error().describe();
    EXPECT_EQ(trained(rest->reports), up_to(20));
}

TEST_F(TrainModelTest, AnAdapterThatIsThereIsKept) {
    ASSERT_TRUE(train_model(options(), {}, {}));
    const auto before = read_text(adapter() / "punie.json").value();
    const auto result = train_model(options(), {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::state);
    EXPECT_THAT(result.error().describe(), HasSubstr("has an adapter already"));
    EXPECT_THAT(result.error().describe(), HasSubstr("--resume goes on from iteration 20"));
    EXPECT_EQ(read_text(adapter() / "punie.json").value(), before);
}

TEST_F(TrainModelTest, OverwritingRemovesTheAdapterAndNothingElse) {
    ASSERT_TRUE(train_model(options(), {}, {}));
    test::write_file(adapter() / "notes.txt", "mine");
    auto again = options();
    again.overwrite = true;
    again.settings["iters"] = 10;
    const auto result = train_model(again, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_THAT(names(), testing::Contains("notes.txt"));
    EXPECT_THAT(names(), Not(testing::Contains("0000015_adapters.safetensors")));
}

TEST_F(TrainModelTest, AnAdapterOfMlxLmCannotBeResumed) {
    test::write_adapter(adapter());
    auto given = options();
    given.resume = true;
    const auto result = train_model(given, {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::state);
    EXPECT_THAT(result.error().message(), HasSubstr("weights only"));
}

TEST_F(TrainModelTest, DataWithErrorsStopItBeforeItStarts) {
    test::write_file(path() / "data/train.jsonl", "{\"messages\": [\n");
    auto given = options();
    given.check_data = true;
    const auto result = train_model(given, {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(result.error().describe(), HasSubstr("train.jsonl:1"));
    EXPECT_FALSE(fs::exists(adapter()));
}

TEST_F(TrainModelTest, ForceTrainsOnThemAllTheSame) {
    auto rows = read_text(path() / "data/train.jsonl").value();
    test::write_file(path() / "data/train.jsonl", rows + R"({"messages":[]})" + "\n");
    auto given = options();
    given.check_data = true;
    ASSERT_FALSE(train_model(given, {}, {}));
    given.force = true;
    const auto result = train_model(given, {}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_THAT(result->notes, testing::Contains(HasSubstr("spoil the training")));
}

TEST_F(TrainModelTest, EarlyStoppingNeedsAValidation) {
    fs::remove(path() / "data/valid.jsonl");
    auto given = options();
    given.early_stop = 3;
    const auto result = train_model(given, {}, {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().describe(), HasSubstr("no valid.jsonl"));
}

TEST_F(TrainModelTest, FewerRowsThanABatchAreRefused) {
    test::write_data(path() / "data", 3);
    const auto result = train_model(options(), {}, {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("3 rows, fewer than a batch of 4"));
}

TEST_F(TrainModelTest, UnknownSettingsAreRefusedBeforeAnythingIsWritten) {
    auto given = options();
    given.settings["learning_rat"] = 1e-4;
    const auto result = train_model(given, {}, {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("did you mean learning_rate?"));
    EXPECT_FALSE(fs::exists(adapter()));
}

TEST_F(TrainModelTest, ThePublicFaceTakesSettingsAsText) {
    const auto given = options();
    TrainingOptions face;
    face.model = given.model;
    face.data = given.data;
    face.adapter = given.adapter;
    face.mlx_lm = given.mlx_lm;
    face.check_data = false;
    face.settings = "iters: 20\nsteps_per_report: 1\nsave_every: 5\nkeep: last\n";
    const auto result = punie::train_model(face);
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(trained(result->reports), up_to(20));
    EXPECT_FALSE(result->kept_best);
    face.settings = "iters: 20\nlerning_rate: 1\n";
    const auto refused = punie::train_model(face);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("settings:2: lerning_rate"));
    face.settings = "model: other\n";
    EXPECT_FALSE(punie::train_model(face));
}

}  // namespace
}  // namespace punie::training
