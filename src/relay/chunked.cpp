#include "relay/chunked.hpp"

#include <algorithm>
#include <cstring>

#include "relay/syntax.hpp"

namespace punie::relay {

namespace {

constexpr unsigned most_digits = 16;          // of a size: what 64 bits hold
constexpr std::size_t most_extension = 4096;  // of all chunks together: nobody uses them
constexpr std::size_t most_trailer = 8192;

bool is_text(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

}  // namespace

const char* ChunkDecoder::take_size(char c) {
    if (const int digit = hex_digit(c); digit >= 0) {
        if (++digits_ > most_digits) return "a chunk's size has too many digits";
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return nullptr;
    }
    if (digits_ == 0) return "a chunk does not begin with its size";
    if (c == '\r') {
        state_ = State::size_end;
        return nullptr;
    }
    if (c != ';') return "a chunk's size is no hexadecimal number";
    state_ = State::extension;
    return nullptr;
}

const char* ChunkDecoder::take_trailer(char c) {
    if (++trailer_ > most_trailer) return "the trailers are too long";
    if (state_ == State::trailer) {
        if (c == '\r') {
            state_ = State::last_lf;
            return nullptr;
        }
        state_ = State::trailer_line;
        return is_token(std::string_view(&c, 1)) ? nullptr : "a trailer is no header";
    }
    if (state_ == State::trailer_line) {
        if (c == '\r') state_ = State::trailer_end;
        return c == '\r' || is_text(c) ? nullptr : "a trailer has a control character";
    }
    state_ = State::trailer;
    return c == '\n' ? nullptr : "a trailer's line is not ended by CR LF";
}

/// One byte of what is not data.
const char* ChunkDecoder::take(char c) {
    switch (state_) {
        case State::size:
            return take_size(c);
        case State::extension:
            if (c == '\r') state_ = State::size_end;
            if (++extension_ > most_extension) return "the chunk extensions are too long";
            return c == '\r' || is_text(c) ? nullptr : "a chunk extension has a control character";
        case State::size_end:
            state_ = left_ == 0 ? State::trailer : State::data;
            return c == '\n' ? nullptr : "a chunk's size is not ended by CR LF";
        case State::data_cr:
            state_ = State::data_lf;
            return c == '\r' ? nullptr : "a chunk is longer than its size";
        case State::data_lf:
            state_ = State::size;
            digits_ = 0;
            return c == '\n' ? nullptr : "a chunk is not ended by CR LF";
        case State::last_lf:
            state_ = State::done;
            return c == '\n' ? nullptr : "the last chunk is not ended by CR LF";
        default:
            return take_trailer(c);
    }
}

ChunkDecoder::Step ChunkDecoder::decode(char* bytes, std::size_t size) {
    char* begin = nullptr;  // the first data stays where it is, later ones are moved up to it
    char* out = nullptr;
    std::size_t at = 0;
    while (at < size && state_ != State::done) {
        if (state_ != State::data) {
            if (const char* bad = take(bytes[at]); bad != nullptr)
                return {
                    .data = {begin, static_cast<std::size_t>(out - begin)}, .used = at, .bad = bad
                };
            ++at;
            continue;
        }
        const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size - at));
        if (begin == nullptr) begin = out = bytes + at;
        if (out != bytes + at) std::memmove(out, bytes + at, run);
        out += run;
        at += run;
        left_ -= run;
        if (left_ == 0) state_ = State::data_cr;
    }
    return {.data = {begin, static_cast<std::size_t>(out - begin)}, .used = at};
}

}  // namespace punie::relay
