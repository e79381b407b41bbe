// Rows that teach three tools and when to leave them alone: a start for data of one's own, and a
// set that the checks have nothing to say about.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/files.hpp"
#include "base/json.hpp"
#include "dataset/bytes.hpp"
#include "dataset/create.hpp"

namespace punie::dataset {

namespace fs = std::filesystem;

namespace {

constexpr std::array cities = std::to_array<std::string_view>({
    "Oslo",     "Lima",    "Cairo",   "Perth",    "Quito",   "Hanoi",    "Tunis",   "Delhi",
    "Osaka",    "Dakar",   "Paris",   "Berlin",   "Madrid",  "Vienna",   "Prague",  "Dublin",
    "Athens",   "Zagreb",  "Tallinn", "Riga",     "Vilnius", "Helsinki", "Lisbon",  "Seville",
    "Naples",   "Turin",   "Geneva",  "Basel",    "Ghent",   "Leiden",   "Malmo",   "Bergen",
    "Aarhus",   "Krakow",  "Gdansk",  "Brno",     "Graz",    "Split",    "Varna",   "Izmir",
    "Haifa",    "Amman",   "Muscat",  "Mumbai",   "Chennai", "Dhaka",    "Yangon",  "Manila",
    "Taipei",   "Busan",   "Sapporo", "Auckland", "Hobart",  "Darwin",   "Nairobi", "Kampala",
    "Lusaka",   "Maputo",  "Durban",  "Windhoek", "Accra",   "Lagos",    "Bogota",  "Medellin",
    "Santiago", "Rosario", "Cusco",   "Havana",   "Denver",  "Boston",
});

constexpr std::array weather_questions = std::to_array<std::string_view>({
    "What is the weather in {} right now?",
    "Will I need an umbrella in {} today?",
    "How cold is it in {}?",
    "Tell me the temperature in {}, please.",
    "Is the sun shining in {}?",
});
constexpr std::array time_questions = std::to_array<std::string_view>({
    "What time is it in {}?",
    "Is it already night in {}?",
    "Tell me the local time of {}.",
    "Can I still call somebody in {} now?",
});
constexpr std::array sum_questions = std::to_array<std::string_view>({
    "How much is {} plus {}?",
    "Add {} to {} for me.",
    "What do {} and {} make together?",
});

struct Talk {
    std::string_view question;
    std::string_view answer;
};

// Short on purpose: rows that differ in one word of many are near-duplicates.
constexpr std::array talks = std::to_array<Talk>({
    {"Is {} a nice place?", "Many people think so."},
    {"Say hello to {}.", "Hello, {}!"},
    {"Have you been to {}?", "No, I never travel."},
    {"Do you like {}?", "I like every city."},
});

json::object tool(
    std::string_view name,
    std::string_view description,
    json::object properties,
    json::array required
) {
    return {
        {"type", "function"},
        {"function",
         {{"name", name},
          {"description", description},
          {"parameters",
           {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(required)}}}}},
    };
}

json::array tools() {
    const json::object city = {{"city", {{"type", "string"}, {"description", "Name of a city"}}}};
    const json::object numbers = {{"a", {{"type", "number"}}}, {"b", {{"type", "number"}}}};
    return {
        tool("get_weather", "The weather of a city at this moment", city, {"city"}),
        tool("get_time", "The local time of a city", city, {"city"}),
        tool("add", "The sum of two numbers", numbers, {"a", "b"}),
    };
}

json::object row_of(std::string_view question, json::object answer) {
    return {
        {"messages",
         json::array{json::object{{"role", "user"}, {"content", question}}, std::move(answer)}},
        {"tools", tools()},
    };
}

json::object calling(std::string_view name, json::object arguments) {
    const json::object function = {{"name", name}, {"arguments", std::move(arguments)}};
    return {
        {"role", "assistant"},
        {"content", ""},
        {"tool_calls", json::array{json::object{{"type", "function"}, {"function", function}}}},
    };
}

std::string filled(std::string_view text, std::string_view value) {
    return fmt::format(fmt::runtime(text), value);
}

/// The nth question of all that can be made: they differ in city or numbers.
json::object row(std::size_t index) {
    const auto city = cities[index / 4 % cities.size()];
    const auto round = index / (4 * cities.size());
    switch (index % 4) {
        case 0:
            return row_of(
                filled(weather_questions[(index / 4 + round) % weather_questions.size()], city),
                calling("get_weather", {{"city", city}})
            );
        case 1:
            return row_of(
                filled(time_questions[(index / 4 + round) % time_questions.size()], city),
                calling("get_time", {{"city", city}})
            );
        case 2: {
            const auto first = mix64(index) % 900 + 10;
            const auto second = mix64(index + 7) % 900 + 10;
            const auto question = sum_questions[index / 4 % sum_questions.size()];
            return row_of(
                fmt::format(fmt::runtime(question), first, second),
                calling("add", {{"a", first}, {"b", second}})
            );
        }
        default: {
            const auto& talk = talks[(index / 4 + round) % talks.size()];
            return row_of(
                filled(talk.question, city),
                {{"role", "assistant"}, {"content", filled(talk.answer, city)}}
            );
        }
    }
}

}  // namespace

Result<void> create_tool_dataset(const fs::path& dir, std::size_t train, bool force) {
    constexpr std::size_t most = 4 * cities.size() * talks.size();  // then questions come again
    const auto tenth = std::max<std::size_t>(4, train / 10);
    if (train < 4 || train + 2 * tenth > most) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} rows; 4 to {} can be made without repeating a question", train, most * 10 / 12
            )
        );
    }

    struct File {
        const char* name;
        std::size_t first;
        std::size_t count;
    };

    const std::array files = {
        File{"train.jsonl", 0, train},
        File{"valid.jsonl", train, tenth},
        File{"test.jsonl", train + tenth, tenth}
    };
    for (const auto& file : files) {
        std::error_code ignored;
        if (force || !fs::exists(fs::symlink_status(dir / file.name, ignored))) continue;
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} exists already", (dir / file.name).native()),
            "name an empty folder, or overwrite it with --force"
        );
    }
    for (const auto& file : files) {
        std::string text;
        for (std::size_t index = file.first; index < file.first + file.count; ++index)
            text.append(to_text(row(index))).append("\n");
        if (auto done = write_atomic(dir / file.name, text); !done) return done;
    }
    return {};
}

}  // namespace punie::dataset
