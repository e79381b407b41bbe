#include "training/train_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"

namespace punie::training {

namespace {

enum class Kind { whole, real, flag, word, object };

struct Setting {
    std::string_view name;
    Kind kind = Kind::whole;
    double low = 0;
    double high = 0;
    std::string_view standard;  ///< mlx_lm's default as JSON; "" has none
};

constexpr double many = 1e9;

// mlx_lm/lora.py, CONFIG_DEFAULTS of 0.32.2.
constexpr std::array<Setting, 20> settings = {{
    {"fine_tune_type", Kind::word, 0, 0, R"("lora")"},
    {"optimizer", Kind::word, 0, 0, R"("adam")"},
    {"optimizer_config", Kind::object, 0, 0, ""},
    {"seed", Kind::whole, 0, 4294967295.0, "0"},
    {"num_layers", Kind::whole, -1, many, "16"},
    {"batch_size", Kind::whole, 1, many, "4"},
    {"iters", Kind::whole, 1, many, "1000"},
    {"val_batches", Kind::whole, -1, many, "25"},
    {"learning_rate", Kind::real, 0, 100, "1e-5"},
    {"steps_per_report", Kind::whole, 1, many, "10"},
    {"steps_per_eval", Kind::whole, 1, many, ""},
    {"save_every", Kind::whole, 1, many, ""},
    {"max_seq_length", Kind::whole, 2, many, "2048"},
    {"grad_checkpoint", Kind::flag, 0, 0, "false"},
    {"grad_accumulation_steps", Kind::whole, 1, many, "1"},
    {"clear_cache_threshold", Kind::whole, 0, 1e15, "0"},
    {"lr_schedule", Kind::object, 0, 0, ""},
    {"lora_parameters", Kind::object, 0, 0, ""},
    {"mask_prompt", Kind::flag, 0, 0, "false"},
    {"trust_remote_code", Kind::flag, 0, 0, "false"},
}};

const Setting* find(std::string_view name) {
    const auto* found = std::ranges::find(settings, name, &Setting::name);
    return found == settings.end() ? nullptr : found;
}

std::string expected(const Setting& setting) {
    switch (setting.kind) {
        case Kind::whole:
            return fmt::format("a whole number from {} to {}", setting.low, setting.high);
        case Kind::real:
            return fmt::format("a number over {}, at most {}", setting.low, setting.high);
        case Kind::flag:
            return "true or false";
        case Kind::word:
            return "a word";
        case Kind::object:
            break;
    }
    return "keys and values";
}

bool fits(const Setting& setting, const json::value& value) {
    switch (setting.kind) {
        case Kind::flag:
            return value.is_bool();
        case Kind::word:
            return value.is_string();
        case Kind::object:
            return value.is_object();
        case Kind::whole:
        case Kind::real:
            break;
    }
    if (!value.is_number()) return false;
    const auto number = value.to_number<double>();
    if (setting.kind == Kind::real) return number > setting.low && number <= setting.high;
    return std::floor(number) == number && number >= setting.low && number <= setting.high;
}

void check_word(
    const json::object& given,
    std::string_view name,
    const std::vector<std::string>& allowed,
    std::vector<std::string>& faults
) {
    const auto* value = given.if_contains(name);
    if (value == nullptr || !value->is_string()) return;
    const std::string word(value->as_string());
    if (std::ranges::find(allowed, word) != allowed.end()) return;
    faults.push_back(fmt::format("{}: expected {}, found \"{}\"", name, join_or(allowed), word));
}

void check_lora(const json::object& given, std::vector<std::string>& faults) {
    const auto* value = given.if_contains("lora_parameters");
    if (value == nullptr || !value->is_object()) return;
    static const std::vector<std::string> known = {"rank", "scale", "dropout", "keys"};
    for (const auto& [name, setting] : value->as_object()) {
        const std::string key(name);
        if (std::ranges::find(known, key) != known.end()) continue;
        if (key == "alpha") {
            faults.emplace_back(
                "lora_parameters.alpha: mlx_lm has no alpha; its scale is alpha / rank (alpha 16 "
                "with rank 8 is scale 2)"
            );
            continue;
        }
        const auto close = nearest(key, known);
        faults.push_back(fmt::format(
            "lora_parameters.{}: unknown; {}",
            key,
            close ? fmt::format("did you mean {}?", *close) : "there are " + join_or(known)
        ));
    }
    const auto rank = integer_member(*value, "rank");
    if (value->as_object().contains("rank") && (!rank || *rank < 1))
        faults.emplace_back("lora_parameters.rank: expected a whole number from 1");
    const auto dropout = number_member(*value, "dropout");
    if (value->as_object().contains("dropout") && (!dropout || *dropout < 0 || *dropout >= 1))
        faults.emplace_back("lora_parameters.dropout: expected a number from 0 to under 1");
}

constexpr std::string_view no_such_option = "mlx_lm has no such option";

std::vector<std::string> faults_of(const json::object& given) {
    std::vector<std::string> faults;
    for (const auto& [name, value] : given) {
        const std::string key(name);
        const auto* setting = find(key);
        if (setting == nullptr) {
            const auto close = nearest(key, train_setting_names());
            faults.push_back(fmt::format(
                "{}: {}{}",
                key,
                no_such_option,
                close ? fmt::format("; did you mean {}?", *close) : ""
            ));
        } else if (!fits(*setting, value)) {
            faults.push_back(
                fmt::format("{}: expected {}, found {}", key, expected(*setting), to_text(value))
            );
        }
    }
    check_word(given, "fine_tune_type", {"lora", "dora", "full"}, faults);
    check_word(given, "optimizer", {"adam", "adamw", "muon", "sgd", "adafactor"}, faults);
    check_lora(given, faults);
    return faults;
}

std::int64_t whole(const json::object& object, std::string_view name) {
    return static_cast<std::int64_t>(object.at(name).to_number<double>());
}

}  // namespace

std::vector<std::string> train_setting_names() {
    std::vector<std::string> names;
    names.reserve(settings.size());
    for (const auto& setting : settings) names.emplace_back(setting.name);
    return names;
}

Result<json::object> complete_train_settings(const json::object& given) {
    if (const auto faults = faults_of(given); !faults.empty()) {
        auto text = fmt::format("{}", fmt::join(faults, "\n"));
        const bool unknown = text.find(no_such_option) != std::string::npos;
        return fail(
            ErrorCode::invalid_argument,
            std::move(text),
            unknown ? "the options are those of `mlx_lm lora`: " + join_or(train_setting_names())
                    : std::string()
        );
    }
    json::object complete;
    for (const auto& setting : settings) {
        if (const auto* value = given.if_contains(setting.name)) {
            complete[setting.name] = *value;
        } else if (!setting.standard.empty()) {
            complete[setting.name] = parse_json(setting.standard).value_or(json::value());
        }
    }
    const auto iters = whole(complete, "iters");
    if (!complete.contains("save_every"))
        complete["save_every"] = std::clamp<std::int64_t>(iters / 4, 1, 100);
    if (!complete.contains("steps_per_eval"))
        complete["steps_per_eval"] = std::clamp<std::int64_t>(iters / 10, 10, 200);
    return complete;
}

TrainingBenchmarkOptions as_benchmark_options(const json::object& complete) {
    TrainingBenchmarkOptions options;
    options.iterations = static_cast<int>(whole(complete, "iters"));
    options.batch_size = static_cast<int>(whole(complete, "batch_size"));
    options.num_layers = static_cast<int>(whole(complete, "num_layers"));
    options.max_seq_length = static_cast<int>(whole(complete, "max_seq_length"));
    options.grad_checkpoint = complete.at("grad_checkpoint").as_bool();
    options.mask_prompt = complete.at("mask_prompt").as_bool();
    options.fine_tune_type = complete.at("fine_tune_type").as_string().c_str();
    options.learning_rate = complete.at("learning_rate").to_number<double>();
    if (const auto* lora = complete.if_contains("lora_parameters")) {
        options.lora_rank =
            static_cast<int>(integer_member(*lora, "rank").value_or(options.lora_rank));
    }
    return options;
}

}  // namespace punie::training
