#include "translate/renamer.hpp"

#include <boost/json.hpp>
#include <utility>

#include "base/json.hpp"

namespace punie::translate {

namespace {

constexpr std::string_view member_name = "\"model\"";

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

Renamer::Renamer(std::string_view name) : quoted_(to_text(json::string(name))) {}

std::string Renamer::feed(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() + quoted_.size());
    for (const char c : bytes) {
        switch (state_) {
            case State::escaped:
                state_ = State::dropping;
                continue;
            case State::dropping:
                if (c == '\\') state_ = State::escaped;
                if (c == '"') state_ = State::outside;
                continue;
            case State::value:
                if (c == '"') {
                    out += quoted_;
                    state_ = State::dropping;
                    continue;
                }
                if (!is_blank(c)) state_ = State::outside;  // no text: none of ours
                break;
            case State::colon:
                if (c == ':') {
                    state_ = State::value;
                } else if (!is_blank(c)) {
                    state_ = State::outside;
                }
                break;
            case State::outside:
                break;
        }
        out += c;
        if (state_ != State::outside) continue;
        const char before = std::exchange(before_, c);
        if (c != member_name[matched_]) matched_ = 0;
        if (c != member_name[matched_] || (matched_ == 0 && before == '\\')) continue;
        if (++matched_ < member_name.size()) continue;
        matched_ = 0;
        state_ = State::colon;
    }
    return out;
}

}  // namespace punie::translate
