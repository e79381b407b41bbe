#pragma once
// SHA-256 of texts and files: the identity of what was asked (suite, data, model, template).

#include <punie/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace punie {

/// Incremental SHA-256 (OpenSSL).
class Sha256 {
public:
    Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    ~Sha256();

    Sha256& add(std::string_view bytes);
    /// Adds the length, then the bytes: parts cannot run into each other.
    Sha256& add_part(std::string_view bytes);

    /// 64 hexadecimal digits. To be called once.
    std::string hex();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// Of the file's bytes, read in pieces. Errors: not_found, io.
Result<std::string> sha256_file(const std::filesystem::path& file);

}  // namespace punie
