// samples_TASK_TIME.jsonl of lm-evaluation-harness: a row a document and filter, the metrics as
// fields beside it.

#include <algorithm>
#include <boost/json.hpp>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "compare/readers/readers.hpp"

namespace punie::compare {

namespace {

/// Metrics that a row has: "metrics" of newer versions, else its numbers.
std::vector<std::string> metrics_of(const json::value& row) {
    std::vector<std::string> metrics;
    const auto* listed = member(row, "metrics");
    if (listed != nullptr && listed->is_array()) {
        for (const auto& name : listed->get_array()) {
            if (name.is_string()) metrics.emplace_back(name.get_string());
        }
        return metrics;
    }
    for (const auto& entry : row.get_object()) {
        if (entry.value().is_number() && entry.key() != "doc_id") metrics.emplace_back(entry.key());
    }
    return metrics;
}

std::string text_or_empty(const json::value* value, std::string_view name) {
    return value == nullptr ? std::string() : string_member(*value, name).value_or("");
}

/// What was sent beside the prompt: the second argument of the first request.
std::string sampling_of(const json::value& row) {
    const auto* arguments = member(row, "arguments");
    const auto* first = arguments == nullptr ? nullptr : member(*arguments, "gen_args_0");
    const auto* settings = first == nullptr ? nullptr : member(*first, "arg_1");
    return settings == nullptr || !settings->is_object() ? std::string()
                                                         : sha256_hex(to_text(*settings));
}

class Reader {
public:
    Reader(const Input& input, const ReadOptions& options)
        : table_{.name = input.stem, .source = input.file, .format = "lm-eval"},
          metric_(options.metric),
          filter_(options.filter),
          any_filter_(options.filter.empty()) {}

    Result<void> read(const json::value& row) {
        const auto document = id_member(row, "doc_id");
        if (!document)
            return fail(
                ErrorCode::invalid_argument,
                "\"doc_id\": found nothing, expected a number as lm-evaluation-harness writes it"
            );
        const auto filter = string_member(row, "filter").value_or("none");
        filters_.insert(filter);
        if (any_filter_) {
            filter_ = filter;
            any_filter_ = false;
        }
        if (filter != filter_) return {};
        if (auto chosen = choose_metric(row); !chosen) return chosen;
        return add(row, *document);
    }

    Result<ScoreTable> take() && {
        if (table_.scores.empty())
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("{}: no row has filter \"{}\"", table_.source, filter_),
                fmt::format("it has {}", join_or({filters_.begin(), filters_.end()}))
            );
        if (filters_.size() > 1)
            table_.notes.push_back(fmt::format(
                "judged by filter \"{}\" (of {}); --filter chooses another",
                filter_,
                join_or({filters_.begin(), filters_.end()})
            ));
        if (metrics_.size() > 1)
            table_.notes.push_back(fmt::format(
                "judged by metric \"{}\" (of {}); --metric chooses another",
                metric_,
                join_or(metrics_)
            ));
        return std::move(table_);
    }

private:
    Result<void> choose_metric(const json::value& row) {
        if (!metrics_.empty()) return {};
        metrics_ = metrics_of(row);
        table_.identity.sampling_hash = sampling_of(row);
        if (metric_.empty() && !metrics_.empty()) metric_ = metrics_.front();
        if (std::ranges::find(metrics_, metric_) != metrics_.end()) return {};
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("no metric \"{}\"", metric_),
            metrics_.empty() ? "the row has no metrics"
                             : fmt::format("it has {}", join_or(metrics_))
        );
    }

    Result<void> add(const json::value& row, const std::string& document) {
        const auto* found = member(row, metric_);
        const auto score = found == nullptr ? std::nullopt : score_from(*found);
        if (!score)
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "metric \"{}\": found {}, expected a number from 0 to 1",
                    metric_,
                    found == nullptr ? std::string("nothing") : shown(*found)
                ),
                fmt::format("--metric chooses one of {}", join_or(metrics_))
            );
        if (!seen_.add(document, 0))
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("document {} is there twice under filter \"{}\"", document, filter_),
                "compare the sample files of one task, one file a variant"
            );
        const auto* doc = member(row, "doc");
        auto category = text_or_empty(doc, "category");
        if (category.empty()) category = text_or_empty(doc, "subject");
        table_.scores.push_back(
            {.prompt = document,
             .group = text_or_empty(doc, "group"),
             .category = std::move(category),
             .score = *score,
             .passed = is_full(*score),
             .content = string_member(row, "doc_hash").value_or(""),
             .rendered = string_member(row, "prompt_hash").value_or("")}
        );
        return {};
    }

    ScoreTable table_;
    std::string metric_;
    std::string filter_;
    bool any_filter_;
    std::set<std::string> filters_;
    std::vector<std::string> metrics_;
    Seen seen_;
};

}  // namespace

Result<std::vector<ScoreTable>> read_lm_eval(const Input& input, const ReadOptions& options) {
    Reader reader(input, options);
    auto done = for_each_row(input, [&](const json::value& row) { return reader.read(row); });
    if (!done) return std::unexpected(std::move(done).error());
    auto table = std::move(reader).take();
    if (!table) return std::unexpected(std::move(table).error());
    return std::vector{*std::move(table)};
}

}  // namespace punie::compare
