#pragma once
// Text looked for in answers, and judgements that text scorers share.

#include <optional>
#include <string>
#include <string_view>

#include "eval/scorer.hpp"

namespace punie::eval::scorers {

/// Lower case of ASCII, Latin, Greek and Cyrillic letters; of the same length in bytes, so places
/// in it are places in `text`.
std::string folded(std::string_view text);

/// Text that is looked for.
struct Needle {
    std::string text;
    bool ignore_case = false;
    bool whole_words = false;  ///< no letter or digit directly before or behind

    /// Where it stands first; `text` is the answer, `lower` the same folded.
    std::optional<std::size_t> find(std::string_view haystack, std::string_view lower) const;
};

/// One line of the answer for a reason: "the answer says \"...\"", "the answer is empty".
std::string saying(const openai::Answer& answer);

/// The judgement of an answer that has nothing to read: thinking that never closed, no text at all.
std::optional<Judgement> unreadable(const openai::Answer& answer);

Judgement passed(std::string reason, std::string extracted);
Judgement failed(std::string reason, std::string extracted = {});

/// Nothing of the expected form in the answer.
Judgement unparsed(std::string reason);

}  // namespace punie::eval::scorers
