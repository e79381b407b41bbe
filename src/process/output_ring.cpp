#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "process/output.hpp"

namespace punie::process {

namespace {

/// At most `width` bytes, no character cut in two.
std::string_view cut(std::string_view text, std::size_t width) {
    if (text.size() <= width) return text;
    const auto continues = [&](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80;
    };
    auto end = width;
    for (int i = 0; i < 3 && end > 0 && continues(end); ++i) --end;
    return text.substr(0, end);
}

}  // namespace

struct OutputRing::State {
    explicit State(std::size_t size)
        : capacity(size), bytes(std::make_unique_for_overwrite<char[]>(size)) {}

    /// Where the oldest byte is.
    std::size_t start() const { return (next + capacity - used) % capacity; }

    mutable std::mutex mutex;
    std::size_t capacity;
    std::unique_ptr<char[]>
        bytes;             // not written to before it is used: an idle ring costs no memory
    std::size_t next = 0;  // where the next byte goes
    std::size_t used = 0;
    std::uint64_t total = 0;
};

OutputRing::OutputRing(std::size_t capacity) : state_(std::make_unique<State>(capacity)) {
    PUNIE_ASSERT(capacity > 0, "a ring holds at least one byte");
}

OutputRing::~OutputRing() = default;

void OutputRing::append(std::string_view bytes) {
    auto& s = *state_;
    const std::scoped_lock lock(s.mutex);
    s.total += bytes.size();
    if (bytes.size() > s.capacity) bytes.remove_prefix(bytes.size() - s.capacity);
    const auto first = std::min(bytes.size(), s.capacity - s.next);
    std::memcpy(s.bytes.get() + s.next, bytes.data(), first);
    std::memcpy(s.bytes.get(), bytes.data() + first, bytes.size() - first);
    s.next = (s.next + bytes.size()) % s.capacity;
    s.used = std::min(s.used + bytes.size(), s.capacity);
}

std::string OutputRing::contents() const {
    const auto& s = *state_;
    const std::scoped_lock lock(s.mutex);
    const auto first = std::min(s.used, s.capacity - s.start());
    std::string result(s.bytes.get() + s.start(), first);
    result.append(s.bytes.get(), s.used - first);
    return result;
}

std::vector<std::string> OutputRing::last_lines(std::size_t count, std::size_t width) const {
    const auto all = contents();
    std::string_view rest = all;
    std::vector<std::string> lines;
    if (rest.ends_with('\n')) rest.remove_suffix(1);
    while (lines.size() < count && !rest.empty()) {
        const auto end = rest.rfind('\n');
        auto line = end == std::string_view::npos ? rest : rest.substr(end + 1);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        // A progress bar rewrites its line with carriage returns: what a person sees is the last
        // state.
        if (const auto back = line.rfind('\r'); back != std::string_view::npos)
            line.remove_prefix(back + 1);
        const auto text = printable(cut(line, width));
        lines.emplace_back(cut(text, width));  // a replaced byte became three
    }
    std::ranges::reverse(lines);
    return lines;
}

std::uint64_t OutputRing::total() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->total;
}

}  // namespace punie::process
