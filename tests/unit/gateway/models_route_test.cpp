#include "gateway/models_route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace punie::gateway {
namespace {

std::vector<fleet::ModelStatus> models() {
    fleet::ModelStatus small;
    small.name = "small";
    small.aliases = {"gpt-4o"};
    small.adapters = {"small:french"};
    small.state = ServerState::ready;
    small.memory = 1'000'000;
    fleet::ModelStatus big;
    big.name = "big";
    big.backend = BackendKind::llama;
    big.memory_needed = 5'000'000;
    big.reason = "unloaded after 600 s without a request";
    return {small, big};
}

Pass pass_for(std::vector<std::string> allowed) {
    Pass pass;
    pass.key = std::make_shared<const fleet::KeySpec>(
        fleet::KeySpec{.name = "k", .value = "v", .models = std::move(allowed)}
    );
    return pass;
}

std::vector<std::string> ids(const json::object& list, const char* array, const char* field) {
    std::vector<std::string> names;
    for (const auto& entry : list.at(array).as_array()) {
        names.emplace_back(entry.at(field).as_string());
    }
    return names;
}

TEST(ModelsRoute, ListsEveryNameThatARequestMayUse) {
    const auto list = models_list(models(), {});
    EXPECT_EQ(list.at("object").as_string(), "list");
    EXPECT_THAT(
        ids(list, "data", "id"), testing::ElementsAre("small", "gpt-4o", "small:french", "big")
    );
}

TEST(ModelsRoute, ShowsOnlyWhatTheKeyMayUse) {
    EXPECT_THAT(
        ids(models_list(models(), pass_for({"big"})), "data", "id"), testing::ElementsAre("big")
    );
    EXPECT_FALSE(models_entry(models(), pass_for({"big"}), "small"));
    EXPECT_TRUE(models_entry(models(), pass_for({"big"}), "big"));
    EXPECT_THAT(
        ids(ollama_tags(models(), pass_for({"big"})), "models", "name"),
        testing::ElementsAre("big:latest")
    );
    EXPECT_FALSE(ollama_show(models(), pass_for({"big"}), "small"));
}

TEST(ModelsRoute, AnEntryHasStateMemoryAndReason) {
    const auto big = models_entry(models(), {}, "big");
    ASSERT_TRUE(big);
    EXPECT_EQ(big->at("state").as_string(), "stopped");
    EXPECT_EQ(big->at("memory_needed_bytes").to_number<int>(), 5'000'000);
    EXPECT_THAT(std::string(big->at("reason").as_string()), testing::HasSubstr("600 s"));
    const auto french = models_entry(models(), {}, "small:french");
    ASSERT_TRUE(french);
    EXPECT_EQ(french->at("parent").as_string(), "small");
    EXPECT_FALSE(models_entry(models(), {}, "small:german"));
}

TEST(ModelsRoute, OllamaNamesHaveATag) {
    EXPECT_THAT(
        ids(ollama_tags(models(), {}), "models", "name"),
        testing::ElementsAre("small:latest", "gpt-4o:latest", "small:french", "big:latest")
    );
    EXPECT_TRUE(ollama_show(models(), {}, "big:latest"));
    EXPECT_TRUE(ollama_show(models(), {}, "big"));
    EXPECT_EQ(ollama_show(models(), {}, "big")->at("details").at("format").as_string(), "gguf");
}

TEST(ModelsRoute, OllamaPsListsWhatIsLoaded) {
    EXPECT_THAT(
        ids(ollama_ps(models(), {}), "models", "name"), testing::ElementsAre("small:latest")
    );
}

}  // namespace
}  // namespace punie::gateway
