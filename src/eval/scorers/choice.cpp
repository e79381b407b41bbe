// choice: the letter that the answer chose. Rules from the surest to the least sure; the first that
// finds a letter decides, and the reason names it.

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>
#include <mutex>

#include "base/json_equal.hpp"
#include "base/text.hpp"
#include "eval/scorers/all_scorers.hpp"
#include "eval/scorers/number_text.hpp"
#include "eval/scorers/parameters.hpp"
#include "eval/scorers/text_match.hpp"

namespace punie::eval::scorers {

namespace {

/// Marks that models put around a letter.
constexpr std::string_view open_marks = R"([\s*_(\[\x{60}"'$]*)";
constexpr std::string_view close_marks = R"([\s*_)\].:,\x{60}"'$]*)";

struct Pick {
    char letter = 0;
    std::string_view rule{};
};

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
}

/// The patterns for one set of letters, "A-E" say.
struct Patterns {
    explicit Patterns(const std::string& letters)
        : alone(fmt::format("(?i)^{}([{}]){}$", open_marks, letters, close_marks)),
          cue(fmt::format(
              R"((?i)\b(?:answer|choice|option|choose|pick|select)(?:ed)?(?:\s+(?:letter|option|choice|is|was|should|would|be|the|correct))*\s*[:=]*{}([{}])\b(?:[^'’\pL\pN]|$))",
              open_marks,
              letters
          )),
          leading(fmt::format(R"(^[\s*_(\[\x{{60}}]*([{}])\s*(?:[).:\]]|\*\*))", letters)),
          bold(fmt::format(R"(\*\*\s*\(?([{}])\)?[).:]?(?:\s[^*]*)?\*\*)", letters)),
          bracket(fmt::format(R"([(\[]([{}])[)\]])", letters)),
          word(fmt::format(R"((?:^|[^\pL\pN'’&/+-])([{}])(?:$|[^\pL\pN'’&/+-]))", letters)) {}

    re2::RE2 alone;
    re2::RE2 cue;
    re2::RE2 leading;
    re2::RE2 bold;
    re2::RE2 bracket;
    re2::RE2 word;
};

/// Compiling takes longer than a hundred judgements; suites ask for the same letters again and
/// again.
std::shared_ptr<const Patterns> patterns_for(const std::string& letters) {
    static std::mutex mutex;
    static std::map<std::string, std::shared_ptr<const Patterns>> known;
    const std::lock_guard lock(mutex);
    auto& patterns = known[letters];
    if (patterns == nullptr) patterns = std::make_shared<const Patterns>(letters);
    return patterns;
}

/// All letters that a pattern finds, in their order.
std::string letters_of(const re2::RE2& pattern, std::string_view text) {
    std::string found;
    re2::StringPiece all(text.data(), text.size());
    std::array<re2::StringPiece, 2> match;
    std::size_t from = 0;
    while (from <= all.size() &&
           pattern.Match(all, from, all.size(), re2::RE2::UNANCHORED, match.data(), 2)) {
        found += upper(match[1][0]);
        // From the letter on: what stands behind one may stand before the next.
        from = static_cast<std::size_t>(match[1].data() - text.data()) + 1;
    }
    return found;
}

bool all_same(std::string_view letters) {
    return !letters.empty() && letters.find_first_not_of(letters.front()) == std::string_view::npos;
}

std::string_view last_line(std::string_view text) {
    text = trim(text);
    const auto line = text.rfind('\n');
    return line == std::string_view::npos ? text : trim(text.substr(line + 1));
}

class ChoiceScorer : public Scorer {
public:
    ChoiceScorer(char answer, std::string letters, std::vector<std::string> texts)
        : answer_(answer),
          letters_(std::move(letters)),
          texts_(std::move(texts)),
          patterns_(patterns_for(letters_)) {}

    Judgement judge(const openai::Answer& answer) const override {
        if (auto nothing = unreadable(answer)) return *std::move(nothing);
        const auto pick = picked(answer.text);
        if (pick.letter == 0)
            return unparsed(fmt::format("no choice among {} found; {}", among(), saying(answer)));
        const std::string letter(1, pick.letter);
        if (pick.letter == answer_)
            return passed(fmt::format("chose {} ({})", letter, pick.rule), letter);
        return failed(
            fmt::format("should be {}, chose {} ({})", answer_, letter, pick.rule), letter
        );
    }

private:
    std::string among() const { return fmt::format("{} to {}", letters_.front(), letters_.back()); }

    Pick picked(std::string_view text) const {
        if (const auto boxed = last_boxed(text); !boxed.empty()) {
            const auto inside = letters_of(patterns_->word, boxed);
            const auto plain = letters_of(patterns_->alone, boxed);
            if (all_same(plain)) return {plain.front(), "in \\boxed{}"};
            if (all_same(inside)) return {inside.front(), "in \\boxed{}"};
            static const re2::RE2 wrapped(R"(\\(?:text|mathrm|textbf)\{\s*\(?([A-Za-z])\)?\s*\})");
            const auto letter = letters_of(wrapped, boxed);
            if (all_same(letter) && letters_.contains(letter.front()))
                return {letter.front(), "in \\boxed{}"};
        }
        if (const auto found = letters_of(patterns_->alone, text); !found.empty())
            return {found.front(), "the whole answer"};
        if (const auto found = cued(text); !found.empty())
            return {found.back(), "where it says its answer"};
        const auto line = last_line(text);
        if (const auto found = letters_of(patterns_->alone, line); !found.empty())
            return {found.front(), "the last line"};
        if (const auto found = letters_of(patterns_->leading, trim(text));
            !found.empty() && !lists_all(text))
            return {found.front(), "at its start"};
        if (const auto found = letters_of(patterns_->bold, text); all_same(found))
            return {found.front(), "in bold"};
        if (const auto found = letters_of(patterns_->leading, line);
            !found.empty() && !lists_all(text))
            return {found.front(), "the last line"};
        if (const auto found = letters_of(patterns_->bracket, text); all_same(found))
            return {found.front(), "in brackets"};
        if (const auto found = words(text); all_same(found))
            return {found.front(), "the only letter"};
        return by_text(text);
    }

    /// "The answer is (B)". "An option a person has" names no A: a small letter must be marked.
    std::string cued(std::string_view text) const {
        std::string found;
        re2::StringPiece all(text.data(), text.size());
        std::array<re2::StringPiece, 2> match;
        std::size_t from = 0;
        while (from <= all.size() &&
               patterns_->cue.Match(all, from, all.size(), re2::RE2::UNANCHORED, match.data(), 2)) {
            const auto at = static_cast<std::size_t>(match[1].data() - text.data());
            const char letter = text[at];
            const char before = at == 0 ? ' ' : text[at - 1];
            const char behind = at + 1 < text.size() ? text[at + 1] : '\n';
            // "a" and "A" before a word are the article, "I" the speaker.
            const bool marked = std::string_view("(*[\"'`").contains(before) ||
                                std::string_view(")*].:,;\"'`\n!").contains(behind);
            const bool small = letter >= 'a' && letter <= 'z';
            const bool article = upper(letter) == 'A' || upper(letter) == 'I';
            if (marked || (!small && !article)) found += upper(letter);
            from = at + 1;
        }
        return found;
    }

    /// Letters that stand as words; not the article "A" before a word, nor "I".
    std::string words(std::string_view text) const {
        std::string found;
        re2::StringPiece all(text.data(), text.size());
        std::array<re2::StringPiece, 2> match;
        std::size_t from = 0;
        while (from <= all.size() &&
               patterns_->word.Match(all, from, all.size(), re2::RE2::UNANCHORED, match.data(), 2)
        ) {
            const auto at = static_cast<std::size_t>(match[1].data() - text.data());
            const char letter = text[at];
            const bool article = letter == 'A' || letter == 'I';
            if (!article || !before_noun(text.substr(at + 1))) found += letter;
            from = at + 1;
        }
        return found;
    }

    /// "A dimmer" and "I think"; not "A is right", "A and B", "A."
    static bool before_noun(std::string_view rest) {
        static const re2::RE2 no_noun(
            R"(^ (?:is|was|are|and|or|because|since|would|seems|looks|can|cannot)\b)"
        );
        return rest.starts_with(' ') && !re2::RE2::PartialMatch(rest, no_noun);
    }

    /// The question's options repeated: "A) ... B) ...".
    bool lists_all(std::string_view text) const {
        static const re2::RE2 options(R"((?m)^[\s*_(\[-]*([A-Z])\s*[).:\]])");
        std::string found = letters_of(options, text);
        std::ranges::sort(found);
        const auto [first, last] = std::ranges::unique(found);
        return std::distance(found.begin(), first) >= 2 && last == found.end();
    }

    /// The only option whose text stands in the answer.
    Pick by_text(std::string_view text) const {
        const auto lower = folded(text);
        Pick pick;
        for (std::size_t i = 0; i < texts_.size(); ++i) {
            if (texts_[i].empty() || !Needle{texts_[i], true, true}.find(text, lower)) continue;
            if (pick.letter != 0) return {};
            pick = {letters_[i], "by its text"};
        }
        return pick;
    }

    char answer_;
    std::string letters_;
    std::vector<std::string> texts_;
    std::shared_ptr<const Patterns> patterns_;
};

bool is_letter(std::string_view text) {
    return text.size() == 1 && upper(text.front()) >= 'A' && upper(text.front()) <= 'Z';
}

/// Letters and, where they are given, texts of the options.
struct Options {
    std::string letters{};
    std::vector<std::string> texts{};
};

void add_option(
    Parameters& parameters, Options& options, std::string_view letter, std::string text
) {
    if (!is_letter(letter))
        parameters.fault(
            "options", fmt::format("an option is a letter, not {}", short_json(json::value(letter)))
        );
    else if (options.letters.contains(upper(letter.front())))
        parameters.fault("options", fmt::format("{} stands twice", letter));
    else
        options.letters += upper(letter.front());
    options.texts.push_back(std::move(text));
}

/// [A, B, C], ["Paris", "Rome"] (texts of A, B ...) or {A: "Paris", B: "Rome"}.
Options read_options(Parameters& parameters) {
    Options options;
    const auto* given = parameters.get("options");
    if (given == nullptr) return options;
    if (const auto* object = given->if_object()) {
        for (const auto& [letter, text] : *object)
            add_option(
                parameters,
                options,
                letter,
                text.is_string() ? std::string(text.get_string()) : short_json(text)
            );
        return options;
    }
    const auto texts = parameters.texts("options");
    const bool letters =
        std::ranges::all_of(texts, [](const std::string& text) { return is_letter(text); });
    for (std::size_t i = 0; i < texts.size() && i < 26; ++i) {
        const std::string letter(1, static_cast<char>('A' + i));
        add_option(
            parameters, options, letters ? texts[i] : letter, letters ? std::string{} : texts[i]
        );
    }
    if (texts.size() == 1 || texts.size() > 26)
        parameters.fault("options", "should be 2 to 26 options");
    return options;
}

Result<std::shared_ptr<const Scorer>> make(const json::value& value, const ScorerContext&) {
    Parameters parameters(value);
    auto options = read_options(parameters);
    const auto wanted = parameters.text("value");
    char letter = 0;
    if (!wanted) {
        parameters.fault(
            "", "needs the right letter: choice: B, or {value: B, options: [A, B, C]}"
        );
    } else if (is_letter(*wanted)) {
        letter = upper(wanted->front());
    } else {
        const auto text = std::ranges::find(options.texts, *wanted);
        if (text != options.texts.end() && !options.letters.empty())
            letter = options.letters[static_cast<std::size_t>(text - options.texts.begin())];
        else
            parameters.fault(
                "value", fmt::format("should be a letter, is {}", short_json(json::value(*wanted)))
            );
    }
    if (options.letters.empty()) {
        for (char c = 'A'; c <= std::max(letter, 'E') && c <= 'Z'; ++c) options.letters += c;
    } else if (letter != 0 && !options.letters.contains(letter)) {
        parameters.fault("value", fmt::format("{} is none of the options", letter));
    }
    if (auto error = parameters.error()) return std::unexpected(*std::move(error));
    return std::make_shared<const ChoiceScorer>(letter, options.letters, options.texts);
}

json::value schema() {
    return json::parse(R"json({
"description": "The letter that the answer chose.",
"anyOf": [
  {"type": "string", "minLength": 1},
  {"type": "object",
   "properties": {
     "value": {"type": "string", "minLength": 1, "description": "The right letter, or the text of an option."},
     "options": {"type": ["array", "object"], "minItems": 2, "maxItems": 26,
       "description": "Letters, texts in the order of A, B, C, or {A: text}; A to E where left out."}},
   "required": ["value"], "additionalProperties": false}]
})json");
}

}  // namespace

Kind choice() {
    return {"choice", make, schema};
}

}  // namespace punie::eval::scorers
