// A configuration from what lies in folders.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

#include "base/files.hpp"
#include "fleet/catalog.hpp"
#include "fleet/gateway_config.hpp"

namespace punie::fleet {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class FolderModels : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make("models");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
    }

    void TearDown() override { unsetenv("HF_HUB_CACHE"); }  // NOLINT(concurrency-mt-unsafe)

    fs::path root() const { return folder_->path(); }

    void file(const std::string& name, const std::string& text = "x") const {
        fs::create_directories((root() / name).parent_path());
        std::ofstream(root() / name) << text;
    }

    void mlx(const std::string& name, const std::string& config = "{}") const {
        file(name + "/config.json", config);
        file(name + "/model.safetensors", std::string(1000, 'x'));
    }

    static std::vector<std::string> names(const Result<GatewayConfig>& config) {
        EXPECT_TRUE(config) << config.error().describe();
        std::vector<std::string> all;
        if (!config) return all;
        for (const auto& model : config->models) all.push_back(model.name);
        return all;
    }

    std::optional<TemporaryFolder> folder_;
};

TEST_F(FolderModels, MlxFoldersAndGgufFilesAreModels) {
    mlx("tiny");
    mlx("deep/er/qwen 3");
    file("gemma.gguf");
    file("notes.txt");
    file("adapter/adapter_config.json");
    file("adapter/adapters.safetensors");
    mlx(".hidden/secret");
    const auto config = config_for_folder(root(), false);
    EXPECT_THAT(names(config), UnorderedElementsAre("tiny", "qwen-3", "gemma"));
    EXPECT_EQ(config->find("gemma")->server.backend, BackendKind::llama);
    EXPECT_EQ(config->find("tiny")->server.backend, BackendKind::mlx);
    EXPECT_EQ(config->find("tiny")->server.port, 0);
    EXPECT_EQ(config->find("qwen-3")->server.model_path, (root() / "deep/er/qwen 3").native());
}

TEST_F(FolderModels, OfSeveralPartsTheFirstStandsForAll) {
    for (const auto* part : {"00001", "00002", "00003"})
        file(std::string("big-") + part + "-of-00003.gguf", std::string(1000, 'x'));
    file("mmproj-big.gguf");
    const auto config = config_for_folder(root(), false);
    ASSERT_THAT(names(config), ElementsAre("big"));
    EXPECT_THAT(config->models[0].server.model_path, HasSubstr("00001-of-00003"));
    EXPECT_GT(estimated_memory(config->models[0]).value_or(0), 3000U);
}

TEST_F(FolderModels, TheSameNameTwiceIsToldApartByTheFolder) {
    mlx("a/model");
    mlx("b/model");
    EXPECT_THAT(
        names(config_for_folder(root(), false)), UnorderedElementsAre("a/model", "b/model")
    );
}

TEST_F(FolderModels, AModelsOwnFolderIsAModel) {
    mlx("tiny");
    EXPECT_THAT(names(config_for_folder(root() / "tiny", false)), ElementsAre("tiny"));
}

TEST_F(FolderModels, ALinkInACircleEnds) {
    mlx("tiny");
    fs::create_directory_symlink(root(), root() / "round");
    EXPECT_THAT(names(config_for_folder(root(), false)), ElementsAre("tiny"));
}

TEST_F(FolderModels, TheHubsCacheIsReadWhenAskedFor) {
    setenv("HF_HUB_CACHE", (root() / "hub").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    const std::string chat = R"({"architectures": ["Qwen3ForCausalLM"]})";
    const std::string embeds = R"({"architectures": ["BertModel"]})";
    file("hub/models--org--chat/refs/main", "abc");
    mlx("hub/models--org--chat/snapshots/abc", chat);
    file("hub/models--org--embeds/refs/main", "abc");
    mlx("hub/models--org--embeds/snapshots/abc", embeds);
    file("hub/models--org--gg/snapshots/abc/gg-Q4.gguf");
    file("hub/models--org--torn/refs/main", "abc");
    mlx("local/tiny");
    const auto both = config_for_folder(root() / "local", true);
    EXPECT_THAT(names(both), UnorderedElementsAre("tiny", "org/chat", "gg-Q4"));
    EXPECT_THAT(names(config_for_folder("", true)), UnorderedElementsAre("org/chat", "gg-Q4"));
    EXPECT_EQ(
        both->find("org/chat")->server.model_path,
        (root() / "hub/models--org--chat/snapshots/abc").native()
    );
}

TEST_F(FolderModels, NothingFoundSaysWhatWasLookedFor) {
    const auto empty = config_for_folder(root(), false);
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().code(), ErrorCode::not_found);
    EXPECT_THAT(empty.error().describe(), HasSubstr("config.json"));
    const auto missing = config_for_folder(root() / "nowhere", false);
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message(), HasSubstr("nowhere: no such folder"));
}

}  // namespace
}  // namespace punie::fleet
