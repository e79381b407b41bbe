#include "gateway/access_log.hpp"

#include <fmt/compile.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "base/json.hpp"
#include "base/text.hpp"
#include "gateway/control_json.hpp"

namespace punie::gateway {

namespace {

bool is_plain(std::string_view value) {
    return std::ranges::all_of(value, [](char byte) {
        return byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\';
    });
}

/// With quotes; invalid UTF-8 would be no JSON, and controls no line.
void put_quoted(std::string& line, std::string_view value) {
    if (is_plain(value)) {
        line.append("\"").append(value).append("\"");
    } else {
        line += to_text(json::string(printable(value)));
    }
}

/// A line of a log is written for every request: by hand, so that it costs no tree of values.
class Text {
public:
    explicit Text(std::string& line) : line_(line) {}

    void raw(std::string_view text) { line_ += text; }

    /// A field's value as it stands, or quoted when it could be taken for more than one field.
    void value(std::string_view value) {
        if (!value.empty() && is_plain(value) && !value.contains('=')) {
            line_ += value;
        } else {
            put_quoted(line_, value);
        }
    }

    void put(std::string_view name, std::string_view text) {
        if (text.empty()) return;
        line_.append(" ").append(name).append("=");
        value(text);
    }

    void seconds(std::string_view name, double seconds) {
        fmt::format_to(std::back_inserter(line_), FMT_COMPILE(" {}{:.3f}s"), name, seconds);
    }

    void pair(std::string_view name, std::uint64_t in, std::uint64_t out) {
        fmt::format_to(std::back_inserter(line_), FMT_COMPILE(" {}={}+{}"), name, in, out);
    }

private:
    std::string& line_;
};

std::string text_line(const RequestRecord& record) {
    std::string line;
    line.reserve(256);
    Text text(line);
    text.raw(iso_time(record.time));
    fmt::format_to(std::back_inserter(line), FMT_COMPILE(" {} "), record.status);
    text.value(record.method);
    text.raw(" ");
    text.value(record.route);
    text.put("model", record.model);
    text.seconds("", record.total);
    if (record.waited >= 0.001) text.seconds("waited=", record.waited);
    if (record.first_byte) text.seconds("first=", *record.first_byte);
    if (record.tokens_in + record.tokens_out > 0)
        text.pair("tokens", record.tokens_in, record.tokens_out);
    text.pair("bytes", record.bytes_in, record.bytes_out);
    if (record.stream) text.raw(" stream");
    if (record.torn) text.raw(" torn");
    if (record.attempts > 1)
        fmt::format_to(std::back_inserter(line), FMT_COMPILE(" attempts={}"), record.attempts);
    text.put("key", record.key);
    text.put("peer", record.peer);
    text.put("id", record.id);
    text.put("error", record.error);
    text.put("reason", record.reason);
    return line;
}

/// The members of control_json's request_json but its number, which means nothing in a file.
class Json {
public:
    explicit Json(std::string& line) : line_(line) {}

    void put(std::string_view name, std::string_view text) {
        begin(name);
        put_quoted(line_, text);
    }

    void put(std::string_view name, bool value) {
        begin(name);
        line_ += value ? "true" : "false";
    }

    void put(std::string_view name, std::uint64_t value) {
        begin(name);
        fmt::format_to(std::back_inserter(line_), FMT_COMPILE("{}"), value);
    }

    void seconds(std::string_view name, double seconds) {
        begin(name);
        fmt::format_to(std::back_inserter(line_), FMT_COMPILE("{:.6f}"), seconds);
    }

    void put_if(std::string_view name, std::string_view text) {
        if (!text.empty()) put(name, text);
    }

private:
    void begin(std::string_view name) {
        line_ += line_.empty() ? "{\"" : ",\"";
        line_.append(name).append("\":");
    }

    std::string& line_;
};

std::string json_line(const RequestRecord& record) {
    std::string line;
    line.reserve(512);
    Json json(line);
    json.put("time", iso_time(record.time));
    json.put("id", record.id);
    json.put("method", record.method);
    json.put("route", record.route);
    json.put("model", record.model);
    json.put("peer", record.peer);
    json.put("status", static_cast<std::uint64_t>(record.status));
    json.put("stream", record.stream);
    json.put("torn", record.torn);
    json.put("attempts", static_cast<std::uint64_t>(record.attempts));
    json.seconds("waited_s", record.waited);
    json.seconds("total_s", record.total);
    if (record.first_byte) json.seconds("first_byte_s", *record.first_byte);
    json.put("tokens_in", record.tokens_in);
    json.put("tokens_out", record.tokens_out);
    json.put("bytes_in", record.bytes_in);
    json.put("bytes_out", record.bytes_out);
    if (record.stream) json.put("events", record.events);
    json.put_if("key", record.key);
    json.put_if("error", record.error);
    json.put_if("reason", record.reason);
    line += '}';
    return line;
}

}  // namespace

Result<LogFormat> log_format_from_name(std::string_view name) {
    if (name == "text") return LogFormat::text;
    if (name == "json") return LogFormat::json;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("log format: \"{}\" was given; allowed are text and json", name)
    );
}

std::string access_line(const RequestRecord& record, LogFormat format) {
    return format == LogFormat::text ? text_line(record) : json_line(record);
}

AccessLog::AccessLog(LineWriter writer, LogFormat format)
    : writer_(std::move(writer)), format_(format) {}

void AccessLog::add(const RequestRecord& record) {
    writer_.add(access_line(record, format_));
}

void AccessLog::reopen() {
    writer_.reopen();
}

std::uint64_t AccessLog::dropped() const {
    return writer_.dropped();
}

void AccessLog::flush() {
    writer_.flush();
}

}  // namespace punie::gateway
