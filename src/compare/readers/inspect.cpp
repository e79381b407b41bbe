// Logs of Inspect (inspect_ai) in JSON: samples with epochs, each with scores by scorer.

#include <array>
#include <boost/json.hpp>
#include <map>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "compare/readers/readers.hpp"

namespace punie::compare {

namespace {

/// Settings that change what the model says; the others (retries, connections) do not.
constexpr std::array sampling_fields = {
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "seed",
    "stop_seqs",
    "frequency_penalty",
    "presence_penalty",
    "system_message",
    "reasoning_effort",
};

/// Inspect's letters: correct, incorrect, partial, no answer.
std::optional<double> value_of(const json::value& value) {
    if (!value.is_string()) return score_from(value);
    static const std::map<std::string_view, double> letters = {
        {"C", 1}, {"I", 0}, {"P", 0.5}, {"N", 0}
    };
    const auto& text = value.get_string();
    const auto found = letters.find(std::string_view(text.data(), text.size()));
    return found == letters.end() ? std::nullopt : std::optional(found->second);
}

std::string sampling_of(const json::value& log) {
    const auto* plan = member(log, "plan");
    const auto* config = plan == nullptr ? nullptr : member(*plan, "config");
    if (config == nullptr) return {};
    Sha256 hash;
    for (const auto* name : sampling_fields) {
        const auto* value = member(*config, name);
        if (value != nullptr && !value->is_null()) hash.add_part(name).add_part(to_text(*value));
    }
    return hash.hex();
}

bool was_cut(const json::value& sample) {
    const auto* output = member(sample, "output");
    const auto* choices = output == nullptr ? nullptr : member(*output, "choices");
    if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return false;
    return string_member(choices->get_array().front(), "stop_reason") == "max_tokens";
}

std::string hash_of_question(const json::value& sample) {
    const auto* input = member(sample, "input");
    const auto* target = member(sample, "target");
    if (input == nullptr) return {};
    // Messages carry random ids: only what they say counts.
    Sha256 hash;
    if (const auto* messages = input->if_array()) {
        for (const auto& message : *messages) {
            const auto* content = member(message, "content");
            hash.add_part(string_member(message, "role").value_or(""));
            hash.add_part(content == nullptr ? std::string() : to_text(*content));
        }
    } else {
        hash.add_part(to_text(*input));
    }
    hash.add_part(target == nullptr ? std::string() : to_text(*target));
    return hash.hex();
}

class Reader {
public:
    Reader(const Input& input, const ReadOptions& options)
        : table_{.name = input.stem, .source = input.file, .format = "inspect"},
          scorer_(options.metric) {}

    Result<void> read(const json::value& sample) {
        const auto id = id_member(sample, "id");
        if (!id)
            return fail(
                ErrorCode::invalid_argument, "\"id\": found nothing, expected a sample's id"
            );
        const auto epoch = integer_member(sample, "epoch").value_or(1);
        const auto number = static_cast<int>(epoch - 1);
        if (!seen_.add(*id, number))
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("sample \"{}\" epoch {} is there twice", *id, epoch)
            );
        const auto* error = member(sample, "error");
        const auto* scores = member(sample, "scores");
        const auto* by_scorer = scores == nullptr ? nullptr : scores->if_object();
        if ((error != nullptr && !error->is_null()) || by_scorer == nullptr || by_scorer->empty()) {
            ++table_.unanswered;
            return {};
        }
        if (was_cut(sample)) ++table_.cut;
        return add(sample, *by_scorer, {.prompt = *id, .sample = number});
    }

    ScoreTable take() && {
        if (scorers_.size() > 1)
            table_.notes.push_back(fmt::format(
                "judged by scorer \"{}\" (of {}); --metric chooses another",
                scorer_,
                join_or(scorers_)
            ));
        return std::move(table_);
    }

    ScoreTable& table() { return table_; }

private:
    Result<void> add(const json::value& sample, const json::object& by_scorer, Score score) {
        if (scorers_.empty()) {
            for (const auto& entry : by_scorer) scorers_.emplace_back(entry.key());
            if (scorer_.empty()) scorer_ = scorers_.front();
        }
        const auto* judged = by_scorer.if_contains(scorer_);
        if (judged == nullptr)
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("sample \"{}\" has no scorer \"{}\"", score.prompt, scorer_),
                fmt::format("it has {}", join_or(scorers_))
            );
        const auto* value = member(*judged, "value");
        const auto found = value == nullptr ? std::nullopt : value_of(*value);
        if (!found)
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "sample \"{}\", scorer \"{}\": found {}, expected C, I, P, N, true, false or a "
                    "number from 0 to 1",
                    score.prompt,
                    scorer_,
                    value == nullptr ? std::string("nothing") : shown(*value)
                )
            );
        score.score = *found;
        score.passed = is_full(*found);
        score.content = hash_of_question(sample);
        if (const auto* metadata = member(sample, "metadata")) {
            score.group = id_member(*metadata, "group").value_or("");
            score.category = id_member(*metadata, "category").value_or("");
        }
        table_.scores.push_back(std::move(score));
        return {};
    }

    ScoreTable table_;
    std::string scorer_;
    std::vector<std::string> scorers_;
    Seen seen_;
};

}  // namespace

Result<std::vector<ScoreTable>> read_inspect(
    const Input& input, const json::value& log, const ReadOptions& options
) {
    const auto* samples = member(log, "samples");
    if (samples == nullptr || !samples->is_array() || samples->get_array().empty())
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}: an Inspect log without samples", input.file),
            "run inspect eval without --no-log-samples, and convert the whole log, not its header"
        );
    Reader reader(input, options);
    reader.table().identity.sampling_hash = sampling_of(log);
    const auto status = string_member(log, "status").value_or("");
    if (status != "success")
        reader.table().notes.push_back(fmt::format("Inspect gave the run status \"{}\"", status));
    for (const auto& sample : samples->get_array()) {
        if (auto done = reader.read(sample); !done)
            return std::unexpected(std::move(done).error().in(input.file));
    }
    return std::vector{std::move(reader).take()};
}

}  // namespace punie::compare
