#pragma once
// What is looked at before a training starts, and what must not change between a training and its
// resumption.

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace punie::training {

/// SHA-256 over a model's configuration, its tokenizer's files, and of each weights file the size,
/// the header and 64 samples of 64 kB: a second for the largest models. Another fine-tune of the
/// same architecture differs in them. The name itself when it is no folder.
std::string model_fingerprint(const std::string& model);

/// SHA-256 over train.jsonl and valid.jsonl. Errors: not_found (train.jsonl), io.
Result<std::string> data_hash(const std::filesystem::path& data);

/// What decides every loss: the settings (but for save_every, and for iters unless a schedule is
/// spread over them), model, data and versions; all values are texts. Pure.
json::object identity_of(
    const json::object& settings,
    const std::string& model_fingerprint,
    const std::string& data_hash,
    const std::string& versions
);

/// "batch_size was 4 and is 8" for each difference between the folder's checkpoint and `identity`;
/// empty when it can go on (or has no checkpoint).
std::vector<std::string> changes_since(
    const std::filesystem::path& adapter, const json::object& identity
);

/// Errors: invalid_argument with the first findings when the data have errors (see dataset/); the
/// reader's. Gives back the number of warnings.
Result<std::size_t> check_rows(
    const std::filesystem::path& data, const json::object& settings, std::stop_token stop
);

/// Errors: disk_full when `bytes` (with a tenth to spare) are not free where `folder` is or will
/// be. A disk that does not tell is trusted.
Result<void> check_disk(
    const std::filesystem::path& folder, double bytes, const std::string& for_what
);

}  // namespace punie::training
