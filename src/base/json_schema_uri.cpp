// Just enough of RFC 3986 for $id and $ref.

#include <fmt/format.h>

#include "base/json_schema_node.hpp"

namespace punie::schema {

namespace {

struct Uri {
    std::string_view scheme;     ///< with its colon
    std::string_view authority;  ///< with its two slashes
    std::string_view path;
    std::string_view query;     ///< with its question mark
    std::string_view fragment;  ///< with its hash
};

bool is_scheme(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (text.empty() || !letter(text.front())) return false;
    for (const char c : text) {
        if (!letter(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') return false;
    }
    return true;
}

std::string_view cut_at(std::string_view& text, std::string_view marks) {
    const auto at = text.find_first_of(marks);
    const auto head = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at);
    return head;
}

Uri split(std::string_view text) {
    Uri uri;
    const auto colon = text.find_first_of(":/?#");
    if (colon != std::string_view::npos && text[colon] == ':' && is_scheme(text.substr(0, colon))) {
        uri.scheme = text.substr(0, colon + 1);
        text.remove_prefix(colon + 1);
    }
    if (text.starts_with("//")) {
        auto rest = text.substr(2);
        const auto host = cut_at(rest, "/?#");
        uri.authority = text.substr(0, host.size() + 2);
        text = rest;
    }
    uri.path = cut_at(text, "?#");
    uri.query = cut_at(text, "#");
    uri.fragment = text;
    return uri;
}

std::string without_dots(std::string_view path) {
    std::string out;
    out.reserve(path.size());
    while (!path.empty()) {
        const auto end = path.find('/', 1);
        const auto segment = path.substr(0, end);
        path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
        if (segment == "/." || segment == "/..") {
            if (segment == "/..") out.erase(std::min(out.size(), out.rfind('/')));
            if (path.empty()) out += '/';
            continue;
        }
        out += segment;
    }
    return out;
}

std::string merged(const Uri& base, std::string_view path) {
    if (!base.authority.empty() && base.path.empty()) return fmt::format("/{}", path);
    const auto slash = base.path.rfind('/');
    if (slash == std::string_view::npos) return std::string(path);
    return fmt::format("{}{}", base.path.substr(0, slash + 1), path);
}

}  // namespace

std::string resolve_uri(std::string_view base_text, std::string_view reference) {
    const auto base = split(base_text);
    const auto wanted = split(reference);
    if (!wanted.scheme.empty()) return std::string(reference);
    if (!wanted.authority.empty()) return fmt::format("{}{}", base.scheme, reference);
    if (wanted.path.empty()) {
        return fmt::format(
            "{}{}{}{}{}",
            base.scheme,
            base.authority,
            base.path,
            wanted.query.empty() ? base.query : wanted.query,
            wanted.fragment
        );
    }
    const auto path =
        wanted.path.starts_with('/') ? std::string(wanted.path) : merged(base, wanted.path);
    return fmt::format(
        "{}{}{}{}{}", base.scheme, base.authority, without_dots(path), wanted.query, wanted.fragment
    );
}

}  // namespace punie::schema
