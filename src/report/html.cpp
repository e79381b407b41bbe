// The page: web/'s template with the data in it. What the list of prompts needs is in one block;
// requests and answers are in blocks of a hundred prompts, which the page parses when it wants
// them. web/src/data.ts reads this.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <span>
#include <stdexcept>

#include <boost/json.hpp>

#include "report/json_writer.hpp"
#include "report/render.hpp"
#include "report/template.hpp"
#include "report/words.hpp"

namespace punie::report {

namespace {

constexpr std::size_t block_prompts = 100;
constexpr std::size_t excerpt_bytes = 120;

/// Different values, each once, in the order in which they came.
class Table {
public:
    std::size_t index_of(const json::value& value) {
        const auto [at, fresh] = known_.try_emplace(to_text(value), values_.size());
        if (fresh) values_.push_back(value);
        return at->second;
    }

    json::array take() { return std::move(values_); }

private:
    std::map<std::string, std::size_t> known_;
    json::array values_;
};

/// What a person recognises a prompt by: the start of its last user message.
std::string excerpt(const Prompt& prompt) {
    for (auto at = prompt.messages.rbegin(); at != prompt.messages.rend(); ++at) {
        if (string_member(*at, "role") != "user") continue;
        if (auto text = string_member(*at, "content")) return shortened(*text, excerpt_bytes);
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

/// One entry a prompt and one a sample, as columns: parsed in a few milliseconds for 10,000.
json::object index_of(const ReportData& data) {
    Table groups;
    Table categories;
    std::array<json::array, 5> by_prompt;
    std::array<json::array, 7> by_sample;
    for (const auto& prompt : data.prompts) {
        by_prompt[0].emplace_back(prompt.id);
        by_prompt[1].emplace_back(excerpt(prompt));
        by_prompt[2].emplace_back(groups.index_of(json::value(prompt.group)));
        by_prompt[3].emplace_back(categories.index_of(json::value(prompt.category)));
        by_prompt[4].emplace_back(prompt.samples.size());
        for (const auto& sample : prompt.samples) {
            by_sample[0].emplace_back(sample.variant);
            by_sample[1].emplace_back(sample.number);
            by_sample[2].emplace_back(code_of(sample.state));
            by_sample[3].emplace_back(sample.score);
            by_sample[4].emplace_back((sample.passed ? 1 : 0) + (sample.unparsed ? 2 : 0));
            by_sample[5].emplace_back(sample.seconds);
            by_sample[6].emplace_back(sample.completion_tokens);
        }
    }
    return {
        {"ids", std::move(by_prompt[0])},
        {"excerpts", std::move(by_prompt[1])},
        {"group", std::move(by_prompt[2])},
        {"category", std::move(by_prompt[3])},
        {"samples", std::move(by_prompt[4])},
        {"groups", groups.take()},
        {"categories", categories.take()},
        {"variant", std::move(by_sample[0])},
        {"number", std::move(by_sample[1])},
        {"state", std::move(by_sample[2])},
        {"score", std::move(by_sample[3])},
        {"flags", std::move(by_sample[4])},
        {"seconds", std::move(by_sample[5])},
        {"tokens", std::move(by_sample[6])}
    };
}

json::array texts_of(const Prompt& prompt, const json::storage_ptr& storage) {
    json::array samples(storage);
    samples.reserve(prompt.samples.size());
    for (const auto& sample : prompt.samples) {
        json::object texts(storage);
        walk_texts(sample, MemberWriter(texts));
        samples.push_back(std::move(texts));
    }
    return samples;
}

json::object prompt_texts(
    const Prompt& prompt, Table& messages, Table& tools, const json::storage_ptr& storage
) {
    json::array asked(storage);
    for (const auto& message : prompt.messages) asked.emplace_back(messages.index_of(message));
    json::array expected(storage);
    for (const auto& one : prompt.expectations) expected.push_back(part_json(one, storage));
    json::object row(storage);
    row["messages"] = std::move(asked);
    row["tools"] = tools.index_of(prompt.tools);
    row["expectations"] = std::move(expected);
    row["samples"] = texts_of(prompt, storage);
    return row;
}

/// Requests and answers of some prompts; messages and tools that repeat are there once.
json::object block_of(std::span<const Prompt> prompts, const json::storage_ptr& storage) {
    Table messages;
    Table tools;
    json::array rows(storage);
    rows.reserve(prompts.size());
    for (const auto& prompt : prompts)
        rows.push_back(prompt_texts(prompt, messages, tools, storage));
    json::object block(storage);
    block["messages"] = messages.take();
    block["tools"] = tools.take();
    block["prompts"] = std::move(rows);
    return block;
}

/// A JSON text that cannot end or change the script element that it stands in: "<" occurs in
/// strings only, and there \u003c means the same.
void put_block(std::string& out, std::string_view id, const json::value& value) {
    fmt::format_to(std::back_inserter(out), "<script type=\"application/json\" id=\"{}\">", id);
    const auto text = to_text(value);
    for (std::size_t at = 0; at < text.size();) {
        const auto found = text.find('<', at);
        out.append(text, at, found - at);
        if (found == std::string::npos) break;
        out += "\\u003c";
        at = found + 1;
    }
    out += "</script>\n";
}

std::string data_blocks(const ReportData& data) {
    json::object head;
    walk_head(data, MemberWriter(head));
    const std::span<const Prompt> prompts = data.prompts;
    head["block_prompts"] = block_prompts;
    head["index"] = index_of(data);
    std::string out;
    put_block(out, "punie-head", head);
    for (std::size_t at = 0; at < prompts.size(); at += block_prompts) {
        const auto count = std::min(block_prompts, prompts.size() - at);
        // A block's values are made, written and dropped together: one arena each is much faster.
        const auto arena = json::make_shared_resource<json::monotonic_resource>();
        put_block(
            out,
            fmt::format("punie-block-{}", at / block_prompts),
            block_of(prompts.subspan(at, count), arena)
        );
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
