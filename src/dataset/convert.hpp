#pragma once
// Rows of other tools into rows that mlx_lm reads.

#include <punie/error.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace punie::dataset {

enum class Target { chat, completion };
enum class Arguments { object, string, keep };

struct ConvertOptions {
    Target to = Target::chat;
    Arguments arguments = Arguments::object;
    bool force = false;  ///< overwrite
};

struct ConvertResult {
    std::size_t rows = 0;
    std::map<std::string, std::size_t> formats;  ///< what they were: "ShareGPT" -> 120
};

/// One row. Understands chat, prompt/completion, ShareGPT (conversations of from and value, system,
/// tools, function_call and observation), Alpaca (instruction, input, output, system, history),
/// preference pairs (the chosen answer), question and answer under usual names, functions and
/// function_call of the older interface. `format` gets the name of what it was. Other keys are
/// kept. Errors: invalid_argument (what in the row is not understood).
Result<json::object> convert_row(
    json::object row, const ConvertOptions& options, std::string& format
);

/// A .jsonl file, a .json file with one list, or a .csv file with a header line (RFC 4180) into a
/// .jsonl file. Streams but for .json. Errors: not_found, io, disk_full, invalid_argument (a row:
/// names its line; `out` exists).
Result<ConvertResult> convert_data(
    const std::filesystem::path& in, const std::filesystem::path& out, const ConvertOptions& options
);

}  // namespace punie::dataset
