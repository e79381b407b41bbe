#include <array>
#include <boost/json.hpp>

#include "report/render.hpp"

namespace punie::report {

namespace {

class Indenter {
public:
    std::string take() {
        out_ += '\n';
        return std::move(out_);
    }

    void put(const json::value& value, std::size_t depth) {
        if (value.is_object() && !value.as_object().empty()) {
            put_members(value.as_object(), depth);
        } else if (value.is_array() && !value.as_array().empty()) {
            put_elements(value.as_array(), depth);
        } else {
            put_plain(value);
        }
    }

private:
    /// A number, a literal, an empty list or object, a text.
    void put_plain(const json::value& value) {
        serializer_.reset(&value);
        put_serialized();
    }

    void put_text(json::string_view text) {
        serializer_.reset(text);
        put_serialized();
    }

    void put_serialized() {
        while (!serializer_.done()) out_ += serializer_.read(buffer_.data(), buffer_.size());
    }

    void line(std::size_t depth) {
        out_ += '\n';
        out_.append(2 * depth, ' ');
    }

    void put_members(const json::object& object, std::size_t depth) {
        char before = '{';
        for (const auto& [name, member] : object) {
            out_ += before;
            before = ',';
            line(depth + 1);
            put_text(name);
            out_ += ": ";
            put(member, depth + 1);
        }
        line(depth);
        out_ += '}';
    }

    void put_elements(const json::array& list, std::size_t depth) {
        char before = '[';
        for (const auto& element : list) {
            out_ += before;
            before = ',';
            line(depth + 1);
            put(element, depth + 1);
        }
        line(depth);
        out_ += ']';
    }

    std::string out_;
    json::serializer serializer_;  // one for all: making one costs more than a short text
    std::array<char, 4096> buffer_{};
};

}  // namespace

std::string render_json(const ReportData& data) {
    Indenter indenter;
    indenter.put(to_json(data), 0);
    return indenter.take();
}

}  // namespace punie::report
