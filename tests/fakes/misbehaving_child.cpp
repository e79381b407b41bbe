// misbehaving-child: a real process that does on command what children do to their supervisors.
//
// The words of the command line are done in order:
//   exit N | signal N | hang | stop-self       ways to end, or not to
//   ignore N | on-term-exit-7                  takes no notice of signal N; exits with 7 at SIGTERM
//   print TEXT | print-no-newline TEXT | ready | invalid-utf8
//   flood BYTES | flood-without-newlines BYTES
//   close-output                               closes 1 and 2
//   env NAME | folder | fds | ids | proc-self  tells about itself
//   event TEXT | unfinished-event TEXT | events N | long-event BYTES       lines to PUNIE_EVENTS_FD
//   grandchild | daemon | stubborn-daemon      forks a process that hangs; a daemon forks twice and
//   has its own
//                                              session, a stubborn one ignores SIGTERM
//
// Pids in a namespace are not those that a test sees, so processes are found by the marker in their
// environment.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EBADF) return;  // closed on purpose
        if (written < 0) ::_exit(3);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

void line(const std::string& text) {
    write_all(1, text + "\n");
}

[[noreturn]] void hang() {
    while (true) ::pause();
}

/// Returns in the parent when the process that is to hang exists (it may be a grandchild).
void fork_hanging(bool daemon, bool stubborn) {
    const pid_t child = ::fork();
    if (child < 0) ::_exit(4);
    if (child > 0) {
        if (daemon) ::waitpid(child, nullptr, 0);
        return;
    }
    if (stubborn) ::signal(SIGTERM, SIG_IGN);
    if (!daemon) hang();
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    hang();
}

void flood(std::size_t bytes, bool newlines) {
    std::string block(65536, 'x');
    for (std::size_t i = 63; newlines && i < block.size(); i += 64) block[i] = '\n';
    while (bytes > 0) {
        const auto part = std::min(bytes, block.size());
        write_all(1, std::string_view(block).substr(0, part));
        bytes -= part;
    }
}

void print_descriptors() {
    std::vector<int> open;
    for (int fd = 0; fd < 1024; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) open.push_back(fd);
    }
    std::string text = "fds";
    for (const int fd : open) text += " " + std::to_string(fd);
    line(text);
}

void print_ids() {
    line(
        "ids pid " + std::to_string(::getpid()) + " group " + std::to_string(::getpgrp()) +
        " session " + std::to_string(::getsid(0)) + " user " + std::to_string(::getuid())
    );
}

int events_fd() {
    const char* text = std::getenv("PUNIE_EVENTS_FD");
    return text != nullptr ? std::atoi(text) : -1;
}

void exit_with_term_code(int) {
    ::_exit(7);
}

struct Words {
    char** next;
    char** end;

    bool empty() const { return next == end; }

    std::string take() { return empty() ? std::string() : *next++; }

    int number() { return std::atoi(take().c_str()); }

    std::size_t size() { return std::strtoull(take().c_str(), nullptr, 10); }
};

void end_or_hang(const std::string& word, Words& words) {
    if (word == "exit") std::exit(words.number());
    if (word == "hang") hang();
    if (word == "stop-self") ::raise(SIGSTOP);
    if (word == "ignore") ::signal(words.number(), SIG_IGN);
    if (word == "on-term-exit-7") ::signal(SIGTERM, exit_with_term_code);
    if (word == "signal") {
        const int number = words.number();
        ::signal(number, SIG_DFL);
        ::raise(number);
    }
}

void print(const std::string& word, Words& words) {
    if (word == "print") line(words.take());
    if (word == "ready") line("ready");
    if (word == "print-no-newline") write_all(1, words.take());
    if (word == "invalid-utf8") write_all(1, "bad \xff\xfe\xc3 bytes \x1b[31mred\x1b[0m\n");
    if (word == "flood") flood(words.size(), true);
    if (word == "flood-without-newlines") flood(words.size(), false);
    if (word == "fds") print_descriptors();
    if (word == "ids") print_ids();
    if (word == "env") {
        const char* value = std::getenv(words.take().c_str());
        line(value != nullptr ? value : "(unset)");
    }
    if (word == "folder") {
        char folder[4096] = {};
        line(::getcwd(folder, sizeof(folder)) != nullptr ? folder : "(none)");
    }
    if (word == "proc-self") {
        char self[64] = {};
        const auto length = ::readlink("/proc/self", self, sizeof(self) - 1);
        line(length > 0 && std::to_string(::getpid()) == self ? "proc agrees" : "proc differs");
    }
    if (word == "close-output") {
        ::close(1);
        ::close(2);
    }
}

void tell_events(const std::string& word, Words& words) {
    if (word == "event") write_all(events_fd(), words.take() + "\n");
    if (word == "unfinished-event") write_all(events_fd(), words.take());
    if (word == "long-event") write_all(events_fd(), std::string(words.size(), 'e') + "\n");
    if (word == "events") {
        const int count = words.number();
        for (int i = 0; i < count; ++i) write_all(events_fd(), "event " + std::to_string(i) + "\n");
    }
}

void start_others(const std::string& word) {
    if (word == "grandchild") fork_hanging(false, false);
    if (word == "daemon") fork_hanging(true, false);
    if (word == "stubborn-daemon") fork_hanging(true, true);
}

}  // namespace

int main(int argc, char** argv) {
    Words words{argv + 1, argv + argc};
    while (!words.empty()) {
        const auto word = words.take();
        start_others(word);
        print(word, words);
        tell_events(word, words);
        end_or_hang(word, words);
    }
    return 0;
}
