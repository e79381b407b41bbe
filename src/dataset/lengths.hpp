#pragma once
// What mlx_lm's trainer makes of the rows' lengths (mlx_lm/tuner/trainer.py, iterate_batches,
// 0.32.2): it sorts by the number of keys of a row, which it takes for its length, cuts the list
// into batches of neighbours, drops what is left over, and pads each batch to 1 + 32 * ceil(longest
// / 32) tokens, at most max_seq_length.

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace punie::dataset {

struct BatchPicture {
    std::size_t batches = 0;
    std::vector<std::size_t> left_over{};  ///< lines of the first ten
    std::size_t rows_left_over = 0;
    double padding_share = 0;
};

class RowLengths {
public:
    /// `line` from 1; `keys` of the row's object.
    void add(std::size_t line, std::size_t keys, std::size_t tokens);

    std::size_t rows() const { return rows_; }

    std::uint64_t tokens() const { return tokens_; }

    std::size_t longest() const { return longest_; }

    BatchPicture batches(std::size_t batch_size, std::size_t max_seq_length) const;

private:
    struct Row {
        std::uint32_t line = 0;
        std::uint32_t tokens = 0;
    };

    std::map<std::size_t, std::vector<Row>> by_keys_;  ///< 8 bytes a row
    std::size_t rows_ = 0;
    std::uint64_t tokens_ = 0;
    std::size_t longest_ = 0;
};

}  // namespace punie::dataset
