#include "dataset/show.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "dataset/folder.hpp"
#include "dataset/formats.hpp"
#include "dataset/json_row.hpp"
#include "dataset/line_reader.hpp"

namespace punie::dataset {

namespace {

std::string content_text(const Node& message) {
    const auto* content = message.find("content");
    std::string text;
    if (content != nullptr && !content->is(Node::Kind::null)) text = content->text;
    const auto* calls = message.find("tool_calls");
    if (calls == nullptr || !calls->is_array()) return text;
    for (const auto& call : elements(*calls)) {
        const auto* function = call.find("function");
        if (function == nullptr) continue;
        const auto* arguments = function->find("arguments");
        text += fmt::format(
            "{}-> {}({})",
            text.empty() ? "" : "\n",
            function->string("name").value_or("?"),
            arguments != nullptr ? arguments->text : std::string_view{}
        );
    }
    return text;
}

void chat_parts(const Node& row, bool mask_prompt, std::vector<ShownPart>& parts) {
    const auto* tools = row.find("tools");
    if (tools != nullptr && !tools->is(Node::Kind::null))
        parts.push_back({"tools", std::string(tools->text), !mask_prompt});
    const auto* messages = row.find("messages");
    if (messages == nullptr) return;
    for (const auto& message : elements(*messages)) {
        const auto role = message.string("role").value_or("?");
        // mlx_lm trains the last message, whoever's it is.
        const bool trained = !mask_prompt || message.next == nullptr;
        parts.push_back({std::string(role), content_text(message), trained});
    }
}

ShownRow shown(const Node& row, bool mask_prompt) {
    ShownRow found;
    const auto format = format_of(row);
    found.format = name_of(format);
    if (format == Format::chat) {
        chat_parts(row, mask_prompt, found.parts);
        return found;
    }
    for (const auto& member : elements(row)) {
        const bool answer = format != Format::completion || member.key == "completion";
        const bool read = member.key == "prompt" || member.key == "completion" ||
                          (format == Format::text && member.key == "text");
        found.parts.push_back(
            {std::string(member.key), std::string(member.text), read && (!mask_prompt || answer)}
        );
    }
    return found;
}

}  // namespace

Result<ShownRow> show_row(
    const std::filesystem::path& place, std::size_t number, bool mask_prompt
) {
    const auto folder = look_at_folder(place);
    if (!folder) return std::unexpected(folder.error());
    const auto* file = folder->single ? &folder->files.front() : folder->find("train");
    if (file == nullptr)
        return fail(
            ErrorCode::not_found,
            fmt::format("{} has no train.jsonl", place.native()),
            "name the file"
        );
    auto reader = LineReader::open(file->path);
    if (!reader) return std::unexpected(reader.error());
    Line line;
    std::size_t rows = 0;
    while (reader->next(line)) {
        if (trim(line.text).empty()) continue;
        if (++rows != number) continue;
        RowParser parser;
        auto text = line.text;
        if (line.number == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
        const auto* row = parser.parse(text);
        if (row == nullptr) {
            const auto& fault = parser.faults().back();
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "{} line {} column {}: {}", file->name, line.number, fault.column, fault.message
                )
            );
        }
        auto found = shown(*row, mask_prompt);
        found.file = file->path;
        found.line = line.number;
        return found;
    }
    return fail(
        ErrorCode::not_found,
        fmt::format("{} has {} rows; row {} is not among them", file->path.native(), rows, number)
    );
}

}  // namespace punie::dataset
