// JSON with places. Boost.JSON judges whether it is valid and decodes strings; the scanner here
// then only has to find where each value begins.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/text.hpp"
#include "eval/suite_source.hpp"

namespace punie::eval {

namespace {

/// Over text that is known to be valid JSON.
class Scanner {
public:
    Scanner(
        std::string_view text,
        std::shared_ptr<const std::string> file,
        int first_line,
        Faults& faults
    )
        : text_(text), file_(std::move(file)), line_(first_line), faults_(faults) {}

    Node value() {
        skip_space();
        switch (text_[at_]) {
            case '{':
                return map();
            case '[':
                return list();
            case '"': {
                const auto here = place();
                return text_node(string(), here);
            }
            default:
                break;
        }
        const auto here = place();
        const auto end = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
        auto word = std::string(text_.substr(at_, end - at_));
        at_ = end;
        return plain_scalar(std::move(word), here);
    }

private:
    Place place() const { return {file_, line_, static_cast<int>(at_ - line_start_) + 1}; }

    void skip_space() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return;
            ++at_;
            if (c != '\n') continue;
            ++line_;
            line_start_ = at_;
        }
    }

    std::string string() {
        const auto begin = at_++;
        bool escaped = false;
        while (text_[at_] != '"') {
            if (text_[at_] == '\\') {
                escaped = true;
                ++at_;
            }
            ++at_;
        }
        ++at_;
        const auto quoted = text_.substr(begin, at_ - begin);
        if (!escaped) return std::string(quoted.substr(1, quoted.size() - 2));
        return std::string(json::parse(quoted).get_string());
    }

    /// After a value inside brackets: true when another one follows.
    bool more(char close) {
        skip_space();
        return text_[at_++] != close;
    }

    bool closes_at_once(char close) {
        ++at_;
        skip_space();
        if (text_[at_] != close) return false;
        ++at_;
        return true;
    }

    Node list() {
        Node node;
        node.kind = Node::Kind::list;
        node.place = place();
        if (closes_at_once(']')) return node;
        do node.items.push_back(value());
        while (more(']'));
        return node;
    }

    Node map() {
        Node node;
        node.kind = Node::Kind::map;
        node.place = place();
        if (closes_at_once('}')) return node;
        std::set<std::string> names;
        do {
            skip_space();
            const auto here = place();
            auto name = string();
            skip_space();
            ++at_;  // the colon
            auto member = value();
            if (names.insert(name).second)
                node.members.push_back({std::move(name), here, std::move(member)});
            else
                faults_.add(here, "", fmt::format("the key `{}` stands twice", name));
        } while (more('}'));
        return node;
    }

    std::string_view text_;
    std::shared_ptr<const std::string> file_;
    std::size_t at_ = 0;
    std::size_t line_start_ = 0;
    int line_;
    Faults& faults_;
};

/// Where Boost.JSON stopped.
Place place_of(
    std::string_view text,
    std::size_t offset,
    const std::shared_ptr<const std::string>& file,
    int first_line
) {
    const auto before = text.substr(0, offset);
    const auto lines = static_cast<int>(std::ranges::count(before, '\n'));
    const auto last_break = before.rfind('\n');
    const auto column = last_break == std::string_view::npos ? offset : offset - last_break - 1;
    return {file, first_line + lines, static_cast<int>(column) + 1};
}

}  // namespace

std::optional<Node> read_json(
    std::string_view text,
    const std::shared_ptr<const std::string>& file,
    Faults& faults,
    int first_line
) {
    json::error_code error;
    json::stream_parser parser;
    const auto used = parser.write_some(text.data(), text.size(), error);
    const bool trailing = !error && parser.done() &&
                          text.find_first_not_of(" \t\r\n", used) != std::string_view::npos;
    if (!error && !trailing) parser.finish(error);
    if (error || trailing) {
        const auto what = trailing ? std::string("text after the end of the JSON value")
                          : error == json::error::incomplete
                              ? std::string("it ends in the middle of a value")
                              : error.message();
        faults.add(
            place_of(text, used, file, first_line), "", fmt::format("not valid JSON: {}", what)
        );
        return std::nullopt;
    }
    return Scanner(text, file, first_line, faults).value();
}

void each_json_line(
    std::string_view text,
    const std::filesystem::path& file,
    Faults& faults,
    const std::function<void(Node&&)>& on_row
) {
    const auto name = std::make_shared<const std::string>(file.native());
    for (int line = 1; !text.empty() && !faults.full(); ++line) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto row = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (trim(row).empty()) continue;
        if (auto node = read_json(row, name, faults, line)) on_row(*std::move(node));
    }
}

}  // namespace punie::eval
