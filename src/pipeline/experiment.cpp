#include "pipeline/experiment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "backend/model_files.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "eval/suite_faults.hpp"
#include "eval/suite_source.hpp"
#include "training/train_settings.hpp"

namespace punie::pipeline {

namespace {

using eval::Faults;
using eval::Node;
using Path = std::filesystem::path;

constexpr std::size_t largest_file = 1U << 20U;

/// The members of a map, each taken once by name; what is left is unknown.
class Fields {
public:
    Fields(const Node& map, std::string path, Faults& faults)
        : map_(map), path_(std::move(path)), faults_(faults) {
        if (map.kind != Node::Kind::map)
            faults_.add(map.place, path_, "expected keys and values, found " + describe(map));
    }

    const Node* take(const std::string& name) {
        known_.push_back(name);
        return map_.find(name);
    }

    std::string at(const std::string& name) const {
        return path_.empty() ? name : path_ + "." + name;
    }

    void text(const std::string& name, std::string& into) {
        const auto* node = take(name);
        if (node == nullptr) return;
        if (node->kind != Node::Kind::text || node->text.empty()) {
            wrong(name, *node, "a text");
            return;
        }
        into = node->text;
    }

    template <typename Number>
    void number(const std::string& name, Number& into, double least, double most) {
        const auto* node = take(name);
        if (node == nullptr) return;
        const auto value = eval::to_json(*node);
        if (node->kind != Node::Kind::number || !value.is_number()) {
            wrong(name, *node, "a number");
            return;
        }
        const auto found = value.to_number<double>();
        const bool whole = std::floor(found) == found;
        if (found < least || found > most || (std::is_integral_v<Number> && !whole)) {
            wrong(name, *node, fmt::format("a number from {} to {}", least, most));
            return;
        }
        into = static_cast<Number>(found);
    }

    template <typename Number>
    void number(const std::string& name, std::optional<Number>& into, double least, double most) {
        Number value{};
        const auto before = faults_.any();
        if (map_.find(name) == nullptr) {
            known_.push_back(name);
            return;
        }
        number(name, value, least, most);
        if (!faults_.any() || before) into = value;
    }

    void flag(const std::string& name, bool& into) {
        const auto* node = take(name);
        if (node == nullptr) return;
        if (node->kind != Node::Kind::boolean) {
            wrong(name, *node, "true or false");
            return;
        }
        into = node->text == "true";
    }

    void wrong(const std::string& name, const Node& node, const std::string& expected) {
        faults_.add(
            node.place, at(name), fmt::format("expected {}, found {}", expected, describe(node))
        );
    }

    /// Keys that nobody asked for.
    void finish() {
        for (const auto& member : map_.members) {
            if (std::ranges::find(known_, member.name) != known_.end()) continue;
            const auto close = nearest(member.name, known_);
            faults_.add(
                member.place,
                at(member.name),
                close ? fmt::format("unknown key; did you mean {}?", *close)
                      : fmt::format("unknown key; there are {}", join_or(known_))
            );
        }
    }

private:
    const Node& map_;
    std::string path_;
    Faults& faults_;
    std::vector<std::string> known_;
};

class Reader {
public:
    explicit Reader(Path file) {
        experiment_.file = std::move(file);
        std::error_code ignored;
        experiment_.folder = std::filesystem::absolute(experiment_.file, ignored).parent_path();
    }

    Result<Experiment> read(std::string_view bytes) {
        if (const auto text = eval::checked_text(bytes, experiment_.file, faults_)) {
            if (const auto root = eval::read_yaml(*text, experiment_.file, faults_)) all(*root);
        }
        if (faults_.any()) return std::unexpected(faults_.error());
        return std::move(experiment_);
    }

private:
    void all(const Node& root) {
        Fields fields(root, "", faults_);
        if (root.kind != Node::Kind::map) return;
        fields.text("experiment", experiment_.name);
        if (experiment_.name.empty()) experiment_.name = experiment_.file.stem().string();
        fields.text("model", experiment_.model);
        fields.text("mlx_lm", experiment_.mlx_lm);
        if (!experiment_.mlx_lm.empty()) experiment_.mlx_lm = resolved(experiment_.mlx_lm).string();
        path(fields, "suite", experiment_.suite, true);
        path(fields, "data", experiment_.data, true);
        path(fields, "out", experiment_.out, false);
        path(fields, "report", experiment_.report_html, false);
        if (const auto* node = fields.take("check")) check(*node);
        if (const auto* node = fields.take("feasibility")) feasibility(*node);
        if (const auto* node = fields.take("evaluate")) evaluation(*node);
        if (const auto* node = fields.take("compare")) comparison(*node);
        if (const auto* node = fields.take("variants")) variants(*node);
        fields.finish();
        experiment_.model = resolved_model(experiment_.model);
        check_model(root, "model", experiment_.model);
        check_whole(root);
    }

    Path resolved(const std::string& text) const {
        return (experiment_.folder / text).lexically_normal();
    }

    /// Models are folders seen from the file, or names of the hub.
    std::string resolved_model(const std::string& text) const {
        if (text.empty()) return text;
        std::error_code ignored;
        const auto local = resolved(text);
        if (std::filesystem::exists(local, ignored)) return local.string();
        return text;
    }

    /// A name of the hub may be downloaded; anything else has to be there.
    void check_model(const Node& node, const std::string& where, const std::string& model) {
        std::error_code ignored;
        const auto* named = node.find("model");
        if (named == nullptr || model.empty() || std::filesystem::exists(model, ignored)) return;
        // "org/name" is of the hub, unless a folder "org" stands beside the file.
        const bool of_the_hub = std::ranges::count(model, '/') == 1 && model.front() != '.' &&
                                model.front() != '/' &&
                                !std::filesystem::exists(resolved(model).parent_path(), ignored);
        if (of_the_hub) return;
        faults_.add(
            named->place,
            where,
            fmt::format(
                "{} does not exist; expected a model folder seen from this file, or a name of the "
                "hub",
                resolved(model).string()
            )
        );
    }

    void path(Fields& fields, const std::string& name, Path& into, bool must_exist) {
        std::string text;
        fields.text(name, text);
        if (text.empty()) return;
        into = resolved(text);
        std::error_code ignored;
        if (!must_exist || std::filesystem::exists(into, ignored)) return;
        faults_.add(
            fields.take(name)->place, name, fmt::format("{} does not exist", into.string())
        );
    }

    void check(const Node& node) {
        if (node.kind == Node::Kind::boolean) {
            experiment_.check_data = node.text == "true";
            return;
        }
        Fields fields(node, "check", faults_);
        fields.flag("strict", experiment_.strict_data);
        fields.finish();
    }

    void feasibility(const Node& node) {
        auto& settings = experiment_.feasibility;
        settings.wanted = true;
        if (node.kind == Node::Kind::boolean) {
            settings.wanted = node.text == "true";
            return;
        }
        Fields fields(node, "feasibility", faults_);
        fields.number("iterations", settings.iterations, 2, 1000);
        fields.text("require", settings.require);
        static const std::vector<std::string> known = {"excellent", "acceptable", "slow"};
        if (!settings.require.empty() &&
            std::ranges::find(known, settings.require) == known.end()) {
            faults_.add(
                node.find("require")->place,
                "feasibility.require",
                fmt::format("expected {}, found \"{}\"", join_or(known), settings.require)
            );
        }
        fields.finish();
    }

    void evaluation(const Node& node) {
        auto& settings = experiment_.evaluate;
        Fields fields(node, "evaluate", faults_);
        fields.number("repeats", settings.repeats, 1, 10'000);
        fields.number("max_tokens", settings.max_tokens, 1, 10'000'000);
        fields.number("temperature", settings.temperature, 0, 2);
        fields.number("seed", settings.seed, 0, 9e15);
        fields.number("limit", settings.limit, 1, 1e9);
        fields.number("concurrency", settings.concurrency, 0, 4096);
        fields.number("request_timeout", settings.request_seconds, 0.001, 1e6);
        fields.finish();
    }

    void comparison(const Node& node) {
        auto& settings = experiment_.compare;
        Fields fields(node, "compare", faults_);
        fields.text("baseline", settings.baseline);
        fields.number("threshold", settings.threshold, 0, 1);
        fields.number("min_gain", settings.min_gain, -1, 1);
        if (const auto* list = fields.take("no_regression")) {
            for (const auto& item : list->items) settings.no_regression.push_back(item.text);
            if (list->kind == Node::Kind::text) settings.no_regression.push_back(list->text);
        }
        fields.finish();
    }

    void variants(const Node& node) {
        if (node.kind != Node::Kind::list) {
            faults_.add(node.place, "variants", "expected a list, found " + describe(node));
            return;
        }
        for (std::size_t i = 0; i < node.items.size(); ++i)
            variant(node.items[i], fmt::format("variants[{}]", i));
    }

    void variant(const Node& node, const std::string& where) {
        Variant made{.line = node.place.line};
        if (node.kind == Node::Kind::text) {  // "- base": the experiment's model as it is
            made.name = node.text;
        } else {
            Fields fields(node, where, faults_);
            if (node.kind != Node::Kind::map) return;
            fields.text("name", made.name);
            fields.text("backend", made.backend);
            fields.flag("evaluate", made.evaluate);
            kind_of(fields, node, where, made);
            fields.finish();
        }
        if (made.name.empty()) {
            faults_.add(node.place, where, "a variant needs a name: `name: tuned`");
            return;
        }
        check_name(node, where, made.name);
        made.model = resolved_model(made.model);
        if (made.url.empty()) check_model(node, where + ".model", made.model);  // else a name there
        if (!made.adapter.empty()) made.adapter = resolved(made.adapter).string();
        experiment_.variants.push_back(std::move(made));
    }

    /// Names become folders and ids of stages.
    void check_name(const Node& node, const std::string& where, const std::string& name) {
        const auto odd = [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return std::isalnum(byte) == 0 && c != '-' && c != '_' && c != '.' && byte < 0x80;
        };
        if (std::ranges::any_of(name, odd) || name.starts_with('.')) {
            faults_.add(
                node.place,
                where + ".name",
                fmt::format(
                    "\"{}\": letters, digits, '-', '_' and '.' only, as it names a folder", name
                )
            );
        }
        if (experiment_.find(name) != nullptr)
            faults_.add(node.place, where + ".name", fmt::format("\"{}\" stands twice", name));
    }

    /// Exactly one key says how the variant comes to be.
    void kind_of(Fields& fields, const Node& node, const std::string& where, Variant& made) {
        std::vector<std::string> found;
        fields.text("model", made.model);
        fields.text("adapter", made.adapter);
        fields.text("url", made.url);
        if (const auto* settings = fields.take("train")) {
            found.emplace_back("train");
            made.kind = VariantKind::train;
            train(*settings, where, made);
        }
        if (node.find("fuse") != nullptr) {
            found.emplace_back("fuse");
            made.kind = VariantKind::fuse;
            fields.text("fuse", made.from);
            bool dequantise = false;
            fields.flag("dequantise", dequantise);
            made.settings["dequantise"] = dequantise;
        } else {
            (void)fields.take("fuse");
        }
        if (node.find("quantise") != nullptr || node.find("quantize") != nullptr) {
            found.emplace_back("quantise");
            made.kind = VariantKind::quantise;
            fields.text(node.find("quantise") != nullptr ? "quantise" : "quantize", made.from);
            quantise(fields, node, where, made);
        } else {
            (void)fields.take("quantise");
        }
        if (!made.adapter.empty()) {
            found.emplace_back("adapter");
            made.kind = VariantKind::adapter;
        }
        if (!made.url.empty()) {
            found.emplace_back("url");
            made.kind = VariantKind::endpoint;
        }
        if (found.size() > 1) {
            faults_.add(
                node.place,
                where,
                fmt::format("{} exclude each other: keep one", fmt::join(found, " and "))
            );
        }
    }

    void train(const Node& settings, const std::string& where, Variant& made) {
        if (settings.kind == Node::Kind::null) return;  // `train:` with all defaults
        if (settings.kind != Node::Kind::map) {
            faults_.add(
                settings.place,
                where + ".train",
                "expected options of mlx_lm lora such as {iters: 300}, found " + describe(settings)
            );
            return;
        }
        made.settings = eval::to_json(settings).as_object();
        for (const auto& member : settings.members) {
            if (member.name == "keep" || member.name == "early_stop") continue;
            // Said here, and not after an hour of evaluating what comes before the training.
            const auto checked =
                training::complete_train_settings({{member.name, made.settings.at(member.name)}});
            if (!checked) faults_.add(member.place, where + ".train", checked.error().message());
        }
    }

    void quantise(Fields& fields, const Node& node, const std::string& where, Variant& made) {
        int bits = 4;
        int group_size = 64;
        fields.number("bits", bits, 2, 8);
        fields.number("group_size", group_size, 16, 1024);
        static const std::set<int> widths = {4, 5, 6, 8};
        if (!widths.contains(bits)) {
            faults_.add(
                node.find("bits")->place,
                where + ".bits",
                fmt::format("expected 4, 5, 6 or 8, found {}", bits)
            );
        }
        made.settings["bits"] = bits;
        made.settings["group_size"] = group_size;
    }

    void check_whole(const Node& root) {
        if (experiment_.suite.empty() && root.find("suite") == nullptr)
            faults_.add(root.place, "suite", "missing: which suite is to be put to the variants?");
        const auto* listed = root.find("variants");
        if (listed == nullptr || (listed->kind == Node::Kind::list && listed->items.empty())) {
            faults_.add(
                listed == nullptr ? root.place : listed->place,
                "variants",
                "missing: which variants are to be judged? `- base` is one"
            );
        }
        for (const auto& variant : experiment_.variants) check_variant(variant);
        auto& baseline = experiment_.compare.baseline;
        if (baseline.empty() && !experiment_.variants.empty())
            baseline = experiment_.variants.front().name;
        if (!baseline.empty() && experiment_.find(baseline) == nullptr)
            fault_at(0, "compare.baseline", no_variant(baseline));
        if (experiment_.out.empty())
            experiment_.out = experiment_.folder / ".punie" / "experiments" / experiment_.name;
        if (experiment_.report_html.empty())
            experiment_.report_html = experiment_.out / "report.html";
    }

    void fault_at(int line, const std::string& where, const std::string& message) {
        const auto file = std::make_shared<const std::string>(experiment_.file.string());
        faults_.add({.file = file, .line = line, .column = 1}, where, message);
    }

    std::string no_variant(const std::string& name) const {
        std::vector<std::string> names;
        names.reserve(experiment_.variants.size());
        for (const auto& variant : experiment_.variants) names.push_back(variant.name);
        const auto close = nearest(name, names);
        return fmt::format(
            "no variant is called \"{}\"; {}",
            name,
            close ? fmt::format("did you mean {}?", *close) : "there are " + join_or(names)
        );
    }

    void check_variant(const Variant& variant) {
        const auto where = "variant " + variant.name;
        const bool own_model = !variant.model.empty() || variant.kind == VariantKind::endpoint;
        const bool made =
            variant.kind == VariantKind::fuse || variant.kind == VariantKind::quantise;
        if (!own_model && !made && experiment_.model.empty())
            fault_at(variant.line, where, "no model: give the experiment a `model:`");
        if (variant.kind == VariantKind::train && experiment_.data.empty())
            fault_at(variant.line, where, "no data: give the experiment a `data:` folder");
        if (!made) return;
        const auto* source = experiment_.find(variant.from);
        if (source == nullptr) {
            fault_at(variant.line, where, no_variant(variant.from));
        } else if (variant.kind == VariantKind::fuse && source->kind != VariantKind::train &&
                   source->kind != VariantKind::adapter) {
            fault_at(variant.line, where, variant.from + " has no adapter that could be fused");
        } else if (variant.kind == VariantKind::quantise &&
                   (source->kind == VariantKind::train || source->kind == VariantKind::adapter)) {
            fault_at(
                variant.line,
                where,
                variant.from + " is an adapter; fuse it first and quantise the fused variant"
            );
        } else if (in_a_circle(variant)) {
            fault_at(variant.line, where, "is made of itself");
        }
    }

    bool in_a_circle(const Variant& variant) const {
        const auto* at = &variant;
        for (std::size_t step = 0; at != nullptr && step <= experiment_.variants.size(); ++step) {
            if (at->from.empty()) return false;
            at = experiment_.find(at->from);
        }
        return at != nullptr;
    }

    Experiment experiment_;
    Faults faults_;
};

}  // namespace

std::string_view name_of(VariantKind kind) {
    switch (kind) {
        case VariantKind::base:
            return "base";
        case VariantKind::adapter:
            return "adapter";
        case VariantKind::train:
            return "train";
        case VariantKind::fuse:
            return "fuse";
        case VariantKind::quantise:
            return "quantise";
        case VariantKind::endpoint:
            break;
    }
    return "endpoint";
}

const Variant* Experiment::find(const std::string& variant) const {
    const auto found = std::ranges::find(variants, variant, &Variant::name);
    return found == variants.end() ? nullptr : &*found;
}

Result<Experiment> parse_experiment(std::string_view text, const Path& file) {
    return Reader(file).read(text);
}

Result<Experiment> read_experiment(const Path& file) {
    auto text = read_text(file, largest_file);
    if (!text) return std::unexpected(std::move(text).error());
    return parse_experiment(*text, file);
}

std::string starting_experiment(const std::string& name) {
    return fmt::format(
        R"(# {0}: from data to a verdict. `punie run` does what is out of date; `punie run --dry-run` shows it.
experiment: {0}
model: models/your-model          # an MLX folder, or a hub name that is already downloaded
suite: suite.yaml                 # prompts with expectations; `punie suite schema` has the format
data: data                        # train.jsonl, valid.jsonl: `punie dataset validate data`

feasibility: {{iterations: 3, require: slow}}   # is training possible here at all?

variants:
  - base                          # the model as it is
  - name: tuned
    train:                        # options of `mlx_lm lora`, by its own names
      iters: 300
      batch_size: 4
      num_layers: 16
      learning_rate: 1e-5
      mask_prompt: true
  - name: fused
    fuse: tuned
    evaluate: false
  - name: tuned-4bit
    quantise: fused
    bits: 4

evaluate:
  max_tokens: 256                 # temperature is 0 unless the suite says otherwise

compare:
  baseline: base
  # min_gain: 0.1                 # exit code 1 unless the last variant gains so much
  # no_regression: [reasoning]    # nor may these categories get worse
)",
        name
    );
}

}  // namespace punie::pipeline
