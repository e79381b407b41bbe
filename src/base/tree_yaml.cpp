// YAML through yaml-cpp's events: its own tree keeps neither quotes nor repeated keys.

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <istream>
#include <map>
#include <set>
#include <streambuf>

#include "base/text.hpp"
#include "base/tree_yaml.hpp"

namespace punie::tree {

namespace {

/// Thrown through yaml-cpp, which has no other way to stop; never leaves this file.
struct Stop {
    Place place;
    std::string message;
};

/// A stream over text that is not copied.
class TextBuffer : public std::streambuf {
public:
    explicit TextBuffer(std::string_view text) {
        // the get area is only read, but std::streambuf wants it writable
        auto* begin =
            const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
        setg(begin, begin, begin + text.size());
    }
};

/// Words that YAML 1.1 takes for something else than text.
bool is_trap(const std::string& text) {
    static const std::set<std::string, std::less<>> words = {
        "yes",
        "Yes",
        "YES",
        "no",
        "No",
        "NO",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        "True",
        "TRUE",
        "False",
        "FALSE",
        ".inf",
        ".nan"
    };
    return words.contains(text);
}

class Builder : public YAML::EventHandler {
public:
    Builder(std::shared_ptr<const std::string> file, Faults& faults)
        : file_(std::move(file)), faults_(faults) {}

    Node take() { return std::move(root_); }

    /// The last scalar that stood in quotes, or what else has a tag.
    const Place& last_quoted() const { return last_quoted_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (begun_)
            throw Stop{
                place(mark),
                "a second document begins here; the file is one document: put the others into "
                "files "
                "of their own"
            };
        begun_ = true;
    }

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(plain_scalar("", place(mark)), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            throw Stop{place(mark), "an alias inside the value that it stands for never ends"};
        const auto& [node, size] = found->second;
        count(size, place(mark));
        auto copy = node;
        copy.place = place(mark);
        add(std::move(copy), 0);
    }

    void OnScalar(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        const std::string& value
    ) override {
        const auto here = place(mark);
        if (tag == "!" || tag == "tag:yaml.org,2002:str") {
            last_quoted_ = here;
            add(text_node(value, here), anchor);
            return;
        }
        refuse_tag(tag, here);
        const bool is_key = !frames_.empty() && frames_.back().expects_key();
        if (!is_key && is_trap(value)) {
            faults_.note(
                here,
                "",
                fmt::format(
                    "`{}` is text here, not {}; write \"{}\" in quotes, or true, false, null",
                    value,
                    value.starts_with('.') ? "a number" : "true, false or null",
                    value
                )
            );
        }
        add(plain_scalar(value, here), anchor);
    }

    void OnSequenceStart(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value /*style*/
    ) override {
        open(Node::Kind::list, mark, tag, anchor);
    }

    void OnSequenceEnd() override { close(); }

    void OnMapStart(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value /*style*/
    ) override {
        open(Node::Kind::map, mark, tag, anchor);
    }

    void OnMapEnd() override { close(); }

private:
    struct Frame {
        Node node;
        YAML::anchor_t anchor = 0;
        std::size_t nodes_before = 0;
        std::set<std::string> names{};
        bool has_key = false;
        bool repeated = false;  ///< the key at hand stood before: its value is dropped
        std::string key{};
        Place key_place{};

        bool expects_key() const { return node.kind == Node::Kind::map && !has_key; }
    };

    Place place(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

    static void refuse_tag(const std::string& tag, const Place& place) {
        if (tag.empty() || tag == "?") return;
        throw Stop{
            place,
            fmt::format(
                "the tag {} is not used here: quotes make text, everything else is typed as in "
                "JSON",
                tag.starts_with("tag:yaml.org,2002:") ? "!!" + tag.substr(18) : tag
            )
        };
    }

    void count(std::size_t nodes, const Place& place) {
        nodes_ += nodes;
        if (nodes_ > max_nodes)
            throw Stop{
                place,
                fmt::format(
                    "more than {} values, aliases counted as often as they are used", max_nodes
                )
            };
    }

    void open(
        Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor
    ) {
        const auto here = place(mark);
        refuse_tag(tag, here);
        if (!frames_.empty() && frames_.back().expects_key())
            throw Stop{
                here,
                "a key must be text; a value that begins with { or {{name}} must stand in quotes: "
                "\"{{name}}\""
            };
        if (static_cast<int>(frames_.size()) >= max_depth)
            throw Stop{here, fmt::format("nested more than {} deep", max_depth)};
        count(1, here);
        Frame frame;
        frame.node.kind = kind;
        frame.node.place = here;
        frame.anchor = anchor;
        frame.nodes_before = nodes_;
        frames_.push_back(std::move(frame));
    }

    void close() {
        auto frame = std::move(frames_.back());
        frames_.pop_back();
        if (frame.anchor != 0) keep(frame.anchor, frame.node, nodes_ - frame.nodes_before + 1);
        attach(std::move(frame.node));
    }

    void keep(YAML::anchor_t anchor, const Node& node, std::size_t size) {
        count(size, node.place);  // the copy
        anchors_.insert_or_assign(anchor, std::pair{node, size});
    }

    void add(Node&& node, YAML::anchor_t anchor) {
        count(1, node.place);
        if (anchor != 0) keep(anchor, node, 1);
        if (!frames_.empty() && frames_.back().expects_key())
            set_key(node);
        else
            attach(std::move(node));
    }

    void set_key(const Node& node) {
        auto& frame = frames_.back();
        if (!node.is_scalar()) throw Stop{node.place, "a key must be text"};
        if (node.text == "<<" && !node.quoted)
            throw Stop{
                node.place,
                "merge keys (<<) are not part of YAML 1.2: write the keys out, or use an alias for "
                "the whole value"
            };
        frame.has_key = true;
        frame.key = node.text;
        frame.key_place = node.place;
        frame.repeated = !frame.names.insert(node.text).second;
        if (frame.repeated)
            faults_.add(
                node.place, "", fmt::format("the key `{}` stands twice in this mapping", node.text)
            );
    }

    void attach(Node&& node) {
        if (frames_.empty()) {
            root_ = std::move(node);
            return;
        }
        auto& frame = frames_.back();
        if (frame.node.kind == Node::Kind::list) {
            frame.node.items.push_back(std::move(node));
            return;
        }
        if (!frame.repeated)
            frame.node.members.push_back({frame.key, frame.key_place, std::move(node)});
        frame.has_key = false;
    }

    std::shared_ptr<const std::string> file_;
    Faults& faults_;
    Node root_;
    Place last_quoted_;
    bool begun_ = false;
    std::vector<Frame> frames_;
    std::map<YAML::anchor_t, std::pair<Node, std::size_t>> anchors_;
    std::size_t nodes_ = 0;
};

std::string_view line_at(std::string_view text, int line) {
    while (line-- > 0) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find('\n'));
}

/// yaml-cpp takes a quote that never closes for text up to the file's end.
bool never_closes(std::string_view text, const Place& place) {
    for (int line = 1; line < place.line; ++line) text.remove_prefix(text.find('\n') + 1);
    text.remove_prefix(std::min(text.size(), static_cast<std::size_t>(place.column - 1)));
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) return false;
    const char quote = text.front();
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (quote == '"' && text[at] == '\\') {
            ++at;
        } else if (text[at] == quote) {
            const bool doubled = quote == '\'' && at + 1 < text.size() && text[at + 1] == quote;
            if (!doubled) return false;
            ++at;
        }
    }
    return true;
}

/// yaml-cpp's words, and what lies behind the two that people meet most.
std::string explained(const YAML::Exception& thrown, std::string_view text) {
    const auto line = line_at(text, thrown.mark.line);
    const auto indentation = line.substr(0, line.find_first_not_of(" \t"));
    if (indentation.find('\t') != std::string_view::npos)
        return "a tab in the indentation: YAML allows spaces only";
    if (thrown.msg == "illegal map value")
        return "a second colon on this line: text with \": \" in it must stand in quotes";
    if (thrown.msg == "unknown token")
        return "text here must stand in quotes (inside { } and [ ] that is so for text with , ? : "
               "or "
               "brackets)";
    if (thrown.msg == "bad file") return "nested too deeply";
    return fmt::format("not valid YAML: {}", thrown.msg);
}

Place place_at(std::string_view text, std::size_t offset, const std::filesystem::path& file) {
    const auto before = text.substr(0, offset);
    const auto lines = static_cast<int>(std::ranges::count(before, '\n'));
    const auto last_break = before.rfind('\n');
    const auto column = last_break == std::string_view::npos ? offset : offset - last_break - 1;
    return {
        std::make_shared<const std::string>(file.native()), lines + 1, static_cast<int>(column) + 1
    };
}

}  // namespace

std::optional<Node> read_yaml(
    std::string_view text, const std::filesystem::path& file, Faults& faults
) {
    const auto name = std::make_shared<const std::string>(file.native());
    Builder builder(name, faults);
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& thrown) {
        const bool placed = thrown.mark.line >= 0;
        faults.add(
            {name, placed ? thrown.mark.line + 1 : 0, placed ? thrown.mark.column + 1 : 0},
            "",
            explained(thrown, text)
        );
        return std::nullopt;
    } catch (const Stop& stop) {
        faults.add(stop.place, "", stop.message);
        return std::nullopt;
    }
    if (builder.last_quoted().line > 0 && never_closes(text, builder.last_quoted())) {
        faults.add(builder.last_quoted(), "", "a quote opens here and never closes");
        return std::nullopt;
    }
    auto root = builder.take();
    if (!root.place.file) root.place = {name, 1, 1};
    return root;
}

std::optional<std::string_view> checked_text(
    std::string_view bytes, const std::filesystem::path& file, Faults& faults
) {
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
        faults.add(place_at(bytes, 0, file), "", "this is UTF-16; save it as UTF-8");
        return std::nullopt;
    }
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    for (std::size_t at = 0; at < bytes.size();) {
        const auto length = utf8_length(bytes.substr(at));
        if (length == 0 || bytes[at] == '\0') {
            faults.add(
                place_at(bytes, at, file),
                "",
                length == 0 ? "a byte that is not UTF-8; save the file as UTF-8" : "a zero byte"
            );
            return std::nullopt;
        }
        at += length;
    }
    return bytes;
}

}  // namespace punie::tree
