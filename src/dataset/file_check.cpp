#include "dataset/file_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/files.hpp"
#include "base/text.hpp"
#include "dataset/bytes.hpp"
#include "dataset/codes.hpp"

namespace punie::dataset {

namespace {

constexpr std::size_t fewest_prompt_words = 5;  // "Hello", "go on" are asked in every set
constexpr double near_enough = 0.7;             // Jaccard similarity of triples of words
constexpr double surely_near = 0.85;            // by the estimate, when no more rows are read again
constexpr std::size_t most_verified = 2'000;
constexpr std::string_view bom = "\xEF\xBB\xBF";

std::uint32_t short_hash(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32U);
}

RowCheckOptions row_options(const ValidateOptions& options) {
    return {
        .mask_prompt = options.mask_prompt,
        .emails = options.emails,
        .hashes = options.duplicates,
        .near = options.duplicates && options.near
    };
}

/// What the file is, if its first bytes are of no text.
std::string_view packed_kind(std::string_view start) {
    if (start.starts_with("\x1F\x8B")) return "a gzip file";
    if (start.starts_with("\x28\xB5\x2F\xFD")) return "a Zstandard file";
    if (start.starts_with("PK\x03\x04")) return "a zip file";
    if (start.starts_with("PAR1")) return "a Parquet file";
    if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) return "UTF-16 text";
    if (start.substr(0, 64).find('\0') != std::string_view::npos) return "binary (or UTF-16) data";
    return {};
}

}  // namespace

FileCheck::FileCheck(
    const DataFile& file,
    const ValidateOptions& options,
    FindingLog& log,
    const std::vector<std::unique_ptr<Remembered>>& before
)
    : file_(file),
      options_(options),
      log_(log),
      before_(before),
      remembered_(std::make_unique<Remembered>(file)),
      checker_(row_options(options)) {}

void FileCheck::add(const Line& line, FindingLog::Words words) {
    log_.add({file_.name, line.number, line_hash_}, std::move(words));
}

bool FileCheck::sniff(const Line& line) {
    const auto kind = packed_kind(line.text);
    if (!kind.empty()) {
        add(line, {.code = "D108", .message = fmt::format("the file is {}", kind)});
        return false;
    }
    const auto text = trim(line.text.starts_with(bom) ? line.text.substr(bom.size()) : line.text);
    if (text.starts_with('[') || text == "{") {
        add(line,
            {.code = "D107",
             .message = fmt::format(
                 "the file is one JSON {}, not one object a line",
                 text == "{" ? "object over several lines" : "list"
             )});
        return false;
    }
    return true;
}

Result<void> FileCheck::run(const std::function<void(std::uint64_t)>& on_bytes) {
    auto reader = LineReader::open(file_.path);
    if (!reader) {
        log_.add({file_.name}, {.code = "D106", .message = reader.error().message()});
        stopped_ = true;
        return {};
    }
    constexpr std::uint64_t bytes_a_row = 1024;  // a guess; the tables grow when rows are shorter
    constexpr std::uint64_t large = 1U << 22U;
    if (options_.near && options_.duplicates && file_.bytes > large)
        remembered_->near.reserve(static_cast<std::size_t>(file_.bytes / bytes_a_row));
    Line line;
    while (!stopped_ && reader->next(line)) {
        if (line.number == 1 && !sniff(line)) {
            stopped_ = true;
            break;
        }
        take_line(line);
        constexpr std::size_t lines_a_look = 256;
        if (line.number % lines_a_look != 0) continue;
        on_bytes(reader->position());
        if (options_.stop.stop_requested())
            return fail(ErrorCode::cancelled, "the check was stopped");
    }
    if (reader->failed())
        return std::unexpected(
            errno_error(reader->failure(), fmt::format("reading {} failed", file_.path.native()))
        );
    on_bytes(reader->position());
    if (!stopped_) facts_.judge(log_, file_.name);
    return {};
}

void FileCheck::take_line(Line& line) {
    ++lines_;
    if (line.number == 1 && line.text.starts_with(bom)) {
        add(line,
            {.code = "D110",
             .message = "the file begins with a byte order mark (EF BB BF)",
             .column = 1});
        line.text.remove_prefix(bom.size());
        ++bad_rows_;
    }
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);  // Python takes \r\n for a line end
    line_hash_ = hash_bytes(line.text.data(), line.text.size());
    if (line.too_long) {
        add(line,
            {.code = "D112",
             .message =
                 fmt::format("the line is longer than {}", human_bytes(LineReader::longest_line))});
        ++bad_rows_;
        return;
    }
    if (trim(line.text).empty()) {
        line_hash_ = line.number;  // all blank lines are alike
        add(line, {.code = "D111", .message = "a blank line"});
        ++bad_rows_;
        return;
    }
    const auto* row = parser_.parse(line.text);
    if (!parser_.faults().empty()) take_faults(line, row != nullptr);
    if (row == nullptr) {
        ++bad_rows_;
        return;
    }
    take_row(line, *row);
}

void FileCheck::take_faults(const Line& line, bool readable) {
    const auto* row = readable ? &parser_.row() : nullptr;
    if (readable &&
        std::ranges::find(parser_.faults(), "D122", &RowFault::code) != parser_.faults().end())
        ++bad_rows_;  // mlx_lm stops there; the rest of the row is looked at all the same
    for (const auto& fault : parser_.faults()) {
        const bool known = row != nullptr && fault.node != nullptr;
        add(line,
            {.code = fault.code,
             .field = known ? path_of(*row, *fault.node) : "",
             .message = fault.message,
             .column = fault.column});
    }
}

void FileCheck::take_row(const Line& line, const Node& row) {
    checker_.check(parser_, row, facts_.first_format());
    const auto& facts = checker_.facts();
    if (options_.duplicates) prefetch();
    if (!checker_.findings().empty()) take_findings(line, row);
    facts_.add(facts, line.number);
    lengths_.add(line.number, facts.keys, facts.estimated_tokens);
    if (options_.renderer == nullptr) judge_length(line);
    if (!options_.duplicates || facts.words == 0) return;
    if (!before_.empty()) look_for_leaks(line, row, line_hash_);
    look_for_twins(line, row, line_hash_);
}

/// The tables are larger than the processor's caches: what is asked for now is there when needed.
void FileCheck::prefetch() const {
    const auto& facts = checker_.facts();
    const auto ask = [&](const Remembered& of) {
        of.rows.prefetch(facts.hash);
        of.prompts.prefetch(facts.prompt_hash);
        if (facts.sketch) of.near.prefetch(*facts.sketch);
    };
    for (const auto& other : before_) ask(*other);
    ask(*remembered_);
}

void FileCheck::take_findings(const Line& line, const Node& row) {
    for (const auto& finding : checker_.findings()) {
        const auto severity = finding.severity.value_or(code_info(finding.code).severity);
        if (log_.full(finding.code)) {
            log_.count_only(finding.code, severity);
            continue;
        }
        const auto* node = finding.node;
        add(line,
            {.code = finding.code,
             .field = node != nullptr ? path_of(row, *node) : "",
             .message = finding.message,
             .column = node != nullptr ? node->begin + 1 : 0,
             .severity = severity});
    }
}

/// Estimates only: what is certainly too much is said, what may be is not.
void FileCheck::judge_length(const Line& line) {
    const auto& facts = checker_.facts();
    const auto limit = options_.max_seq_length;
    if (facts.estimated_tokens <= limit) return;
    ++rows_too_long_;
    const bool nothing_left = options_.mask_prompt && facts.format != Format::text &&
                              facts.estimated_prompt_tokens > limit + limit / 4;
    if (nothing_left) ++rows_untrained_;
    add(line,
        {.code = nothing_left ? "D702" : "D701",
         .message =
             nothing_left
                 ? fmt::format(
                       "the prompt alone has about {} tokens (estimated), the limit is {}: the "
                       "mask leaves nothing",
                       facts.estimated_prompt_tokens,
                       limit
                   )
                 : fmt::format(
                       "about {} tokens (estimated), the limit is {}", facts.estimated_tokens, limit
                   )});
}

void FileCheck::look_for_leaks(const Line& line, const Node& row, std::uint64_t line_hash) {
    for (const auto& other : before_) {
        if (look_for_leak(line, row, line_hash, *other)) return;
    }
}

bool FileCheck::look_for_leak(
    const Line& line, const Node& row, std::uint64_t line_hash, const Remembered& other
) {
    const auto& facts = checker_.facts();
    if (const auto same = other.rows.find(facts.hash)) {
        const bool exact = same->check == short_hash(line_hash);
        add(line,
            {.code = exact ? "D601" : "D602",
             .message = fmt::format(
                 "{} line {} is the same{}",
                 other.file.name,
                 same->line,
                 exact ? "" : " but for case, space or punctuation"
             )});
        return true;
    }
    if (facts.prompt_words >= fewest_prompt_words) {
        if (const auto same = other.prompts.find(facts.prompt_hash)) {
            add(line,
                {.code = "D604",
                 .message =
                     fmt::format("{} line {} has the same prompt", other.file.name, same->line)});
            return true;
        }
    }
    if (!facts.sketch) return false;
    const auto near = other.near.nearest(*facts.sketch);
    if (!near || !really_near(row, *near, other.file.path)) return false;
    add(line,
        {.code = "D603",
         .message = fmt::format("{} line {} is nearly the same", other.file.name, near->line)});
    return true;
}

void FileCheck::look_for_twins(const Line& line, const Node& row, std::uint64_t line_hash) {
    const auto& facts = checker_.facts();
    const auto number = static_cast<std::uint32_t>(line.number);
    const auto same = remembered_->rows.find_or_add(facts.hash, {number, short_hash(line_hash)});
    if (same) {
        const bool exact = same->check == short_hash(line_hash);
        add(line,
            {.code = exact ? "D605" : "D606",
             .message = fmt::format(
                 "line {} is the same{}",
                 same->line,
                 exact ? "" : " but for case, space or punctuation"
             )});
        return;
    }
    const auto answer = short_hash(facts.answer_hash);
    const auto asked = facts.prompt_words == 0
                           ? std::nullopt
                           : remembered_->prompts.find_or_add(facts.prompt_hash, {number, answer});
    if (asked && facts.prompt_words >= fewest_prompt_words && asked->check != answer)
        add(line,
            {.code = "D608",
             .message = fmt::format("line {} has the same prompt and another answer", asked->line)}
        );
    if (facts.sketch) look_for_near_twin(line, row);
}

void FileCheck::look_for_near_twin(const Line& line, const Node& row) {
    const auto& sketch = *checker_.facts().sketch;
    const auto near = remembered_->near.nearest_then_add(
        sketch, static_cast<std::uint32_t>(line.number), line.offset
    );
    if (!near || !really_near(row, *near, file_.path)) return;
    add(line, {.code = "D607", .message = fmt::format("line {} is nearly the same", near->line)});
}

/// The sketch is an estimate; the rows themselves decide, as long as it is cheap.
bool FileCheck::really_near(
    const Node& row, const NearIndex::Row& candidate, const std::filesystem::path& file
) {
    constexpr double standard_error = 0.08;
    if (candidate.similarity < near_enough - 2 * standard_error) return false;
    if (verified_ >= most_verified) return candidate.similarity >= surely_near;
    ++verified_;
    const auto text = line_at(file, candidate.offset);
    const auto* other = other_parser_.parse(text);
    if (other == nullptr) return false;
    return exact_similarity(conversation_text(row), conversation_text(*other)) >= near_enough;
}

SplitReport FileCheck::report() const {
    const auto picture = lengths_.batches(options_.batch_size, options_.max_seq_length);
    return {
        .split = file_.split,
        .file = file_.name,
        .bytes = file_.bytes,
        .rows = lengths_.rows(),
        .bad_rows = bad_rows_,
        .format = facts_.format_name(),
        .tokens = lengths_.tokens(),
        .longest = lengths_.longest(),
        .rows_too_long = rows_too_long_,
        .rows_untrained = rows_untrained_,
        .rows_left_over = picture.rows_left_over,
        .batches = picture.batches,
        .padding_share = picture.padding_share,
    };
}

}  // namespace punie::dataset
