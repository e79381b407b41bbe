#include "dataset/lengths.hpp"

#include <algorithm>

namespace punie::dataset {

namespace {

constexpr std::size_t pad_to = 32;

std::size_t padded(std::size_t longest, std::size_t max_seq_length) {
    return std::min(1 + pad_to * ((longest + pad_to - 1) / pad_to), max_seq_length);
}

}  // namespace

void RowLengths::add(std::size_t line, std::size_t keys, std::size_t tokens) {
    by_keys_[keys].push_back({static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(tokens)}
    );
    ++rows_;
    tokens_ += tokens;
    longest_ = std::max(longest_, tokens);
}

BatchPicture RowLengths::batches(std::size_t batch_size, std::size_t max_seq_length) const {
    BatchPicture picture;
    batch_size = std::max<std::size_t>(1, batch_size);
    picture.batches = rows_ / batch_size;
    picture.rows_left_over = rows_ % batch_size;
    const auto used = picture.batches * batch_size;
    std::size_t place = 0;
    std::size_t longest = 0;
    std::uint64_t real = 0;
    std::uint64_t computed = 0;
    constexpr std::size_t named = 10;
    for (const auto& [keys, rows] : by_keys_) {
        for (const auto& row : rows) {
            if (place++ >= used) {
                if (picture.left_over.size() < named) picture.left_over.push_back(row.line);
                continue;
            }
            longest = std::max<std::size_t>(longest, row.tokens);
            real += std::min<std::size_t>(row.tokens, max_seq_length);
            if (place % batch_size != 0) continue;
            computed += batch_size * padded(longest, max_seq_length);
            longest = 0;
        }
    }
    if (computed > 0)
        picture.padding_share = 1 - static_cast<double>(real) / static_cast<double>(computed);
    return picture;
}

}  // namespace punie::dataset
