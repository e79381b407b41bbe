// The comparison as JSON: every figure beside the name of the method that made it.

#include <boost/json.hpp>

#include "compare/compare.hpp"

namespace punie::compare {

namespace {

json::value optional_number(const std::optional<double>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

json::value interval_json(const std::optional<stats::Interval>& interval) {
    if (!interval) return nullptr;
    return json::array{interval->low, interval->high};
}

json::array texts(const std::vector<std::string>& list) {
    json::array array;
    array.reserve(list.size());
    for (const auto& text : list) array.emplace_back(text);
    return array;
}

json::object figure_json(const Figure& figure) {
    json::object object{
        {"value", figure.value},
        {"interval", interval_json(figure.interval)},
        {"standard_error", optional_number(figure.standard_error)},
        {"method", figure.method}
    };
    if (!figure.reason.empty()) object["reason"] = figure.reason;
    return object;
}

json::object repeats_json(const Repeats& repeats) {
    json::object object{{"fewest", repeats.fewest}, {"most", repeats.most}};
    if (repeats.variance)
        object["variance"] = {
            {"between_prompts", repeats.variance->between},
            {"within_prompts", repeats.variance->within},
            {"of_means", repeats.variance->of_means},
            {"sampling_share", repeats.variance->sampling_share},
            {"method", "anova"}
        };
    json::array pass_at;
    for (const auto& at : repeats.pass_at)
        pass_at.push_back({{"k", at.k}, {"pass_at_k", at.at_least_one}, {"pass_all_k", at.all}});
    object["pass_at"] = std::move(pass_at);
    object["pass_at_method"] = "unbiased_chen_2021";
    object["agreement"] = optional_number(repeats.agreement);
    object["flickering"] = texts(repeats.flickering);
    return object;
}

json::object variant_json(const VariantResult& variant) {
    json::object object{
        {"name", variant.name},
        {"source", variant.source},
        {"format", variant.format},
        {"prompts", variant.prompts},
        {"samples", variant.samples},
        {"groups", variant.groups},
        {"grouped", variant.grouped},
        {"mean", figure_json(variant.mean)},
        {"unanswered", variant.unanswered},
        {"cut", variant.cut},
        {"unparsed", variant.unparsed},
        {"notes", texts(variant.notes)}
    };
    if (variant.repeats) object["repeats"] = repeats_json(*variant.repeats);
    return object;
}

json::object difference_json(const Difference& difference, std::size_t family) {
    json::object p{
        {"value", optional_number(difference.p)},
        {"method", difference.p_method},
        {"adjusted", optional_number(difference.p_adjusted)},
        {"adjusted_method", difference.p_adjusted ? json::value("holm") : json::value(nullptr)},
        {"family", family}
    };
    if (!difference.p_computed.empty()) p["computed"] = difference.p_computed;
    return {
        {"prompts", difference.prompts},
        {"groups", difference.groups},
        {"grouped", difference.grouped},
        {"baseline_mean", difference.baseline_mean},
        {"other_mean", difference.other_mean},
        {"difference", figure_json(difference.difference)},
        {"p", std::move(p)},
        {"power",
         {{"detectable", optional_number(difference.detectable)},
          {"prompts_needed",
           difference.prompts_needed ? json::value(*difference.prompts_needed)
                                     : json::value(nullptr)},
          {"method", difference.power_method}}},
        {"won", difference.won},
        {"lost", difference.lost},
        {"same", difference.same},
        {"claim", name_of(difference.claim)},
        {"words", difference.words}
    };
}

json::object pair_json(const PairResult& pair, const Comparison& comparison) {
    auto object = difference_json(pair.overall, comparison.family);
    json::array categories;
    for (const auto& category : pair.categories) {
        auto entry = difference_json(category.result, category.named ? comparison.family : 1);
        entry["category"] = category.category;
        entry["exploratory"] = !category.named;
        categories.push_back(std::move(entry));
    }
    json::array changed;
    for (const auto& prompt : pair.changed)
        changed.push_back(
            {{"prompt", prompt.prompt},
             {"category", prompt.category},
             {"before", prompt.before},
             {"after", prompt.after}}
        );
    object["baseline"] = comparison.variants[pair.baseline].name;
    object["other"] = comparison.variants[pair.other].name;
    object["categories"] = std::move(categories);
    object["changed"] = std::move(changed);
    object["left_out"] = pair.left_out;
    object["notes"] = texts(pair.notes);
    return object;
}

}  // namespace

json::object to_json(const Comparison& comparison) {
    json::array variants;
    for (const auto& variant : comparison.variants) variants.push_back(variant_json(variant));
    json::array pairs;
    for (const auto& pair : comparison.pairs) pairs.push_back(pair_json(pair, comparison));
    return {
        {"alpha", comparison.alpha},
        {"power", comparison.power},
        {"baseline", comparison.variants[comparison.baseline].name},
        {"family", comparison.family},
        {"unanswered", comparison.unanswered()},
        {"variants", std::move(variants)},
        {"pairs", std::move(pairs)},
        {"notes", texts(comparison.notes)}
    };
}

}  // namespace punie::compare
