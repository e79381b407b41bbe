#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "model_folder.hpp"

namespace punie::backend {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ModelFiles : public testing::Test {
protected:
    Error error_of(const std::filesystem::path& path) {
        auto model = read_model(path.native());
        EXPECT_FALSE(model);
        return model ? Error(ErrorCode::state, "no error") : model.error();
    }

    TemporaryFolder folder_ = *TemporaryFolder::make();
    std::filesystem::path model_ = folder_.path() / "tiny";
};

TEST_F(ModelFiles, ASmallModelIsRead) {
    write_tiny_model(model_);
    const auto model = read_model(model_.native());
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_EQ(model->model_type, "qwen3");
    EXPECT_EQ(model->hidden_size, 64);
    EXPECT_EQ(model->intermediate_size, 128);
    EXPECT_EQ(model->layers, 2);
    EXPECT_EQ(model->attention_heads, 4);
    EXPECT_EQ(model->kv_heads, 2);
    EXPECT_EQ(model->head_dim, 16);
    EXPECT_EQ(model->vocab_size, 334);
    EXPECT_EQ(model->max_positions, 2048);
    EXPECT_TRUE(model->tied_embeddings);
    EXPECT_FALSE(model->quantization_bits);
    EXPECT_EQ(model->activation_dtype, "F32");
    // 334*64 + 64 + 2 * (64*64 + 32*64 + 64*128 + 64) numbers of 4 bytes
    EXPECT_EQ(model->weight_bytes, 4U * (334 * 64 + 64 + 2 * (64 * 64 + 32 * 64 + 64 * 128 + 64)));
}

TEST_F(ModelFiles, HeadSizesAreWorkedOutWhereTheyAreNotSaid) {
    write_tiny_model(model_);
    write_file(
        model_ / "config.json",
        R"({"model_type": "llama", "hidden_size": 96, "num_attention_heads": 6, "num_hidden_layers": 2})"
    );
    const auto model = read_model(model_.native());
    ASSERT_TRUE(model);
    EXPECT_EQ(model->kv_heads, 6);
    EXPECT_EQ(model->head_dim, 16);
    EXPECT_EQ(model->max_positions, 0);
}

TEST_F(ModelFiles, AMultimodalConfigNestsTheLanguageModel) {
    write_tiny_model(model_);
    write_file(
        model_ / "config.json",
        R"({"model_type": "gemma3", "vocab_size": 7, "quantization": {"bits": 4, "group_size": 32,
            "language_model.lm_head": {"bits": 8, "group_size": 32}, "language_model.skip": false},
            "text_config": {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "vocab_size": 9,
            "tie_word_embeddings": true}})"
    );
    const auto model = read_model(model_.native());
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_EQ(model->model_type, "gemma3");
    EXPECT_EQ(model->hidden_size, 32);
    EXPECT_EQ(model->layers, 3);
    EXPECT_EQ(model->vocab_size, 9);
    EXPECT_TRUE(model->tied_embeddings);
    EXPECT_EQ(model->quantization_bits, 4);
    EXPECT_EQ(model->layer_bits.at("language_model.lm_head"), 8);
    EXPECT_EQ(model->layer_bits.size(), 1U);
}

TEST_F(ModelFiles, ShardsAreAddedUp) {
    write_file(model_ / "config.json", tiny_config);
    write_safetensors(model_ / "model-00001-of-00002.safetensors", {{"a.weight", {2, 2}, "BF16"}});
    write_safetensors(model_ / "model-00002-of-00002.safetensors", {{"b.weight", {3}, "BF16"}});
    write_safetensors(model_ / "other.safetensors", {{"not.loaded", {3}, "BF16"}});
    write_file(
        model_ / "model.safetensors.index.json",
        R"({"weight_map": {"a.weight": "model-00001-of-00002.safetensors",
                           "b.weight": "model-00002-of-00002.safetensors"}})"
    );
    const auto model = read_model(model_.native());
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_EQ(model->tensors.size(), 2U);
    EXPECT_EQ(model->weight_bytes, 14U);
    EXPECT_EQ(model->activation_dtype, "BF16");
    std::filesystem::remove(model_ / "model-00002-of-00002.safetensors");
    const auto error = error_of(model_);
    EXPECT_EQ(error.code(), ErrorCode::model_invalid);
    EXPECT_THAT(
        error.message(),
        HasSubstr("names model-00002-of-00002.safetensors, which is not in the folder")
    );
}

TEST_F(ModelFiles, AMistypedPathNamesItsNeighbour) {
    write_tiny_model(model_);
    const auto error = error_of(folder_.path() / "tinny");
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.message(), HasSubstr("tinny does not exist"));
    EXPECT_THAT(error.hint(), AllOf(HasSubstr("did you mean"), HasSubstr(model_.native())));
    EXPECT_THAT(error_of("/no/such/place").hint(), HasSubstr("/no/such does not exist either"));
}

struct Folder {
    const char* name;
    std::vector<std::pair<const char*, const char*>> files;
    const char* says;
    const char* hint;
};

void PrintTo(const Folder& row, std::ostream* out) {
    *out << row.name;
}

class NoModel : public testing::TestWithParam<Folder> {};

TEST_P(NoModel, SaysWhatItIsInstead) {
    const auto folder = *TemporaryFolder::make();
    for (const auto& [name, text] : GetParam().files) write_file(folder.path() / name, text);
    const auto model = read_model(folder.path().native());
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code(), ErrorCode::model_invalid);
    EXPECT_THAT(model.error().message(), HasSubstr(GetParam().says));
    EXPECT_THAT(model.error().hint(), HasSubstr(GetParam().hint));
}

const Folder folders[] = {
    {"empty", {}, "no config.json", "it is empty"},
    {"gguf", {{"model.Q4.gguf", "GGUF"}}, "no config.json", "--backend llama"},
    {"pytorch",
     {{"config.json", tiny_config}, {"pytorch_model.bin", ""}},
     "no model*.safetensors",
     "mlx_lm.convert"},
    {"adapter",
     {{"adapter_config.json", "{}"}, {"adapters.safetensors", ""}},
     "no config.json",
     "--adapter"},
    {"other_weights",
     {{"config.json", tiny_config}, {"w.safetensors", ""}},
     "no model*.safetensors",
     "config.json,"},
    {"bad_json", {{"config.json", "{\n\"a\": }"}}, "config.json: line 2, column 6", "fetch"},
    {"no_type", {{"config.json", "{}"}}, "no model_type", ""},
    {"array", {{"config.json", "[]"}}, "no model_type", ""},
    {"damaged",
     {{"config.json", tiny_config}, {"model.safetensors", "hello, world"}},
     "byte 0",
     "fetch"},
    {"bad_index",
     {{"config.json", tiny_config}, {"model.safetensors", ""}, {"model.safetensors.index.json", "{"}
     },
     "index.json: line 1",
     "fetch"},
};
INSTANTIATE_TEST_SUITE_P(Table, NoModel, testing::ValuesIn(folders), [](const auto& row) {
    return std::string(row.param.name);
});

TEST_F(ModelFiles, AFileIsNoFolder) {
    write_file(folder_.path() / "m.gguf", "GGUF");
    write_file(folder_.path() / "m.txt", "");
    EXPECT_THAT(error_of(folder_.path() / "m.gguf").hint(), HasSubstr("--backend llama"));
    EXPECT_THAT(error_of(folder_.path() / "m.txt").hint(), HasSubstr("config.json"));
}

TEST_F(ModelFiles, HubNames) {
    EXPECT_TRUE(is_hub_name("mlx-community/Qwen3-0.6B-4bit"));
    for (const auto* path :
         {"/abs/path",
          "./a/b",
          "../a/b",
          "~/a",
          "plain",
          "a/b/c",
          "org/",
          "/b",
          "a b/c",
          "org/../x",
          "org/.x",
          ""}) {
        EXPECT_FALSE(is_hub_name(path)) << path;
    }
    // a folder of that name, or a folder in which it could be, makes it a path
    const auto here = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
    write_tiny_model(folder_.path() / "models" / "tiny");
    EXPECT_FALSE(is_hub_name("models/tiny"));
    EXPECT_FALSE(is_hub_name("models/tyni"));
    std::filesystem::current_path(here);
}

TEST_F(ModelFiles, ACachedSnapshotIsFoundAndRead) {
    const auto repository = folder_.path() / "models--org--name";
    write_file(repository / "refs" / "main", "abc123\n");
    write_tiny_model(repository / "snapshots" / "abc123");
    ASSERT_EQ(setenv("HF_HUB_CACHE", folder_.path().c_str(), 1), 0);
    EXPECT_EQ(cached_snapshot("org/name"), repository / "snapshots" / "abc123");
    EXPECT_EQ(cached_snapshot("org/other"), std::nullopt);
    EXPECT_EQ(cached_snapshot("../name"), std::nullopt);
    EXPECT_TRUE(read_model("org/name"));
    const auto missing = read_model("org/other");
    write_file(repository / "refs" / "main", "../../../etc");
    EXPECT_EQ(cached_snapshot("org/name"), std::nullopt);
    unsetenv("HF_HUB_CACHE");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
    EXPECT_THAT(missing.error().message(), HasSubstr("not in the local hub cache"));
}

}  // namespace
}  // namespace punie::backend
