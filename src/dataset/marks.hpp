#pragma once
// What does not belong into a text that a model learns to write.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace punie::dataset {

struct TextMark {
    std::string_view code;  ///< D5xx, D8xx
    std::size_t at = 0;     ///< byte of the text
    std::string message;
};

/// Which of the bytes that may begin something are in a text: one pass instead of one each.
struct Signs {
    bool angle = false;   ///< <
    bool square = false;  ///< [
    bool at = false;      ///< @
    bool backtick = false;
    bool backslash = false;
};

Signs signs_of(std::string_view text);

struct TextWish {
    std::uint8_t flags = 0;      ///< of the node: what its escapes stood for
    bool ascii = false;          ///< known to be
    bool special_tokens = true;  ///< false for rows of plain text, which may be rendered already
    bool answer = false;         ///< the assistant's: code blocks must end
    bool long_words = true;  ///< runs of 16 letters and digits are in it: worth looking for keys
    bool emails = false;
    Signs signs{};  ///< of the text
};

/// Appends what is found, at most one mark of each code.
void look_at_text(std::string_view text, const TextWish& wish, std::vector<TextMark>& marks);

/// The first special token of a known chat template in the text ("<|im_start|>", "[INST]"), "" if
/// there is none. `at` is where.
std::string_view special_token(std::string_view text, std::size_t& at);

/// Removes invisible characters (D502), control characters (D506, D508), and makes \r\n to \n
/// (D507).
std::string without_invisible(std::string_view text);

/// Secrets: private keys, API keys of known makers, passwords in addresses, e-mail addresses.
void look_for_secrets(std::string_view text, const TextWish& wish, std::vector<TextMark>& marks);

}  // namespace punie::dataset
