#pragma once
// Chunked bodies taken apart (RFC 9112, 7.1), strictly and in place. Pure.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace punie::relay {

/// Feed it with `decode` until `done`. Trailers are read and dropped.
class ChunkDecoder {
public:
    struct Step {
        std::string_view data;      ///< what the bytes held of the body
        std::size_t used = 0;       ///< of the bytes; less than all only when done
        const char* bad = nullptr;  ///< what is wrong, nullptr if nothing
    };

    /// Takes `size` bytes apart. The data is put together at their beginning: whatever stood there
    /// is overwritten.
    Step decode(char* bytes, std::size_t size);

    bool done() const { return state_ == State::done; }

    /// Bytes that the present chunk announced and that have not come.
    std::uint64_t announced() const { return left_; }

private:
    enum class State {
        size,
        extension,
        size_end,
        data,
        data_cr,
        data_lf,
        trailer,
        trailer_line,
        trailer_end,
        last_lf,
        done,
    };

    const char* take(char c);
    const char* take_size(char c);
    const char* take_trailer(char c);

    State state_ = State::size;
    std::uint64_t left_ = 0;     ///< of the present chunk
    unsigned digits_ = 0;        ///< of its size
    std::size_t extension_ = 0;  ///< bytes of extensions, of all chunks
    std::size_t trailer_ = 0;    ///< bytes of trailers
};

}  // namespace punie::relay
