#include "dataset/json_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstdlib>

#include "dataset/bytes.hpp"
#include "dataset/utf8.hpp"

namespace punie::dataset {

namespace {

using Kind = Node::Kind;

constexpr std::size_t nodes_a_block = 512;
constexpr int deepest = 200;               // Python gives up at about 1000; nobody's data is there
constexpr std::uint32_t few_members = 24;  // up to here comparing all pairs is the quickest

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

bool is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/// The first quote, backslash or control character from `at` on.
const char* skip_plain(const char* at, const char* end) {
    for (; end - at >= 16; at += 16) {
        const auto bytes = load16(at);
        if (any_of((bytes == '"') | (bytes == '\\') | (bytes < 0x20))) break;
    }
    for (; end - at >= 8; at += 8) {
        const auto word = load8(at);
        const auto marks =
            bytes_equal(word, '"') | bytes_equal(word, '\\') | bytes_below(word, 0x20);
        if (marks != 0) return at + first_byte(marks);
    }
    while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
    return at;
}

int hex_digit(char byte) {
    if (is_digit(byte)) return byte - '0';
    const char lower = static_cast<char>(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string shown(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    if (value >= 0x20 && value < 0x7F) return fmt::format("'{}'", byte);
    return fmt::format("byte 0x{:02X}", value);
}

}  // namespace

/// One line's way through the grammar; recursive, as the grammar is.
class RowParser::Reader {
public:
    explicit Reader(RowParser& parser)
        : parser_(parser),
          begin_(parser.line_.data()),
          at_(begin_),
          end_(begin_ + parser.line_.size()),
          out_(parser.text_.get()) {}

    const Node* row() {
        skip_space();
        auto& root = parser_.fresh();
        if (!value(root, 0)) return nullptr;
        skip_space();
        if (at_ == end_) return &root;
        const bool another = *at_ == '{';
        stop(
            another ? "D129" : "D120",
            another ? "a second JSON object follows in the same line"
                    : fmt::format("{} after the end of the JSON value", shown(*at_))
        );
        return nullptr;
    }

private:
    std::size_t column(const char* place) const {
        return static_cast<std::size_t>(place - begin_) + 1;
    }

    std::uint32_t offset() const { return static_cast<std::uint32_t>(at_ - begin_); }

    void note(std::string_view code, const char* place, std::string message, const Node* node) {
        parser_.faults_.push_back({code, column(place), std::move(message), node});
    }

    bool stop(std::string_view code, std::string message) {
        note(code, at_, std::move(message), nullptr);
        return false;
    }

    void skip_space() {
        while (at_ < end_ && is_space(*at_)) ++at_;
    }

    bool take(char wanted) {
        if (at_ == end_ || *at_ != wanted) return false;
        ++at_;
        return true;
    }

    bool value(Node& node, int depth);
    bool unexpected();
    bool word(Node& node, std::string_view text, Kind kind, std::uint8_t flags);
    bool number(Node& node);
    bool string(Node& node, std::string_view& out);
    bool escape(Node& node);
    bool unicode(Node& node);
    std::optional<char32_t> four_digits(const char* at) const;
    void put(char32_t value);
    void copy(const char* from);
    bool array(Node& node, int depth);
    bool object(Node& node, int depth);
    bool member_end(char close, const char* what);
    void twin(const Node& member);
    void look_for_twins(const Node& object);

    RowParser& parser_;
    const char* begin_;
    const char* at_;
    const char* end_;
    char* out_;
};

bool RowParser::Reader::value(Node& node, int depth) {
    if (depth > deepest)
        return stop("D126", fmt::format("values are nested deeper than {}", deepest));
    if (at_ == end_) return stop("D120", "the line ends where a value should be");
    node.begin = offset();
    bool fine = false;
    switch (*at_) {
        case '"':
            node.kind = Kind::string;
            fine = string(node, node.text);
            node.end = offset();
            return fine;
        case '{':
            fine = object(node, depth);
            break;
        case '[':
            fine = array(node, depth);
            break;
        case 't':
            fine = word(node, "true", Kind::boolean, Node::is_true);
            break;
        case 'f':
            fine = word(node, "false", Kind::boolean, 0);
            break;
        case 'n':
            fine = word(node, "null", Kind::null, 0);
            break;
        case 'N':
            fine = word(node, "NaN", Kind::number, 0);
            break;
        case 'I':
            fine = word(node, "Infinity", Kind::number, 0);
            break;
        default:
            fine = number(node);
    }
    node.end = offset();
    if (fine) node.text = parser_.raw(node);
    return fine;
}

/// What people write who take JSON for Python or JavaScript.
bool RowParser::Reader::unexpected() {
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    std::string hint;
    if (rest.starts_with('\''))
        hint = ": JSON strings have double quotes (was a Python dict printed?)";
    if (rest.starts_with("True") || rest.starts_with("False") || rest.starts_with("None"))
        hint = ": JSON has true, false and null (was a Python dict printed?)";
    if (rest.starts_with("undefined")) hint = ": JSON has null";
    if (rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#'))
        hint = ": JSON has no comments";
    if (rest.starts_with('}') || rest.starts_with(']')) hint = " (a comma too many?)";
    return stop("D120", fmt::format("{} where a value should be{}", shown(*at_), hint));
}

bool RowParser::Reader::word(Node& node, std::string_view text, Kind kind, std::uint8_t flags) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(text))
        return unexpected();
    if (kind == Kind::number) note("D124", at_, fmt::format("{} is not JSON", text), &node);
    at_ += text.size();
    node.kind = kind;
    node.flags = flags;
    return true;
}

bool RowParser::Reader::number(Node& node) {
    const char* start = at_;
    if (*at_ == '-') {
        ++at_;
        if (at_ < end_ && *at_ == 'I') return word(node, "Infinity", Kind::number, 0);
    }
    const auto digits = [&] {
        const char* first = at_;
        while (at_ < end_ && is_digit(*at_)) ++at_;
        return at_ > first;
    };
    node.kind = Kind::integer;
    const char* first = at_;
    if (!digits()) {
        at_ = start;
        return unexpected();
    }
    if (*first == '0' && at_ - first > 1) {
        at_ = first;
        return stop("D120", "a number must not begin with 0");
    }
    if (take('.')) {
        node.kind = Kind::number;
        if (!digits()) return stop("D120", "no digit after the decimal point");
    }
    if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
        node.kind = Kind::number;
        ++at_;
        if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
        if (!digits()) return stop("D120", "no digit in the exponent");
    }
    return true;
}

void RowParser::Reader::copy(const char* from) {
    const auto count = static_cast<std::size_t>(at_ - from);
    std::memcpy(out_, from, count);
    out_ += count;
}

bool RowParser::Reader::string(Node& node, std::string_view& out) {
    const char* start = ++at_;
    at_ = skip_plain(at_, end_);
    if (at_ < end_ && *at_ == '"') {  // most strings: nothing to decode
        out = {start, static_cast<std::size_t>(at_ - start)};
        ++at_;
        return true;
    }
    char* const decoded = out_;
    const char* from = start;
    while (true) {
        if (at_ == end_) {
            at_ = start - 1;
            return stop("D120", "this string has no closing quote");
        }
        if (*at_ == '"') break;
        if (*at_ == '\\') {
            copy(from);
            if (!escape(node)) return false;
            from = at_;
        } else {
            note(
                "D122",
                at_,
                fmt::format("{} must be written as an escape inside a string", shown(*at_)),
                &node
            );
            ++at_;
        }
        at_ = skip_plain(at_, end_);
    }
    copy(from);
    ++at_;
    node.flags |= Node::was_escaped;
    out = {decoded, static_cast<std::size_t>(out_ - decoded)};
    return true;
}

bool RowParser::Reader::escape(Node& node) {
    if (end_ - at_ < 2) return stop("D120", "the line ends inside an escape");
    const char letter = at_[1];
    static constexpr std::string_view letters = "\"\\/nrtbf";
    static constexpr std::string_view meanings = "\"\\/\n\r\t\b\f";
    if (letter == 'u') return unicode(node);
    const auto place = letters.find(letter);
    if (place == std::string_view::npos)
        return stop("D120", fmt::format("\\ followed by {} is no escape of JSON", shown(letter)));
    if (letter == 'r') node.flags |= Node::has_return;
    if (letter == 'b' || letter == 'f') node.flags |= Node::has_control;
    *out_++ = meanings[place];
    at_ += 2;
    return true;
}

std::optional<char32_t> RowParser::Reader::four_digits(const char* at) const {
    if (end_ - at < 6 || at[0] != '\\' || at[1] != 'u') return std::nullopt;
    char32_t value = 0;
    for (int place = 2; place < 6; ++place) {
        const int digit = hex_digit(at[place]);
        if (digit < 0) return std::nullopt;
        value = value * 16 + static_cast<char32_t>(digit);
    }
    return value;
}

void RowParser::Reader::put(char32_t value) {
    std::string bytes;
    append_utf8(bytes, value);
    out_ = std::ranges::copy(bytes, out_).out;
}

bool RowParser::Reader::unicode(Node& node) {
    const auto first = four_digits(at_);
    if (!first) return stop("D120", "\\u needs four hexadecimal digits");
    const char* start = at_;
    at_ += 6;
    if (*first >= 0xD800 && *first <= 0xDFFF) {
        const auto second = *first < 0xDC00 ? four_digits(at_) : std::nullopt;
        if (second && *second >= 0xDC00 && *second <= 0xDFFF) {
            at_ += 6;
            put(0x10000 + ((*first - 0xD800) << 10U) + (*second - 0xDC00));
            parser_.ascii_ = false;
            return true;
        }
        node.flags |= Node::has_surrogate;
        note(
            "D125",
            start,
            fmt::format("\\u{:04x} is half of a surrogate pair", static_cast<unsigned>(*first)),
            &node
        );
        put(U'\uFFFD');
        return true;
    }
    if (*first == 0) node.flags |= Node::has_nul;
    if (*first == U'\r') node.flags |= Node::has_return;
    if ((*first < 0x20 && *first != U'\n' && *first != U'\t' && *first != U'\r') || *first == 0x7F)
        node.flags |= Node::has_control;
    if (*first >= 0x80) parser_.ascii_ = false;
    put(*first);
    return true;
}

/// After an element: true when another follows, false at the end (`at_` is past it) or on a fault.
bool RowParser::Reader::member_end(char close, const char* what) {
    skip_space();
    if (at_ < end_ && (*at_ == ',' || *at_ == close)) return true;
    return stop(
        "D120",
        at_ == end_ ? fmt::format("the line ends inside {}", what)
                    : fmt::format("{} in {} where ',' or '{}' should be", shown(*at_), what, close)
    );
}

bool RowParser::Reader::array(Node& node, int depth) {
    node.kind = Kind::array;
    ++at_;
    skip_space();
    if (take(']')) return true;
    Node* last = nullptr;
    while (true) {
        skip_space();
        auto& element = parser_.fresh();
        if (!value(element, depth + 1)) return false;
        (last != nullptr ? last->next : node.child) = &element;
        last = &element;
        ++node.count;
        if (!member_end(']', "a list")) return false;
        if (*at_++ == ']') return true;
    }
}

void RowParser::Reader::twin(const Node& member) {
    note(
        "D123",
        begin_ + member.begin,
        fmt::format("the key \"{}\" comes twice in one object", member.key),
        &member
    );
}

void RowParser::Reader::look_for_twins(const Node& object) {
    if (object.count <= few_members) {
        for (const auto* later = object.child; later != nullptr; later = later->next) {
            const auto* other = object.child;
            while (other != later && other->key != later->key) other = other->next;
            if (other != later) twin(*later);
        }
        return;
    }
    std::vector<const Node*> members;
    members.reserve(object.count);
    for (const auto& member : elements(object)) members.push_back(&member);
    std::ranges::sort(members, {}, [](const Node* member) {
        return std::pair(member->key, member->begin);
    });
    for (std::size_t place = 1; place < members.size(); ++place) {
        if (members[place - 1]->key == members[place]->key) twin(*members[place]);
    }
}

bool RowParser::Reader::object(Node& node, int depth) {
    node.kind = Kind::object;
    ++at_;
    skip_space();
    if (take('}')) return true;
    Node* last = nullptr;
    while (true) {
        skip_space();
        auto& member = parser_.fresh();
        if (at_ == end_) return stop("D120", "the line ends inside an object");
        if (*at_ != '"') {
            return stop(
                "D120",
                fmt::format(
                    "{} where a key in double quotes should be{}",
                    shown(*at_),
                    *at_ == '}' ? " (a comma too many?)" : ""
                )
            );
        }
        if (!string(member, member.key)) return false;
        member.flags = 0;
        skip_space();
        if (!take(':')) return stop("D120", fmt::format("no ':' after the key \"{}\"", member.key));
        skip_space();
        if (!value(member, depth + 1)) return false;
        (last != nullptr ? last->next : node.child) = &member;
        last = &member;
        ++node.count;
        if (!member_end('}', "an object")) return false;
        if (*at_++ == '}') break;
    }
    look_for_twins(node);
    return true;
}

RowParser::RowParser() = default;
RowParser::~RowParser() = default;

Node& RowParser::fresh() {
    if (used_ == pool_.size() * nodes_a_block)
        pool_.push_back(std::make_unique<Node[]>(nodes_a_block));
    auto& node = pool_[used_ / nodes_a_block][used_ % nodes_a_block];
    ++used_;
    node = Node{};
    return node;
}

const Node* RowParser::parse(std::string_view line) {
    line_ = line;
    used_ = 0;
    faults_.clear();
    ascii_ = is_ascii(line);
    if (!ascii_) {
        if (const auto place = invalid_utf8(line)) {
            faults_.push_back(
                {"D121",
                 *place + 1,
                 fmt::format("{} is not UTF-8 here", shown(line[*place])),
                 nullptr}
            );
            return nullptr;
        }
    }
    if (text_size_ < line.size() + 8) {
        text_size_ = line.size() + line.size() / 2 + 4096;
        text_ = std::make_unique_for_overwrite<char[]>(text_size_);
    }
    return Reader(*this).row();
}

const Node* Node::find(std::string_view name) const {
    if (kind != Kind::object) return nullptr;
    const Node* found = nullptr;
    for (const auto* member = child; member != nullptr; member = member->next) {
        if (member->key == name) found = member;
    }
    return found;
}

std::optional<std::string_view> Node::string(std::string_view name) const {
    const auto* found = find(name);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    return found->text;
}

std::string_view kind_words(const Node& node) {
    static constexpr std::array words = {
        "null", "true or false", "a number", "a number", "a string", "a list", "an object"
    };
    return words.at(static_cast<std::size_t>(node.kind));
}

std::string path_of(const Node& root, const Node& target) {
    if (&root == &target) return {};
    std::size_t index = 0;
    for (const auto& element : elements(root)) {
        // Nodes of a subtree lie within the text of their parent.
        if (element.begin <= target.begin && target.end <= element.end) {
            auto step = root.is_array() ? fmt::format("[{}]", index) : std::string(element.key);
            if (&element == &target) return step;
            const auto rest = path_of(element, target);
            if (!rest.empty())
                return fmt::format("{}{}{}", step, rest.front() == '[' ? "" : ".", rest);
        }
        ++index;
    }
    return {};
}

namespace {

json::value number_of(const Node& node) {
    const auto text = node.text;
    if (node.kind == Kind::integer) {
        std::int64_t whole = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
        if (error == std::errc{} && end == text.data() + text.size()) return whole;
    }
    if (text.find_first_of("NI") != std::string_view::npos) return nullptr;
    return std::strtod(std::string(text).c_str(), nullptr);
}

}  // namespace

json::value to_json(const Node& node) {
    switch (node.kind) {
        case Kind::null:
            return nullptr;
        case Kind::boolean:
            return (node.flags & Node::is_true) != 0;
        case Kind::integer:
        case Kind::number:
            return number_of(node);
        case Kind::string:
            return json::string(node.text);
        case Kind::array: {
            json::array list;
            list.reserve(node.count);
            for (const auto& element : elements(node)) list.push_back(to_json(element));
            return list;
        }
        case Kind::object:
            break;
    }
    json::object object;
    for (const auto& member : elements(node)) object[member.key] = to_json(member);
    return object;
}

}  // namespace punie::dataset
