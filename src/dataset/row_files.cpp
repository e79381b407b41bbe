#include "dataset/row_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include "base/files.hpp"

namespace punie {

namespace {

class RowCounter {
public:
    void feed(char byte) {
        if (byte == '\n') return finish_row();
        ++bytes_;
        blank_ = blank_ && (byte == ' ' || byte == '\t' || byte == '\r');
    }

    void finish_row() {
        if (!blank_) {
            ++found_.rows;
            found_.longest_bytes = std::max(found_.longest_bytes, bytes_);
        }
        bytes_ = 0;
        blank_ = true;
    }

    const RowFile& found() const { return found_; }

private:
    RowFile found_;
    std::size_t bytes_ = 0;
    bool blank_ = true;
};

}  // namespace

Result<RowFile> look_at_rows(const std::filesystem::path& file) {
    const auto failed = [&](int number) {
        return std::unexpected(errno_error(number, fmt::format("cannot read {}", file.native())));
    };
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) return failed(EISDIR);
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) return failed(errno != 0 ? errno : EIO);
    RowCounter counter;
    std::array<char, 65536> buffer{};
    while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0) {
        const auto count = static_cast<std::size_t>(in.gcount());
        std::for_each_n(buffer.begin(), count, [&](char byte) { counter.feed(byte); });
    }
    if (in.bad()) return failed(EIO);
    counter.finish_row();
    return counter.found();
}

}  // namespace punie
