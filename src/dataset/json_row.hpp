#pragma once
// One line of a .jsonl file as a tree, in the memory of the parser.
//
// Own, because the check must be as strict and as lenient as Python's json.loads (which mlx_lm
// uses: NaN is allowed, the last of two equal keys wins, lone surrogates pass), name the column of
// each fault, go on after those that a repair can mend, see duplicate keys, and be quicker than a
// DOM that allocates.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace punie::dataset {

/// A value of the row. Lives until the next `parse` of the parser that made it.
struct Node {
    enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

    // What the escapes of a string stood for: rare things that are cheaper to note than to look
    // for.
    static constexpr std::uint8_t has_control = 1;  ///< below U+0020 but tab and line ends; U+007F
    static constexpr std::uint8_t has_return = 2;   ///< U+000D
    static constexpr std::uint8_t has_surrogate = 4;  ///< half of a pair
    static constexpr std::uint8_t has_nul = 8;
    static constexpr std::uint8_t is_true = 16;
    static constexpr std::uint8_t was_escaped = 32;

    Kind kind = Kind::null;
    std::uint8_t flags = 0;
    std::uint32_t count = 0;  ///< members or elements
    std::uint32_t begin = 0;  ///< byte of the line where the value starts (a string: its quote)
    std::uint32_t end = 0;    ///< one past its last byte
    std::string_view key;     ///< of a member, decoded
    std::string_view text;    ///< of a string, decoded; else as written
    const Node* child = nullptr;
    const Node* next = nullptr;

    bool is(Kind wanted) const { return kind == wanted; }

    bool is_string() const { return kind == Kind::string; }

    bool is_object() const { return kind == Kind::object; }

    bool is_array() const { return kind == Kind::array; }

    /// Member of an object (the last one of that name, as Python has it); nullptr for everything
    /// else.
    const Node* find(std::string_view name) const;
    /// The decoded text of a string member; nothing if there is none.
    std::optional<std::string_view> string(std::string_view name) const;
};

/// "a string", "a list" ... for messages.
std::string_view kind_words(const Node& node);

/// For `for (const Node& element : elements(list))`.
class NodeRange {
public:
    class Iterator {
    public:
        using value_type = Node;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;

        explicit Iterator(const Node* node) : node_(node) {}

        const Node& operator*() const { return *node_; }

        Iterator& operator++() {
            node_ = node_->next;
            return *this;
        }

        Iterator operator++(int) {
            auto before = *this;
            ++*this;
            return before;
        }

        bool operator==(const Iterator&) const = default;

    private:
        const Node* node_ = nullptr;
    };

    explicit NodeRange(const Node* first) : first_(first) {}

    Iterator begin() const { return Iterator(first_); }

    Iterator end() const { return Iterator(nullptr); }

private:
    const Node* first_;
};

/// Elements of a list or members of an object; none for everything else.
inline NodeRange elements(const Node& node) {
    return NodeRange(node.child);
}

/// Something wrong with the line itself.
struct RowFault {
    std::string_view code;   ///< D12x
    std::size_t column = 0;  ///< from 1
    std::string message;
    const Node* node = nullptr;  ///< what it is in, if that is known
};

class RowParser {
public:
    RowParser();
    RowParser(const RowParser&) = delete;
    RowParser& operator=(const RowParser&) = delete;
    ~RowParser();

    /// The row's value, or nullptr when nothing can be made of it: `faults().back()` says why then.
    /// `line` must stay where it is as long as the tree is used.
    const Node* parse(std::string_view line);

    /// Faults of the last line in the order of their place, fatal ones last.
    const std::vector<RowFault>& faults() const { return faults_; }

    /// The value of the last line, if `parse` gave one.
    const Node& row() const { return pool_.front()[0]; }

    std::string_view line() const { return line_; }

    bool ascii() const { return ascii_; }

    /// Text of the value as it is written in the line.
    std::string_view raw(const Node& node) const {
        return line_.substr(node.begin, node.end - node.begin);
    }

private:
    class Reader;
    Node& fresh();

    std::string_view line_;
    bool ascii_ = true;
    std::vector<RowFault> faults_;
    std::vector<std::unique_ptr<Node[]>> pool_;
    std::size_t used_ = 0;
    std::unique_ptr<char[]>
        text_;  // what strings with escapes stand for; never longer than the line
    std::size_t text_size_ = 0;
};

/// "messages[2].content": where `target` is under `root`; "" for the root or what is not under it.
std::string path_of(const Node& root, const Node& target);

/// The same value for Boost.JSON (schemas, rewriting). NaN and infinities become null, halves of
/// surrogate pairs U+FFFD.
json::value to_json(const Node& node);

}  // namespace punie::dataset
