#pragma once
// Memory for what was read, lent while bytes are waiting in it and given back when there are none:
// an idle connection holds none.

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace punie::relay {

class BufferPool {
public:
    explicit BufferPool(std::size_t size, std::size_t most = 256) : size_(size), most_(most) {}

    std::size_t size() const { return size_; }

    std::unique_ptr<char[]> take() {
        if (free_.empty()) return std::make_unique_for_overwrite<char[]>(size_);
        auto memory = std::move(free_.back());
        free_.pop_back();
        return memory;
    }

    void give(std::unique_ptr<char[]> memory) {
        if (free_.size() < most_) free_.push_back(std::move(memory));
    }

private:
    std::size_t size_;
    std::size_t most_;
    std::vector<std::unique_ptr<char[]>> free_;
};

/// Bytes that were read and not yet used. Takes memory when room is asked for.
class Buffer {
public:
    explicit Buffer(BufferPool& pool) : pool_(&pool) {}

    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    ~Buffer() { release(); }

    bool empty() const { return begin_ == end_; }

    char* data() { return memory_.get() + begin_; }

    std::size_t size() const { return end_ - begin_; }

    std::string_view view() const { return {memory_.get() + begin_, size()}; }

    /// Where to read into.
    char* room() {
        if (!memory_) {
            memory_ = pool_->take();
            capacity_ = pool_->size();
        }
        if (begin_ == end_) begin_ = end_ = 0;
        return memory_.get() + end_;
    }

    /// Bytes behind `room()`.
    std::size_t room_size() const { return capacity_ - end_; }

    void added(std::size_t bytes) { end_ += bytes; }

    void used(std::size_t bytes) { begin_ += bytes; }

    /// The bytes moved to the front, and twice the memory if it is still full.
    void grow() {
        auto larger = std::move(memory_);
        const auto bytes = size();
        if (bytes == capacity_) {
            auto bigger = std::make_unique_for_overwrite<char[]>(2 * capacity_);
            std::memcpy(bigger.get(), larger.get() + begin_, bytes);
            if (capacity_ == pool_->size()) pool_->give(std::move(larger));
            larger = std::move(bigger);
            capacity_ *= 2;
        } else {
            std::memmove(larger.get(), larger.get() + begin_, bytes);
        }
        memory_ = std::move(larger);
        begin_ = 0;
        end_ = bytes;
    }

    /// Drops what is in it and gives the memory back.
    void release() {
        if (memory_ && capacity_ == pool_->size()) pool_->give(std::move(memory_));
        memory_.reset();
        begin_ = end_ = capacity_ = 0;
    }

private:
    BufferPool* pool_;
    std::unique_ptr<char[]> memory_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace punie::relay
