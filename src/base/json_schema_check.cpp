// A value against the nodes of a schema.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "base/json_equal.hpp"
#include "base/json_schema_node.hpp"
#include "base/text.hpp"

namespace punie::schema {

namespace {

// A ring of references or a schema that branches at every step ends here, not in a crash or a hang.
constexpr int deepest = 200;
constexpr std::size_t most_steps = 1'000'000;
constexpr std::size_t shown_choices = 8;

/// Where in the value we are: a list up to the root, on the stack. Text only for findings.
struct Path {
    const Path* up = nullptr;
    std::string_view name;
    std::size_t index = 0;
    bool is_index = false;
};

std::string pointer_of(const Path* path) {
    std::vector<const Path*> steps;
    for (; path != nullptr && path->up != nullptr; path = path->up) steps.push_back(path);
    if (steps.empty()) return "(root)";
    std::string pointer;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        pointer += '/';
        pointer +=
            (*step)->is_index ? fmt::format("{}", (*step)->index) : pointer_token((*step)->name);
    }
    return printable(pointer);
}

unsigned type_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return null_type;
        case json::kind::bool_:
            return boolean_type;
        case json::kind::int64:
        case json::kind::uint64:
            return integer_type | number_type;
        case json::kind::double_:
            return is_whole_number(value) ? integer_type | number_type : number_type;
        case json::kind::string:
            return string_type;
        case json::kind::array:
            return array_type;
        case json::kind::object:
            return object_type;
    }
    return no_type;
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
    }));
}

std::string listed(const json::array& values) {
    std::string text;
    for (std::size_t i = 0; i < std::min(values.size(), shown_choices); ++i)
        text += fmt::format("{}{}", i == 0 ? "" : ", ", short_json(values[i]));
    if (values.size() > shown_choices)
        text += fmt::format(" and {} more", values.size() - shown_choices);
    return text;
}

/// Decimal fractions have no exact double: 0.0075 is a multiple of 0.0001.
bool is_multiple(const json::value& value, const json::value& of) {
    if (value.is_int64() && of.is_int64()) return value.get_int64() % of.get_int64() == 0;
    const double quotient = value.to_number<double>() / of.to_number<double>();
    if (!std::isfinite(quotient)) return false;
    return std::abs(quotient - std::round(quotient)) <= std::abs(quotient) * 1e-14 + 1e-12;
}

bool all_differ(const json::array& array) {
    std::vector<const json::value*> sorted;
    sorted.reserve(array.size());
    for (const auto& item : array) sorted.push_back(&item);
    const auto before = [](const auto* a, const auto* b) {
        return compare_json(*a, *b) == std::weak_ordering::less;
    };
    std::ranges::sort(sorted, before);
    return std::ranges::adjacent_find(sorted, [](const auto* a, const auto* b) {
               return same_json(*a, *b);
           }) == sorted.end();
}

/// One walk over a value. Without findings it stops at the first thing that does not fit.
class Walk {
public:
    explicit Walk(std::size_t limit) : limit_(limit) {}

    bool fits(const Node& node, const json::value& value, const Path* path) {
        if (gave_up_) return false;
        if (++depth_ > deepest || ++steps_ > most_steps) {
            --depth_;
            return give_up(path);
        }
        const bool fit = fits_node(node, value, path);
        --depth_;
        return fit;
    }

    std::vector<std::string> take() { return std::move(findings_); }

private:
    bool fits_node(const Node& node, const json::value& value, const Path* path) {
        if (node.verdict)
            return *node.verdict || fault(path, [] { return "nothing may stand here"; });
        if (node.reference != nullptr) return fits(*node.reference, value, path);
        const auto type = type_of(value);
        if (node.types != no_type && (type & node.types) == 0) {
            return fault(path, [&] {
                return fmt::format(
                    "should be {}, is {}", type_words(node.types), describe_json(value)
                );
            });
        }
        bool fit = values(node, value, path);
        if (go_on(fit) && (type & number_type) != 0) fit = numbers(node, value, path) && fit;
        if (go_on(fit) && type == string_type) fit = text(node, value.get_string(), path) && fit;
        if (go_on(fit) && type == array_type) fit = array(node, value.get_array(), path) && fit;
        if (go_on(fit) && type == object_type) fit = object(node, value, path) && fit;
        if (go_on(fit)) fit = combined(node, value, path) && fit;
        return fit;
    }

    bool go_on(bool fit) const {
        if (gave_up_) return false;
        return fit || findings_.size() < limit_;
    }

    /// Notes what does not fit; the words are made only when somebody will read them.
    template <typename Words>
    bool fault(const Path* path, const Words& words) {
        if (findings_.size() < limit_)
            findings_.push_back(fmt::format("{}: {}", pointer_of(path), words()));
        return false;
    }

    bool give_up(const Path* path) {
        gave_up_ = true;
        findings_.clear();
        if (limit_ > 0) {
            findings_.push_back(fmt::format(
                "{}: not checked to the end: the schema refers to itself or branches without end",
                pointer_of(path)
            ));
        }
        return false;
    }

    /// Whether it fits, without a word.
    bool quietly(const Node& node, const json::value& value, const Path* path) {
        const auto limit = std::exchange(limit_, 0);
        const bool fit = fits(node, value, path);
        limit_ = limit;
        if (gave_up_) give_up(path);
        return fit;
    }

    bool values(const Node& node, const json::value& value, const Path* path) {
        const auto same = [&](const json::value& other) { return same_json(value, other); };
        if (node.choices && std::ranges::none_of(*node.choices, same)) {
            return fault(path, [&] {
                return node.choices->size() == 1
                           ? fmt::format(
                                 "{} should be {}", short_json(value), listed(*node.choices)
                             )
                           : fmt::format(
                                 "{} is not one of {}", short_json(value), listed(*node.choices)
                             );
            });
        }
        if (node.fixed && !same(*node.fixed)) {
            return fault(path, [&] {
                return fmt::format(
                    "should be {}, is {}", short_json(*node.fixed), short_json(value)
                );
            });
        }
        return true;
    }

    bool numbers(const Node& node, const json::value& value, const Path* path) {
        const auto wrong = [&](std::string_view words, const json::value& limit) {
            return fault(path, [&] {
                return fmt::format(
                    "{} should be {} {}", short_json(value), words, short_json(limit)
                );
            });
        };
        if (node.minimum && compare_numbers(value, *node.minimum) < 0)
            return wrong("at least", *node.minimum);
        if (node.maximum && compare_numbers(value, *node.maximum) > 0)
            return wrong("at most", *node.maximum);
        if (node.above && compare_numbers(value, *node.above) <= 0)
            return wrong("over", *node.above);
        if (node.below && compare_numbers(value, *node.below) >= 0)
            return wrong("under", *node.below);
        if (node.multiple_of && !is_multiple(value, *node.multiple_of))
            return wrong("a multiple of", *node.multiple_of);
        return true;
    }

    bool text(const Node& node, std::string_view text, const Path* path) {
        if (node.min_length || node.max_length) {
            const auto length = characters(text);
            if (!within(length, node.min_length, node.max_length, "character", path)) return false;
        }
        if (node.pattern != nullptr && !re2::RE2::PartialMatch(text, *node.pattern)) {
            return fault(path, [&] {
                return fmt::format(
                    "{} does not fit the pattern {}",
                    short_json(json::value(text)),
                    node.pattern->pattern()
                );
            });
        }
        if (!node.format.empty() && !fits_format(node.format, text)) {
            return fault(path, [&] {
                return fmt::format("{} is no {}", short_json(json::value(text)), node.format);
            });
        }
        return true;
    }

    bool within(
        std::size_t size,
        const Count& least,
        const Count& most,
        std::string_view what,
        const Path* path
    ) {
        const auto wrong = [&](std::string_view words, std::size_t limit) {
            return fault(path, [&] {
                return fmt::format(
                    "should have {} {} {}{}, has {}",
                    words,
                    limit,
                    what,
                    limit == 1 ? "" : "s",
                    size
                );
            });
        };
        if (least && size < *least) return wrong("at least", *least);
        if (most && size > *most) return wrong("at most", *most);
        return true;
    }

    bool array(const Node& node, const json::array& array, const Path* path) {
        bool fit = within(array.size(), node.min_items, node.max_items, "element", path);
        for (std::size_t i = 0; i < array.size() && go_on(fit); ++i) {
            const auto* beyond = node.items != nullptr ? node.items : node.additional_items;
            const auto* item = i < node.tuple.size() ? node.tuple[i] : beyond;
            if (item == nullptr) continue;
            const Path here{path, {}, i, true};
            fit = fits(*item, array[i], &here) && fit;
        }
        if (go_on(fit) && node.contains != nullptr) {
            const auto has = [&](const json::value& item) {
                return quietly(*node.contains, item, path);
            };
            if (std::ranges::none_of(array, has))
                fit = fault(path, [] {
                    return "none of its elements is of the kind that must be there";
                });
        }
        if (go_on(fit) && node.unique && !all_differ(array))
            fit = fault(path, [] { return "two of its elements are the same"; });
        return fit;
    }

    bool object(const Node& node, const json::value& value, const Path* path) {
        const auto& object = value.get_object();
        bool fit = true;
        for (const auto& name : node.required) {
            if (!go_on(fit)) return fit;
            if (!object.contains(name)) fit = missing(path, name, "is missing");
        }
        for (const auto& member : object) {
            if (!go_on(fit)) return fit;
            fit = property(node, member, path) && fit;
        }
        for (const auto& dependency : node.dependencies) {
            if (!go_on(fit)) return fit;
            if (object.contains(dependency.name)) fit = depends(dependency, value, path) && fit;
        }
        if (!go_on(fit)) return fit;
        return within(object.size(), node.min_properties, node.max_properties, "member", path) &&
               fit;
    }

    bool missing(const Path* path, std::string_view name, std::string_view words) {
        const Path here{path, name};
        return fault(&here, [&] { return words; });
    }

    bool depends(const Dependency& dependency, const json::value& value, const Path* path) {
        if (dependency.node != nullptr) return fits(*dependency.node, value, path);
        for (const auto& name : dependency.names) {
            if (!value.get_object().contains(name)) {
                return missing(
                    path, name, fmt::format("is missing, and {} needs it", dependency.name)
                );
            }
        }
        return true;
    }

    bool property(const Node& node, const json::key_value_pair& member, const Path* path) {
        const Path here{path, member.key()};
        bool known = false;
        bool fit = true;
        if (node.property_names != nullptr &&
            !quietly(*node.property_names, json::value(member.key()), path))
            fit = fault(&here, [] { return "is not allowed as a name here"; });
        if (const auto found = node.properties.find(member.key()); found != node.properties.end()) {
            known = true;
            fit = fits(*found->second, member.value(), &here) && fit;
        }
        for (const auto& [pattern, schema] : node.pattern_properties) {
            if (!re2::RE2::PartialMatch(std::string_view(member.key()), *pattern)) continue;
            known = true;
            fit = fits(*schema, member.value(), &here) && fit;
        }
        if (known || node.additional_properties == nullptr || !go_on(fit)) return fit;
        if (node.additional_properties->verdict == false) return unknown(node, member.key(), &here);
        return fits(*node.additional_properties, member.value(), &here) && fit;
    }

    bool unknown(const Node& node, std::string_view name, const Path* path) {
        return fault(path, [&] {
            std::vector<std::string> names;
            names.reserve(node.properties.size());
            for (const auto& [known, schema] : node.properties) names.push_back(known);
            if (const auto near = nearest(name, names))
                return fmt::format("is not known here; did you mean {}?", *near);
            names.resize(std::min(names.size(), shown_choices));
            return names.empty() ? std::string("is not known here")
                                 : fmt::format("is not known here; there is {}", join_or(names));
        });
    }

    bool combined(const Node& node, const json::value& value, const Path* path) {
        bool fit = true;
        for (const auto* part : node.all_of) {
            if (!go_on(fit)) return fit;
            fit = fits(*part, value, path) && fit;
        }
        if (go_on(fit) && !node.any_of.empty()) fit = any(node.any_of, value, path) && fit;
        if (go_on(fit) && !node.one_of.empty()) fit = one(node.one_of, value, path) && fit;
        if (go_on(fit) && node.negated != nullptr && quietly(*node.negated, value, path))
            fit = fault(path, [&] {
                return fmt::format("{} is what must not stand here", short_json(value));
            });
        if (!go_on(fit) || node.condition == nullptr) return fit;
        const auto* next = quietly(*node.condition, value, path) ? node.then : node.otherwise;
        if (next != nullptr && go_on(fit)) fit = fits(*next, value, path) && fit;
        return fit;
    }

    bool any(const std::vector<const Node*>& parts, const json::value& value, const Path* path) {
        const auto fit = [&](const Node* part) { return quietly(*part, value, path); };
        return std::ranges::any_of(parts, fit) || none_fits(parts, value, path);
    }

    bool one(const std::vector<const Node*>& parts, const json::value& value, const Path* path) {
        const auto fit = [&](const Node* part) { return quietly(*part, value, path); };
        const auto fitting = std::ranges::count_if(parts, fit);
        if (fitting == 1) return true;
        if (fitting == 0) return none_fits(parts, value, path);
        return fault(path, [&] {
            return fmt::format("fits {} of the forms, of which exactly one must fit", fitting);
        });
    }

    /// Says what is wrong with the form that came nearest.
    bool none_fits(
        const std::vector<const Node*>& parts, const json::value& value, const Path* path
    ) {
        if (gave_up_ || findings_.size() >= limit_) return false;
        std::vector<std::string> best;
        for (const auto* part : parts) {
            auto before = std::exchange(findings_, {});
            const auto limit = std::exchange(limit_, 3);
            fits(*part, value, path);
            limit_ = limit;
            auto found = std::exchange(findings_, std::move(before));
            if (gave_up_) return give_up(path);
            if (best.empty() || deeper(found, best)) best = std::move(found);
        }
        if (parts.size() == 1 || best.empty()) {
            findings_.insert(findings_.end(), best.begin(), best.end());
            findings_.resize(std::min(findings_.size(), limit_));
            return false;
        }
        return fault(path, [&] {
            return fmt::format(
                "fits none of the {} forms; nearest: {}", parts.size(), best.front()
            );
        });
    }

    /// A fault further inside, or fewer of them, means that more was right.
    static bool deeper(
        const std::vector<std::string>& found, const std::vector<std::string>& best
    ) {
        if (found.empty()) return false;
        const auto depth = [](const std::string& text) {
            return std::ranges::count(std::string_view(text).substr(0, text.find(": ")), '/');
        };
        if (depth(found.front()) != depth(best.front()))
            return depth(found.front()) > depth(best.front());
        return found.size() < best.size();
    }

    std::vector<std::string> findings_;
    std::size_t limit_;
    std::size_t steps_ = 0;
    int depth_ = 0;
    bool gave_up_ = false;
};

}  // namespace

std::vector<std::string> check(
    const Compiled& compiled, const json::value& value, std::size_t limit
) {
    Walk walk(std::max<std::size_t>(limit, 1));
    const Path root;
    walk.fits(*compiled.root, value, &root);
    return walk.take();
}

}  // namespace punie::schema
