#pragma once
// A stream of events cut into its events, each with its own bytes.

#include <punie/error.hpp>

#include <string>
#include <string_view>

namespace punie::translate {

class EventSplitter {
public:
    /// Calls `event(raw)` for each event that became whole, its empty line included, and
    /// `glued(byte)` for a line feed that belongs to the line end before it, which came without it.
    /// Errors: protocol (an event of more than 16 MB).
    template <typename Event, typename Glued>
    Result<void> feed(std::string_view bytes, Event event, Glued glued) {
        for (std::size_t at = 0; at < bytes.size();) {
            if (after_cr_) {
                after_cr_ = false;
                if (bytes[at] == '\n') {
                    if (raw_.empty())
                        glued('\n');
                    else
                        raw_ += '\n';
                    ++at;
                    continue;
                }
            }
            const auto end = bytes.find_first_of("\r\n", at);
            const auto piece = bytes.substr(at, end == npos ? npos : end - at);
            raw_ += piece;
            if (raw_.size() > most) return too_large();
            if (!piece.empty()) in_line_ = true;
            if (end == npos) break;
            at = end + 1;
            raw_ += bytes[end];
            after_cr_ = bytes[end] == '\r';
            if (in_line_) {
                in_line_ = false;
                continue;
            }
            if (after_cr_ && at < bytes.size() && bytes[at] == '\n') {
                after_cr_ = false;
                raw_ += bytes[at++];
            }
            const std::string whole = std::exchange(raw_, {});
            event(whole);
        }
        return {};
    }

private:
    static constexpr auto npos = std::string_view::npos;
    static constexpr std::size_t most = 16U << 20U;

    static std::unexpected<Error> too_large() {
        return fail(ErrorCode::protocol, "the stream holds an event of more than 16 MB");
    }

    std::string raw_;
    bool in_line_ = false;   // bytes of the present line have come
    bool after_cr_ = false;  // a line feed that follows belongs to the same line end
};

}  // namespace punie::translate
