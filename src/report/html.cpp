// The page: web/'s template with the data in it. What the list of prompts needs is in one block;
// requests and answers are in blocks of a hundred prompts, which the page parses when it wants
// them. web/src/data.ts reads this.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <ranges>
#include <span>
#include <stdexcept>
#include <unordered_map>

#include "report/json_text.hpp"
#include "report/render.hpp"
#include "report/template.hpp"
#include "report/words.hpp"

namespace punie::report {

namespace {

constexpr std::size_t block_prompts = 100;
constexpr std::size_t excerpt_bytes = 120;

/// Different texts, each once, in the order in which they came.
class Table {
public:
    std::size_t index_of(std::string text) {
        const auto [at, fresh] = known_.try_emplace(std::move(text), texts_.size());
        if (fresh) texts_.push_back(&at->first);
        return at->second;
    }

    const std::vector<const std::string*>& texts() const { return texts_; }

private:
    std::unordered_map<std::string, std::size_t> known_;  // its keys stay where they are
    std::vector<const std::string*> texts_;
};

/// What a person recognises a prompt by: the start of its last user message.
std::string excerpt(const Prompt& prompt) {
    for (const auto& message : std::ranges::reverse_view(prompt.messages)) {
        if (string_member(message, "role") != "user") continue;
        if (auto text = string_member(message, "content")) return shortened(*text, excerpt_bytes);
    }
    return {};
}

std::size_t code_of(std::string_view state) {
    constexpr std::array<std::string_view, 5> states = {
        "answered", "cut", "refused", "failed", "not_asked"
    };
    const auto* found = std::ranges::find(states, state);
    return static_cast<std::size_t>(found == states.end() ? 3 : found - states.begin());
}

/// A member that is a list of one value a prompt.
template <typename Value>
void put_column(JsonText& out, std::string_view name, const ReportData& data, const Value& value) {
    out.name(name);
    out.open('[');
    for (const auto& prompt : data.prompts) {
        out.element();
        out.value(value(prompt));
    }
    out.close(']');
}

/// A member that is a list of one value a sample.
template <typename Value>
void put_sample_column(
    JsonText& out, std::string_view name, const ReportData& data, const Value& value
) {
    out.name(name);
    out.open('[');
    for (const auto& prompt : data.prompts) {
        for (const auto& sample : prompt.samples) {
            out.element();
            out.value(value(sample));
        }
    }
    out.close(']');
}

/// The different values of a table, as texts or as the JSON that they are.
void put_table(JsonText& out, std::string_view name, const Table& table, bool is_json) {
    out.name(name);
    out.open('[');
    for (const auto* text : table.texts()) {
        out.element();
        if (is_json)
            out.raw(*text);
        else
            out.value(*text);
    }
    out.close(']');
}

/// One entry a prompt and one a sample, as columns: parsed in a few milliseconds for 10,000.
void put_index(JsonText& out, const ReportData& data) {
    Table groups;
    Table categories;
    out.name("index");
    out.open('{');
    put_column(out, "ids", data, [](const Prompt& prompt) { return std::string_view(prompt.id); });
    put_column(out, "excerpts", data, excerpt);
    put_column(out, "group", data, [&](const Prompt& prompt) {
        return groups.index_of(prompt.group);
    });
    put_column(out, "category", data, [&](const Prompt& prompt) {
        return categories.index_of(prompt.category);
    });
    put_column(out, "samples", data, [](const Prompt& prompt) { return prompt.samples.size(); });
    put_table(out, "groups", groups, false);
    put_table(out, "categories", categories, false);
    put_sample_column(out, "variant", data, [](const Sample& sample) { return sample.variant; });
    put_sample_column(out, "number", data, [](const Sample& sample) { return sample.number; });
    put_sample_column(out, "state", data, [](const Sample& sample) {
        return code_of(sample.state);
    });
    put_sample_column(out, "score", data, [](const Sample& sample) { return sample.score; });
    put_sample_column(out, "flags", data, [](const Sample& sample) {
        return (sample.passed ? 1 : 0) + (sample.unparsed ? 2 : 0);
    });
    put_sample_column(out, "seconds", data, [](const Sample& sample) { return sample.seconds; });
    put_sample_column(out, "tokens", data, [](const Sample& sample) {
        return sample.completion_tokens;
    });
    out.close('}');
}

void put_prompt(JsonText& out, const Prompt& prompt, Table& messages, Table& tools) {
    out.open('{');
    out.name("messages");
    out.open('[');
    for (const auto& message : prompt.messages) {
        out.element();
        out.value(messages.index_of(to_text(message)));
    }
    out.close(']');
    out.name("tools");
    out.value(tools.index_of(to_text(prompt.tools)));
    out.name("expectations");
    out.value(prompt.expectations);
    out.name("samples");
    out.open('[');
    for (const auto& sample : prompt.samples) {
        out.element();
        out.open('{');
        walk_texts(sample, out.members());
        out.close('}');
    }
    out.close(']');
    out.close('}');
}

constexpr JsonStyle page_style{.in_html = true};

/// A JSON text that cannot end or change the script element that it stands in.
template <typename Put>
void put_block(std::string& out, std::string_view id, const Put& put) {
    fmt::format_to(std::back_inserter(out), R"(<script type="application/json" id="{}">)", id);
    JsonText text(out, page_style);
    text.open('{');
    put(text);
    text.close('}');
    out += "</script>\n";
}

/// Requests and answers of some prompts; messages and tools that repeat are there once.
void put_prompts(JsonText& out, std::span<const Prompt> prompts) {
    Table messages;
    Table tools;
    std::string rows;
    JsonText text(rows, page_style);
    text.open('[');
    for (const auto& prompt : prompts) {
        text.element();
        put_prompt(text, prompt, messages, tools);
    }
    text.close(']');
    put_table(out, "messages", messages, true);
    put_table(out, "tools", tools, true);
    out.name("prompts");
    out.raw(rows);
}

std::string data_blocks(const ReportData& data) {
    const std::span<const Prompt> prompts = data.prompts;
    std::string out;
    put_block(out, "punie-head", [&](JsonText& text) {
        walk_head(data, text.members());
        text.name("block_prompts");
        text.value(block_prompts);
        put_index(text, data);
    });
    for (std::size_t at = 0; at < prompts.size(); at += block_prompts) {
        const auto some = prompts.subspan(at, std::min(block_prompts, prompts.size() - at));
        put_block(out, fmt::format("punie-block-{}", at / block_prompts), [&](JsonText& text) {
            put_prompts(text, some);
        });
    }
    return out;
}

/// Fills places of the template in their order; what is filled in is never looked at again.
class Filler {
public:
    explicit Filler(std::string_view page) : rest_(page) {}

    void fill(std::string_view place, std::string_view text) {
        const auto at = rest_.find(place);
        if (at == std::string_view::npos)
            throw std::logic_error(fmt::format("web/dist/report.html has no {}", place));
        out_ += rest_.substr(0, at);
        out_ += text;
        rest_.remove_prefix(at + place.size());
    }

    std::string take() {
        out_ += rest_;
        return std::move(out_);
    }

private:
    std::string_view rest_;
    std::string out_;
};

}  // namespace

std::string render_html(const ReportData& data) {
    Filler page(page_template());
    page.fill("{{title}}", xml_escaped(data.title));
    page.fill("{{title}}", xml_escaped(data.title));
    page.fill("{{tone}}", name_of(data.tone));
    page.fill("{{verdict}}", xml_escaped(data.verdict));
    page.fill("{{data}}", data_blocks(data));
    return page.take();
}

}  // namespace punie::report
