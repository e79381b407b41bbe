#include "dataset/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "base/files.hpp"
#include "base/text.hpp"
#include "dataset/bytes.hpp"
#include "dataset/folder.hpp"
#include "dataset/line_reader.hpp"
#include "dataset/out_file.hpp"
#include "dataset/row_check.hpp"
#include "dataset/seen.hpp"

namespace punie::dataset {

namespace fs = std::filesystem;

namespace {

enum class Part : std::uint8_t { train, valid, test };

struct Row {
    std::uint32_t file = 0;
    std::uint32_t parent = 0;  ///< union-find
    std::uint64_t offset = 0;
    std::uint64_t content = 0;  ///< hash of the line: what the order is made of
    Part part = Part::train;
};

/// "a.b" of a row, as it is written.
std::optional<std::string> field_of(const Node& row, std::string_view path) {
    const Node* at = &row;
    while (at != nullptr && !path.empty()) {
        const auto dot = path.find('.');
        at = at->find(path.substr(0, dot));
        path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    }
    if (at == nullptr) return std::nullopt;
    return std::string(at->text);
}

class Splitter {
public:
    Splitter(DataFolder folder, const SplitOptions& options)
        : folder_(std::move(folder)),
          options_(options),
          checker_({.hashes = true, .near = options.near}) {}

    Result<SplitResult> run(const fs::path& out) {
        for (std::uint32_t file = 0; file < folder_.files.size(); ++file) {
            if (auto read = read_file(file); !read) return std::unexpected(read.error());
        }
        assign();
        if (auto written = write(out); !written) return std::unexpected(written.error());
        return result_;
    }

private:
    Result<void> read_file(std::uint32_t index) {
        const auto& file = folder_.files[index];
        auto reader = LineReader::open(file.path);
        if (!reader) return std::unexpected(reader.error());
        Line line;
        while (reader->next(line)) {
            if (trim(line.text).empty()) continue;
            const auto* row = line.too_long ? nullptr : parser_.parse(line.text);
            if (row == nullptr || !row->is_object()) {
                return fail(
                    ErrorCode::invalid_argument,
                    fmt::format(
                        "{} line {}: {}",
                        file.name,
                        line.number,
                        parser_.faults().empty() ? "this is no row"
                                                 : parser_.faults().back().message
                    ),
                    "punie dataset validate tells more, --fix repairs what can be"
                );
            }
            if (auto taken = take(index, line, *row); !taken) return taken;
        }
        return {};
    }

    Result<void> take(std::uint32_t file, const Line& line, const Node& row) {
        const auto index = static_cast<std::uint32_t>(rows_.size());
        rows_.push_back({file, index, line.offset, hash_bytes(line.text.data(), line.text.size())});
        checker_.check(parser_, row, Format::none);
        const auto& facts = checker_.facts();
        if (!options_.group_by.empty()) {
            const auto value = field_of(row, options_.group_by);
            if (!value)
                return fail(
                    ErrorCode::invalid_argument,
                    fmt::format(
                        "{} line {}: there is no field \"{}\"",
                        folder_.files[file].name,
                        line.number,
                        options_.group_by
                    )
                );
            join_same(index, hash_bytes(value->data(), value->size(), 1));
        }
        if (facts.words > 0) join_same(index, facts.hash);
        constexpr std::size_t fewest_prompt_words = 5;
        if (facts.prompt_words >= fewest_prompt_words) join_same(index, facts.prompt_hash);
        if (facts.sketch) {
            constexpr double near_enough =
                0.65;  // by the estimate: one row too many together does no harm
            const auto near = near_.nearest_then_add(*facts.sketch, index, 0);
            if (near && near->similarity >= near_enough) join(index, near->line);
        }
        return {};
    }

    std::uint32_t root(std::uint32_t index) {
        while (rows_[index].parent != index) {
            rows_[index].parent = rows_[rows_[index].parent].parent;
            index = rows_[index].parent;
        }
        return index;
    }

    void join(std::uint32_t one, std::uint32_t other) {
        one = root(one);
        other = root(other);
        if (one != other) rows_[std::max(one, other)].parent = std::min(one, other);
    }

    void join_same(std::uint32_t index, std::uint64_t key) {
        const auto [found, fresh] = first_.try_emplace(key, index);
        if (!fresh) join(index, found->second);
    }

    std::uint64_t order_of(std::uint64_t content) const {
        return mix64(content + mix64(options_.seed + 1));
    }

    struct Group {
        std::uint64_t order =
            0;  ///< of its least row, so that the order of the rows does not matter
        std::uint32_t root = 0;
        std::size_t rows = 0;
    };

    std::vector<Group> groups() {
        std::unordered_map<std::uint32_t, Group> by_root;
        for (std::uint32_t index = 0; index < rows_.size(); ++index) {
            const auto order = order_of(rows_[index].content);
            auto& group =
                by_root.try_emplace(root(index), Group{order, root(index), 0}).first->second;
            group.order = std::min(group.order, order);
            ++group.rows;
        }
        std::vector<Group> groups;
        groups.reserve(by_root.size());
        for (const auto& [key, group] : by_root) groups.push_back(group);
        std::ranges::sort(groups, {}, [](const Group& group) {
            return std::pair(group.order, group.root);
        });
        return groups;
    }

    void assign() {
        const auto all = static_cast<double>(rows_.size());
        auto test_wanted = static_cast<std::size_t>(all * options_.test + 0.5);
        auto valid_wanted = static_cast<std::size_t>(all * options_.valid + 0.5);
        std::unordered_map<std::uint32_t, Part> parts;
        const auto sorted = groups();
        result_.groups = sorted.size();
        for (const auto& group : sorted) {
            result_.largest_group = std::max(result_.largest_group, group.rows);
            // A group larger than what is wanted would make of a tenth a half: it trains.
            auto part = Part::train;
            if (group.rows <= test_wanted) {
                part = Part::test;
                test_wanted -= group.rows;
            } else if (group.rows <= valid_wanted) {
                part = Part::valid;
                valid_wanted -= group.rows;
            }
            parts[group.root] = part;
        }
        for (std::uint32_t index = 0; index < rows_.size(); ++index)
            rows_[index].part = parts[root(index)];
        result_.rows = rows_.size();
    }

    Result<void> write(const fs::path& out) {
        std::vector<std::uint32_t> order(rows_.size());
        std::iota(order.begin(), order.end(), 0U);
        if (options_.shuffle) {
            std::ranges::sort(order, {}, [&](std::uint32_t index) {
                return std::tuple(order_of(rows_[index].content + 1), rows_[index].content, index);
            });
        }
        constexpr std::array names = {"train.jsonl", "valid.jsonl", "test.jsonl"};
        std::vector<OutFile> files;
        for (const auto* name : names) {
            auto file = OutFile::open(out / name, options_.force);
            if (!file) return std::unexpected(file.error());
            files.push_back(*std::move(file));
        }
        std::vector<std::ifstream> sources;
        for (const auto& file : folder_.files) sources.emplace_back(file.path, std::ios::binary);
        std::string text;
        for (const auto index : order) {
            auto& source = sources[rows_[index].file];
            source.clear();
            source.seekg(static_cast<std::streamoff>(rows_[index].offset));
            if (!std::getline(source, text))
                return fail(ErrorCode::io, "the rows changed while they were split");
            files[static_cast<std::size_t>(rows_[index].part)].line(trim(text));
        }
        result_.train = files[0].lines();
        result_.valid = files[1].lines();
        result_.test = files[2].lines();
        for (auto& file : files) {
            if (file.lines() == 0) continue;  // mlx_lm stops at an empty file, not at a missing one
            if (auto done = file.finish(); !done) return done;
        }
        return {};
    }

    DataFolder folder_;
    const SplitOptions& options_;
    RowParser parser_;
    RowChecker checker_;
    std::vector<Row> rows_;
    std::unordered_map<std::uint64_t, std::uint32_t> first_;
    NearIndex near_;
    SplitResult result_;
};

}  // namespace

Result<SplitResult> split_data(
    const fs::path& in, const fs::path& out, const SplitOptions& options
) {
    const bool sane = options.valid >= 0 && options.test >= 0 && options.valid + options.test < 1;
    if (!sane) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "valid {} and test {} leave nothing to train on", options.valid, options.test
            ),
            "fractions of 1, together below 1"
        );
    }
    auto folder = look_at_folder(in);
    if (!folder) return std::unexpected(std::move(folder).error());
    std::error_code error;
    if (!folder->single && fs::equivalent(in, out, error))
        return fail(
            ErrorCode::invalid_argument,
            "the files to read are those to write",
            "name another folder"
        );
    if (folder->files.empty())
        return fail(
            ErrorCode::not_found,
            fmt::format("{} has no train.jsonl, valid.jsonl or test.jsonl", in.native())
        );
    return Splitter(*std::move(folder), options).run(out);
}

}  // namespace punie::dataset
