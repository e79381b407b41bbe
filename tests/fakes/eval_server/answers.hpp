#pragma once
// What the fake evaluation server says to a body: a rule's message, or a fault.

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "json.hpp"
#include "options.hpp"

namespace fake {

/// A line of the rules file: {"contains": text, "message": {...} or "content": text,
/// "finish_reason": "stop"}.
struct Rule {
    std::string contains;  // as JSON writes it
    std::string message;
    std::string finish_reason;
};

inline std::string message_of(std::string_view raw_content) {
    std::string message = R"({"role":"assistant","content":)";
    return message.append(raw_content).append("}");
}

/// False when the file cannot be read or a line has no "contains".
inline bool read_rules(const std::string& path, std::vector<Rule>& rules) {
    std::ifstream file(path);
    if (!file) return false;
    for (std::string line; std::getline(file, line);) {
        if (line.find('{') == std::string::npos) continue;
        const auto contains = raw_member(line, "contains");
        if (contains.empty()) return false;
        Rule rule{escaped(unquoted(contains)), std::string(raw_member(line, "message")), "stop"};
        if (rule.message.empty()) rule.message = message_of(raw_member(line, "content"));
        if (const auto reason = raw_member(line, "finish_reason"); !reason.empty())
            rule.finish_reason = unquoted(reason);
        rules.push_back(std::move(rule));
    }
    return true;
}

inline std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return hash ^ (hash >> 29U);
}

enum class Fate { answer, error, cut, hang };

struct Reply {
    Fate fate = Fate::answer;
    int status = 200;
    std::string body;
    bool stream = false;
};

class Answers {
public:
    explicit Answers(const Options& options) : options_(options) {}

    bool read() {
        if (options_.rules.empty()) return true;
        const bool tuned = options_.answers_by_adapter && !options_.adapter.empty();
        return read_rules(options_.rules + (tuned ? ".adapter" : ""), rules_);
    }

    Reply to(const std::string& body, long in_flight) {
        if (options_.status != 0)
            return error(static_cast<int>(options_.status), "told to answer so");
        if (options_.max_at_once > 0 && in_flight > options_.max_at_once)
            return error(429, "too many requests at once");
        const auto hash = hash_of(body);
        const auto attempt = ++attempts_[hash];
        if (attempt <= options_.flaky) return error(503, "busy, try again");
        auto fate = fate_of(hash);
        if (options_.faults > 0 && attempt > options_.faults) fate = Fate::answer;
        if (fate == Fate::error) return error(500, "this prompt breaks the model");
        const bool stream = raw_member(body, "stream") == "true";
        return {fate, 200, stream ? events(body, hash) : response(body, hash), stream};
    }

private:
    static Reply error(int status, std::string_view message) {
        std::string body = R"({"error":{"message":")";
        body.append(message).append(R"(","type":"server_error"}})");
        return {Fate::error, status, std::move(body)};
    }

    Fate fate_of(std::uint64_t hash) const {
        const auto at = static_cast<double>(hash % 100'003) / 100'003;
        if (at < options_.fail_share) return Fate::error;
        if (at < options_.fail_share + options_.cut_share) return Fate::cut;
        if (at < options_.fail_share + options_.cut_share + options_.hang_share) return Fate::hang;
        return Fate::answer;
    }

    Rule rule_for(std::string_view body) const {
        for (const auto& rule : rules_) {
            if (body.find(rule.contains) != std::string_view::npos) return rule;
        }
        std::string content = "\"";
        return {"", message_of(content.append(escaped(options_.content)).append("\"")), "stop"};
    }

    /// The same body gets the same bytes, in every run.
    std::string response(std::string_view body, std::uint64_t hash) const {
        const auto rule = rule_for(body);
        char head[160];
        std::snprintf(
            head,
            sizeof head,
            R"({"id":"chatcmpl-%016llx","object":"chat.completion","created":1700000000,"model":)",
            static_cast<unsigned long long>(hash)
        );
        std::string text = head;
        text.append("\"").append(escaped(options_.model)).append("\"");
        text.append(R"(,"choices":[{"index":0,"message":)").append(rule.message);
        text.append(R"(,"finish_reason":")").append(rule.finish_reason).append("\"}],");
        return text.append(usage(body)).append("}");
    }

    std::string usage(std::string_view body) const {
        const auto asked = static_cast<long>(body.size() / 4);
        char text[128];
        std::snprintf(
            text,
            sizeof text,
            R"("usage":{"prompt_tokens":%ld,"completion_tokens":%ld,"total_tokens":%ld})",
            asked,
            options_.usage,
            asked + options_.usage
        );
        return text;
    }

    /// The whole message as one event: for readiness checks that ask for a stream.
    std::string events(std::string_view body, std::uint64_t hash) const {
        auto whole = response(body, hash);
        const auto at = whole.find("\"message\":");
        if (at != std::string::npos) whole.replace(at, 10, "\"delta\":");
        return "data: " + whole + "\n\ndata: [DONE]\n\n";
    }

    const Options& options_;
    std::vector<Rule> rules_;
    std::unordered_map<std::uint64_t, long> attempts_;
};

}  // namespace fake
