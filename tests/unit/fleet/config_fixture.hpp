#pragma once
// Reading a configuration's text in tests, with files beside it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "base/files.hpp"
#include "fleet/gateway_config.hpp"

namespace punie::fleet {

class ConfigFixture : public testing::Test {
protected:
    void SetUp() override {
        auto folder = TemporaryFolder::make("config");
        ASSERT_TRUE(folder);
        folder_.emplace(*std::move(folder));
        write("key", "s3cret-of-the-file\n");
        write("keys", "# who may\nann key-of-ann\n\nbob  key-of-bob\n");
    }

    void write(const std::string& name, const std::string& text) const {
        const auto file = folder_->path() / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }

    Result<GatewayConfig> read(const std::string& text) const {
        return read_gateway_config(text, folder_->path() / "punie.yaml", environment_);
    }

    GatewayConfig good(const std::string& text) const {
        auto config = read(text);
        EXPECT_TRUE(config) << config.error().message();
        return config ? *std::move(config) : GatewayConfig{};
    }

    std::string faults(const std::string& text) const {
        const auto config = read(text);
        EXPECT_FALSE(config) << "it was accepted";
        return config ? std::string{} : config.error().message();
    }

    std::optional<TemporaryFolder> folder_;
    std::map<std::string, std::string> environment_{
        {"HOME", "/home/me"}, {"PORT", "9001"}, {"MY_KEY", "s3cret-of-the-environment"}
    };
};

}  // namespace punie::fleet
