// What earlier runs measured, and the identity of a process.

#include "fleet/remembered.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/files.hpp"
#include "fleet/catalog.hpp"

namespace punie::fleet {
namespace {

void save(const Remembered& memory) {
    EXPECT_TRUE(write_atomic(memory.file(), memory.text()));
}

TEST(Remembered, SurvivesTheProcess) {
    const auto folder = TemporaryFolder::make("remembered");
    ASSERT_TRUE(folder);
    const auto file = folder->path() / "state/models.json";
    {
        Remembered memory(file);
        EXPECT_FALSE(memory.find("a"));
        ASSERT_TRUE(memory.set_memory("a", 1000));
        ASSERT_TRUE(memory.set_load_seconds("a", 2.5));
        save(memory);
    }
    const Remembered again(file);
    EXPECT_EQ(again.find("a"), (Measured{1000, 2.5}));
    EXPECT_FALSE(again.find("b"));
}

TEST(Remembered, SmallChangesAreNotWorthAWrite) {
    Remembered memory;
    EXPECT_TRUE(memory.set_memory("a", 1000));
    EXPECT_FALSE(memory.set_memory("a", 1010));
    EXPECT_EQ(memory.find("a")->memory, 1000U);
    EXPECT_TRUE(memory.set_memory("a", 1200));
    EXPECT_TRUE(memory.set_load_seconds("a", 1));
    EXPECT_FALSE(memory.set_load_seconds("a", 1.01));
}

class BrokenFile : public testing::TestWithParam<const char*> {};

TEST_P(BrokenFile, IsAnEmptyMemory) {
    const auto folder = TemporaryFolder::make("remembered");
    ASSERT_TRUE(folder);
    const auto file = folder->path() / "models.json";
    std::ofstream(file) << GetParam();
    Remembered memory(file);
    EXPECT_FALSE(memory.find("a"));
    EXPECT_TRUE(memory.set_memory("a", 7));
    save(memory);
    EXPECT_EQ(Remembered(file).find("a"), (Measured{7, 0}));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    BrokenFile,
    testing::Values(
        "",
        "{",
        "[]",
        R"({"models": 3})",
        R"({"models": {"a": {"memory": -5}}})",
        R"({"models": {"a": {"load_seconds": -1}}})"
    )
);

TEST(Identity, IsWhatTheProcessDependsOn) {
    ModelSpec spec;
    spec.name = "a";
    spec.server.model_path = "/m";
    const auto before = identity_of(spec, "");
    auto soft = spec;
    soft.aliases = {"x"};
    soft.ttl = Milliseconds{5};
    soft.pin = soft.preload = true;
    soft.parallel = 3;
    soft.memory = 7;
    soft.adapters = {{"x", "/x"}};
    EXPECT_EQ(identity_of(soft, ""), before);
    std::vector<ModelSpec> hard(8, spec);
    hard[0].server.model_path = "/n";
    hard[1].server.environment["A"] = "b";
    hard[2].server.extra_arguments = {"--x"};
    hard[3].server.sampling.temperature = 0.5;
    hard[4].server.adapter_path = "/x";
    hard[5].server.backend = BackendKind::llama;
    hard[6].server.port = 1234;
    hard[7].upstream = UpstreamSpec{"http://h", "", ""};
    for (const auto& other : hard) EXPECT_NE(identity_of(other, ""), before);
    EXPECT_NE(identity_of(spec, "/venv"), before);
}

}  // namespace
}  // namespace punie::fleet
