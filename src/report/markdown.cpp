#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "base/text.hpp"
#include "report/render.hpp"
#include "report/words.hpp"

namespace punie::report {

namespace {

constexpr std::size_t most_prompts = 50;  // a CI comment must stay readable; HTML has all
constexpr std::size_t text_bytes = 200;

/// Line ends as spaces, the rest safe for a terminal.
std::string one_line(std::string_view text) {
    std::string words(text);
    std::ranges::replace_if(
        words, [](char byte) { return byte == '\n' || byte == '\r' || byte == '\t'; }, ' '
    );
    return printable(words);
}

/// A text inside a table's cell or a line: nothing of it is Markdown or HTML.
std::string inline_text(std::string_view text) {
    const auto words = one_line(text);
    std::string out;
    out.reserve(words.size() + 8);
    for (const char byte : words) {
        if (byte == '<') {
            out += "&lt;";
        } else if (byte == '&') {
            out += "&amp;";
        } else {
            if (std::string_view(R"(\`*_[]|~#!)").contains(byte)) out += '\\';
            out += byte;
        }
    }
    return out;
}

std::string short_text(std::string_view text) {
    return inline_text(shortened(text, text_bytes));
}

std::string_view mark(Tone tone) {
    constexpr std::array<std::string_view, 4> marks = {"✅", "❌", "➖", "⚠️"};
    return marks.at(static_cast<std::size_t>(tone));
}

class Markdown {
public:
    explicit Markdown(const ReportData& data) : data_(data) {}

    std::string take() {
        head();
        variants();
        differences();
        categories();
        trainings();
        changed();
        wrong();
        findings();
        facts("Data", data_.data);
        facts("Environment", data_.environment);
        commands();
        return std::move(out_);
    }

private:
    template <typename... Parts>
    void put(fmt::format_string<Parts...> words, Parts&&... parts) {
        fmt::format_to(std::back_inserter(out_), words, std::forward<Parts>(parts)...);
    }

    const std::string& name(std::size_t variant) const { return data_.variants[variant].name; }

    void head() {
        put("# {}\n\n**{} {}**\n",
            inline_text(data_.title),
            mark(data_.tone),
            inline_text(data_.verdict));
        if (!data_.notes.empty()) put("\n");
        for (const auto& note : data_.notes)
            put("- {}: {}\n", inline_text(note.severity), inline_text(note.text));
    }

    void variants() {
        if (data_.variants.empty()) return;
        put("\n## Variants\n\n| variant | score (95 % interval) | method | prompts | answered | "
            "cut "
            "| unanswered | unparsed |\n|---|---|---|--:|--:|--:|--:|--:|\n");
        for (const auto& one : data_.variants) {
            put("| {} | {} | {} | {} | {} | {} | {} | {} |\n",
                inline_text(one.name),
                percent_with_interval(one.mean),
                inline_text(one.mean.method),
                one.prompts,
                one.counts.answered,
                one.counts.cut,
                one.counts.unanswered(),
                one.counts.unparsed);
        }
        for (const auto& one : data_.variants) {
            for (const auto& note : one.notes)
                put("\n{}: {}\n", inline_text(one.name), inline_text(note));
        }
    }

    void differences() {
        const auto overall = std::ranges::count(data_.differences, "", &Difference::category);
        if (overall == 0) return;
        put("\n## Differences\n\n| | difference (95 % interval) | p (Holm) | method | won / lost / "
            "same | smallest visible | prompts needed |\n|---|---|---|---|---|---|--:|\n");
        for (const auto& one : data_.differences) {
            if (!one.category.empty()) continue;
            put("| {} against {} | {} | {} | {} | {} / {} / {} | {} | {} |\n",
                inline_text(name(one.other)),
                inline_text(name(one.baseline)),
                points_with_interval(one.difference),
                p_words(one.p_adjusted ? one.p_adjusted : one.p),
                inline_text(one.p_method),
                one.won,
                one.lost,
                one.same,
                one.smallest_visible ? fmt::format("{:.1f} points", *one.smallest_visible * 100)
                                     : "",
                one.prompts_needed ? fmt::format("{}", *one.prompts_needed) : "");
        }
        for (const auto& one : data_.differences) {
            if (!one.category.empty()) continue;
            put("\n{} against {}: {}\n",
                inline_text(name(one.other)),
                inline_text(name(one.baseline)),
                inline_text(one.words));
        }
    }

    void categories() {
        std::map<std::string, std::map<std::size_t, const CategoryScore*>> rows;
        for (std::size_t at = 0; at < data_.variants.size(); ++at) {
            for (const auto& one : data_.variants[at].categories) rows[one.category][at] = &one;
        }
        if (rows.empty()) return;
        put("\n## Categories\n\n| category |");
        for (const auto& variant : data_.variants) put(" {} |", inline_text(variant.name));
        put("\n|---|");
        for (std::size_t at = 0; at < data_.variants.size(); ++at) put("---|");
        put("\n");
        for (const auto& [category, scores] : rows) {
            put("| {} |", inline_text(category));
            for (std::size_t at = 0; at < data_.variants.size(); ++at) {
                const auto found = scores.find(at);
                put(" {} |",
                    found == scores.end() ? std::string()
                                          : percent_with_interval(found->second->mean));
            }
            put("\n");
        }
        category_differences();
    }

    void category_differences() {
        for (const auto& one : data_.differences) {
            if (one.category.empty() || (one.claim != "worse" && one.claim != "better")) continue;
            put("\n{}{}: {}\n",
                inline_text(one.category),
                one.exploratory ? " (exploratory)" : "",
                inline_text(one.words));
        }
    }

    void trainings() {
        if (data_.trainings.empty()) return;
        put("\n## Training\n\n| training | iterations | training loss | validation loss | best | "
            "peak memory |\n|---|--:|---|---|--:|--:|\n");
        for (const auto& one : data_.trainings) training(one);
    }

    static std::string from_to(
        const std::vector<CurvePoint>& points, std::optional<double> CurvePoint::* member
    ) {
        const auto has = [&](const CurvePoint& point) { return (point.*member).has_value(); };
        const auto first = std::ranges::find_if(points, has);
        if (first == points.end()) return {};
        const auto last = std::find_if(points.rbegin(), points.rend(), has);
        return fmt::format("{:.3f} to {:.3f}", *((*first).*member), *((*last).*member));
    }

    void training(const Training& one) {
        double memory = 0;
        for (const auto& point : one.points) memory = std::max(memory, point.memory_gb.value_or(0));
        put("| {} | {} | {} | {} | {} | {} |\n",
            inline_text(one.name),
            one.points.empty() ? 0 : one.points.back().iteration,
            from_to(one.points, &CurvePoint::train_loss),
            from_to(one.points, &CurvePoint::valid_loss),
            one.best_iteration ? fmt::format("{}", *one.best_iteration) : "",
            memory > 0 ? fmt::format("{:.2f} GB", memory) : "");
    }

    static double mean_score(const Prompt& prompt, std::size_t variant) {
        double sum = 0;
        double count = 0;
        for (const auto& sample : prompt.samples) {
            if (sample.variant != variant || (sample.state != "answered" && sample.state != "cut"))
                continue;
            sum += sample.score;
            ++count;
        }
        return count == 0 ? -1 : sum / count;
    }

    /// The prompts that each comparison lost: what a reviewer asks for first.
    void changed() {
        for (const auto& one : data_.differences) {
            if (!one.category.empty() || one.lost == 0) continue;
            put("\n## Lost by {} against {}\n\n",
                inline_text(name(one.other)),
                inline_text(name(one.baseline)));
            std::size_t shown = 0;
            for (const auto& prompt : data_.prompts) {
                const auto before = mean_score(prompt, one.baseline);
                const auto after = mean_score(prompt, one.other);
                if (before < 0 || after < 0 || after >= before) continue;
                if (++shown > most_prompts) continue;
                put("- `{}`: {}\n", plain(prompt.id), reason_of(prompt, one.other));
            }
            if (shown > most_prompts) put("- and {} more\n", shown - most_prompts);
        }
    }

    static std::string reason_of(const Prompt& prompt, std::size_t variant) {
        for (const auto& sample : prompt.samples) {
            if (sample.variant == variant && !sample.passed) return short_text(why(sample));
        }
        return {};
    }

    /// Inside a code span a backtick would end it.
    static std::string plain(std::string_view text) {
        auto words = one_line(text);
        std::ranges::replace(words, '`', '\'');
        return words;
    }

    /// Without a comparison: what the only variant did not pass.
    void wrong() {
        if (data_.variants.size() != 1) return;
        std::size_t shown = 0;
        for (const auto& prompt : data_.prompts) {
            for (const auto& sample : prompt.samples) {
                if (sample.passed) continue;
                if (++shown == 1) put("\n## Not passed\n\n");
                if (shown > most_prompts) continue;
                put("- `{}` ({}): {}\n",
                    plain(prompt.id),
                    inline_text(sample.state),
                    short_text(why(sample)));
            }
        }
        if (shown > most_prompts) put("- and {} more\n", shown - most_prompts);
    }

    void findings() {
        if (data_.findings.empty()) return;
        put("\n## Findings in the data\n\n| severity | code | where | what |\n|---|---|---|---|\n");
        std::size_t shown = 0;
        for (const auto& one : data_.findings) {
            if (++shown > most_prompts) continue;
            put("| {} | {} | {}{} | {} |\n",
                inline_text(one.severity),
                inline_text(one.code),
                inline_text(one.file),
                one.line > 0 ? fmt::format(":{}", one.line) : "",
                short_text(one.message));
        }
        if (shown > most_prompts) put("\nand {} more\n", shown - most_prompts);
    }

    void facts(std::string_view title, const std::vector<Fact>& list) {
        if (list.empty()) return;
        put("\n## {}\n\n| | |\n|---|---|\n", title);
        for (const auto& fact : list)
            put("| {} | {} |\n", inline_text(fact.name), inline_text(fact.value));
    }

    void commands() {
        if (!data_.commands.empty()) {
            put("\n## Commands\n\n");
            for (const auto& one : data_.commands)
                put("- {}: `{}`\n", inline_text(one.what), plain(one.text));
        }
        put("\n{}punie {}{}\n",
            data_.created.empty() ? "" : inline_text(data_.created) + ", ",
            inline_text(data_.punie_version),
            data_.run.empty() ? "" : ", run " + inline_text(data_.run));
    }

    const ReportData& data_;
    std::string out_;
};

}  // namespace

std::string render_markdown(const ReportData& data) {
    return Markdown(data).take();
}

}  // namespace punie::report
