// The header of a safetensors file: 8 bytes little-endian length, then JSON, then the tensors
// (https://github.com/huggingface/safetensors#format). The file is from outside: nothing in it is
// believed.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <system_error>
#include <utility>

#include "backend/model_files.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace punie::backend {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t prefix_size = 8;
constexpr std::uint64_t largest_header = 100'000'000;  // the limit of the reference implementation

/// Bits of one element; 0 for a type that is not known (its size is then not checked).
std::uint64_t bits_of(std::string_view dtype) {
    static constexpr std::array known = {
        std::pair{std::string_view("BOOL"), 8U},
        std::pair{std::string_view("U8"), 8U},
        std::pair{std::string_view("I8"), 8U},
        std::pair{std::string_view("F8_E5M2"), 8U},
        std::pair{std::string_view("F8_E4M3"), 8U},
        std::pair{std::string_view("F8_E8M0"), 8U},
        std::pair{std::string_view("I16"), 16U},
        std::pair{std::string_view("U16"), 16U},
        std::pair{std::string_view("F16"), 16U},
        std::pair{std::string_view("BF16"), 16U},
        std::pair{std::string_view("I32"), 32U},
        std::pair{std::string_view("U32"), 32U},
        std::pair{std::string_view("F32"), 32U},
        std::pair{std::string_view("I64"), 64U},
        std::pair{std::string_view("U64"), 64U},
        std::pair{std::string_view("F64"), 64U},
        std::pair{std::string_view("C64"), 64U},
        std::pair{std::string_view("F4"), 4U},
    };
    const auto* found =
        std::ranges::find(known, dtype, [](const auto& pair) { return pair.first; });
    return found == known.end() ? 0 : found->second;
}

std::unexpected<Error> invalid(const fs::path& file, std::uint64_t byte, const std::string& what) {
    return fail(
        ErrorCode::model_invalid,
        fmt::format("{}: byte {}: {}", file.native(), byte, what),
        "the file is damaged or half downloaded: fetch it again"
    );
}

struct Extent {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string name;
};

/// Reads the entries of one header; `data_start` is the byte of the file where the tensors begin.
class HeaderReader {
public:
    HeaderReader(const fs::path& file, std::uint64_t data_start, std::uint64_t data_size)
        : file_(file), data_start_(data_start), data_size_(data_size) {}

    Result<std::map<std::string, TensorInfo>> read(const json::object& header) {
        std::map<std::string, TensorInfo> tensors;
        for (const auto& entry : header) {
            const std::string name(entry.key());
            if (name == "__metadata__") continue;
            auto tensor = read_tensor(name, entry.value());
            if (!tensor) return std::unexpected(std::move(tensor).error());
            tensors.emplace(name, std::move(*tensor));
        }
        if (auto apart = check_apart(); !apart) return std::unexpected(std::move(apart).error());
        return tensors;
    }

private:
    std::unexpected<Error> bad(const std::string& name, const std::string& what) const {
        return invalid(
            file_, prefix_size, fmt::format("in the header, tensor '{}': {}", printable(name), what)
        );
    }

    static std::optional<std::uint64_t> natural(const json::value& value) {
        if (value.is_int64() && value.get_int64() >= 0)
            return static_cast<std::uint64_t>(value.get_int64());
        if (value.is_uint64()) return value.get_uint64();
        return std::nullopt;
    }

    Result<TensorInfo> read_tensor(const std::string& name, const json::value& entry) {
        TensorInfo tensor;
        const auto dtype = string_member(entry, "dtype");
        const auto* shape = member(entry, "shape");
        const auto* offsets = member(entry, "data_offsets");
        if (!dtype) return bad(name, "no dtype");
        if (shape == nullptr || !shape->is_array()) return bad(name, "no shape");
        if (offsets == nullptr || !offsets->is_array() || offsets->get_array().size() != 2) {
            return bad(name, "no data_offsets of two numbers");
        }
        tensor.dtype = *dtype;
        auto elements = read_shape(name, shape->get_array(), tensor.shape);
        if (!elements) return std::unexpected(std::move(elements).error());
        const auto begin = natural(offsets->get_array()[0]);
        const auto end = natural(offsets->get_array()[1]);
        if (!begin || !end || *begin > *end) return bad(name, "data_offsets are no range of bytes");
        if (*end > data_size_) {
            return invalid(
                file_,
                data_start_ + data_size_,
                fmt::format(
                    "the file ends here, tensor '{}' would go on to byte {}",
                    printable(name),
                    data_start_ + *end
                )
            );
        }
        tensor.bytes = *end - *begin;
        const auto bits = bits_of(*dtype);
        if (bits != 0 && (*elements * bits + 7) / 8 != tensor.bytes) {
            return bad(
                name,
                fmt::format(
                    "{} elements of {} do not take the {} bytes of its data_offsets",
                    *elements,
                    printable(*dtype),
                    tensor.bytes
                )
            );
        }
        if (tensor.bytes > 0) extents_.push_back({*begin, *end, name});
        return tensor;
    }

    Result<std::uint64_t> read_shape(
        const std::string& name, const json::array& sizes, std::vector<std::int64_t>& shape
    ) const {
        constexpr std::uint64_t most =
            1ULL << 56U;  // more elements than any file has, few enough to multiply by 64
        std::uint64_t elements = 1;
        for (const auto& size : sizes) {
            const auto number = natural(size);
            if (!number || *number > most)
                return bad(name, "its shape holds something that is no size");
            if (*number != 0 && elements > most / *number)
                return bad(name, "its shape is larger than any file");
            elements *= *number;
            shape.push_back(static_cast<std::int64_t>(*number));
        }
        return elements;
    }

    Result<void> check_apart() {
        std::ranges::sort(extents_, {}, &Extent::begin);
        for (std::size_t i = 1; i < extents_.size(); ++i) {
            if (extents_[i].begin >= extents_[i - 1].end) continue;
            return invalid(
                file_,
                data_start_ + extents_[i].begin,
                fmt::format(
                    "the tensors '{}' and '{}' overlap",
                    printable(extents_[i - 1].name),
                    printable(extents_[i].name)
                )
            );
        }
        return {};
    }

    const fs::path& file_;
    std::uint64_t data_start_;
    std::uint64_t data_size_;
    std::vector<Extent> extents_;
};

}  // namespace

Result<std::map<std::string, TensorInfo>> read_safetensors_header(const fs::path& file) {
    std::error_code error;
    if (!fs::exists(file, error))
        return fail(ErrorCode::not_found, fmt::format("{} does not exist", file.native()));
    const auto size = fs::file_size(file, error);
    std::ifstream stream(file, std::ios::binary);
    if (error || !stream)
        return fail(ErrorCode::io, fmt::format("{} cannot be read", file.native()));
    std::array<unsigned char, prefix_size> prefix{};
    if (!stream.read(reinterpret_cast<char*>(prefix.data()), prefix.size())) {
        return invalid(file, size, "the file ends within the length of its header");
    }
    std::uint64_t length = 0;
    for (std::size_t i = prefix.size(); i-- > 0;) length = length << 8U | prefix.at(i);
    if (length > largest_header || length > size - prefix_size) {
        return invalid(
            file,
            0,
            fmt::format(
                "not a safetensors file: a header of {} bytes in a file of {}", length, size
            )
        );
    }
    std::string text(length, '\0');
    if (!stream.read(text.data(), static_cast<std::streamsize>(length))) {
        return invalid(file, prefix_size, "the header cannot be read");
    }
    const auto header = parse_json(text);
    if (!header) return invalid(file, prefix_size, "the header, " + header.error().message());
    if (!header->is_object()) return invalid(file, prefix_size, "the header is no JSON object");
    return HeaderReader(file, prefix_size + length, size - prefix_size - length)
        .read(header->get_object());
}

}  // namespace punie::backend
