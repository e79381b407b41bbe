#include "training/train_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/files.hpp"
#include "base/text.hpp"
#include "training/train_settings.hpp"

namespace punie::training {

namespace {

constexpr std::size_t largest_file = 1U << 20U;
constexpr int deepest = 16;

/// A plain scalar as YAML 1.1 reads it, as mlx_lm does: its numbers may leave the dot out (1e-5).
json::value scalar(const YAML::Node& node) {
    const auto text = node.Scalar();
    if (node.Tag() == "!") return json::value(text);  // in quotes
    static const std::set<std::string, std::less<>> yes = {
        "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"
    };
    static const std::set<std::string, std::less<>> no = {
        "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"
    };
    if (yes.contains(text)) return true;
    if (no.contains(text)) return false;
    const auto* begin = text.data() + (text.starts_with('+') ? 1 : 0);
    const auto* end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto read = std::from_chars(begin, end, whole);
        read.ec == std::errc{} && read.ptr == end && begin != end)
        return whole;
    double real = 0;
    if (const auto read = std::from_chars(begin, end, real);
        read.ec == std::errc{} && read.ptr == end && begin != end)
        return real;
    return json::value(text);
}

json::value value_of(const YAML::Node& node, int depth = 0) {
    if (depth > deepest) return nullptr;
    switch (node.Type()) {
        case YAML::NodeType::Scalar:
            return scalar(node);
        case YAML::NodeType::Sequence: {
            json::array list;
            for (const auto& item : node) list.push_back(value_of(item, depth + 1));
            return list;
        }
        case YAML::NodeType::Map: {
            json::object object;
            for (const auto& item : node)
                object[item.first.Scalar()] = value_of(item.second, depth + 1);
            return object;
        }
        default:
            return nullptr;
    }
}

/// Keys that are no settings of the trainer.
constexpr std::array<std::string_view, 14> other_keys = {
    "model",
    "data",
    "adapter_path",
    "keep",
    "early_stop",
    "train",
    "test",
    "test_batches",
    "config",
    "resume_adapter_file",
    "report_to",
    "project_name",
    "hf_dataset",
    "trust_remote_code",
};

class Reader {
public:
    explicit Reader(std::string_view name) : name_(name) {}

    Result<TrainFile> read(const YAML::Node& root) {
        if (root.IsNull()) return std::move(file_);
        if (!root.IsMap()) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("{}: options are expected, a line each \"iters: 600\"", name_)
            );
        }
        for (const auto& item : root) {
            const auto key = item.first.Scalar();
            line_ = item.first.Mark().line + 1;
            if (!seen_.insert(key).second) {
                fault(fmt::format("{}: given twice", key));
                continue;
            }
            if (!item.second.IsNull()) take(key, value_of(item.second));
        }
        if (faults_.empty()) return std::move(file_);
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}", fmt::join(faults_, "\n")),
            "the keys are those of `mlx_lm lora --config`, and keep and early_stop"
        );
    }

private:
    void fault(const std::string& text) {
        for (const auto& one : split_lines(text))
            faults_.push_back(fmt::format("{}:{}: {}", name_, line_, one));
    }

    void take(const std::string& key, const json::value& value) {
        if (key == "model") return word(key, value, file_.model);
        if (key == "data") return word(key, value, file_.data);
        if (key == "adapter_path") return word(key, value, file_.adapter);
        if (key == "keep") return take_keep(value);
        if (key == "early_stop") return take_early_stop(value);
        if (std::ranges::find(other_keys, key) != other_keys.end()) return take_other(key, value);
        take_setting(key, value);
    }

    void word(
        const std::string& key, const json::value& value, std::optional<std::string>& target
    ) {
        if (value.is_string() && !value.as_string().empty()) {
            target = std::string(value.as_string());
        } else {
            fault(fmt::format("{}: expected a path or name, found {}", key, to_text(value)));
        }
    }

    void take_keep(const json::value& value) {
        if (value == "best" || value == "last") {
            file_.keep_best = value == "best";
        } else {
            fault(fmt::format("keep: expected best or last, found {}", to_text(value)));
        }
    }

    void take_early_stop(const json::value& value) {
        constexpr std::int64_t most = 1'000'000;
        if (value.is_int64() && value.as_int64() >= 0 && value.as_int64() <= most) {
            file_.early_stop = static_cast<int>(value.as_int64());
        } else {
            fault(fmt::format(
                "early_stop: expected a whole number from 0 to {}, found {}", most, to_text(value)
            ));
        }
    }

    /// Keys of mlx_lm that mean something only there.
    void take_other(const std::string& key, const json::value& value) {
        if (key == "train") {
            if (value != true) fault("train: this is what `punie train` does; leave it out");
        } else if (key == "test") {
            if (value != false)
                fault("test: `punie train` does not test; `punie eval` does, leave it out");
        } else if (key == "test_batches" || key == "config") {
            file_.notes.push_back(
                fmt::format("{}:{}: {} means nothing to `punie train`", name_, line_, key)
            );
        } else if (key == "resume_adapter_file") {
            fault(
                "resume_adapter_file: mlx_lm would load the weights only and begin at iteration 1; "
                "use --resume, which goes on where a training stopped"
            );
        } else if (key == "hf_dataset") {
            fault("hf_dataset: only folders with train.jsonl are read; name one with data");
        } else if (key == "trust_remote_code") {
            if (value != false)
                fault("trust_remote_code: code that comes with a model is not run; leave it out");
        } else {
            fault(fmt::format("{}: reports are kept in the journal; leave it out", key));
        }
    }

    void take_setting(const std::string& key, const json::value& value) {
        const auto names = train_setting_names();
        if (std::ranges::find(names, key) == names.end()) return unknown(key, names);
        if (const auto checked = complete_train_settings({{key, value}}); !checked)
            return fault(checked.error().message());
        file_.settings[key] = value;
    }

    void unknown(const std::string& key, std::vector<std::string> names) {
        for (const auto other : other_keys) names.emplace_back(other);
        const auto close = nearest(key, names);
        fault(fmt::format(
            "{}: there is no such option{}",
            key,
            close ? fmt::format("; did you mean {}?", *close) : ""
        ));
    }

    std::string_view name_;
    int line_ = 0;
    TrainFile file_;
    std::set<std::string> seen_;
    std::vector<std::string> faults_;
};

}  // namespace

Result<TrainFile> parse_train_file(std::string_view text, std::string_view name) {
    try {
        return Reader(name).read(YAML::Load(std::string(text)));
    } catch (const YAML::Exception& error) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}:{}: {}", name, error.mark.line + 1, error.msg)
        );
    }
}

Result<TrainFile> read_train_file(const std::filesystem::path& file) {
    const auto text = read_text(file, largest_file);
    if (!text) return std::unexpected(text.error());
    return parse_train_file(*text, file.native());
}

}  // namespace punie::training
