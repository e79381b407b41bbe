#pragma once
// One mapping of punie.yaml, taken apart key by key; what nobody took is an unknown key.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/awaitable.hpp"
#include "base/faults.hpp"
#include "base/tree.hpp"

namespace punie::fleet {

/// Told of every key that is looked for: section ("model") and key. For the test that the schema
/// and the reader know the same ones.
using KeyWatcher = std::function<void(std::string_view section, std::string_view key)>;

/// What all mappings of a file share.
struct Reading {
    tree::Faults& faults;
    std::filesystem::path folder;  ///< relative paths begin here
    std::string home;              ///< for ~/
    KeyWatcher watcher{};
};

/// `node` and `reading` must outlive it. Each getter leaves the target alone when the key is
/// missing, null or wrong; wrong ones are faults.
class ConfigFields {
public:
    ConfigFields(
        const tree::Node& node, std::string_view section, std::string path, Reading& reading
    );

    /// The value when it is there and not null.
    const tree::Node* take(std::string_view key);

    void text(std::string_view key, std::string& into);
    void texts(std::string_view key, std::vector<std::string>& into);  ///< one or a list
    void flag(std::string_view key, bool& into);
    void whole(std::string_view key, int& into, int least, int most);
    void whole(std::string_view key, std::optional<int>& into, int least, int most);
    void number(std::string_view key, std::optional<double>& into, double least, double most);
    void size(std::string_view key, std::optional<std::uint64_t>& into);
    void size(std::string_view key, std::uint64_t& into);
    void time(std::string_view key, std::optional<Milliseconds>& into);
    void time(std::string_view key, Milliseconds& into);
    /// Relative to the file's folder; ~/ is the home folder.
    void path(std::string_view key, std::filesystem::path& into);

    /// Keys that are wrong here, with the reason in place of a suggestion.
    void refuse(std::string_view key, std::string_view reason);

    void wrong(std::string_view key, const tree::Node& node, std::string_view expected);
    std::string at(std::string_view key) const;

    const tree::Node& node() const { return node_; }

    Reading& reading() { return reading_; }

    bool is_map() const { return node_.kind == tree::Node::Kind::map; }

    /// Faults for keys that nobody took.
    void finish();

private:
    std::optional<double> number_in(
        std::string_view key, double least, double most, std::string_view kind
    );

    const tree::Node& node_;
    std::string_view section_;
    std::string path_;
    Reading& reading_;
    std::vector<std::string> known_;
    std::vector<std::string> refused_;
};

/// `text` as a path of the file: relative to its folder, ~/ at home.
std::filesystem::path path_in(const Reading& reading, const std::string& text);

}  // namespace punie::fleet
