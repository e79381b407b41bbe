#include "dataset/seen.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "dataset/bytes.hpp"

namespace punie::dataset {

std::size_t SeenTable::place_of(std::uint64_t key) const {
    const auto mask = slots_.size() - 1;
    auto place = mix64(key) & mask;
    while (slots_[place].key != 0 && slots_[place].key != key) place = (place + 1) & mask;
    return place;
}

std::optional<SeenRow> SeenTable::find(std::uint64_t key) const {
    if (slots_.empty() || key == 0) return std::nullopt;
    const auto& slot = slots_[place_of(key)];
    if (slot.key == 0) return std::nullopt;
    return slot.row;
}

void SeenTable::grow(std::size_t slots) {
    auto before = std::exchange(slots_, std::vector<Slot>(slots));
    for (const auto& slot : before) {
        if (slot.key != 0) slots_[place_of(slot.key)] = slot;
    }
}

void SeenTable::prefetch(std::uint64_t key) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[mix64(key) & (slots_.size() - 1)]);
}

std::optional<SeenRow> SeenTable::find_or_add(std::uint64_t key, SeenRow row) {
    if (key == 0) return std::nullopt;
    if (slots_.empty()) grow(1024);
    auto place = place_of(key);
    if (slots_[place].key == key) return slots_[place].row;
    if (size_ >= limit_) return std::nullopt;
    if (size_ * 4 >= slots_.size() * 3) {
        grow(slots_.size() * 2);
        place = place_of(key);
    }
    slots_[place] = {key, row};
    ++size_;
    return std::nullopt;
}

namespace {

/// Four bins as one number: what two rows of one band have in common.
std::uint64_t band_of(const Sketch& sketch, std::size_t band) {
    std::uint64_t key = 0;
    std::memcpy(&key, sketch.data() + band * 4, sizeof key);
    return key;
}

}  // namespace

void NearIndex::prefetch(const Sketch& sketch) const {
    if (slots_a_band_ == 0) return;
    for (std::size_t band = 0; band < bands; ++band) {
        const auto place = mix64(band_of(sketch, band) + band) & (slots_a_band_ - 1);
        __builtin_prefetch(&slots_[band * slots_a_band_ + place]);
    }
}

const NearIndex::Slot& NearIndex::slot_of(std::size_t band, std::uint64_t key) const {
    const auto hash = mix64(key + band);
    const auto tag = static_cast<std::uint32_t>(hash >> 32U);
    const auto mask = slots_a_band_ - 1;
    const auto* const slots = slots_.data() + band * slots_a_band_;
    auto place = hash & mask;
    while (slots[place].row != 0 &&
           (slots[place].tag != tag || band_of(rows_[slots[place].row - 1].sketch, band) != key))
        place = (place + 1) & mask;
    return slots[place];
}

void NearIndex::insert(std::uint32_t index) {
    for (std::size_t band = 0; band < bands; ++band) {
        const auto key = band_of(rows_[index].sketch, band);
        const auto& slot = slot_of(band, key);
        // The first row of a band stands for all that have it: buckets of templated rows stay
        // short.
        if (slot.row != 0) continue;
        slots_[static_cast<std::size_t>(&slot - slots_.data())] = {
            static_cast<std::uint32_t>(mix64(key + band) >> 32U), index + 1
        };
    }
}

void NearIndex::reserve(std::size_t rows) {
    const auto wanted = std::bit_ceil(2 * std::min(rows, limit));
    if (wanted > slots_a_band_) grow(wanted);
}

void NearIndex::grow(std::size_t slots_a_band) {
    slots_a_band_ = std::max<std::size_t>(1024, slots_a_band);
    slots_.assign(slots_a_band_ * bands, Slot{});
    for (std::uint32_t index = 0; index < rows_.size(); ++index) insert(index);
}

std::optional<NearIndex::Row> NearIndex::nearest_then_add(
    const Sketch& sketch, std::uint32_t line, std::uint64_t offset
) {
    const auto found = nearest(sketch);
    if (rows_.size() >= limit) return found;
    rows_.push_back({sketch, line, offset});
    rows_.size() * 2 > slots_a_band_ ? grow(slots_a_band_ * 2)
                                     : insert(static_cast<std::uint32_t>(rows_.size() - 1));
    return found;
}

std::optional<NearIndex::Row> NearIndex::nearest(const Sketch& sketch) const {
    if (rows_.empty()) return std::nullopt;
    std::optional<Row> best;
    for (std::size_t band = 0; band < bands; ++band) {
        const auto index = slot_of(band, band_of(sketch, band)).row;
        if (index == 0) continue;
        const auto& row = rows_[index - 1];
        const auto found = similarity(sketch, row.sketch);
        if (!best || found > best->similarity) best = Row{row.line, row.offset, found};
    }
    return best;
}

}  // namespace punie::dataset
