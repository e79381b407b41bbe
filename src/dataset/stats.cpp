#include "dataset/stats.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/text.hpp"
#include "dataset/folder.hpp"
#include "dataset/line_reader.hpp"
#include "dataset/row_check.hpp"

namespace punie::dataset {

namespace {

/// Bins 0, 1, 2-3, 4-7, ... from the least to the most value, joined to at most twelve.
std::vector<Distribution::Bin> histogram_of(const std::vector<std::uint32_t>& sorted) {
    std::vector<Distribution::Bin> bins;
    for (const auto value : sorted) {
        const std::uint64_t from = value == 0 ? 0 : std::bit_floor(value);
        if (bins.empty() || bins.back().from != from)
            bins.push_back({from, from == 0 ? 1 : from * 2, 0});
        ++bins.back().rows;
    }
    constexpr std::size_t most_bins = 12;
    while (bins.size() > most_bins) {
        bins[1].from = bins[0].from;
        bins[1].rows += bins[0].rows;
        bins.erase(bins.begin());
    }
    return bins;
}

struct Values {
    std::vector<std::uint32_t> tokens;
    std::vector<std::uint32_t> trained;
    std::vector<std::uint32_t> turns;
    std::vector<std::uint32_t> answers;
};

class StatsReader {
public:
    explicit StatsReader(const DataFile& file) : checker_({.hashes = true, .near = false}) {
        stats_.file = file.name;
        stats_.bytes = file.bytes;
    }

    Result<void> read(const DataFile& file) {
        auto reader = LineReader::open(file.path);
        if (!reader) return std::unexpected(reader.error());
        Line line;
        while (reader->next(line)) {
            auto text = line.text;
            if (line.number == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
            if (trim(text).empty()) continue;
            const auto* row = line.too_long ? nullptr : parser_.parse(text);
            if (row == nullptr || !row->is_object()) {
                ++stats_.bad_rows;
                continue;
            }
            take(*row);
        }
        return {};
    }

    void take_rendered(const RenderedRow& row) {
        if (!row.error.empty()) return;
        if (!stats_.exact_tokens) values_.tokens.clear();
        stats_.exact_tokens = true;
        values_.tokens.push_back(static_cast<std::uint32_t>(row.tokens));
        values_.trained.push_back(static_cast<std::uint32_t>(row.trained));
    }

    FileStats finish() {
        stats_.tokens = distribution_of(std::move(values_.tokens));
        stats_.trained_tokens = distribution_of(std::move(values_.trained));
        stats_.turns = distribution_of(std::move(values_.turns));
        stats_.answer_characters = distribution_of(std::move(values_.answers));
        return std::move(stats_);
    }

private:
    void take(const Node& row) {
        checker_.check(parser_, row, Format::none);
        const auto& facts = checker_.facts();
        ++stats_.rows;
        ++stats_.formats
              [facts.format == Format::none ? "unknown" : std::string(name_of(facts.format))];
        stats_.with_system += facts.system ? 1 : 0;
        stats_.with_tools += facts.tools != nullptr && !facts.tools->tools.empty() ? 1 : 0;
        stats_.calling += facts.calls.empty() ? 0 : 1;
        for (const auto name : facts.called) ++stats_.calls[printable(name)];
        values_.tokens.push_back(static_cast<std::uint32_t>(facts.estimated_tokens));
        if (!facts.answer.empty())
            values_.answers.push_back(static_cast<std::uint32_t>(facts.answer.size()));
        const auto* messages = facts.format == Format::chat ? row.find("messages") : nullptr;
        if (messages == nullptr || !messages->is_array()) return;
        values_.turns.push_back(messages->count);
        for (const auto& message : elements(*messages))
            ++stats_.roles[printable(message.string("role").value_or("(none)"))];
    }

    FileStats stats_;
    Values values_;
    RowParser parser_;
    RowChecker checker_;
};

}  // namespace

Distribution distribution_of(std::vector<std::uint32_t> values) {
    Distribution found;
    found.count = values.size();
    if (values.empty()) return found;
    std::ranges::sort(values);
    const auto at = [&](double share) {
        const auto place = std::ceil(share * static_cast<double>(values.size()));
        return values[static_cast<std::size_t>(std::max(1.0, place)) - 1];
    };
    const auto sum = std::accumulate(values.begin(), values.end(), std::uint64_t{0});
    found.mean = static_cast<double>(sum) / static_cast<double>(values.size());
    found.least = values.front();
    found.median = at(0.5);
    found.p90 = at(0.9);
    found.p99 = at(0.99);
    found.most = values.back();
    found.histogram = histogram_of(values);
    return found;
}

Result<std::vector<FileStats>> data_stats(
    const std::filesystem::path& place,
    RowRenderer* renderer,
    bool mask_prompt,
    std::size_t max_seq_length
) {
    const auto folder = look_at_folder(place);
    if (!folder) return std::unexpected(folder.error());
    if (folder->files.empty())
        return fail(
            ErrorCode::not_found, place.native() + " has no train.jsonl, valid.jsonl or test.jsonl"
        );
    std::vector<std::unique_ptr<StatsReader>> readers;
    RenderRequest request{.mask_prompt = mask_prompt, .max_seq_length = max_seq_length};
    for (const auto& file : folder->files) {
        readers.push_back(std::make_unique<StatsReader>(file));
        request.files.push_back(file.path);
        if (auto done = readers.back()->read(file); !done) return std::unexpected(done.error());
    }
    if (renderer != nullptr) {
        const auto done = renderer->render(
            request,
            [](const ModelFacts&) {},
            [&](const RenderedRow& row) { readers.at(row.file)->take_rendered(row); }
        );
        if (!done) return std::unexpected(done.error());
    }
    std::vector<FileStats> stats;
    stats.reserve(readers.size());
    for (auto& reader : readers) stats.push_back(reader->finish());
    return stats;
}

}  // namespace punie::dataset
