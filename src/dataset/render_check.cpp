#include "dataset/render_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "dataset/bytes.hpp"
#include "dataset/lengths.hpp"

namespace punie::dataset {

namespace {

struct FileFigures {
    RowLengths lengths;
    std::uint64_t trained = 0;
    std::size_t too_long = 0;
    std::size_t untrained = 0;
};

/// Both texts of D902 under each other.
std::string side_by_side(const RenderedRow& row) {
    return fmt::format(
        "training sees {:?}, serving sends {:?}", row.training_text, row.serving_text
    );
}

class RenderCheck {
public:
    RenderCheck(const DataFolder& folder, const ValidateOptions& options, FindingLog& log)
        : folder_(folder), options_(options), log_(log), figures_(folder.files.size()) {}

    void take_facts(const ModelFacts& facts) {
        facts_ = facts;
        if (!facts.has_template)
            log_.add(
                {""},
                {.code = "D904", .message = fmt::format("{} has no chat template", facts.name)}
            );
        if (facts.serving_differs)
            log_.add(
                {""},
                {.code = "D905",
                 .message = fmt::format(
                     "the template that serves is another text than that of {}", facts.name
                 )}
            );
    }

    void take(const RenderedRow& row) {
        if (!row.error.empty()) {
            // Without a template every row says so.
            if (facts_.has_template) add(row, "D901", row.error);
            return;
        }
        auto& figures = figures_.at(row.file);
        figures.lengths.add(row.line, row.keys, row.tokens);
        figures.trained += row.trained;
        judge_length(row, figures);
        if (row.prompt_differs) add(row, "D902", side_by_side(row));
        if (!row.ends_with_eos)
            add(row,
                "D903",
                fmt::format(
                    "the last token is {:?}; {} ends answers with {}",
                    row.last_token,
                    facts_.name,
                    join_or(facts_.eos_texts)
                ));
        if (row.double_bos) add(row, "D907", "the rendered row begins with two begin tokens");
        if (row.double_encoded)
            add(row, "D906", "the arguments of a tool call are rendered as a JSON string");
    }

    void put(std::vector<SplitReport>& splits) const {
        for (std::size_t file = 0; file < folder_.files.size(); ++file) {
            const auto split =
                std::ranges::find(splits, folder_.files[file].split, &SplitReport::split);
            const auto& figures = figures_[file];
            if (split == splits.end() || figures.lengths.rows() == 0) continue;
            const auto picture =
                figures.lengths.batches(options_.batch_size, options_.max_seq_length);
            split->exact_tokens = true;
            split->tokens = figures.lengths.tokens();
            split->trained_tokens = figures.trained;
            split->longest = figures.lengths.longest();
            split->rows_too_long = figures.too_long;
            split->rows_untrained = figures.untrained;
            split->padding_share = picture.padding_share;
        }
    }

private:
    void add(const RenderedRow& row, std::string_view code, std::string message) {
        const auto& name = folder_.files.at(row.file).name;
        // The row's bytes are not at hand here; its line identifies it.
        log_.add({name, row.line, row.line}, {.code = code, .message = std::move(message)});
    }

    void judge_length(const RenderedRow& row, FileFigures& figures) {
        const auto limit = options_.max_seq_length;
        if (row.tokens > limit) {
            ++figures.too_long;
            add(row,
                "D701",
                fmt::format(
                    "{} tokens, the limit is {}: the last {} are cut",
                    row.tokens,
                    limit,
                    row.tokens - limit
                ));
        }
        if (row.trained > 0) return;
        ++figures.untrained;
        add(row,
            "D702",
            fmt::format(
                "{} tokens, the trained part begins at {}, the limit is {}: nothing is left to "
                "train",
                row.tokens,
                row.offset,
                limit
            ));
    }

    const DataFolder& folder_;
    const ValidateOptions& options_;
    FindingLog& log_;
    ModelFacts facts_;
    std::vector<FileFigures> figures_;
};

}  // namespace

Result<void> check_rendered(
    const DataFolder& folder,
    const ValidateOptions& options,
    FindingLog& log,
    std::vector<SplitReport>& splits
) {
    RenderRequest request{
        .mask_prompt = options.mask_prompt, .max_seq_length = options.max_seq_length
    };
    for (const auto& file : folder.files) request.files.push_back(file.path);
    RenderCheck check(folder, options, log);
    const auto done = options.renderer->render(
        request,
        [&](const ModelFacts& facts) { check.take_facts(facts); },
        [&](const RenderedRow& row) { check.take(row); }
    );
    if (!done) return done;
    check.put(splits);
    return {};
}

}  // namespace punie::dataset
