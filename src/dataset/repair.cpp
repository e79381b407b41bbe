#include "dataset/repair.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "dataset/bytes.hpp"
#include "dataset/folder.hpp"
#include "dataset/formats.hpp"
#include "dataset/line_reader.hpp"
#include "dataset/marks.hpp"
#include "dataset/out_file.hpp"
#include "dataset/seen.hpp"

namespace punie::dataset {

namespace fs = std::filesystem;

namespace {

using Counts = std::map<std::string, std::size_t>;

struct Edit {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string text;
};

std::string json_text(std::string_view text) {
    return json::serialize(json::value(text));
}

/// Collects the edits of one row.
class RowRepair {
public:
    RowRepair(const RowParser& parser, Counts& counts) : parser_(parser), counts_(counts) {}

    std::string run(const Node& row) {
        raw_controls();
        if (row.is_object()) {
            text(row.find("prompt"), "prompt");
            text(row.find("completion"), "completion");
            text(row.find("text"), "text");
            if (const auto* messages = row.find("messages");
                messages != nullptr && messages->is_array()) {
                for (const auto& message : elements(*messages)) this->message(message);
            }
        }
        return apply();
    }

private:
    void edit(const Node& node, std::string replacement, std::string_view code) {
        ++counts_[std::string(code)];
        const auto known = std::ranges::find(edits_, node.begin, &Edit::begin);
        if (known != edits_.end()) {
            known->text = std::move(replacement);
        } else {
            edits_.push_back({node.begin, node.end, std::move(replacement)});
        }
    }

    /// Strings with raw control characters, keys left out: written anew with escapes.
    void raw_controls() {
        for (const auto& fault : parser_.faults()) {
            if (fault.code != "D122" || fault.node == nullptr || !fault.node->is_string()) continue;
            if ((fault.node->flags & Node::has_surrogate) != 0) continue;
            edit(*fault.node, json_text(fault.node->text), "D122");
        }
    }

    void message(const Node& message) {
        const auto role = message.string("role").value_or("");
        const auto* content = message.find("content");
        if (content != nullptr && content->is_array()) {
            parts(*content);
        } else {
            text(content, role);
        }
        const auto* calls = message.find("tool_calls");
        if (calls == nullptr || !calls->is_array()) return;
        for (const auto& call : elements(*calls)) {
            const auto* function = call.find("function");
            arguments(function != nullptr ? function->find("arguments") : call.find("arguments"));
        }
    }

    void parts(const Node& content) {
        std::string joined;
        for (const auto& part : elements(content)) {
            const auto text = part.string("text");
            if (part.string("type") != "text" || !text) return;
            joined += *text;
        }
        if (content.count > 0) edit(content, json_text(joined), "D313");
    }

    void arguments(const Node* arguments) {
        if (arguments == nullptr || !arguments->is_string()) return;
        const auto parsed = parse_json(arguments->text);
        if (!parsed || !parsed->is_object()) return;
        auto text = std::string(trim(arguments->text));
        std::ranges::replace_if(text, [](char byte) { return byte == '\n' || byte == '\r'; }, ' ');
        edit(*arguments, std::move(text), "D411");
    }

    void text(const Node* node, std::string_view role) {
        // A half of a pair cannot be written again as it was.
        if (node == nullptr || !node->is_string() || (node->flags & Node::has_surrogate) != 0)
            return;
        const auto before = std::string(node->text);
        auto clean = without_invisible(before);
        if (clean != before)
            edit(*node, json_text(clean), (node->flags & Node::has_return) != 0 ? "D507" : "D502");
        const auto trimmed = without_borders(clean, role);
        if (trimmed.size() != clean.size() && !trimmed.empty())
            edit(*node, json_text(trimmed), "D504");
    }

    static std::string_view without_borders(std::string_view text, std::string_view role) {
        const bool answer = role == "assistant" || role == "completion";
        constexpr std::string_view spaces = " \t\n\r";
        const auto cut_end = [&](std::string_view which) {
            const auto last = text.find_last_not_of(which);
            text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
        };
        if (answer) cut_end(spaces);
        if (role == "prompt" || role == "user") cut_end(" ");
        if (!answer) return text;
        const bool one_space = text.size() > 1 && text[0] == ' ' && text[1] != ' ';
        if (one_space) text.remove_prefix(1);
        while (text.starts_with('\n')) text.remove_prefix(1);
        return text;
    }

    std::string apply() {
        std::ranges::sort(edits_, {}, &Edit::begin);
        std::string text;
        std::size_t at = 0;
        for (const auto& edit : edits_) {
            if (edit.begin < at) continue;
            text += parser_.line().substr(at, edit.begin - at);
            text += edit.text;
            at = edit.end;
        }
        text += parser_.line().substr(at);
        return text;
    }

    const RowParser& parser_;
    Counts& counts_;
    std::vector<Edit> edits_;
};

class FileRepair {
public:
    FileRepair(OutFile& out, Counts& counts) : out_(out), counts_(counts) {}

    void line(std::string_view text, std::size_t number) {
        constexpr std::string_view bom = "\xEF\xBB\xBF";
        if (number == 1 && text.starts_with(bom)) {
            text.remove_prefix(bom.size());
            ++counts_["D110"];
        }
        if (text.ends_with('\r')) text.remove_suffix(1);
        if (trim(text).empty()) {
            ++counts_["D111"];
            return;
        }
        values(std::string(text));
    }

private:
    /// A line with several values becomes several lines.
    void values(const std::string& text) {
        const auto* row = parser_.parse(text);
        if (row != nullptr) return write(repair_row(parser_, *row, counts_));
        const auto& fault = parser_.faults().back();
        if (fault.code != "D129" || fault.column < 2) return write(text);
        const auto first = text.substr(0, fault.column - 1);
        const auto rest = text.substr(fault.column - 1);
        ++counts_["D129"];
        values(first);
        values(rest);
    }

    void write(const std::string& text) {
        const auto clean = trim(text);
        const auto hash = hash_bytes(clean.data(), clean.size());
        if (seen_.find_or_add(
                hash,
                {static_cast<std::uint32_t>(out_.lines() + 1),
                 static_cast<std::uint32_t>(clean.size())}
            )) {
            ++counts_["D605"];
            return;
        }
        out_.line(clean);
    }

    OutFile& out_;
    Counts& counts_;
    RowParser parser_;
    SeenTable seen_;
};

}  // namespace

std::string repair_row(const RowParser& parser, const Node& row, Counts& repairs) {
    return RowRepair(parser, repairs).run(row);
}

Result<RepairReport> repair_data(const fs::path& place, const fs::path& out, bool force) {
    const auto folder = look_at_folder(place);
    if (!folder) return std::unexpected(folder.error());
    std::error_code error;
    if (fs::equivalent(folder->single ? place.parent_path() : place, out, error))
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is where the data is", out.native()),
            "name a new folder for the repaired files"
        );
    RepairReport report;
    for (const auto& file : folder->files) {
        auto reader = LineReader::open(file.path);
        if (!reader) return std::unexpected(reader.error());
        auto written = OutFile::open(out / file.name, force);
        if (!written) return std::unexpected(written.error());
        FileRepair repair(*written, report.repairs);
        Line line;
        std::size_t lines = 0;
        while (reader->next(line)) {
            ++lines;
            if (line.too_long)
                return fail(
                    ErrorCode::unsupported,
                    fmt::format("{}: line {} is too long to be repaired", file.name, line.number)
                );
            repair.line(line.text, line.number);
        }
        report.files.push_back({file.name, lines, written->lines()});
        if (auto done = written->finish(); !done) return std::unexpected(done.error());
    }
    return report;
}

}  // namespace punie::dataset
