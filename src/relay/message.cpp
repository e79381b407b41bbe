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

struct Body::Spooled {
    SpoolFile file;
};

Body::Body() = default;

Body::Body(std::string text) : text_(std::move(text)) {}

Body::Body(Body&&) noexcept = default;
Body& Body::operator=(Body&&) noexcept = default;
Body::~Body() = default;

std::uint64_t Body::size() const {
    return spooled_ ? spooled_->file.size() : text_.size();
}

bool Body::in_memory() const {
    return spooled_ == nullptr;
}

const std::string& Body::text() const {
    return text_;
}

Result<std::string> Body::read(std::uint64_t offset, std::size_t size) const {
    if (spooled_) return spooled_->file.read(offset, size);
    if (offset >= text_.size()) return std::string();
    return text_.substr(static_cast<std::size_t>(offset), size);
}

Result<void> BodyReader::add(std::string_view piece) {
    if (!body_.spooled_ && body_.text_.size() + piece.size() <= limits_.in_memory) {
        body_.text_.append(piece);
        return {};
    }
    if (!body_.spooled_) {
        auto file = SpoolFile::create(limits_.folder);
        if (!file) return std::unexpected(std::move(file).error());
        body_.spooled_ = std::make_unique<Body::Spooled>(*std::move(file));
        auto moved = body_.spooled_->file.append(body_.text_);
        if (!moved) return moved;
        body_.text_ = std::string();
    }
    return body_.spooled_->file.append(piece);
}

}  // namespace punie::relay
