// Keys of punie.yaml: their values come from files and the environment only.
#include <fmt/format.h>

#include <algorithm>

#include "base/files.hpp"
#include "base/text.hpp"
#include "fleet/config_reader.hpp"

namespace punie::fleet {

namespace {

using tree::Node;

constexpr std::size_t largest_key_file = 1U << 20U;
constexpr double most_a_minute = 1e12;

constexpr std::string_view inline_reason =
    "a key does not stand in this file, which is copied and shown: put it into a file of its own "
    "(`key_file`) or an environment variable (`key_env`)";

struct Line {
    std::string name;  ///< "" when the line is only a value
    std::string value;
};

std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    for (const auto& line : split_lines(text)) {
        const auto content = trim(line);
        if (content.empty() || content.starts_with('#')) continue;
        const auto blank = content.find_first_of(" \t");
        if (blank == std::string_view::npos)
            lines.push_back({"", std::string(content)});
        else
            lines.push_back(
                {std::string(content.substr(0, blank)), std::string(trim(content.substr(blank)))}
            );
    }
    return lines;
}

class KeyReader {
public:
    KeyReader(const Node& node, std::string path, const Environment& environment, Reading& reading)
        : node_(node), path_(std::move(path)), environment_(environment), reading_(reading) {}

    std::vector<KeySpec> read() {
        ConfigFields fields(node_, "key", path_, reading_);
        if (!fields.is_map()) return {};
        fields.text("name", key_.name);
        std::filesystem::path file;
        fields.path("key_file", file);
        std::string variable;
        fields.text("key_env", variable);
        for (const auto* name : {"key", "value", "token", "secret"})
            fields.refuse(name, inline_reason);
        fields.texts("models", key_.models);
        fields.number("requests_per_minute", key_.requests_per_minute, 0.001, most_a_minute);
        fields.number("tokens_per_minute", key_.tokens_per_minute, 0.001, most_a_minute);
        fields.flag("control", key_.control);
        fields.whole("priority", key_.priority, -1000, 1000);
        fields.finish();
        if (file.empty() == variable.empty()) {
            fault("", "either `key_file` or `key_env` says where the key is");
            return {};
        }
        return file.empty() ? from_environment(variable) : from_file(file);
    }

private:
    void fault(std::string_view key, std::string_view message) {
        reading_.faults.add(
            node_.place, key.empty() ? path_ : fmt::format("{}.{}", path_, key), message
        );
    }

    std::vector<KeySpec> from_environment(const std::string& variable) {
        const auto found = environment_.find(variable);
        if (found == environment_.end() || trim(found->second).empty()) {
            fault("key_env", fmt::format("the environment variable {} is not set", variable));
            return {};
        }
        if (key_.name.empty()) key_.name = variable;
        key_.value = std::string(trim(found->second));
        return {key_};
    }

    std::vector<KeySpec> from_file(const std::filesystem::path& file) {
        const auto text = read_text(file, largest_key_file);
        if (!text) {
            fault("key_file", text.error().message());
            return {};
        }
        const auto lines = lines_of(*text);
        if (lines.empty()) {
            fault("key_file", fmt::format("{} holds no key", file.native()));
            return {};
        }
        return key_.name.empty() ? every(lines) : named(lines, file);
    }

    /// Without a name: every "name value" of the file.
    std::vector<KeySpec> every(const std::vector<Line>& lines) {
        std::vector<KeySpec> keys;
        for (const auto& line : lines) {
            if (line.name.empty()) {
                fault("name", "is missing, and the file has keys without names (\"name value\")");
                return {};
            }
            auto key = key_;
            key.name = line.name;
            key.value = line.value;
            keys.push_back(std::move(key));
        }
        return keys;
    }

    std::vector<KeySpec> named(const std::vector<Line>& lines, const std::filesystem::path& file) {
        const auto mine = std::ranges::find(lines, key_.name, &Line::name);
        const bool alone = lines.size() == 1 && lines.front().name.empty();
        if (mine == lines.end() && !alone) {
            fault(
                "key_file",
                fmt::format(
                    "{} has neither one key alone nor a line \"{} KEY\"", file.native(), key_.name
                )
            );
            return {};
        }
        key_.value = alone ? lines.front().value : mine->value;
        return {key_};
    }

    const Node& node_;
    std::string path_;
    const Environment& environment_;
    Reading& reading_;
    KeySpec key_;
};

}  // namespace

std::vector<KeySpec> read_keys(
    const Node& node, const Environment& environment, Reading& reading, Places& places
) {
    std::vector<KeySpec> keys;
    if (node.kind != Node::Kind::list) {
        reading.faults.add(
            node.place, "keys", fmt::format("expected a list of keys, found {}", describe(node))
        );
        return keys;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const auto& item = node.items[i];
        auto path = fmt::format("keys[{}]", i);
        if (item.kind == Node::Kind::text) {
            reading.faults.add(item.place, path, inline_reason);
            continue;
        }
        for (auto& key : KeyReader(item, path, environment, reading).read()) {
            if (!places.keys.emplace(key.name, item.place).second)
                reading.faults.add(
                    item.place, path, fmt::format("there are two keys named {}", key.name)
                );
            if (std::ranges::find(keys, key.value, &KeySpec::value) != keys.end())
                reading.faults.add(
                    item.place, path, fmt::format("{} has the same key as another name", key.name)
                );
            keys.push_back(std::move(key));
        }
    }
    return keys;
}

}  // namespace punie::fleet
