// Chat rows that mean nothing, for measuring: the same bytes for the same arguments.

#include <fmt/format.h>
#include <punie/dataset.hpp>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/files.hpp"
#include "base/json.hpp"

namespace punie {

namespace fs = std::filesystem;

namespace {

// Each of these, with the space before it, is at least one token of any tokenizer that splits at
// spaces: a row of n words has at least n tokens.
constexpr std::array words_of_answers = {
    "river",  "stone",  "garden", "window", "morning", "light",  "bridge", "letter",
    "winter", "music",  "paper",  "silver", "harbour", "forest", "candle", "mirror",
    "table",  "summer", "island", "copper", "village", "number", "orange", "valley",
    "engine", "pocket", "shadow", "meadow", "circle",  "corner", "ladder", "thunder",
};

constexpr std::string_view marker_name = ".punie-dummy-dataset";
constexpr std::string_view marker_text =
    "Made by punie::create_dummy_dataset, which may overwrite the .jsonl files beside this one.\n";

std::string_view word(std::size_t row, std::size_t place) {
    // A stride that changes with the row keeps rows apart; it is odd, so all words come up.
    const std::size_t stride = 2 * (row % 13) + 1;
    return words_of_answers.at((row * 7 + place * stride) % words_of_answers.size());
}

std::string answer(std::size_t row, std::size_t words) {
    std::string text;
    for (std::size_t place = 0; place < words; ++place) {
        if (place > 0) text += ' ';
        text += word(row, place);
    }
    return text;
}

/// The question stays short whatever the length asked for: a row cut at its end still has an answer
/// to train on, even with the prompt masked.
std::string row_text(std::size_t row, int words) {
    const auto question = fmt::format("Question {}: what goes with {}?", row + 1, word(row, 0));
    const auto length = words > 0 ? static_cast<std::size_t>(words) : 6;
    const json::value value = {
        {"messages",
         {{{"role", "user"}, {"content", question}},
          {{"role", "assistant"}, {"content", answer(row, length)}}}}
    };
    return to_text(value);
}

std::string rows(std::size_t first, std::size_t count, int words) {
    std::string text;
    for (std::size_t row = first; row < first + count; ++row) text += row_text(row, words) + '\n';
    return text;
}

Result<void> refuse_foreign(const fs::path& dir) {
    std::error_code ignored;
    if (fs::exists(dir / marker_name, ignored)) return {};
    for (const auto* name : {"train.jsonl", "valid.jsonl", "test.jsonl"}) {
        if (!fs::exists(fs::symlink_status(dir / name, ignored))) continue;
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} exists and was not made by punie", (dir / name).native()),
            "name an empty folder, or remove the file if it is not needed"
        );
    }
    return {};
}

}  // namespace

Result<void> create_dummy_dataset(const fs::path& dir, int num_examples, int words) {
    if (num_examples < 1) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("num_examples is {}; at least 1 example is needed", num_examples)
        );
    }
    if (words < 0) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("words is {}; 0 (short rows) or more is allowed", words)
        );
    }
    if (auto allowed = refuse_foreign(dir); !allowed) return allowed;
    const auto train = static_cast<std::size_t>(num_examples);
    const auto tenth = std::max<std::size_t>(4, train / 10);
    // The marker goes first: a run that is cut short can be repeated.
    if (auto done = write_atomic(dir / marker_name, marker_text); !done) return done;
    if (auto done = write_atomic(dir / "train.jsonl", rows(0, train, words)); !done) return done;
    if (auto done = write_atomic(dir / "valid.jsonl", rows(train, tenth, words)); !done)
        return done;
    return write_atomic(dir / "test.jsonl", rows(train + tenth, tenth, words));
}

}  // namespace punie
