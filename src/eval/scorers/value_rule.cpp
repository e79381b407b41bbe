#include "eval/scorers/value_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "eval/scorers/text_match.hpp"

namespace punie::eval::scorers {

namespace {

constexpr int deepest = 32;

bool same(const json::value& left, const json::value& right, bool ignore_case) {
    if (!ignore_case) return same_json(left, right);
    if (left.is_string() && right.is_string())
        return folded(left.get_string()) == folded(right.get_string());
    if (const auto* a = left.if_array()) {
        const auto* b = right.if_array();
        return b != nullptr && std::ranges::equal(*a, *b, [&](const auto& x, const auto& y) {
                   return same(x, y, ignore_case);
               });
    }
    const auto* a = left.if_object();
    const auto* b = right.if_object();
    if (a == nullptr || b == nullptr) return same_json(left, right);
    return a->size() == b->size() && std::ranges::all_of(*a, [&](const auto& member) {
               const auto* other = b->if_contains(member.key());
               return other != nullptr && same(member.value(), *other, ignore_case);
           });
}

/// Which words make an object a rule, and what may stand beside them.
struct Form {
    std::string_view word;
    std::vector<std::string_view> beside;
};

const Form* form_of(const json::object& object) {
    static const std::array<Form, 6> forms = {{
        {"value", {}},
        {"any", {}},
        {"optional", {}},
        {"regex", {"ignore_case"}},
        {"contains", {"ignore_case"}},
        {"number", {"tolerance", "relative"}},
    }};
    for (const auto& form : forms) {
        if (!object.contains(form.word)) continue;
        const bool own = std::ranges::all_of(object, [&](const auto& member) {
            return member.key() == form.word ||
                   std::ranges::find(form.beside, std::string_view(member.key())) !=
                       form.beside.end();
        });
        if (own) return &form;
    }
    return nullptr;
}

std::unexpected<Error> wrong(const std::string& pointer, std::string_view message) {
    return fail(
        ErrorCode::invalid_argument,
        pointer.empty() ? std::string(message) : fmt::format("{}: {}", pointer, message)
    );
}

class RuleReader {
public:
    explicit RuleReader(const RuleOptions& options) : options_(options) {}

    Result<ValueRule> read(const json::value& value, const std::string& pointer, int depth) const {
        if (depth > deepest) return wrong(pointer, "nested too deeply");
        if (const auto* list = value.if_array()) return read_list(*list, pointer, depth);
        if (const auto* object = value.if_object()) return read_object(*object, pointer, depth);
        return exact(value);
    }

private:
    ValueRule exact(const json::value& value) const {
        ValueRule rule;
        rule.value = value;
        rule.how = options_;
        return rule;
    }

    Result<ValueRule> read_list(const json::array& list, const std::string& pointer, int depth)
        const {
        if (list.empty())
            return wrong(
                pointer,
                "the list of accepted values is empty; an empty list as the value "
                "is {value: []}"
            );
        ValueRule rule;
        rule.kind = ValueRule::Kind::one_of;
        rule.how = options_;
        rule.options.reserve(list.size());
        for (std::size_t i = 0; i < list.size(); ++i) {
            auto option = list[i].is_array()
                              ? Result<ValueRule>(exact(list[i]))
                              : read(list[i], fmt::format("{}/{}", pointer, i), depth + 1);
            if (!option) return option;
            // BFCL: an empty string among the values says that the argument may be left out.
            const bool blank = list[i].is_string() && list[i].get_string().empty();
            rule.optional = rule.optional || option->optional || blank;
            rule.options.push_back(*std::move(option));
        }
        return rule;
    }

    Result<ValueRule> read_object(const json::object& object, const std::string& pointer, int depth)
        const {
        if (const auto* form = form_of(object)) return read_form(*form, object, pointer, depth);
        ValueRule rule;
        rule.kind = ValueRule::Kind::object;
        rule.how = options_;
        rule.members.reserve(object.size());
        for (const auto& [name, value] : object) {
            auto member =
                read(value, fmt::format("{}/{}", pointer, pointer_token(name)), depth + 1);
            if (!member) return member;
            rule.members.emplace_back(name, *std::move(member));
        }
        return rule;
    }

    Result<ValueRule> read_form(
        const Form& form, const json::object& object, const std::string& pointer, int depth
    ) const {
        const auto& value = object.at(form.word);
        const auto place = fmt::format("{}/{}", pointer, form.word);
        ValueRule rule = exact(value);
        if (form.word == "value") return rule;
        if (form.word == "any" || (form.word == "optional" && value.is_bool())) {
            if (value != json::value(true)) return wrong(place, "should be true");
            rule.kind = ValueRule::Kind::any;
            rule.optional = form.word == "optional";
            return rule;
        }
        if (form.word == "optional") {
            auto inner = read(value, place, depth + 1);
            if (inner) inner->optional = true;
            return inner;
        }
        Parameters parameters(object, pointer);
        parameters.get(form.word);
        rule.how.ignore_case = parameters.flag("ignore_case", options_.ignore_case);
        if (form.word == "number") {
            rule.kind = ValueRule::Kind::number;
            rule.tolerance = parameters.number("tolerance", 0).value_or(0);
            rule.relative = parameters.number("relative", 0).value_or(0);
            if (!value.is_number())
                parameters.fault(
                    "number", fmt::format("should be a number, is {}", describe_json(value))
                );
        } else {
            read_text_form(form, value, rule, parameters);
        }
        if (auto error = parameters.error()) return std::unexpected(*std::move(error));
        return rule;
    }

    static void read_text_form(
        const Form& form, const json::value& value, ValueRule& rule, Parameters& parameters
    ) {
        rule.kind = form.word == "regex" ? ValueRule::Kind::pattern : ValueRule::Kind::contains;
        if (!value.is_string()) {
            parameters.fault(form.word, fmt::format("should be text, is {}", describe_json(value)));
            return;
        }
        if (form.word != "regex") return;
        re2::RE2::Options how;
        how.set_log_errors(false);
        how.set_case_sensitive(!rule.how.ignore_case);
        auto pattern = std::make_shared<const re2::RE2>(std::string_view(value.get_string()), how);
        if (!pattern->ok())
            parameters.fault(
                form.word, fmt::format("the pattern is not understood: {}", pattern->error())
            );
        rule.pattern = std::move(pattern);
    }

    RuleOptions options_;
};

bool fits_number(const ValueRule& rule, const json::value& found) {
    if (!found.is_number()) return false;
    const auto wanted = rule.value.to_number<double>();
    const auto off = std::abs(found.to_number<double>() - wanted);
    const auto allowed = std::max(rule.tolerance, rule.relative * std::abs(wanted));
    // 0.3 is 0.1 + 0.2: binary fractions get a hair's breadth.
    return off <= allowed + 1e-12 * std::max(1.0, std::abs(wanted));
}

bool fits_object(const ValueRule& rule, const json::value& found) {
    const auto* object = found.if_object();
    if (object == nullptr) return false;
    std::size_t known = 0;
    for (const auto& [name, member] : rule.members) {
        const auto* value = object->if_contains(name);
        if (value == nullptr && !member.optional) return false;
        if (value == nullptr) continue;
        ++known;
        if (!member.fits(*value)) return false;
    }
    return rule.how.extra_members || known == object->size();
}

std::string wanted_number(const ValueRule& rule) {
    const auto number = short_json(rule.value);
    if (rule.relative > 0) return fmt::format("the number {} ± {} %", number, rule.relative * 100);
    if (rule.tolerance > 0) return fmt::format("the number {} ± {}", number, rule.tolerance);
    return fmt::format("the number {}", number);
}

}  // namespace

bool ValueRule::fits(const json::value& found) const {
    switch (kind) {
        case Kind::exact:
            return same(value, found, how.ignore_case);
        case Kind::any:
            return true;
        case Kind::pattern:
            return found.is_string() &&
                   re2::RE2::PartialMatch(std::string_view(found.get_string()), *pattern);
        case Kind::contains: {
            if (!found.is_string()) return false;
            const std::string_view text = found.get_string();
            const Needle needle{std::string(value.get_string()), how.ignore_case};
            return needle.find(text, folded(text)).has_value();
        }
        case Kind::number:
            return fits_number(*this, found);
        case Kind::one_of:
            return std::ranges::any_of(options, [&](const ValueRule& rule) {
                return rule.fits(found);
            });
        case Kind::object:
            return fits_object(*this, found);
    }
    return false;
}

std::string ValueRule::wanted() const {
    switch (kind) {
        case Kind::exact:
            return short_json(value);
        case Kind::any:
            return "anything";
        case Kind::pattern:
            return fmt::format("text that fits /{}/", pattern->pattern());
        case Kind::contains:
            return fmt::format("text with {} in it", short_json(value));
        case Kind::number:
            return wanted_number(*this);
        case Kind::one_of: {
            std::vector<std::string> words;
            words.reserve(options.size());
            for (const auto& option : options) words.push_back(option.wanted());
            return shortened(join_or(words), 160);
        }
        case Kind::object: {
            std::vector<std::string> words;
            words.reserve(members.size());
            for (const auto& [name, rule] : members)
                words.push_back(fmt::format("{}: {}", name, rule.wanted()));
            return shortened(fmt::format("{{{}}}", fmt::join(words, ", ")), 160);
        }
    }
    return {};
}

Result<ValueRule> read_rule(
    const json::value& value, const std::string& pointer, const RuleOptions& options
) {
    return RuleReader(options).read(value, pointer, 0);
}

}  // namespace punie::eval::scorers
