#include "backend/chat_template.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"

namespace punie::backend {

namespace {

using Path = std::filesystem::path;

bool is_file(const Path& file) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(file, ignored);
}

/// A text, or the entry "default" of a list of {name, template}.
std::string template_in(const json::value& value) {
    if (value.is_string()) return std::string(value.as_string());
    if (!value.is_array()) return {};
    for (const auto& entry : value.as_array()) {
        if (string_member(entry, "name") == "default")
            return string_member(entry, "template").value_or("");
    }
    return {};
}

Result<std::string> from_json(const Path& file) {
    auto text = read_text(file);
    if (!text) return std::unexpected(std::move(text).error());
    auto value = parse_json(*text);
    if (!value) {
        return fail(
            ErrorCode::model_invalid,
            file.string() + ": not JSON: " + value.error().message(),
            "copy the model again"
        );
    }
    const auto* found = member(*value, "chat_template");
    return found == nullptr ? std::string() : template_in(*found);
}

/// Arguments by which a server is made to render prompts otherwise.
constexpr std::array<std::string_view, 6> template_flags = {
    "--chat-template",
    "--chat-template-args",
    "--chat-template-file",
    "--chat-template-kwargs",
    "--use-default-chat-template",
    "--jinja"
};

bool is_template_flag(std::string_view word) {
    return std::ranges::find(template_flags, word.substr(0, word.find('='))) !=
           template_flags.end();
}

}  // namespace

Result<std::string> read_chat_template(const Path& folder) {
    if (const auto jinja = folder / "chat_template.jinja"; is_file(jinja)) return read_text(jinja);
    for (const auto* name : {"chat_template.json", "tokenizer_config.json"}) {
        const auto file = folder / name;
        if (!is_file(file)) continue;
        auto found = from_json(file);
        if (!found || !found->empty()) return found;
    }
    return std::string();
}

Result<std::string> template_hash(
    const Path& folder, const std::vector<std::string>& server_arguments
) {
    auto text = read_chat_template(folder);
    if (!text) return text;
    std::vector<std::string_view> changes;
    for (std::size_t i = 0; i < server_arguments.size(); ++i) {
        if (!is_template_flag(server_arguments[i])) continue;
        changes.emplace_back(server_arguments[i]);
        const bool takes_value = i + 1 < server_arguments.size() &&
                                 !server_arguments[i].contains('=') &&
                                 !server_arguments[i + 1].starts_with("--");
        if (takes_value) changes.emplace_back(server_arguments[i + 1]);
    }
    if (text->empty() && changes.empty()) return std::string();
    Sha256 hash;
    hash.add_part(*text);
    for (const auto change : changes) hash.add_part(change);
    return hash.hex();
}

}  // namespace punie::backend
