#pragma once
// Reading a person's lines: editing and history on a terminal (libedit), plain lines from a pipe.

#include <memory>
#include <optional>
#include <string>

namespace punie::cli {

class LineEditor {
public:
    explicit LineEditor(std::string prompt);
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;
    ~LineEditor();

    bool interactive() const;

    /// The next line without its end; nothing at the end of input (Ctrl-D). Ctrl-C drops what was
    /// typed and asks anew.
    std::optional<std::string> read();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace punie::cli
