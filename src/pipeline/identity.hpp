#pragma once
// What a thing is, by its content: the keys by which stages are up to date and variants comparable.

#include <punie/error.hpp>

#include <filesystem>
#include <string>

namespace punie::pipeline {

/// SHA-256 over the files of a folder (names and contents, sub-folders too; hidden and half-written
/// files and what Punie itself writes, punie.json, left out), or over one file. Of an adapter of
/// mlx_lm only what is loaded counts: its checkpoints and logs tell how it was made. Contents are
/// read once: the hash of an unchanged file (path, size, modification and change time) is
/// remembered in Punie's cache folder. Errors: not_found, io.
Result<std::string> content_hash(const std::filesystem::path& path);

/// The first 12 digits, for people.
std::string short_hash(const std::string& hash);

}  // namespace punie::pipeline
