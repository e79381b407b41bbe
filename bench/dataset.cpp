// What `punie dataset validate` costs: MB/s on one core and the memory that it needs, on rows made
// here.
//
//   build/bench/bench_dataset [MEGABYTES]      (300 by default)
//
// Three kinds of rows: prose in English (with escapes, code, some accents), text in other scripts,
// and tool calls with schemas. CPU time is what is compared: the machine may have other things to
// do.
#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "dataset/validate.hpp"

namespace {

namespace fs = std::filesystem;
using punie::dataset::validate_data;

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Megabytes that were ever resident; macOS counts bytes.
double peak_mb() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
    return static_cast<double>(usage.ru_maxrss) / 1e6;
#else
    return static_cast<double>(usage.ru_maxrss) / 1e3;
#endif
}

class Writer {
public:
    explicit Writer(unsigned seed) : random_(seed) {
        for (int word = 0; word < 20'000; ++word) latin_.push_back(made("etaoinshrdlucmfwypvbg"));
        static constexpr std::array letters = {
            "а", "е", "и", "о", "н", "т", "с", "р", "в", "л", "к", "м"
        };
        for (int word = 0; word < 20'000; ++word) {
            std::string text;
            for (std::size_t length = 2 + random_() % 8; length > 0; --length)
                text += letters.at(random_() % letters.size());
            cyrillic_.push_back(std::move(text));
        }
    }

    std::string prose() { return chat(text(latin_, 1 + random_() % 3), answer()); }

    std::string other() {
        return chat(text(cyrillic_, 1 + random_() % 3), text(cyrillic_, 2 + random_() % 8));
    }

    std::string tools() {
        const auto& city = latin_[random_() % latin_.size()];
        return fmt::format(
            R"({{"messages": [{{"role": "user", "content": "{}"}}, {{"role": "assistant", "content": null, "tool_calls": [{{"id": "c1", "type": "function", "function": {{"name": "get_weather", "arguments": {{"city": "{}", "days": {}}}}}}}]}}, {{"role": "tool", "tool_call_id": "c1", "content": "{{\"degrees\": {}}}"}}, {{"role": "assistant", "content": "{}"}}], "tools": [{{"type": "function", "function": {{"name": "get_weather", "description": "The weather of a city", "parameters": {{"type": "object", "properties": {{"city": {{"type": "string"}}, "days": {{"type": "integer"}}}}, "required": ["city"]}}}}}}]}})",
            text(latin_, 1),
            city,
            random_() % 7,
            random_() % 40,
            text(latin_, 1)
        );
    }

private:
    std::string made(std::string_view letters) {
        static constexpr std::array<std::size_t, 13> lengths = {
            1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 11
        };
        std::string word;
        for (auto length = lengths.at(random_() % lengths.size()); length > 0; --length)
            word += letters[random_() % letters.size()];
        return word;
    }

    std::string text(const std::vector<std::string>& words, std::size_t sentences) {
        std::string all;
        for (; sentences > 0; --sentences) {
            for (auto count = 4 + random_() % 18; count > 0; --count)
                all.append(all.empty() ? "" : " ").append(words[random_() % words.size()]);
            all += '.';
        }
        return all;
    }

    std::string answer() {
        auto all = text(latin_, 2 + random_() % 6);
        if (random_() % 2 == 0) all.append("\\n\\n").append(text(latin_, 1 + random_() % 5));
        if (random_() % 8 == 0)
            all.append(
                "\\n\\n```python\\ndef f(x):\\n    return {\\\"a\\\": x + 1}\\n```\\n\\nThat is "
                "\\\"it\\\": café."
            );
        return all;
    }

    static std::string chat(const std::string& question, const std::string& answer) {
        return fmt::format(
            R"({{"messages": [{{"role": "system", "content": "You are a helpful assistant."}}, {{"role": "user", "content": "{}"}}, {{"role": "assistant", "content": "{}"}}]}})",
            question,
            answer
        );
    }

    std::mt19937_64 random_;
    std::vector<std::string> latin_;
    std::vector<std::string> cyrillic_;
};

template <typename Row>
void write_rows(const fs::path& file, std::uint64_t bytes, const Row& row) {
    std::ofstream out(file, std::ios::binary);
    for (std::uint64_t written = 0; written < bytes;) {
        const auto text = row();
        out << text << '\n';
        written += text.size() + 1;
    }
}

void measure(std::string_view name, const fs::path& file, punie::dataset::ValidateOptions options) {
    const auto start = std::chrono::steady_clock::now();
    const auto before = cpu_seconds();
    const auto report = validate_data(file, options);
    const auto cpu = cpu_seconds() - before;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    if (!report) {
        fmt::print("{}: {}\n", name, report.error().describe());
        return;
    }
    const auto& split = report->splits.front();
    const auto megabytes = static_cast<double>(split.bytes) / 1e6;
    fmt::print(
        "{:<28} {:>6.0f} MB {:>9} rows {:>7.0f} MB/s (CPU) {:>7.0f} MB/s (wall)  peak {:>5.0f} MB  "
        "{} errors\n",
        name,
        megabytes,
        split.rows,
        megabytes / cpu,
        megabytes / wall.count(),
        peak_mb(),
        report->errors
    );
}

}  // namespace

int main(int count, char** arguments) {
    const auto megabytes = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 300;
    const auto folder = punie::TemporaryFolder::make("punie-bench-dataset");
    if (!folder) return 1;
    const auto file = folder->path() / "train.jsonl";
    Writer writer(1);
    const auto bytes = megabytes * 1'000'000;
    write_rows(file, bytes, [&] { return writer.prose(); });
    measure("prose, first time", file, {});
    measure("prose", file, {});
    measure("prose, no near-duplicates", file, {.near = false});
    measure("prose, no duplicates at all", file, {.duplicates = false});
    write_rows(file, bytes / 2, [&] { return writer.other(); });
    measure("Cyrillic", file, {});
    write_rows(file, bytes / 2, [&] { return writer.tools(); });
    measure("tool calls with schemas", file, {});
    return 0;
}
