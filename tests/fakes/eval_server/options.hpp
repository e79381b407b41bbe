#pragma once
// What the fake evaluation server is told to do. Flags that are not listed are ignored, with or
// without a value: it stands in for mlx_lm.server.

#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fake {

struct Options {
    // What the real server takes.
    std::string host = "127.0.0.1";
    long port = 8080;  // 0: the kernel's choice, announced
    std::string model = "fake";
    std::string adapter;

    // Answers.
    std::string rules;                // JSONL, see rules.hpp; no rule fits: "ok"
    bool answers_by_adapter = false;  // with an adapter: the file "RULES.adapter"
    std::string content = "ok";
    std::vector<std::string> models;  // of /v1/models, instead of the one model
    long delay_ms = 0;
    long usage = 8;  // completion tokens that an answer claims

    // Faults. A share (0 to 1) is of the bodies, chosen by their hash; no body is in two shares.
    double fail_share = 0;  // 500
    double cut_share = 0;   // the answer stops in its middle and the connection closes
    double hang_share = 0;  // no answer, until the client goes
    long faults = 0;  // a body in a share meets its fault so often, then is answered; 0: always
    long flaky = 0;   // each body's first N attempts get 503
    long status = 0;  // for all
    std::string retry_after = "0";  // of 429 and 503; "" is none
    long max_at_once = 0;           // more in flight get 429
    long exit_after = 0;            // answers, then the process ends

    // The wire.
    bool close = false;   // each answer closes its connection
    bool http10 = false;  // answers as HTTP/1.0 does

    std::string log;  // the body of each answer that was sent whole, a line each
};

inline std::vector<std::string> split(std::string_view text, char by) {
    std::vector<std::string> parts;
    while (true) {
        const auto end = text.find(by);
        if (!text.substr(0, end).empty()) parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

using Apply = std::function<void(const std::string&)>;

inline std::map<std::string, Apply, std::less<>> known_flags(Options& o) {
    const auto text = [](std::string& to) { return [&to](const std::string& v) { to = v; }; };
    const auto number = [](long& to) {
        return [&to](const std::string& v) { to = std::strtol(v.c_str(), nullptr, 10); };
    };
    const auto share = [](double& to) {
        return [&to](const std::string& v) { to = std::strtod(v.c_str(), nullptr); };
    };
    return {
        {"--host", text(o.host)},
        {"--port", number(o.port)},
        {"--model", text(o.model)},
        {"--adapter-path", text(o.adapter)},
        {"--rules", text(o.rules)},
        {"--content", text(o.content)},
        {"--models", [&o](const std::string& v) { o.models = split(v, ','); }},
        {"--delay-ms", number(o.delay_ms)},
        {"--usage", number(o.usage)},
        {"--fail-share", share(o.fail_share)},
        {"--cut-share", share(o.cut_share)},
        {"--hang-share", share(o.hang_share)},
        {"--faults", number(o.faults)},
        {"--flaky", number(o.flaky)},
        {"--status", number(o.status)},
        {"--retry-after", text(o.retry_after)},
        {"--max-at-once", number(o.max_at_once)},
        {"--exit-after", number(o.exit_after)},
        {"--log", text(o.log)},
    };
}

/// "--name value", "--name=value" and bare "--name"; positional words are ignored.
inline Options read_options(const std::vector<std::string>& words) {
    Options options;
    const auto flags = known_flags(options);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        if (!word.starts_with("--")) continue;
        if (word == "--answers-by-adapter") options.answers_by_adapter = true;
        if (word == "--close") options.close = true;
        if (word == "--http10") options.http10 = true;
        const auto equals = word.find('=');
        const auto found = flags.find(word.substr(0, equals));
        if (found == flags.end()) continue;
        if (equals != std::string::npos) {
            found->second(word.substr(equals + 1));
        } else if (i + 1 < words.size()) {
            found->second(words[++i]);
        }
    }
    return options;
}

}  // namespace fake
