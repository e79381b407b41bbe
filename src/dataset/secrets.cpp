// Keys of known makers by their prefixes, as their documentation gives them; no guessing by entropy
// alone, which takes hashes and identifiers for secrets.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "dataset/marks.hpp"

namespace punie::dataset {

namespace {

struct KeyKind {
    std::string_view prefix;
    std::size_t least;  // characters after the prefix
    std::string_view maker;
};

constexpr std::array key_kinds = std::to_array<KeyKind>({
    {"sk-ant-", 24, "Anthropic"},
    {"sk-proj-", 24, "OpenAI"},
    {"sk-or-v1-", 24, "OpenRouter"},
    {"sk-", 24, "OpenAI"},
    {"sk_live_", 16, "Stripe"},
    {"rk_live_", 16, "Stripe"},
    {"ghp_", 30, "GitHub"},
    {"gho_", 30, "GitHub"},
    {"ghs_", 30, "GitHub"},
    {"ghu_", 30, "GitHub"},
    {"github_pat_", 30, "GitHub"},
    {"glpat-", 18, "GitLab"},
    {"AKIA", 16, "AWS"},
    {"ASIA", 16, "AWS"},
    {"AIza", 30, "Google"},
    {"xoxb-", 20, "Slack"},
    {"xoxp-", 20, "Slack"},
    {"xapp-", 20, "Slack"},
    {"hf_", 30, "Hugging Face"},
    {"npm_", 30, "npm"},
    {"pypi-AgEI", 30, "PyPI"},
    {"SG.", 40, "SendGrid"},
    {"gsk_", 30, "Groq"},
    {"eyJhbGciOi", 40, "a JSON Web Token"},
});

bool is_key_byte(char byte) {
    const auto lower = static_cast<unsigned char>(byte | 0x20);
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
           byte == '-' || byte == '.';
}

/// Real keys are random: "sk-xxxxxxxxxxxxxxxxxxxxxxxx" and "sk-your-key-goes-here-please" are not.
bool looks_random(std::string_view key) {
    constexpr std::size_t least_variety = 10;
    const std::set<char> kinds(key.begin(), key.end());
    const auto digits =
        std::ranges::count_if(key, [](char byte) { return byte >= '0' && byte <= '9'; });
    return kinds.size() >= least_variety && digits >= 2;
}

const KeyKind* kind_of(std::string_view token) {
    const auto found = std::ranges::find_if(key_kinds, [&](const KeyKind& kind) {
        return token.starts_with(kind.prefix) && token.size() >= kind.prefix.size() + kind.least &&
               looks_random(token.substr(kind.prefix.size()));
    });
    if (found == key_kinds.end()) return nullptr;
    const bool aws = found->maker == "AWS";
    const auto upper = [](char byte) {
        return (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
    };
    if (aws && (token.size() != 20 || !std::ranges::all_of(token, upper))) return nullptr;
    return &*found;
}

void look_for_keys(std::string_view text, std::vector<TextMark>& marks) {
    for (std::size_t at = 0; at < text.size();) {
        if (!is_key_byte(text[at])) {
            ++at;
            continue;
        }
        auto end = at;
        while (end < text.size() && is_key_byte(text[end])) ++end;
        constexpr std::size_t shortest_key = 20;
        if (end - at >= shortest_key) {
            if (const auto* kind = kind_of(text.substr(at, end - at))) {
                // Never the key itself: findings go to terminals and CI pages.
                marks.push_back(
                    {"D802",
                     at,
                     fmt::format("looks like a key of {} ({}...)", kind->maker, kind->prefix)}
                );
                return;
            }
        }
        at = end;
    }
}

/// "scheme://user:password@host"
void look_for_passwords(std::string_view text, std::vector<TextMark>& marks) {
    for (auto at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
        const auto rest = text.substr(at + 3);
        const auto authority = rest.substr(0, rest.find_first_of("/?# \n\t\"'<>`)"));
        const auto sign = authority.rfind('@');
        const auto colon = authority.find(':');
        if (sign == std::string_view::npos || colon == std::string_view::npos || colon >= sign)
            continue;
        const auto password = authority.substr(colon + 1, sign - colon - 1);
        const auto plain = [](char byte) {
            return byte == '$' || byte == '{' || byte == '<' || byte == '*';
        };
        static constexpr std::array<std::string_view, 8> made_up = {
            "password", "pass", "secret", "pwd", "PASSWORD", "xxx", "token", "postgres"
        };
        if (password.size() < 4 || std::ranges::any_of(password, plain) ||
            std::ranges::find(made_up, password) != made_up.end())
            continue;
        marks.push_back({"D803", at, "an address with a user's password"});
        return;
    }
}

void look_for_emails(std::string_view text, std::vector<TextMark>& marks) {
    for (auto at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
        auto begin = at;
        while (begin > 0 && is_key_byte(text[begin - 1])) --begin;
        auto end = at + 1;
        while (end < text.size() && is_key_byte(text[end])) ++end;
        const auto domain = text.substr(at + 1, end - at - 1);
        const bool made_up = domain.find("example.") != std::string_view::npos;
        const auto dot = domain.find('.');
        if (begin == at || made_up || dot == std::string_view::npos || dot + 2 >= domain.size())
            continue;
        marks.push_back({"D804", begin, "an e-mail address"});
        return;
    }
}

}  // namespace

void look_for_secrets(std::string_view text, const TextWish& wish, std::vector<TextMark>& marks) {
    if (wish.long_words) {
        if (const auto at = text.find("PRIVATE KEY-----"); at != std::string_view::npos)
            marks.push_back({"D801", at, "a private key in PEM form"});
        look_for_keys(text, marks);
    }
    if (!wish.signs.at) return;
    look_for_passwords(text, marks);
    if (wish.emails) look_for_emails(text, marks);
}

}  // namespace punie::dataset
