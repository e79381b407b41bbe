#include "gateway/access_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "base/json.hpp"
#include "base/text.hpp"
#include "gateway/control_json.hpp"

namespace punie::gateway {

namespace {

/// A field's value as it stands, or quoted when it could be taken for more than one field.
std::string field_value(std::string_view value) {
    const bool plain = !value.empty() && std::ranges::all_of(value, [](char byte) {
        return byte > ' ' && byte < 0x7f && byte != '"' && byte != '=' && byte != '\\';
    });
    if (plain) return std::string(value);
    return to_text(json::string(printable(value)));
}

void put(std::string& line, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    line += ' ';
    line += name;
    line += '=';
    line += field_value(value);
}

std::string text_line(const RequestRecord& record) {
    auto line = fmt::format(
        "{} {} {} {}",
        iso_time(record.time),
        record.status,
        field_value(record.method),
        field_value(record.route)
    );
    put(line, "model", record.model);
    auto out = std::back_inserter(line);
    fmt::format_to(out, " {:.3f}s", record.total);
    if (record.waited >= 0.001) fmt::format_to(out, " waited={:.3f}s", record.waited);
    if (record.first_byte) fmt::format_to(out, " first={:.3f}s", *record.first_byte);
    if (record.tokens_in + record.tokens_out > 0)
        fmt::format_to(out, " tokens={}+{}", record.tokens_in, record.tokens_out);
    fmt::format_to(out, " bytes={}+{}", record.bytes_in, record.bytes_out);
    if (record.stream) line += " stream";
    if (record.torn) line += " torn";
    if (record.attempts > 1) fmt::format_to(out, " attempts={}", record.attempts);
    put(line, "key", record.key);
    put(line, "peer", record.peer);
    put(line, "id", record.id);
    put(line, "error", record.error);
    put(line, "reason", record.reason);
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
    if (format == LogFormat::text) return text_line(record);
    auto object = request_json(0, record);
    object.erase("number");
    object["id"] = printable(record.id);  // invalid UTF-8 would be no JSON
    object["method"] = printable(record.method);
    if (!record.reason.empty()) object["reason"] = printable(record.reason);
    return to_text(object);
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
