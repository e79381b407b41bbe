#include "fleet/config_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "base/text.hpp"
#include "fleet/config_values.hpp"

namespace punie::fleet {

using tree::describe;
using tree::Node;

std::filesystem::path path_in(const Reading& reading, const std::string& text) {
    if (text == "~" || text.starts_with("~/"))
        return std::filesystem::path(reading.home) /
               text.substr(std::min<std::size_t>(2, text.size()));
    return (reading.folder / text).lexically_normal();
}

ConfigFields::ConfigFields(
    const Node& node, std::string_view section, std::string path, Reading& reading
)
    : node_(node), section_(section), path_(std::move(path)), reading_(reading) {
    if (!is_map())
        reading_.faults.add(
            node_.place, path_, fmt::format("expected keys and values, found {}", describe(node_))
        );
}

std::string ConfigFields::at(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const Node* ConfigFields::take(std::string_view key) {
    known_.emplace_back(key);
    if (reading_.watcher) reading_.watcher(section_, key);
    const auto* found = node_.find(key);
    return found == nullptr || found->kind == Node::Kind::null ? nullptr : found;
}

void ConfigFields::wrong(std::string_view key, const Node& node, std::string_view expected) {
    reading_.faults.add(
        node.place, at(key), fmt::format("expected {}, found {}", expected, describe(node))
    );
}

void ConfigFields::refuse(std::string_view key, std::string_view reason) {
    refused_.emplace_back(key);
    const auto found = std::ranges::find(node_.members, key, &tree::NodeMember::name);
    if (found != node_.members.end()) reading_.faults.add(found->place, at(key), reason);
}

void ConfigFields::text(std::string_view key, std::string& into) {
    const auto* found = take(key);
    if (found == nullptr) return;
    const bool fits = found->kind == Node::Kind::text || found->kind == Node::Kind::number;
    if (!fits || found->text.empty())
        wrong(key, *found, "text");
    else
        into = found->text;
}

void ConfigFields::texts(std::string_view key, std::vector<std::string>& into) {
    const auto* found = take(key);
    if (found == nullptr) return;
    const auto is_text = [](const Node& node) {
        return node.kind == Node::Kind::text || node.kind == Node::Kind::number;
    };
    if (is_text(*found)) {
        into = {found->text};
        return;
    }
    if (found->kind != Node::Kind::list || !std::ranges::all_of(found->items, is_text)) {
        wrong(key, *found, "a list of texts");
        return;
    }
    into.clear();
    into.reserve(found->items.size());
    for (const auto& item : found->items) into.push_back(item.text);
}

void ConfigFields::flag(std::string_view key, bool& into) {
    const auto* found = take(key);
    if (found == nullptr) return;
    if (found->kind != Node::Kind::boolean)
        wrong(key, *found, "true or false");
    else
        into = found->text == "true";
}

std::optional<double> ConfigFields::number_in(
    std::string_view key, double least, double most, std::string_view kind
) {
    const auto* found = take(key);
    if (found == nullptr) return std::nullopt;
    if (found->kind == Node::Kind::number) {
        const auto value = tree::to_json(*found);
        const auto number = value.is_number() ? value.to_number<double>() : std::nan("");
        const bool whole = kind != "a whole number" || std::floor(number) == number;
        if (number >= least && number <= most && whole) return number;
    }
    wrong(key, *found, fmt::format("{} from {} to {}", kind, least, most));
    return std::nullopt;
}

void ConfigFields::whole(std::string_view key, int& into, int least, int most) {
    if (const auto number = number_in(key, least, most, "a whole number"))
        into = static_cast<int>(*number);
}

void ConfigFields::whole(std::string_view key, std::optional<int>& into, int least, int most) {
    if (const auto number = number_in(key, least, most, "a whole number"))
        into = static_cast<int>(*number);
}

void ConfigFields::number(
    std::string_view key, std::optional<double>& into, double least, double most
) {
    if (const auto number = number_in(key, least, most, "a number")) into = number;
}

void ConfigFields::size(std::string_view key, std::optional<std::uint64_t>& into) {
    const auto* found = take(key);
    if (found == nullptr) return;
    const auto bytes = found->is_scalar() ? parse_size(found->text) : parse_size("");
    if (bytes && *bytes > 0)
        into = *bytes;
    else
        wrong(key, *found, "a size with its unit, such as 8 GB, 512 MB or 4 GiB");
}

void ConfigFields::size(std::string_view key, std::uint64_t& into) {
    std::optional<std::uint64_t> bytes;
    size(key, bytes);
    into = bytes.value_or(into);
}

void ConfigFields::time(std::string_view key, std::optional<Milliseconds>& into) {
    const auto* found = take(key);
    if (found == nullptr) return;
    const auto read = found->is_scalar() ? parse_time(found->text) : parse_time("");
    if (read)
        into = *read;
    else
        wrong(key, *found, "a time with its unit, such as 30s, 10m, 1h30m or 500ms");
}

void ConfigFields::time(std::string_view key, Milliseconds& into) {
    std::optional<Milliseconds> read;
    time(key, read);
    into = read.value_or(into);
}

void ConfigFields::path(std::string_view key, std::filesystem::path& into) {
    const auto* found = take(key);
    if (found == nullptr) return;
    const bool fits = found->kind == Node::Kind::text && !found->text.empty() &&
                      found->text.find('\0') == std::string::npos;
    if (fits)
        into = path_in(reading_, found->text);
    else
        wrong(key, *found, "a path");
}

void ConfigFields::finish() {
    for (const auto& member : node_.members) {
        const bool known = std::ranges::find(known_, member.name) != known_.end() ||
                           std::ranges::find(refused_, member.name) != refused_.end();
        if (known) continue;
        const auto close = nearest(member.name, known_);
        reading_.faults.add(
            member.place,
            at(member.name),
            close ? fmt::format("unknown key; did you mean `{}`?", *close)
                  : fmt::format("unknown key; there is {}", join_or(known_))
        );
    }
}

}  // namespace punie::fleet
