#include "relay/message.hpp"

#include <algorithm>
#include <cstddef>

#include "relay/spool.hpp"
#include "relay/syntax.hpp"

namespace punie::relay {

std::string_view Head::header(std::string_view name) const {
    const auto found = std::ranges::find_if(headers, [name](const auto& header) {
        return same_name(header.first, name);
    });
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

HeaderViews views_of(const Headers& headers) {
    return {headers.begin(), headers.end()};
}

struct Body::Spooled {
    SpoolFile file;
};

Body::Body() = default;

Body::Body(std::string text) : text_(std::move(text)) {}

Body::Body(Body&&) noexcept = default;
Body& Body::operator=(Body&&) noexcept = default;
Body::~Body() = default;

std::uint64_t Body::size() const {
    if (!spooled_) return text_.size();
    auto size = spooled_->file.size();
    for (const auto& splice : splices_) size += splice.put.size() - splice.removed;
    return size;
}

bool Body::in_memory() const {
    return spooled_ == nullptr;
}

const std::string& Body::text() const {
    return text_;
}

Result<std::string> Body::read(std::uint64_t offset, std::size_t size) const {
    if (!spooled_) {
        if (offset >= text_.size()) return std::string();
        return text_.substr(static_cast<std::size_t>(offset), size);
    }
    if (splices_.empty()) return spooled_->file.read(offset, size);
    std::string result;
    std::uint64_t skip = offset;  // bytes of the result that are still before `offset`
    std::uint64_t from_file = 0;  // how far the file has been walked
    const auto wanted = [&](std::uint64_t length) {
        const auto skipped = std::min(skip, length);
        skip -= skipped;
        return std::pair{skipped, std::min<std::uint64_t>(length - skipped, size - result.size())};
    };
    const auto put_file = [&](std::uint64_t end) -> Result<void> {
        const auto [skipped, length] = wanted(end - from_file);
        if (length > 0) {
            auto bytes = spooled_->file.read(from_file + skipped, static_cast<std::size_t>(length));
            if (!bytes) return std::unexpected(std::move(bytes).error());
            result.append(*bytes);
        }
        from_file = end;
        return {};
    };
    for (const auto& splice : splices_) {
        if (auto put = put_file(splice.at); !put) return std::unexpected(std::move(put).error());
        const auto [skipped, length] = wanted(splice.put.size());
        result.append(
            splice.put, static_cast<std::size_t>(skipped), static_cast<std::size_t>(length)
        );
        from_file += splice.removed;
    }
    if (auto put = put_file(spooled_->file.size()); !put)
        return std::unexpected(std::move(put).error());
    return result;
}

Body Body::spliced(std::vector<Splice> splices) const {
    Body body;
    if (spooled_) {
        body.spooled_ = spooled_;
        body.splices_ = std::move(splices);
        return body;
    }
    std::size_t size = text_.size();
    for (const auto& splice : splices) size += splice.put.size();
    body.text_.reserve(size);
    std::size_t at = 0;
    for (const auto& splice : splices) {
        body.text_.append(text_, at, static_cast<std::size_t>(splice.at) - at);
        body.text_.append(splice.put);
        at = static_cast<std::size_t>(splice.at + splice.removed);
    }
    body.text_.append(text_, at);
    return body;
}

Result<void> BodyReader::add(std::string_view piece) {
    if (!body_.spooled_ && body_.text_.size() + piece.size() <= limits_.in_memory) {
        body_.text_.append(piece);
        return {};
    }
    if (!body_.spooled_) {
        auto file = SpoolFile::create(limits_.folder);
        if (!file) return std::unexpected(std::move(file).error());
        body_.spooled_ = std::make_shared<Body::Spooled>(*std::move(file));
        auto moved = body_.spooled_->file.append(body_.text_);
        if (!moved) return moved;
        body_.text_ = std::string();
    }
    return body_.spooled_->file.append(piece);
}

}  // namespace punie::relay
