// Heads of requests and answers, and chunked bodies: the same in any chunking, and what was
// accepted can be read in one way only.
#include <algorithm>

#include "fuzz_input.hpp"
#include "relay/chunked.hpp"
#include "relay/head.hpp"
#include "relay/syntax.hpp"

namespace {

using namespace punie::relay;
using punie::fuzz::require;

/// Sizes of pieces, 1 to 16 bytes; 0: all at once.
class Cut {
public:
    explicit Cut(unsigned seed) : seed_(seed) {}

    std::size_t next(std::size_t left) {
        if (seed_ == 0) return left;
        seed_ = seed_ * 1664525U + 1013904223U;
        return std::min<std::size_t>(left, (seed_ >> 16U) % 16 + 1);
    }

private:
    unsigned seed_;
};

struct Scanned {
    HeadScanner::State state = HeadScanner::State::incomplete;
    std::size_t size = 0;

    bool operator==(const Scanned&) const = default;
};

Scanned scanned(std::string_view bytes, unsigned seed) {
    HeadScanner scanner;
    Cut cut(seed);
    Scanned result;
    for (std::size_t have = 0; have < bytes.size();) {
        have += cut.next(bytes.size() - have);
        result.state = scanner.scan(bytes.substr(0, have));
        if (result.state != HeadScanner::State::incomplete) break;
    }
    result.size = scanner.size();
    return result;
}

std::size_t count(const punie::relay::Headers& headers, std::string_view name) {
    return static_cast<std::size_t>(std::ranges::count_if(headers, [name](const auto& header) {
        return same_name(header.first, name);
    }));
}

void check_request(std::string_view text) {
    const auto request = parse_request_head(text, 100);
    if (!request) {
        require(request.error().status >= 400, "a refusal is an error");
        return;
    }
    const auto& head = request->head;
    require(is_token(head.method), "the method is a token");
    require(head.target.starts_with('/') && head.path.starts_with('/'), "the target is a path");
    require(head.target.find_first_of(" \r\n\t#") == std::string::npos, "the target is one word");
    require(!head.path.contains('\0'), "no NUL in a path");
    const auto lengths = count(head.headers, "content-length");
    const auto encodings = count(head.headers, "transfer-encoding");
    require(lengths + encodings <= 1, "one way to see where the body ends");
    require((encodings == 1) == (request->framing == Framing::chunked), "chunked is chunked");
    require(lengths == 1 || request->framing != Framing::length, "a length was given");
    require(count(head.headers, "host") == 1 || head.minor == 0, "one host");
    auto again = head.method + " " + head.target + " HTTP/1." + std::to_string(head.minor) + "\r\n";
    for (const auto& [name, value] : head.headers) {
        require(is_token(name) && is_field_value(value), "a header is one");
        again += name + ": " + value + "\r\n";
    }
    const auto same = parse_request_head(again + "\r\n", 100);
    require(same.has_value(), "what is passed on is accepted");
    require(same->head.headers == head.headers && same->head.target == head.target, "and the same");
    require(
        same->framing == request->framing && same->length == request->length, "framed the same"
    );
}

void check_answer(std::string_view text) {
    ResponseHead head;
    if (!parse_response_head(text, false, head)) return;
    require(head.status >= 100 && head.status <= 999, "a status has three digits");
    for (const auto& [name, value] : headers_of_lines(head.lines)) {
        require(is_token(name) && is_field_value(value), "a header is one");
        require(!is_hop_by_hop(name) && !same_name(name, "date"), "and for the client");
    }
}

struct Decoded {
    std::string data;
    std::size_t used = 0;
    bool done = false;
    bool bad = false;

    bool operator==(const Decoded&) const = default;
};

Decoded decoded(std::string bytes, unsigned seed) {
    ChunkDecoder decoder;
    Cut cut(seed);
    Decoded result;
    while (result.used < bytes.size() && !decoder.done() && !result.bad) {
        const auto size = cut.next(bytes.size() - result.used);
        const auto step = decoder.decode(bytes.data() + result.used, size);
        result.data += step.data;
        result.used += step.used;
        result.bad = step.bad != nullptr;
        require(result.bad || decoder.done() || step.used == size, "all is used until the end");
    }
    result.done = decoder.done();
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto bytes = punie::fuzz::text_of(data + 1, size - 1);
    const auto whole = scanned(bytes, 0);
    require(whole == scanned(bytes, 1U + data[0]), "the same head in any chunking");
    if (whole.state == HeadScanner::State::complete) {
        const auto head = std::string_view(bytes).substr(0, whole.size);
        check_request(head);
        check_answer(head);
    }
    const std::string body(bytes);
    const auto all = decoded(body, 0);
    require(all == decoded(body, 1U + data[0]), "the same body in any chunking");
    require(all.data.size() <= body.size(), "no byte more than came");
    return 0;
}
