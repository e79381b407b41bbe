#include "pipeline/experiment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "pipeline/stages.hpp"

namespace punie::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A folder with a suite and data, so that paths in the texts below exist.
class ExperimentTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryFolder::make();
        ASSERT_TRUE(made);
        folder_.emplace(*std::move(made));
        ASSERT_TRUE(write_atomic(file("suite.yaml"), "suite: x\n"));
        ASSERT_TRUE(write_atomic(file("data/train.jsonl"), "{}\n"));
        ASSERT_TRUE(write_atomic(file("tiny/config.json"), "{}\n"));
    }

    std::filesystem::path file(const std::string& name) const { return folder_->path() / name; }

    Result<Experiment> parse(const std::string& text) const {
        return parse_experiment(text, file("experiment.yaml"));
    }

    std::optional<TemporaryFolder> folder_;
};

constexpr auto whole = R"(experiment: home
model: tiny
suite: suite.yaml
data: data
mlx_lm: ../.venv
feasibility: {iterations: 2, require: slow}
variants:
  - base
  - name: tuned
    train: {iters: 300, learning_rate: 1e-5}
  - {name: fused, fuse: tuned, evaluate: false}
  - {name: small, quantise: fused, bits: 4, group_size: 32}
evaluate: {max_tokens: 64, repeats: 2}
compare: {baseline: base, min_gain: 0.1, no_regression: [single]}
)";

TEST_F(ExperimentTest, WholeFile) {
    const auto read = parse(whole);
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(read->name, "home");
    EXPECT_EQ(read->model, file("tiny").string());
    ASSERT_EQ(read->variants.size(), 4U);
    EXPECT_EQ(read->variants[0].kind, VariantKind::base);
    EXPECT_EQ(read->variants[1].kind, VariantKind::train);
    EXPECT_EQ(read->variants[1].settings.at("iters").as_int64(), 300);
    EXPECT_EQ(read->variants[2].from, "tuned");
    EXPECT_FALSE(read->variants[2].evaluate);
    EXPECT_EQ(read->variants[3].settings.at("group_size").as_int64(), 32);
    EXPECT_EQ(read->evaluate.max_tokens, 64);
    EXPECT_EQ(read->compare.min_gain, 0.1);
    EXPECT_THAT(read->compare.no_regression, ElementsAre("single"));
    EXPECT_EQ(read->feasibility.iterations, 2);
    EXPECT_EQ(read->out, file(".punie/experiments/home"));
    EXPECT_EQ(read->mlx_lm, (folder_->path().parent_path() / ".venv").string());
}

TEST_F(ExperimentTest, StagesStandInAnOrderInWhichTheyCanRun) {
    const auto read = parse(whole);
    ASSERT_TRUE(read);
    std::vector<std::string> ids;
    for (const auto& stage : stages_of(*read)) {
        for (const auto& need : stage.needs) EXPECT_THAT(ids, ::testing::Contains(need));
        ids.push_back(stage.id);
    }
    EXPECT_THAT(
        ids,
        ElementsAre(
            "data",
            "feasibility",
            "evaluate:base",
            "train:tuned",
            "evaluate:tuned",
            "fuse:fused",
            "quantise:small",
            "evaluate:small",
            "compare",
            "report"
        )
    );
}

TEST_F(ExperimentTest, OneVariantIsNotCompared) {
    const auto read = parse("model: tiny\nsuite: suite.yaml\nvariants: [base]\n");
    ASSERT_TRUE(read) << read.error().describe();
    std::vector<std::string> ids;
    for (const auto& stage : stages_of(*read)) ids.push_back(stage.id);
    EXPECT_THAT(ids, ElementsAre("evaluate:base", "report"));
}

TEST_F(ExperimentTest, TheModelOfAnEndpointIsANameThere) {
    const auto read = parse(
        "model: tiny\nsuite: suite.yaml\nvariants:\n"
        "  - {name: there, url: 'http://127.0.0.1:9000/v1', model: large}\n"
    );
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(read->variants.at(0).model, "large");
}

TEST_F(ExperimentTest, MadeBeforeItsSourceInTheFile) {
    const auto read = parse(
        "model: tiny\nsuite: suite.yaml\ndata: data\nvariants:\n"
        "  - {name: fused, fuse: tuned}\n  - {name: tuned, train: {iters: 3}}\n"
    );
    ASSERT_TRUE(read) << read.error().describe();
    std::vector<std::string> ids;
    for (const auto& stage : stages_of(*read)) {
        for (const auto& need : stage.needs) EXPECT_THAT(ids, ::testing::Contains(need));
        ids.push_back(stage.id);
    }
}

TEST_F(ExperimentTest, TheStartingFileIsValidButForItsModelAndPaths) {
    ASSERT_TRUE(write_atomic(file("experiment.yaml"), starting_experiment("home")));
    const auto read = read_experiment(file("experiment.yaml"));
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(read->name, "home");
    EXPECT_EQ(read->variants.size(), 4U);
}

struct BadFile {
    std::string name;
    std::string text;
    std::string said;
};

class BadExperiment : public ExperimentTest, public ::testing::WithParamInterface<BadFile> {};

TEST_P(BadExperiment, IsRefusedWithItsPlace) {
    const auto read = parse(GetParam().text);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(read.error().message(), HasSubstr(GetParam().said));
    EXPECT_THAT(read.error().message(), HasSubstr("experiment.yaml:"));
}

const std::string head = "model: tiny\nsuite: suite.yaml\ndata: data\n";

INSTANTIATE_TEST_SUITE_P(
    Table,
    BadExperiment,
    ::testing::Values(
        BadFile{"NoSuite", "model: tiny\nvariants: [base]\n", "suite: missing"},
        BadFile{"NoVariants", "model: tiny\nsuite: suite.yaml\n", "variants: missing"},
        BadFile{"EmptyVariants", head + "variants: []\n", ":4:11: variants: missing"},
        BadFile{
            "ModelNotThere",
            "model: tny\nsuite: suite.yaml\nvariants: [base]\n",
            "tny does not exist"
        },
        BadFile{
            "ModelOfAVariantNotThere",
            head + "variants: [{name: a, model: ./other}]\n",
            "variants[0].model: "
        },
        BadFile{
            "TrainOption",
            head + "variants: [{name: t, train: {itres: 3}}]\n",
            "variants[0].train: itres: mlx_lm has no such option; did you mean iters?"
        },
        BadFile{
            "TrainValue",
            head + "variants: [{name: t, train: {keep: best, iters: ten}}]\n",
            "variants[0].train: iters: expected a whole number"
        },
        BadFile{
            "SuiteNotThere",
            "model: tiny\nsuite: nix.yaml\nvariants: [base]\n",
            "nix.yaml does not exist"
        },
        BadFile{
            "UnknownKey",
            head + "variant: [base]\nvariants: [base]\n",
            ":4:1: variant: unknown key; did you mean variants?"
        },
        BadFile{"VariantsNoList", head + "variants: base\n", "expected a list, found"},
        BadFile{"NoName", head + "variants: [{train: {}}]\n", "a variant needs a name"},
        BadFile{"TwiceTheSame", head + "variants: [base, base]\n", "\"base\" stands twice"},
        BadFile{"OddName", head + "variants: ['a/b']\n", "as it names a folder"},
        BadFile{"HiddenName", head + "variants: ['..']\n", "as it names a folder"},
        BadFile{
            "FuseOfNothing",
            head + "variants: [base, {name: f, fuse: tund}]\n",
            "no variant is called \"tund\""
        },
        BadFile{
            "DidYouMean",
            head + "variants: [{name: tuned, train: {}}, {name: f, fuse: tune}]\n",
            "did you mean tuned?"
        },
        BadFile{
            "FuseOfBase", head + "variants: [base, {name: f, fuse: base}]\n", "base has no adapter"
        },
        BadFile{
            "QuantiseAdapter",
            head + "variants: [{name: t, train: {}}, {name: q, quantise: t}]\n",
            "fuse it first"
        },
        BadFile{
            "Circle",
            head + "variants: [{name: a, quantise: b}, {name: b, quantise: a}]\n",
            "is made of itself"
        },
        BadFile{
            "TwoKinds",
            head + "variants: [{name: a, train: {}, adapter: x}]\n",
            "exclude each other"
        },
        BadFile{
            "Bits",
            head + "variants: [base, {name: q, quantise: base, bits: 7}]\n",
            "expected 4, 5, 6 or 8, found 7"
        },
        BadFile{
            "TrainNoMap",
            head + "variants: [{name: t, train: fast}]\n",
            "expected options of mlx_lm lora"
        },
        BadFile{
            "NoData",
            "model: tiny\nsuite: suite.yaml\nvariants: [{name: t, train: {}}]\n",
            "no data"
        },
        BadFile{"NoModel", "suite: suite.yaml\nvariants: [base]\n", "no model"},
        BadFile{
            "Baseline", head + "variants: [base]\ncompare: {baseline: bse}\n", "did you mean base?"
        },
        BadFile{
            "Repeats",
            head + "variants: [base]\nevaluate: {repeats: 0}\n",
            "evaluate.repeats: expected a number from 1"
        },
        BadFile{
            "Temperature",
            head + "variants: [base]\nevaluate: {temperature: hot}\n",
            "expected a number"
        },
        BadFile{
            "Require",
            head + "variants: [base]\nfeasibility: {require: fast}\n",
            "excellent, acceptable or slow"
        },
        BadFile{"YamlFault", head + "variants: [base\n", "experiment.yaml:"},
        BadFile{"KeyTwice", head + "suite: suite.yaml\nvariants: [base]\n", "suite"}
    ),
    [](const auto& info) { return info.param.name; }
);

}  // namespace
}  // namespace punie::pipeline
