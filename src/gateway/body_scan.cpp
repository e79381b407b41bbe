#include "gateway/body_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include "base/json.hpp"

namespace punie::gateway {

namespace {

/// Takes everything: only whether the text is JSON is of interest.
struct Indifferent {
    using error_code = boost::system::error_code;
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    static bool on_document_begin(error_code&) { return true; }

    static bool on_document_end(error_code&) { return true; }

    static bool on_object_begin(error_code&) { return true; }

    static bool on_object_end(std::size_t, error_code&) { return true; }

    static bool on_array_begin(error_code&) { return true; }

    static bool on_array_end(std::size_t, error_code&) { return true; }

    static bool on_key_part(json::string_view, std::size_t, error_code&) { return true; }

    static bool on_key(json::string_view, std::size_t, error_code&) { return true; }

    static bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }

    static bool on_string(json::string_view, std::size_t, error_code&) { return true; }

    static bool on_number_part(json::string_view, error_code&) { return true; }

    static bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }

    static bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }

    static bool on_double(double, json::string_view, error_code&) { return true; }

    static bool on_bool(bool, error_code&) { return true; }

    static bool on_null(error_code&) { return true; }

    static bool on_comment_part(json::string_view, error_code&) { return true; }

    static bool on_comment(json::string_view, error_code&) { return true; }
};

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

json::parse_options deep_options() {
    json::parse_options options;
    options.max_depth = 200;  // as deep as a schema of tools may be; deeper is an attack
    return options;
}

/// A JSON string's text without its escapes; nothing if it is none.
std::optional<std::string> unescaped(std::string_view quoted) {
    if (quoted.size() < 2 || quoted.front() != '"') return std::nullopt;
    const auto inner = quoted.substr(1, quoted.size() - 2);
    if (!inner.contains('\\')) return std::string(inner);
    boost::system::error_code error;
    const auto value = json::parse(quoted, error);
    if (error || !value.is_string()) return std::nullopt;
    return std::string(value.get_string());
}

}  // namespace

const Member* BodyTop::find(std::string_view name) const {
    const auto found = std::ranges::find(members, name, &Member::name);
    return found == members.end() ? nullptr : &*found;
}

std::optional<std::string> BodyTop::text(std::string_view name) const {
    const auto* member = find(name);
    return member == nullptr ? std::nullopt : unescaped(member->text);
}

bool BodyTop::is_true(std::string_view name) const {
    const auto* member = find(name);
    return member != nullptr && member->text == "true";
}

/// Follows strings and depth only: that the text is JSON is the parser's to say, and nothing found
/// here counts before it has said so.
struct BodyScan::Impl {
    json::basic_parser<Indifferent> parser{deep_options()};
    BodyTop top;
    std::optional<Error> fault;
    std::uint64_t place = 0;
    int depth = 0;
    bool in_string = false;
    bool escaped = false;
    bool object = false;    // the body began with "{"
    bool in_name = false;   // a string at depth 1 before its colon
    bool in_value = false;  // after a colon at depth 1
    bool value_begun = false;
    std::string name;  // with quotes, as it stands
    Member member;

    void take_all(std::string_view bytes) {
        while (!bytes.empty()) {
            if (in_string && !escaped) bytes.remove_prefix(take_plain(bytes));
            if (bytes.empty()) return;
            if (in_string) {
                in_string_(bytes.front());
            } else {
                outside(bytes.front());
            }
            ++place;
            bytes.remove_prefix(1);
        }
    }

    /// What stands in a string up to its end or the next escape: most of a body, taken at once.
    std::size_t take_plain(std::string_view bytes) {
        const auto* const end =
            std::ranges::find_if(bytes, [](char c) { return c == '"' || c == '\\'; });
        const auto plain = bytes.substr(0, static_cast<std::size_t>(end - bytes.begin()));
        if (in_name) append(name, plain, longest_name);
        if (in_value) append(member.text, plain, longest_kept);
        place += plain.size();
        return plain.size();
    }

    /// One byte beyond the limit tells that there were more.
    static void append(std::string& text, std::string_view bytes, std::size_t limit) {
        if (text.size() <= limit) text.append(bytes.substr(0, limit + 1 - text.size()));
    }

    void in_string_(char c) {
        keep(c);
        if (escaped) {
            escaped = false;
        } else if (c == '\\') {
            escaped = true;
        } else if (c == '"') {
            in_string = false;
            if (in_value) member.end = place + 1;
            in_name = in_name && in_value;  // a name ends with its quote
        }
    }

    void outside(char c) {
        if (is_blank(c)) return;
        if (c == ',' || c == ':' || c == '{' || c == '[') ++top.parts;
        if (depth == 0) {
            object = c == '{';
            top.open = place;
        }
        if (depth == 1 && c == ',') return end_value();
        if (depth == 1 && (c == '}' || c == ']')) {
            end_value();
            --depth;
            return;
        }
        if (depth == 1 && object && c == ':' && !in_value) {
            in_value = true;
            value_begun = false;
            return;
        }
        begin_or_go_on(c);
    }

    void begin_or_go_on(char c) {
        if (in_value && !value_begun) {
            value_begun = true;
            member = {};
            member.begin = place;
        }
        if (c == '"') {
            in_string = true;
            if (depth == 1 && object && !in_value) {
                in_name = true;
                name.clear();
            }
        }
        keep(c);
        if (in_value) member.end = place + 1;
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
    }

    void keep(char c) {
        if (in_name && name.size() <= longest_name) name.push_back(c);
        if (in_value && member.text.size() <= longest_kept) member.text.push_back(c);
    }

    void end_value() {
        if (!in_value) return;
        in_value = false;
        if (!value_begun || fault) return;
        if (name.size() > longest_name || top.members.size() == most_members) {
            fault = Error(
                ErrorCode::invalid_argument,
                fmt::format(
                    "the body has more than {} members, or a name longer than {} bytes",
                    most_members,
                    longest_name
                )
            );
            return;
        }
        if (member.text.size() > longest_kept) member.text.clear();
        member.name = unescaped(name).value_or("");
        if (top.find(member.name) != nullptr) {
            fault = Error(
                ErrorCode::invalid_argument,
                fmt::format(
                    "the body has \"{}\" twice; which one counts would be left to chance",
                    member.name
                )
            );
            return;
        }
        top.members.push_back(std::move(member));
    }
};

BodyScan::BodyScan() : impl_(std::make_unique<Impl>()) {}

BodyScan::~BodyScan() = default;

Result<void> BodyScan::feed(std::string_view bytes) {
    auto& scan = *impl_;
    boost::system::error_code error;
    const auto used = scan.parser.write_some(true, bytes.data(), bytes.size(), error);
    if (error || used < bytes.size()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "the body is not JSON: {} at byte {}",
                error ? error.message() : "something follows its end",
                scan.place + used
            ),
            "send one JSON object"
        );
    }
    scan.take_all(bytes);
    if (scan.fault) return std::unexpected(*scan.fault);
    return {};
}

Result<BodyTop> BodyScan::end() {
    auto& scan = *impl_;
    boost::system::error_code error;
    scan.parser.write_some(false, nullptr, 0, error);
    if (error || !scan.parser.done()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("the body is not JSON: it ends too early, after {} bytes", scan.place),
            "send one JSON object"
        );
    }
    if (!scan.object) {
        return fail(
            ErrorCode::invalid_argument, "the body is JSON, but no object", "send {\"model\": ...}"
        );
    }
    return std::move(scan.top);
}

std::vector<relay::Splice> splices_for(
    const BodyTop& top, const std::vector<std::pair<std::string, std::string>>& values
) {
    std::vector<relay::Splice> splices;
    std::string added;
    for (const auto& [name, text] : values) {
        if (const auto* member = top.find(name)) {
            splices.push_back({member->begin, member->end - member->begin, text});
        } else {
            fmt::format_to(
                std::back_inserter(added), "{}:{}{}", json::serialize(json::string(name)), text, ","
            );
        }
    }
    if (!added.empty()) {
        if (top.members.empty()) added.pop_back();
        splices.push_back({top.open + 1, 0, std::move(added)});
    }
    std::ranges::sort(splices, {}, &relay::Splice::at);
    return splices;
}

}  // namespace punie::gateway
