#include "cli/line_editor.hpp"

#include <histedit.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cwchar>
#include <iostream>
#include <utility>

namespace punie::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int /*number*/) {
    interrupted = 1;
}

/// libedit retries a read that a signal broke off; ours ends the line, so that Ctrl-C gives a fresh
/// prompt.
int read_character(EditLine* editor, wchar_t* out) {
    std::FILE* input = nullptr;
    el_get(editor, EL_GETFP, 0, &input);
    std::mbstate_t state{};
    while (true) {
        char byte = 0;
        const auto count = ::read(::fileno(input), &byte, 1);
        if (count < 0 && errno == EINTR && interrupted == 0)
            continue;  // the window changed its size
        if (count <= 0) return 0;
        // NOLINTNEXTLINE(concurrency-mt-unsafe): the state is our own
        const auto used = std::mbrtowc(out, &byte, 1, &state);
        if (used == static_cast<std::size_t>(-1)) {
            *out = L'?';
            return 1;
        }
        if (used != static_cast<std::size_t>(-2)) return 1;
    }
}

}  // namespace

struct LineEditor::State {
    std::string prompt;
    EditLine* editor = nullptr;
    History* history = nullptr;

    static char* show_prompt(EditLine* editor) {
        void* data = nullptr;
        el_get(editor, EL_CLIENTDATA, &data);
        return static_cast<State*>(data)->prompt.data();
    }
};

LineEditor::LineEditor(std::string prompt) : state_(std::make_unique<State>()) {
    state_->prompt = std::move(prompt);
    if (::isatty(STDIN_FILENO) == 0) return;
    // What is typed is UTF-8 on every system of today, whatever LANG forgot to say.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any other thread of this command
    if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "");
    state_->editor = el_init("punie", stdin, stdout, stderr);
    if (state_->editor == nullptr) return;
    state_->history = history_init();
    HistEvent event{};
    history(state_->history, &event, H_SETSIZE, 500);
    history(state_->history, &event, H_SETUNIQUE, 1);
    el_set(state_->editor, EL_CLIENTDATA, state_.get());
    el_set(state_->editor, EL_PROMPT, &State::show_prompt);
    el_set(state_->editor, EL_EDITOR, "emacs");
    el_set(state_->editor, EL_HIST, history, state_->history);
    el_set(state_->editor, EL_SIGNAL, 0);
    el_set(state_->editor, EL_GETCFN, read_character);
}

LineEditor::~LineEditor() {
    if (state_->editor != nullptr) el_end(state_->editor);
    if (state_->history != nullptr) history_end(state_->history);
}

bool LineEditor::interactive() const {
    return state_->editor != nullptr;
}

std::optional<std::string> LineEditor::read() {
    if (!interactive()) {
        std::string line;
        if (!std::getline(std::cin, line)) return std::nullopt;
        return line;
    }
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = on_interrupt;  // no SA_RESTART: the read must end
    ::sigaction(SIGINT, &action, &before);
    std::optional<std::string> result;
    while (true) {
        interrupted = 0;
        int length = 0;
        const char* line = el_gets(state_->editor, &length);
        if (line == nullptr || length <= 0) {
            if (interrupted == 0) break;
            std::fputs("^C\n", stdout);
            el_reset(state_->editor);
            continue;
        }
        result = std::string(line, static_cast<std::size_t>(length));
        while (!result->empty() && (result->back() == '\n' || result->back() == '\r'))
            result->pop_back();
        HistEvent event{};
        if (!result->empty()) history(state_->history, &event, H_ENTER, result->c_str());
        break;
    }
    ::sigaction(SIGINT, &before, nullptr);
    return result;
}

}  // namespace punie::cli
