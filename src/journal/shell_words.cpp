#include "journal/shell_words.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace punie::journal {

namespace {

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    Result<std::vector<std::string>> words() {
        while (!rest_.empty()) {
            auto took = take();
            if (!took) return std::unexpected(std::move(took).error());
        }
        end_word();
        return std::move(words_);
    }

private:
    Result<void> take() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        if (c == ' ' || c == '\t' || c == '\n') {
            end_word();
            return {};
        }
        in_word_ = true;
        if (c == '\'') return take_single();
        if (c == '"') return take_double();
        if (c == '\\') return take_escaped();
        if (std::string_view("|&;<>()$`*?#~!{}").find(c) != std::string_view::npos) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("'{}' in the recorded command needs a shell", c),
                "run it by hand: punie journal rerun RUN --print shows it"
            );
        }
        word_ += c;
        return {};
    }

    Result<void> take_single() {
        const auto end = rest_.find('\'');
        if (end == std::string_view::npos) return unbalanced('\'');
        word_ += rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return {};
    }

    Result<void> take_double() {
        while (!rest_.empty()) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') return {};
            const bool escape =
                c == '\\' && !rest_.empty() &&
                std::string_view("\"\\$`").find(rest_.front()) != std::string_view::npos;
            if (escape) {
                c = rest_.front();
                rest_.remove_prefix(1);
            }
            word_ += c;
        }
        return unbalanced('"');
    }

    Result<void> take_escaped() {
        if (rest_.empty()) return unbalanced('\\');
        word_ += rest_.front();
        rest_.remove_prefix(1);
        return {};
    }

    static Result<void> unbalanced(char what) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("the recorded command ends within {}", what),
            "run it by hand: punie journal rerun RUN --print shows it"
        );
    }

    void end_word() {
        if (in_word_) words_.push_back(std::move(word_));
        word_.clear();
        in_word_ = false;
    }

    std::string_view rest_;
    std::vector<std::string> words_;
    std::string word_;
    bool in_word_ = false;
};

}  // namespace

Result<std::vector<std::string>> shell_words(std::string_view command) {
    return Reader(command).words();
}

}  // namespace punie::journal
