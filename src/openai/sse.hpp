#pragma once
// Server-sent events, read from bytes in any chunking:
// https://html.spec.whatwg.org/multipage/server-sent-events.html (section 9.2.6, "Interpreting an
// event stream"). Pure: no socket, no clock.

#include <punie/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace punie::openai {

struct SseEvent {
    std::string type;  ///< the `event` field; "message" when the stream names none
    std::string data;  ///< the `data` lines joined by line feeds
    std::string id;    ///< the last `id` seen so far

    bool operator==(const SseEvent&) const = default;
};

/// Feed it what arrives; it returns the events that became complete. The same bytes give the same
/// events however they are cut. An event that the stream's end leaves without its empty line is
/// dropped, as the standard asks.
class SseReader {
public:
    /// `max_event` bytes at most in one line and in one event's data.
    explicit SseReader(std::size_t max_event = 16U << 20U) : max_event_(max_event) {}

    /// Errors: protocol (an event larger than the limit); the reader is of no use afterwards.
    Result<std::vector<SseEvent>> feed(std::string_view bytes);

    /// Comment lines so far: servers send them as signs of life.
    std::size_t comments() const { return comments_; }

    /// Whether bytes wait for the rest of their event: the stream was torn if it ends now.
    bool in_event() const { return !line_.empty() || has_data_; }

private:
    void end_line(std::vector<SseEvent>& events);
    void field(std::string_view name, std::string_view value);
    void dispatch(std::vector<SseEvent>& events);

    std::size_t max_event_;
    std::string line_;
    std::string type_;
    std::string data_;
    std::string id_;
    bool has_data_ = false;
    bool after_cr_ = false;   // a line feed that follows belongs to the same line end
    bool first_line_ = true;  // may begin with a byte order mark
    std::size_t comments_ = 0;
};

}  // namespace punie::openai
