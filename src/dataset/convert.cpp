#include "dataset/convert.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "base/text.hpp"
#include "dataset/csv.hpp"
#include "dataset/line_reader.hpp"
#include "dataset/out_file.hpp"

namespace punie::dataset {

namespace fs = std::filesystem;

namespace {

class Converter {
public:
    Converter(const ConvertOptions& options, OutFile& out) : options_(options), out_(out) {}

    Result<void> row(json::object row) {
        std::string format;
        auto converted = convert_row(std::move(row), options_, format);
        if (!converted) return std::unexpected(std::move(converted).error());
        out_.line(to_text(*converted));
        ++result_.rows;
        ++result_.formats[format];
        return {};
    }

    Result<void> lines(LineReader& reader) {
        Line line;
        while (reader.next(line)) {
            auto text = line.text;
            if (line.number == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
            if (trim(text).empty()) continue;
            const auto where = fmt::format("line {}", line.number);
            auto value = parse_json(text);
            if (!value) return std::unexpected(std::move(value).error().in(where));
            if (!value->is_object())
                return fail(
                    ErrorCode::invalid_argument, fmt::format("{}: the row is no object", where)
                );
            if (auto done = row(std::move(value->get_object())); !done)
                return std::unexpected(std::move(done).error().in(where));
        }
        return {};
    }

    Result<void> list(const std::string& text) {
        auto value = parse_json(text);
        if (!value) return std::unexpected(std::move(value).error());
        if (!value->is_array())
            return fail(ErrorCode::invalid_argument, "a .json file must hold one list of rows");
        std::size_t index = 0;
        for (auto& each : value->get_array()) {
            const auto where = fmt::format("row {}", ++index);
            if (!each.is_object())
                return fail(ErrorCode::invalid_argument, fmt::format("{} is no object", where));
            if (auto done = row(std::move(each.get_object())); !done)
                return std::unexpected(std::move(done).error().in(where));
        }
        return {};
    }

    Result<void> table(const fs::path& file) {
        CsvReader csv(file);
        const auto header = csv.next();
        if (!header)
            return fail(
                ErrorCode::invalid_argument,
                csv.fault().empty() ? "the table has no header" : csv.fault()
            );
        while (auto fields = csv.next()) {
            const auto where = fmt::format("line {}", csv.line());
            if (fields->size() != header->size()) {
                return fail(
                    ErrorCode::invalid_argument,
                    fmt::format(
                        "{}: {} fields, the header has {}", where, fields->size(), header->size()
                    )
                );
            }
            json::object object;
            for (std::size_t place = 0; place < fields->size(); ++place)
                object[trim((*header)[place])] = (*fields)[place];
            if (auto done = row(std::move(object)); !done)
                return std::unexpected(std::move(done).error().in(where));
        }
        if (!csv.fault().empty()) return fail(ErrorCode::invalid_argument, csv.fault());
        return {};
    }

    const ConvertResult& result() const { return result_; }

private:
    const ConvertOptions& options_;
    OutFile& out_;
    ConvertResult result_;
};

/// .json files may be lines all the same.
bool begins_with_list(const std::string& text) {
    const auto start = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    return start != std::string::npos && text[start] == '[';
}

Result<void> convert_file(Converter& converter, const fs::path& in) {
    const auto ending = in.extension();
    if (ending == ".csv") return converter.table(in);
    auto reader = LineReader::open(in);
    if (!reader) return std::unexpected(reader.error());
    Line first;
    const bool any = reader->next(first);
    if (any && begins_with_list(std::string(first.text))) {
        auto text = read_text(in);
        if (!text) return std::unexpected(text.error());
        return converter.list(*text);
    }
    auto again = LineReader::open(in);
    if (!again) return std::unexpected(again.error());
    return converter.lines(*again);
}

}  // namespace

Result<ConvertResult> convert_data(
    const fs::path& in, const fs::path& out, const ConvertOptions& options
) {
    std::error_code error;
    if (!fs::exists(in, error))
        return fail(ErrorCode::not_found, fmt::format("{} does not exist", in.native()));
    if (fs::is_directory(in, error))
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is a folder", in.native()),
            "name one file: FOLDER/train.jsonl"
        );
    auto written = OutFile::open(out, options.force);
    if (!written) return std::unexpected(written.error());
    Converter converter(options, *written);
    if (auto done = convert_file(converter, in); !done)
        return std::unexpected(std::move(done).error().in(in.native()));
    if (auto done = written->finish(); !done) return std::unexpected(done.error());
    return converter.result();
}

}  // namespace punie::dataset
