#pragma once
// Which rows were seen: 16 bytes a row, nothing of their text.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataset/words.hpp"

namespace punie::dataset {

/// A row that was there before.
struct SeenRow {
    std::uint32_t line = 0;   ///< from 1
    std::uint32_t check = 0;  ///< what was given with it: a part of another hash
};

/// 64-bit keys to the first row that had them. Two different texts of a million meet by chance with
/// probability 3e-8. Bounded: beyond `limit` rows nothing new is kept, lookups go on.
class SeenTable {
public:
    static constexpr std::size_t default_limit = 4'000'000;  // 128 MB of slots

    explicit SeenTable(std::size_t limit = default_limit) : limit_(limit) {}

    /// The row that had `key` first. Key 0 is never there.
    std::optional<SeenRow> find(std::uint64_t key) const;

    /// As `find`; keeps `row` if there is none.
    std::optional<SeenRow> find_or_add(std::uint64_t key, SeenRow row);

    std::size_t size() const { return size_; }

    /// Asks the processor for the memory that `find` of the key will need.
    void prefetch(std::uint64_t key) const;

private:
    struct Slot {
        std::uint64_t key = 0;
        SeenRow row;
    };

    std::size_t place_of(std::uint64_t key) const;
    void grow(std::size_t slots);

    std::size_t limit_;
    std::vector<Slot> slots_;
    std::size_t size_ = 0;
};

/// Locality-sensitive hashing over sketches: 8 bands of 4 bins. Rows of similarity 0.8 meet in a
/// band with probability 0.98, of 0.7 with 0.89, of 0.5 with 0.40, of 0.3 with 0.06; each meeting
/// is then verified. About 200 bytes a row. Bounded: the first `limit` rows.
class NearIndex {
public:
    static constexpr std::size_t limit = 131'072;  // 23 MB

    struct Row {
        std::uint32_t line = 0;
        std::uint64_t offset = 0;  ///< of the line in its file
        double similarity = 0;     ///< estimated
    };

    /// The most similar row of those that share a band.
    std::optional<Row> nearest(const Sketch& sketch) const;

    /// As `nearest`, then keeps the row.
    std::optional<Row> nearest_then_add(
        const Sketch& sketch, std::uint32_t line, std::uint64_t offset
    );

    std::size_t size() const { return rows_.size(); }

    /// Makes room at once for so many rows, at most the limit.
    void reserve(std::size_t rows);

    /// Asks the processor for the memory that `nearest` will need.
    void prefetch(const Sketch& sketch) const;

private:
    static constexpr std::size_t bands = 6;

    struct Kept {
        Sketch sketch{};
        std::uint32_t line = 0;
        std::uint64_t offset = 0;
    };

    /// The tag spares a look at the row, which is a cache miss.
    struct Slot {
        std::uint32_t tag = 0;
        std::uint32_t row = 0;  ///< 1 + index; 0: free
    };

    const Slot& slot_of(std::size_t band, std::uint64_t key) const;
    void insert(std::uint32_t index);
    void grow(std::size_t slots_a_band);

    std::vector<Kept> rows_;
    std::vector<Slot> slots_;  ///< bands after each other; the first row of each key
    std::size_t slots_a_band_ = 0;
};

}  // namespace punie::dataset
