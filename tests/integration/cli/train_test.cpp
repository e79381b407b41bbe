// `punie train`, `fuse` and `quantise` over the fake trainer: what a person sees, what the journal
// keeps, what a killed punie leaves.

#include "cli_fixture.hpp"
#include "integration/training/fake_python.hpp"
#include "journal/journal.hpp"

namespace punie::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

namespace fake = training::test;

class TrainTest : public CliFixture {
protected:
    void SetUp() override {
        CliFixture::SetUp();
        environment_["PUNIE_JOURNAL"] = (path() / "journal").native();
        environment_["XDG_CACHE_HOME"] = (path() / "cache").native();
        fake::write_model(path() / "model");
        fake::write_data(path() / "data");
        use("");
    }

    /// What the trainer does from now on.
    void use(const std::string& arguments, const std::string& environment = "") {
        const auto python = path() / fmt::format("python-{}", ++pythons_);
        environment_["PUNIE_MLX_LM"] =
            fake::write_fake_python(python, arguments, environment).native();
    }

    /// 20 iterations, a report each, a checkpoint each fifth.
    std::vector<std::string> train(std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments = {
            "train",
            "--model",
            (path() / "model").native(),
            "--data",
            (path() / "data").native(),
            "--adapter",
            adapter().native(),
            "--iters",
            "20",
            "--steps-per-report",
            "1",
            "--save-every",
            "5",
            "--steps-per-eval",
            "4"
        };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    fs::path adapter() const { return path() / "adapter"; }

    journal::Run last(const std::string& kind) const {
        auto journal = journal::Journal::open(path() / "journal");
        EXPECT_TRUE(journal);
        auto runs = journal->list({.kind = kind});
        EXPECT_TRUE(runs);
        EXPECT_FALSE(runs->empty());
        return runs->empty() ? journal::Run{} : runs->front();
    }

    std::vector<journal::TrainingPoint> points(const std::string& run) const {
        auto journal = journal::Journal::open(path() / "journal");
        EXPECT_TRUE(journal);
        return journal->points(run).value_or(std::vector<journal::TrainingPoint>{});
    }

    int pythons_ = 0;
};

TEST_F(TrainTest, ShowsFactsCurveAdapterAndWhatIsNext) {
    auto program = punie(train());
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_THAT(program.err(), HasSubstr("41 rows, 1234 trained tokens an epoch"));
    EXPECT_THAT(program.err(), HasSubstr("1 left over after the last full batch"));
    EXPECT_THAT(program.err(), HasSubstr("2 cut at the length limit"));
    EXPECT_THAT(program.out(), HasSubstr("◆ validation"));
    EXPECT_THAT(program.out(), HasSubstr("the best one, iteration 19"));
    EXPECT_THAT(program.out(), HasSubstr("punie eval SUITE --model"));
    EXPECT_THAT(program.out(), HasSubstr("train-"));
}

TEST_F(TrainTest, ADumbTerminalGetsAscii) {
    for (const auto& [name, value] : {std::pair("NO_COLOR", "1"), std::pair("TERM", "dumb")}) {
        environment_[name] = value;
        auto program = punie(train({"--overwrite"}));
        EXPECT_EQ(program.wait(), 0) << program.err();
        EXPECT_THAT(program.out(), HasSubstr("o validation"));
        for (const char byte : program.out()) EXPECT_LT(static_cast<unsigned char>(byte), 128);
        environment_.erase(name);
        environment_["TERM"] = "xterm";
    }
}

TEST_F(TrainTest, JsonLinesEndWithTheResult) {
    auto program = punie(train({"--json"}));
    EXPECT_EQ(program.wait(), 0) << program.err();
    const auto lines = program.json_lines();
    std::map<std::string, int> kinds;
    for (const auto& line : lines) ++kinds[string_member(line, "event").value_or("")];
    EXPECT_EQ(kinds["facts"], 1);
    EXPECT_EQ(kinds["report"], 26);
    EXPECT_EQ(kinds["checkpoint"], 4);
    EXPECT_EQ(kinds["result"], 1);
    const auto& result = lines.back();
    EXPECT_EQ(string_member(result, "event"), "result");
    EXPECT_EQ(integer_member(result, "iterations"), 20);
    EXPECT_EQ(integer_member(result, "best_iteration"), 19);
}

TEST_F(TrainTest, TheJournalHasCurveSettingsAndHashes) {
    auto program = punie(train({"--name", "first"}));
    EXPECT_EQ(program.wait(), 0) << program.err();
    const auto run = last("train");
    EXPECT_EQ(run.name, "first");
    EXPECT_EQ(run.state, journal::RunState::done);
    EXPECT_THAT(run.command, HasSubstr("punie train --model"));
    const auto config = parse_json(run.config_json);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->at("settings").at("iters"), 20);
    EXPECT_EQ(config->at("settings").at("optimizer"), "adam");
    const auto hashes = parse_json(run.hashes_json);
    ASSERT_TRUE(hashes);
    for (const auto* name : {"model", "data", "adapter"})
        EXPECT_EQ(hashes->at(name).as_string().size(), 64U) << name;
    EXPECT_EQ(points(run.id).size(), 21U);  // 0 to 20
}

TEST_F(TrainTest, CtrlCLeavesACheckpointAndSaysHowToGoOn) {
    use("--iteration-ms 30");
    auto program = punie(train({"--json"}));
    ASSERT_TRUE(program.read_until_out_has("\"iteration\":6")) << program.err();
    const auto tree = process::descendants(program.pid());
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130);
    EXPECT_TRUE(all_gone(tree, std::chrono::seconds(2)));
    EXPECT_THAT(program.out(), HasSubstr("is saved"));
    EXPECT_THAT(program.err(), HasSubstr("go on with: punie train"));
    EXPECT_THAT(program.err(), HasSubstr("--json --resume"));
    EXPECT_EQ(last("train").state, journal::RunState::interrupted);
    use("");
    auto again = punie(train({"--json", "--resume"}));
    EXPECT_EQ(again.wait(), 0) << again.err();
    const auto result = again.json_lines().back();
    EXPECT_GE(integer_member(result, "resumed_from").value_or(0), 6);
    EXPECT_EQ(points(last("train").id).size(), 21U);
}

TEST_F(TrainTest, AKilledPunieLeavesCheckpointsReportsAndNoProcess) {
    use("--iteration-ms 30");
    auto program = punie(train({"--json"}));
    ASSERT_TRUE(program.read_until_out_has("\"iteration\":7")) << program.err();
    const auto tree = process::descendants(program.pid());
    ASSERT_FALSE(tree.empty());
    program.signal(SIGKILL);
    EXPECT_EQ(program.wait(), -SIGKILL);
    EXPECT_TRUE(all_gone(tree, std::chrono::seconds(5)));
    EXPECT_TRUE(fs::exists(adapter() / "0000005_adapters.safetensors"));
    EXPECT_GE(points(last("train").id).size(), 7U);
    EXPECT_THAT(read_text(adapter() / "punie_reports.jsonl").value(), HasSubstr("\"iteration\":7"));
    use("");
    auto again = punie(train({"--json", "--resume"}));
    EXPECT_EQ(again.wait(), 0) << again.err();
    EXPECT_EQ(integer_member(again.json_lines().back(), "iterations"), 20);
}

TEST_F(TrainTest, ALossThatIsNoNumberIsAFailureWithItsRows) {
    use("--fail-after 13 --failure nan");
    auto program = punie(train());
    EXPECT_EQ(program.wait(), 1);
    EXPECT_THAT(program.err(), HasSubstr("stopped after iteration 12"));
    EXPECT_THAT(program.err(), HasSubstr("lines 7, 9 of train.jsonl"));
    EXPECT_THAT(program.out(), Not(HasSubstr("Next:")));
    EXPECT_EQ(last("train").state, journal::RunState::failed);
}

TEST_F(TrainTest, AFileOfOptionsAndFlagsOverIt) {
    fake::write_file(
        path() / "lora.yaml",
        fmt::format(
            "model: {}\ndata: {}\niters: 20\nsave_every: 5\nsteps_per_report: 1\nseed: 3\n"
            "keep: last\nlora_parameters: {{rank: 4, scale: 10}}\n",
            (path() / "model").native(),
            (path() / "data").native()
        )
    );
    auto program = punie(
        {"train",
         "--config",
         (path() / "lora.yaml").native(),
         "--adapter",
         adapter().native(),
         "--iters",
         "10",
         "--rank",
         "2"}
    );
    EXPECT_EQ(program.wait(), 0) << program.err();
    const auto config = parse_json(last("train").config_json);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->at("settings").at("iters"), 10);
    EXPECT_EQ(config->at("settings").at("seed"), 3);
    EXPECT_EQ(config->at("settings").at("lora_parameters").at("rank"), 2);
    EXPECT_EQ(config->at("settings").at("lora_parameters").at("scale"), 10);
    EXPECT_EQ(config->at("keep"), "last");
}

struct Bad {
    std::vector<std::string> arguments;
    int code;
    std::string words;
};

TEST_F(TrainTest, WhatCannotBeIsSaidBeforeAnythingIsWritten) {
    fake::write_file(path() / "bad.yaml", "iters: 10\nlerning_rate: 1\n");
    const auto model = (path() / "model").native();
    const auto data = (path() / "data").native();
    const auto out = adapter().native();
    const std::vector<Bad> table = {
        {{"train"}, 2, "--model is missing"},
        {{"train", "--model", model, "--data", data}, 2, "--adapter is missing"},
        {train({"--batch-size", "0"}), 2, "batch_size: expected a whole number from 1"},
        {train({"--optimizer", "adamx"}), 2, "optimizer: expected"},
        {train({"--batch-size", "42"}), 2, "41 rows"},
        {train({"--keep", "first"}), 2, "first"},
        {train({"--config", (path() / "bad.yaml").native()}), 2, "did you mean learning_rate?"},
        {train({"--config", "/nowhere.yaml"}), 2, "/nowhere.yaml"},
        {{"train", "--model", "/nowhere/m", "--data", data, "--adapter", out}, 2, "/nowhere/m"},
        {{"train", "--model", model, "--data", "/nowhere/d", "--adapter", out}, 2, "/nowhere/d"},
    };
    for (const auto& row : table) {
        auto program = punie(row.arguments);
        EXPECT_EQ(program.wait(), row.code) << row.words << program.err();
        EXPECT_THAT(program.err(), HasSubstr(row.words));
        EXPECT_FALSE(fs::exists(adapter())) << row.words;
    }
}

TEST_F(TrainTest, FuseAndQuantiseAreRecorded) {
    fake::write_adapter(path() / "tuned");
    use("",
        R"(FAKE_COMPARE='{"prompts":4,"agree":4,"adapter_to_fused":0.001,"adapter_to_base":1.5,"fused_to_base":1.5,"largest":0.002}')"
    );
    auto fuse = punie(
        {"fuse",
         "--model",
         (path() / "model").native(),
         "--adapter",
         (path() / "tuned").native(),
         "--out",
         (path() / "fused").native()}
    );
    EXPECT_EQ(fuse.wait(), 0) << fuse.err();
    EXPECT_THAT(fuse.out(), HasSubstr("0.0010 nats from base with adapter"));
    EXPECT_EQ(last("fuse").state, journal::RunState::done);
    auto quantise = punie(
        {"quantise",
         "--model",
         (path() / "fused").native(),
         "--out",
         (path() / "small").native(),
         "--bits",
         "5",
         "--json"}
    );
    EXPECT_EQ(quantise.wait(), 0) << quantise.err();
    EXPECT_EQ(number_member(quantise.json_lines().back(), "bits_per_weight"), 4.502);
    const auto config = parse_json(last("quantise").config_json);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->at("bits"), 5);
}

TEST_F(TrainTest, ALostAdapterIsAFailure) {
    fake::write_adapter(path() / "tuned");
    use("",
        R"(FAKE_COMPARE='{"prompts":4,"agree":0,"adapter_to_fused":1.5,"adapter_to_base":1.5,"fused_to_base":0.0,"largest":0.9}')"
    );
    auto fuse = punie(
        {"fuse",
         "--model",
         (path() / "model").native(),
         "--adapter",
         (path() / "tuned").native(),
         "--out",
         (path() / "fused").native()}
    );
    EXPECT_EQ(fuse.wait(), 1);
    EXPECT_THAT(fuse.err(), HasSubstr("the adapter was lost"));
    EXPECT_FALSE(fs::exists(path() / "fused"));
    EXPECT_EQ(last("fuse").state, journal::RunState::failed);
}

}  // namespace
}  // namespace punie::cli
