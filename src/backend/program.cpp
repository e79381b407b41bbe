#include "backend/program.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cctype>
#include <cstdlib>

#include "backend/answer_cache.hpp"
#include "backend/configuration.hpp"
#include "backend/flags.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "process/child.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

constexpr Milliseconds answer_limit{60'000
};  // vllm imports half of PyTorch before it prints its help
constexpr std::size_t fewest_flags = 5;

struct Place {
    fs::path program;
    std::string found_by;
};

Result<Place> explicit_place(
    const ProgramQuestion& question, const std::string& path, std::string found_by
) {
    std::error_code ignored;
    fs::path given = path;
    if (fs::is_directory(given, ignored)) {  // a folder that holds it, or a virtual environment
        const bool in_bin = fs::exists(given / "bin" / question.name, ignored);
        given = in_bin ? given / "bin" / question.name : given / question.name;
    }
    const auto program = process::find_program(given.native());
    if (program) return Place{*program, std::move(found_by)};
    return fail(
        ErrorCode::program_missing,
        fmt::format(
            "{}: {} names {}, which is no program that can be run", question.name, found_by, path
        ),
        question.install_hint
    );
}

Result<Place> find(const ProgramQuestion& question) {
    if (!question.explicit_path.empty()) {
        return explicit_place(question, question.explicit_path, "the command line");
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    if (const char* named = std::getenv(question.variable.c_str());
        named != nullptr && *named != '\0') {
        return explicit_place(question, named, question.variable);
    }
    const auto setting = configured(question.config_key);
    if (!setting) return std::unexpected(setting.error());
    if (*setting) return explicit_place(question, **setting, "the configuration");
    if (auto program = process::find_program(question.name)) return Place{*program, "PATH"};
    return fail(
        ErrorCode::program_missing,
        fmt::format(
            "{} was not found: {} is not set, the configuration has no {}, PATH has no {}",
            question.name,
            question.variable,
            question.config_key,
            question.name
        ),
        question.install_hint
    );
}

Task<Result<std::string>> output_of(fs::path program, std::vector<std::string> words) {
    process::SpawnOptions options;
    options.argv = {program.native()};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.environment["COLUMNS"] = "100";
    auto captured = co_await process::run_to_end(std::move(options), answer_limit);
    if (!captured) co_return std::unexpected(std::move(captured).error());
    co_return std::move(captured->output);
}

Task<Result<json::value>> ask(ProgramQuestion question, fs::path program) {
    auto help = co_await output_of(program, question.help_words);
    if (!help) co_return std::unexpected(std::move(help).error());
    if (flags_of_help(*help).size() < fewest_flags && !question.older_help_words.empty()) {
        help = co_await output_of(program, question.older_help_words);
        if (!help) co_return std::unexpected(std::move(help).error());
    }
    if (flags_of_help(*help).size() < fewest_flags) {
        auto lines = split_lines(*help);
        if (lines.size() > 12) lines.resize(12);
        for (auto& line : lines) line = printable(line);
        co_return std::unexpected(Error(
                                      ErrorCode::unsupported,
                                      fmt::format("{}: its --help tells no flags", program.native())
        )
                                      .with_log(std::move(lines)));
    }
    const std::vector<std::string> version_words = {"--version"};
    auto version = co_await output_of(program, version_words);
    if (!version) co_return std::unexpected(std::move(version).error());
    json::object answer = {{"help", *help}, {"version", version_of_output(*version)}};
    co_return json::value(std::move(answer));
}

}  // namespace

std::string version_of_output(const std::string& output) {
    const auto is_version = [](std::string_view word) {
        return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0;
    };
    std::string bare;
    for (const auto& line : split_lines(output)) {
        const auto text = trim(line);
        constexpr std::string_view label = "version: ";
        if (text.starts_with(label)) return std::string(trim(text.substr(label.size())));
        if (is_version(text) && text.find(' ') == std::string_view::npos) bare = text;
    }
    return bare;
}

Task<Result<ServerCapabilities>> ask_program(ProgramQuestion question) {
    const auto place = find(question);
    if (!place) co_return std::unexpected(place.error());
    const auto program = fs::absolute(place->program);
    const auto key = fmt::format("{} {}", question.name, program.native());
    auto answer = cached_answer(key);
    if (!answer) {
        auto fresh = co_await ask(question, program);
        if (!fresh) co_return std::unexpected(std::move(fresh).error());
        const std::vector<fs::path> watched = {program};
        keep_answer(key, *fresh, watched);
        answer = std::move(*fresh);
    }
    ServerCapabilities can;
    can.backend = question.kind;
    can.program = {program.native()};
    can.program.insert(can.program.end(), question.subcommand.begin(), question.subcommand.end());
    can.version = string_member(*answer, "version").value_or("");
    can.flags = flags_of_help(string_member(*answer, "help").value_or(""));
    co_return can;
}

}  // namespace punie::backend
