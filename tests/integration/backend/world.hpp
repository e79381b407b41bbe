#pragma once
// A home, cache, configuration and PATH of its own for one test, with fake interpreters in it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "base/files.hpp"
#include "base/text.hpp"

namespace punie::backend {

class World : public testing::Test {
protected:
    World() {
        std::filesystem::create_directories(root() / "work" / ".git");
        std::filesystem::create_directories(root() / "empty-bin");
        std::filesystem::current_path(root() / "work");
        set("HOME", (root() / "home").native());
        set("XDG_CACHE_HOME", (root() / "cache").native());
        set("XDG_CONFIG_HOME", (root() / "config").native());
        set("PATH", (root() / "empty-bin").native());
        for (const auto* name : {"PUNIE_MLX_LM", "VIRTUAL_ENV", "PUNIE_LLAMA_SERVER", "PUNIE_VLLM"})
            unset(name);
    }

    ~World() override {
        std::filesystem::current_path(before_);
        for (const auto& [name, value] : saved_) {
            value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
        }
    }

    const std::filesystem::path& root() const { return folder_.path(); }

    void set(const std::string& name, const std::string& value) {
        save(name);
        setenv(name.c_str(), value.c_str(), 1);
    }

    void unset(const std::string& name) {
        save(name);
        unsetenv(name.c_str());
    }

    static void write(const std::filesystem::path& file, const std::string& text) {
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }

    /// A shell script that counts its runs in FILE.runs.
    std::filesystem::path program(const std::filesystem::path& file, const std::string& body) {
        write(
            file,
            "#!/bin/sh\nPATH=/usr/bin:/bin\necho x >> '" + file.native() + ".runs'\n" + body + "\n"
        );
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        return file;
    }

    static std::size_t runs(const std::filesystem::path& file) {
        const auto text = read_text(file.native() + ".runs");
        return text ? split_lines(*text).size() : 0;
    }

    /// An interpreter whose probe answers with `json`.
    std::filesystem::path interpreter(const std::filesystem::path& file, const std::string& json) {
        return program(file, "echo some warning\ncat <<'END'\nPUNIE-PROBE" + json + "\nEND");
    }

    /// An answer like a real one; `watched` is a file whose change makes it stale.
    static std::string answer(
        const std::string& version, const std::filesystem::path& watched = {}
    ) {
        const auto files = watched.empty() ? std::string{} : '"' + watched.native() + '"';
        return R"({"mlx_lm_version": ")" + version +
               R"(", "mlx_version": "0.32.4", "python_version": "3.11.7", "server_words": ["-m", "mlx_lm", "server"],)"
               R"( "server_help": "  --model M\n  --port P\n", "lora_help": "  --train\n", "training_callbacks": true,)"
               R"( "metal": false, "recommended_working_set": 0, "model_types": ["llama", "qwen3"],)"
               R"( "own_cache_types": ["llama"], "watched": [)" +
               files + "]}";
    }

private:
    void save(const std::string& name) {
        const char* value = std::getenv(name.c_str());
        saved_.try_emplace(
            name, value == nullptr ? std::nullopt : std::optional<std::string>(value)
        );
    }

    std::filesystem::path before_ = std::filesystem::current_path();
    TemporaryFolder folder_ = *TemporaryFolder::make();
    std::map<std::string, std::optional<std::string>> saved_;
};

}  // namespace punie::backend
