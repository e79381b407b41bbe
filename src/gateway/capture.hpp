#pragma once
// Requests with their answers, kept for making suites out of real traffic. Off unless asked for; a
// line of JSON a request; secrets taken out; never a header. docs/observability.md has the fields.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "gateway/line_writer.hpp"
#include "gateway/services.hpp"

namespace punie::gateway {

struct CaptureLimits {
    std::size_t text = 1U << 20U;      ///< of a request or an answer; a larger one is left out
    std::uint64_t file = 1ULL << 30U;  ///< of the whole file; then capturing ends
};

/// The line of one request, without its end; nothing when the request is no JSON or too large.
/// Answers of streams may be given as their events: they are put together. Pure.
std::optional<std::string> capture_line(
    const Captured& captured,
    std::chrono::system_clock::time_point time,
    const CaptureLimits& limits = {}
);

class Capture {
public:
    /// Appends to `file`, made with mode 0600. Errors: io, not_found.
    static Result<Capture> open(const std::filesystem::path& file, CaptureLimits limits = {});
    void add(const Captured& captured);
    std::uint64_t dropped() const;
    void flush();

private:
    Capture(LineWriter writer, CaptureLimits limits, std::uint64_t size);
    LineWriter writer_;
    CaptureLimits limits_;
    std::uint64_t size_;
    std::uint64_t left_out_ = 0;
};

}  // namespace punie::gateway
