#include "gateway/redact.hpp"

#include <re2/re2.h>

#include <boost/json.hpp>
#include <memory>
#include <vector>

namespace punie::gateway {

namespace {

/// Linear-time (RE2): texts come from outside.
struct Pattern {
    Pattern(const char* expression, const char* replacement)
        : what(expression, RE2::Quiet), instead(replacement) {}

    RE2 what;
    const char* instead;
};

const std::vector<std::unique_ptr<Pattern>>& patterns() {
    static const auto list = [] {
        std::vector<std::unique_ptr<Pattern>> made;
        const auto add = [&](const char* what, const char* instead) {
            made.push_back(std::make_unique<Pattern>(what, instead));
        };
        add("-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?",
            "[redacted]");
        // Keys as their makers' documentation gives them.
        add(R"(\b(sk-[A-Za-z0-9_-]{16,}|(sk|rk|pk)_(live|test)_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{30,}|)"
            R"(github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{18,}|A[KS]IA[A-Z0-9]{16}\b|AIza[A-Za-z0-9_-]{30,}|)"
            R"(xox[abprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{20,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{30,}|)"
            R"(pypi-[A-Za-z0-9_-]{30,}|SG\.[A-Za-z0-9_.-]{40,}|gsk_[A-Za-z0-9]{30,}|)"
            R"(eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}))",
            "[redacted]");
        // A token has a digit or padding; "a basic question" has neither.
        add(R"((?i)\b(bearer)\s+[A-Za-z._~+/-]*[0-9][A-Za-z0-9._~+/=-]{4,})", "\\1 [redacted]");
        add(R"((?i)\b(basic)\s+([A-Za-z0-9+/]{8,}={1,2}|[A-Za-z+/]*[0-9][A-Za-z0-9+/]{7,}))",
            "\\1 [redacted]");
        // NAME=value, "name": "value", --name value: up to the end of the value.
        add(R"re((?i)(\b[\w-]*(?:api[_-]?key|password|passwd|secret|access[_-]?token|auth[_-]?token|private[_-]?key)["']?\s*[:=]\s*["']?)[^\s"',;}]{4,})re",
            "\\1[redacted]");
        add(R"(([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]+:)[^\s/@]+@)", "\\1[redacted]@");
        return made;
    }();
    return list;
}

bool secret_name(std::string_view name) {
    static const RE2 secret(
        "(?i)(^|[_-])(authorization|api[_-]?key|x-api-key|password|passwd|secret|client_secret|"
        "access[_-]?token|auth[_-]?token|refresh[_-]?token|private[_-]?key|cookie|credentials?)$"
    );
    return RE2::PartialMatch({name.data(), name.size()}, secret);
}

}  // namespace

std::string redact_text(std::string_view text) {
    std::string result(text);
    for (const auto& pattern : patterns())
        RE2::GlobalReplace(&result, pattern->what, pattern->instead);
    return result;
}

// Requests are read with a limit on their depth, so that recursion has one too.
void redact(json::value& value) {
    if (auto* text = value.if_string()) {
        constexpr std::size_t shortest = 8;  // nothing shorter can hold a secret that is known
        if (text->size() >= shortest) *text = redact_text(*text);
    } else if (auto* list = value.if_array()) {
        for (auto& item : *list) redact(item);
    } else if (auto* object = value.if_object()) {
        for (auto& entry : *object) {
            if (secret_name(entry.key()) && !entry.value().is_structured() &&
                !entry.value().is_null()) {
                entry.value() = redacted_mark;
            } else {
                redact(entry.value());
            }
        }
    }
}

}  // namespace punie::gateway
