// Rows of variables (JSONL, JSON, YAML, CSV), and what every text must be before it is read.

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "eval/suite_source.hpp"

namespace punie::eval {

namespace {

/// A CSV file's fields one after the other.
class CsvReader {
public:
    CsvReader(std::string_view text, std::shared_ptr<const std::string> file)
        : text_(text), file_(std::move(file)) {}

    bool ended() const { return at_ >= text_.size(); }

    Place place() const { return {file_, line_, static_cast<int>(at_ - line_start_) + 1}; }

    /// The next record's fields; a quote that never closes is a fault.
    std::vector<Node> record(Faults& faults) {
        std::vector<Node> fields;
        do fields.push_back(field(faults));
        while (separator());
        return fields;
    }

private:
    /// Passes a comma (true) or the record's end (false).
    bool separator() {
        if (!ended() && text_[at_] == ',') {
            ++at_;
            return true;
        }
        if (!ended() && text_[at_] == '\r') ++at_;
        if (!ended()) next_line();
        return false;
    }

    void next_line() {
        ++at_;
        ++line_;
        line_start_ = at_;
    }

    Node field(Faults& faults) {
        const auto here = place();
        if (!ended() && text_[at_] == '"') return text_node(quoted(faults, here), here);
        const auto end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
        auto value = std::string(text_.substr(at_, end - at_));
        at_ = end;
        // nothing between two commas is empty text, not null
        return value.empty() ? text_node({}, here) : plain_scalar(std::move(value), here);
    }

    std::string quoted(Faults& faults, const Place& begin) {
        std::string value;
        ++at_;
        while (!ended()) {
            if (text_[at_] == '"') {
                if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') {
                    at_ = std::min(text_.find_first_of(",\r\n", at_ + 1), text_.size());
                    return value;
                }
                ++at_;
            }
            value += text_[at_];
            if (text_[at_] == '\n')
                next_line();
            else
                ++at_;
        }
        faults.add(begin, "", "a quote opens here and never closes");
        return value;
    }

    std::string_view text_;
    std::shared_ptr<const std::string> file_;
    std::size_t at_ = 0;
    std::size_t line_start_ = 0;
    int line_ = 1;
};

std::vector<Node> rows_of(std::optional<Node> root, Faults& faults) {
    if (!root) return {};
    if (root->kind == Node::Kind::list) return std::move(root->items);
    faults.add(root->place, "", fmt::format("expected a list of rows, found {}", describe(*root)));
    return {};
}

}  // namespace

std::vector<Node> read_csv(
    std::string_view text, const std::filesystem::path& file, Faults& faults
) {
    CsvReader reader(text, std::make_shared<const std::string>(file.native()));
    std::vector<Node> rows;
    if (reader.ended()) return rows;
    const auto names = reader.record(faults);
    while (!reader.ended() && !faults.full()) {
        const auto here = reader.place();
        auto fields = reader.record(faults);
        if (fields.size() == 1 && fields.front().text.empty()) continue;
        if (fields.size() != names.size()) {
            faults.add(
                here,
                "",
                fmt::format("{} fields, but the first line names {}", fields.size(), names.size())
            );
            continue;
        }
        Node row;
        row.kind = Node::Kind::map;
        row.place = here;
        row.members.reserve(names.size());
        for (std::size_t i = 0; i < names.size(); ++i)
            row.members.push_back({names[i].text, fields[i].place, std::move(fields[i])});
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<Node> read_rows(
    std::string_view text, const std::filesystem::path& file, Faults& faults
) {
    const auto ending = file.extension();
    if (ending == ".csv") return read_csv(text, file, faults);
    if (ending == ".json")
        return rows_of(
            read_json(text, std::make_shared<const std::string>(file.native()), faults), faults
        );
    if (ending == ".yaml" || ending == ".yml")
        return rows_of(read_yaml(text, file, faults), faults);
    std::vector<Node> rows;
    each_json_line(text, file, faults, [&](Node&& row) { rows.push_back(std::move(row)); });
    return rows;
}

}  // namespace punie::eval
