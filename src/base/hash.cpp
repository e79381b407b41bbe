#include "base/hash.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "base/files.hpp"

namespace punie {

struct Sha256::Impl {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
    // EVP_sha256() is looked up anew at every use, which takes longer than a short text's hash.
    static const auto* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_DigestInit_ex(impl_->context, found, nullptr);
}

Sha256::~Sha256() = default;

Sha256& Sha256::add(std::string_view bytes) {
    EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size());
    return *this;
}

Sha256& Sha256::add_part(std::string_view bytes) {
    std::array<char, 8> length{};
    auto rest = static_cast<std::uint64_t>(bytes.size());
    for (auto& byte : length) {
        byte = static_cast<char>(rest & 0xffU);
        rest >>= 8U;
    }
    add({length.data(), length.size()});
    return add(bytes);
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(impl_->context, digest.data(), &size);
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(std::size_t{2} * size);
    for (unsigned int i = 0; i < size; ++i) {
        text += digits[digest.at(i) >> 4U];
        text += digits[digest.at(i) & 0xfU];
    }
    return text;
}

std::string sha256_hex(std::string_view bytes) {
    return Sha256().add(bytes).hex();
}

Result<std::string> sha256_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::unexpected(errno_error(errno, "open " + file.string()));
    Sha256 hash;
    std::string buffer(std::size_t{1} << 16U, '\0');
    while (in) {
        in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        hash.add({buffer.data(), static_cast<std::size_t>(in.gcount())});
    }
    if (in.bad()) return std::unexpected(errno_error(EIO, "read " + file.string()));
    return hash.hex();
}

}  // namespace punie
