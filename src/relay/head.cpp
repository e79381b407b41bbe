#include "relay/head.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "relay/syntax.hpp"

namespace punie::relay {

namespace {

struct Field {
    std::string_view name;
    std::string_view value;
};

/// One header line without its end, nothing if it is none.
std::optional<Field> split_field(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const Field field{line.substr(0, colon), trimmed(line.substr(colon + 1))};
    if (!is_token(field.name) || !is_field_value(field.value)) return std::nullopt;
    return field;
}

/// Takes the first line off `text`; its CR LF is there.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find("\r\n");
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 2));
    return line;
}

std::unexpected<Refusal> refuse(int status, std::string message) {
    return std::unexpected(Refusal{.status = status, .message = std::move(message)});
}

/// Whether a Host header (or the authority of a target) has only characters of one.
bool is_host(std::string_view text) {
    constexpr std::string_view others = ".-_:[]%~!$&'()*+;=";
    return !text.empty() && std::ranges::all_of(text, [others](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               others.find(c) != std::string_view::npos;
    });
}

/// What a request's headers said so far about its framing.
struct Seen {
    std::optional<std::string_view> host;
    std::optional<std::string_view> length;
    std::optional<std::string_view> encoding;
    bool close = false;
    bool keep = false;
    std::string_view expect;
};

/// Notes what decides framing; the refusal of a header that may stand but once.
std::optional<Refusal> note(Seen& seen, const Field& field) {
    const auto once = [&](std::optional<std::string_view>& place) -> std::optional<Refusal> {
        if (place) return Refusal{.message = fmt::format("the header {} stands twice", field.name)};
        place = field.value;
        return std::nullopt;
    };
    if (same_name(field.name, "host")) return once(seen.host);
    if (same_name(field.name, "content-length")) return once(seen.length);
    if (same_name(field.name, "transfer-encoding")) return once(seen.encoding);
    if (same_name(field.name, "expect")) seen.expect = field.value;
    if (same_name(field.name, "connection")) {
        seen.close = seen.close || has_item(field.value, "close");
        seen.keep = seen.keep || has_item(field.value, "keep-alive");
    }
    return std::nullopt;
}

std::optional<Refusal> set_framing(const Seen& seen, RequestHead& request) {
    if (seen.encoding) {
        if (seen.length) {
            return Refusal{
                .message =
                    "Transfer-Encoding and Content-Length together leave open where the "
                    "body ends"
            };
        }
        if (request.head.minor == 0) return Refusal{.message = "HTTP/1.0 has no Transfer-Encoding"};
        if (!same_name(*seen.encoding, "chunked"))
            return Refusal{.message = "the only Transfer-Encoding that is read is \"chunked\""};
        request.framing = Framing::chunked;
        return std::nullopt;
    }
    if (!seen.length) return std::nullopt;
    const auto length = decimal(*seen.length);
    if (!length) return Refusal{.message = "the Content-Length is no decimal number"};
    request.length = *length;
    request.framing = *length == 0 ? Framing::none : Framing::length;
    return std::nullopt;
}

std::optional<Refusal> judge(const Seen& seen, RequestHead& request) {
    if (!seen.host && request.head.minor == 1)
        return Refusal{.message = "HTTP/1.1 needs the header Host"};
    if (seen.host && !is_host(*seen.host))
        return Refusal{.message = "the header Host is no host and port"};
    if (auto refused = set_framing(seen, request)) return refused;
    request.keep_alive = !seen.close && (seen.keep || request.head.minor == 1);
    if (!seen.expect.empty() && request.head.minor == 1) {
        if (!same_name(seen.expect, "100-continue"))
            return Refusal{.status = 417, .message = "the only Expect known is 100-continue"};
        request.expects_continue = request.framing != Framing::none;
    }
    return std::nullopt;
}

/// "http://host/path" made into "/path"; its host must be that of the Host header, so that whoever
/// checks that one has checked both.
std::optional<Refusal> set_target(std::string_view target, const Seen& seen, Head& head) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() < scheme.size() || !same_name(target.substr(0, scheme.size()), scheme))
            continue;
        target.remove_prefix(scheme.size());
        const auto authority = target.substr(0, target.find_first_of("/?"));
        if (!seen.host || !same_name(authority, *seen.host))
            return Refusal{.message = "the target's host is not that of the header Host"};
        target.remove_prefix(authority.size());
        head.target = target.starts_with('/') ? std::string(target) : fmt::format("/{}", target);
    }
    if (head.target.empty()) head.target = target;
    auto path = percent_decoded(std::string_view(head.target).substr(0, head.target.find('?')));
    if (!path || !head.target.starts_with('/') || head.target.contains('#'))
        return Refusal{.message = "the request's target is no path"};
    head.path = *std::move(path);
    if (const auto question = head.target.find('?'); question != std::string::npos)
        head.query = head.target.substr(question + 1);
    return std::nullopt;
}

/// "GET /path HTTP/1.1" without its end; gives back the target.
std::expected<std::string_view, Refusal> parse_request_line(std::string_view line, Head& head) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return refuse(400, "the first line is not \"METHOD TARGET HTTP/1.1\"");
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!is_token(method) || method.size() > 32)
        return refuse(400, "the method has a character that none may have");
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (target.empty() || !std::ranges::all_of(target, visible))
        return refuse(400, "the target has a character that none may have");
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        const bool other = version.size() == 8 && version.starts_with("HTTP/") &&
                           version[6] == '.' && version[5] >= '0' && version[5] <= '9';
        return other ? refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
                     : refuse(400, "the first line does not end in HTTP/1.1");
    }
    head.method = method;
    head.minor = version.back() - '0';
    return target;
}

}  // namespace

HeadScanner::State HeadScanner::look(std::string_view bytes) {
    if (seen_ == 0 && !bytes.empty() && !is_token(bytes.substr(0, 1))) return State::bad;
    const auto has_nul = [](std::string_view text) { return text.contains('\0'); };
    while (true) {
        const auto end = bytes.find('\n', seen_);
        if (end == std::string_view::npos) break;
        if (end == line_ || bytes[end - 1] != '\r') return State::bad;
        if (has_nul(bytes.substr(seen_, end - seen_))) return State::bad;  // behind it: the body's
        seen_ = end + 1;
        if (end - 1 == line_) {
            size_ = seen_;
            return State::complete;
        }
        line_ = seen_;
    }
    if (has_nul(bytes.substr(seen_))) return State::bad;
    seen_ = bytes.size();
    return State::incomplete;
}

std::expected<RequestHead, Refusal> parse_request_head(std::string_view text, std::size_t headers) {
    RequestHead request;
    const auto target = parse_request_line(take_line(text), request.head);
    if (!target) return std::unexpected(target.error());
    Seen seen;
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    if (lines > headers + 1)
        return refuse(431, fmt::format("the request has more than {} headers", headers));
    request.head.headers.reserve(lines);
    for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
        const auto field = split_field(line);
        if (!field) return refuse(400, "a header is not \"Name: value\"");
        if (auto refused = note(seen, *field)) return std::unexpected(*std::move(refused));
        request.head.headers.emplace_back(field->name, field->value);
    }
    if (auto refused = judge(seen, request)) return std::unexpected(*std::move(refused));
    if (auto refused = set_target(*target, seen, request.head))
        return std::unexpected(*std::move(refused));
    return request;
}

namespace {

struct AnswerSeen {
    std::optional<std::string_view> length;
    std::optional<std::string_view> encoding;
    std::string_view connection;
    bool twice = false;
};

void note_answer(AnswerSeen& seen, const Field& field) {
    if (same_name(field.name, "connection")) seen.connection = field.value;
    if (same_name(field.name, "content-length")) {
        seen.twice = seen.twice || (seen.length && *seen.length != field.value);
        seen.length = field.value;
    }
    if (same_name(field.name, "transfer-encoding")) {
        seen.twice = seen.twice || seen.encoding;
        seen.encoding = field.value;
    }
}

std::expected<void, std::string> frame_answer(
    const AnswerSeen& seen, bool bodiless, ResponseHead& answer
) {
    if (seen.twice || (seen.length && seen.encoding))
        return std::unexpected("its headers say in two ways where the body ends");
    answer.keep_alive = answer.minor == 1 ? !has_item(seen.connection, "close")
                                          : has_item(seen.connection, "keep-alive");
    answer.framing = Framing::until_close;
    answer.length = 0;
    if (seen.length) {
        const auto length = decimal(*seen.length);
        if (!length) return std::unexpected("its Content-Length is no number");
        answer.length = *length;
        answer.framing = Framing::length;
    }
    if (seen.encoding) {
        if (!same_name(*seen.encoding, "chunked"))
            return std::unexpected(
                fmt::format("its Transfer-Encoding is \"{}\", not chunked", *seen.encoding)
            );
        answer.framing = Framing::chunked;
    }
    if (bodiless) answer.framing = Framing::none;
    return {};
}

std::expected<void, std::string> parse_status_line(std::string_view line, ResponseHead& answer) {
    const bool fits = line.size() >= 12 && line.starts_with("HTTP/1.") &&
                      (line[7] == '1' || line[7] == '0') && line[8] == ' ' &&
                      (line.size() == 12 || line[12] == ' ');
    const auto status = fits ? decimal(line.substr(9, 3)) : std::nullopt;
    if (!status || *status < 100) return std::unexpected("it is not an HTTP/1.1 answer");
    answer.minor = line[7] - '0';
    answer.status = static_cast<int>(*status);
    return {};
}

bool for_the_client(std::string_view name, std::string_view connection) {
    if (is_hop_by_hop(name) || same_name(name, "date")) return false;
    return connection.empty() || !has_item(connection, name);
}

}  // namespace

std::expected<void, std::string> parse_response_head(
    std::string_view text, bool answer_to_head, ResponseHead& into
) {
    if (auto parsed = parse_status_line(take_line(text), into); !parsed) return parsed;
    AnswerSeen seen;
    into.lines.clear();
    const auto fields = text;
    for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
        const auto field = split_field(line);
        if (!field) return std::unexpected("a header of it is not \"Name: value\"");
        note_answer(seen, *field);
    }
    const bool close_or_keep = seen.connection.empty() || same_name(seen.connection, "close") ||
                               same_name(seen.connection, "keep-alive");
    const auto named = close_or_keep ? std::string_view() : seen.connection;
    text = fields;
    for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
        if (!for_the_client(line.substr(0, line.find(':')), named)) continue;
        into.lines.append(line);
        into.lines.append("\r\n");
    }
    const bool bodiless =
        answer_to_head || into.status < 200 || into.status == 204 || into.status == 304;
    return frame_answer(seen, bodiless, into);
}

Headers headers_of_lines(std::string_view lines) {
    Headers headers;
    headers.reserve(static_cast<std::size_t>(std::ranges::count(lines, '\n')));
    while (!lines.empty()) {
        const auto line = take_line(lines);
        const auto colon = line.find(':');
        headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
    return headers;
}

std::string_view value_in_lines(std::string_view lines, std::string_view name) {
    while (!lines.empty()) {
        const auto line = take_line(lines);
        const auto colon = line.find(':');
        if (same_name(line.substr(0, colon), name)) return trimmed(line.substr(colon + 1));
    }
    return {};
}

}  // namespace punie::relay
