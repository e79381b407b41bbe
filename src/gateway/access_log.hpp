#pragma once
// A line a request, for people or for programs. docs/observability.md has the fields.

#include <memory>
#include <string>

#include "gateway/line_writer.hpp"
#include "gateway/metrics.hpp"

namespace punie::gateway {

enum class LogFormat { text, json };
/// Errors: invalid_argument naming what is allowed.
Result<LogFormat> log_format_from_name(std::string_view name);

/// One line, without its end. What clients chose (the id, the reason) is made harmless: no control
/// character, no line end, no blank where a field ends.
///   2026-03-01T12:00:00.250Z 200 POST /v1/chat/completions model=tiny 1.204s first=0.120s ...
std::string access_line(const RequestRecord& record, LogFormat format);

/// Writes them; never waits for the reader.
class AccessLog {
public:
    AccessLog(LineWriter writer, LogFormat format);
    void add(const RequestRecord& record);
    void reopen();  ///< see LineWriter
    std::uint64_t dropped() const;
    void flush();

private:
    LineWriter writer_;
    LogFormat format_;
};

}  // namespace punie::gateway
