#include <fmt/format.h>

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
            out_ += to_text(value);
        }
    }

private:
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
            out_ += to_text(json::value(name));
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
};

}  // namespace

std::string render_json(const ReportData& data) {
    Indenter indenter;
    indenter.put(to_json(data), 0);
    return indenter.take();
}

}  // namespace punie::report
