#pragma once
// A command line as a person types it, with the built `punie` in PATH: what it printed, both
// streams in the order in which they came, and its exit code.

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace punie::cli::test {

struct Typed {
    int code = -1;
    std::string out;
};

/// Runs `line` with /bin/sh in `folder`. Nothing of this process's environment but what a fresh
/// user has: `home` is empty, PATH is `bin`, where punie lies, and nothing else.
inline Typed type(
    const std::string& line, const std::filesystem::path& folder, const std::filesystem::path& bin
) {
    const auto quoted = [](const std::string& text) {
        std::string word = "'";
        for (const char letter : text)
            word += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
        return word + "'";
    };
    const auto command = fmt::format(
        "cd {} && env -i PATH={} HOME={} TERM=dumb NO_COLOR=1 /bin/sh -c {} "
        "</dev/null 2>&1",
        quoted(folder.native()),
        quoted(bin.native()),
        quoted(bin.native()),
        quoted(line)
    );
    Typed typed;
    auto* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return typed;
    std::array<char, 4096> buffer{};
    while (const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe))
        typed.out.append(buffer.data(), got);
    const int status = ::pclose(pipe);
    typed.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return typed;
}

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        while (lines.back().ends_with(' ')) lines.back().pop_back();
        at = end + 1;
    }
    return lines;
}

}  // namespace punie::cli::test
