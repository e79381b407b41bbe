#include <algorithm>
#include <charconv>
#include <utility>

#include "translate/mending.hpp"

namespace punie::translate {

namespace {

/// The number behind `"name":` in a line of JSON; 0 if there is none.
std::uint64_t number_behind(std::string_view line, std::string_view name) {
    auto at = line.find(name);
    if (at == std::string_view::npos) return 0;
    at = line.find_first_not_of(" :", at + name.size());
    std::uint64_t number = 0;
    if (at != std::string_view::npos)
        std::from_chars(line.data() + at, line.data() + line.size(), number);
    return number;
}

}  // namespace

void StreamEye::feed(std::string_view bytes) {
    std::string_view last = last_;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        if (end == std::string_view::npos) break;
        if (line_.empty()) {
            line_ended(bytes.substr(0, end), last);
        } else {
            keep(bytes.substr(0, end));
            const auto whole = std::exchange(line_, {});
            line_ended(whole, last);
            last_ = std::string(last);  // it may stand in `whole`
            last = last_;
        }
        bytes.remove_prefix(end + 1);
    }
    if (last.data() != last_.data()) last_ = std::string(last);
    if (bytes.empty()) return;
    between_ = false;
    keep(bytes);
}

/// Of a line that comes in pieces its start and its end: in the middle nothing matters.
void StreamEye::keep(std::string_view piece) {
    constexpr std::size_t most = 8192;
    constexpr std::size_t start = 64;
    line_ += piece;
    if (line_.size() > most) line_.erase(start, line_.size() - most / 2);
}

void StreamEye::line_ended(std::string_view line, std::string_view& last) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    between_ = line.empty();
    if (line.empty()) return;
    if (!line.starts_with("data:")) {
        if (line == "event: error") saw_error_ = true;
        return;
    }
    line.remove_prefix(5);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (line == "[DONE]") {
        done_ = true;
        completion_tokens_ = number_behind(last, "\"completion_tokens\"");
        prompt_tokens_ = number_behind(last, "\"prompt_tokens\"");
        return;
    }
    ++events_;
    if (line.starts_with("{\"error\"")) saw_error_ = true;
    constexpr std::size_t most = 4096;  // usage stands at the end
    last = line.size() > most ? line.substr(line.size() - most) : line;
}

}  // namespace punie::translate
