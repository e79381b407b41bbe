// Descendants of the calling process, for the level where the kernel does not keep them together.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "process/guard/guard.hpp"

namespace punie::process::guard {

namespace {

struct Entry {
    pid_t pid;
    pid_t parent;
    bool ours;
    bool zombie;
};

// Not touched, and so not resident, before the first kill. More processes than this are found in
// later rounds.
std::array<Entry, 65536> table;
std::size_t table_size = 0;

/// Parent and state from "pid (name) S ppid ...": the name may hold anything, so from its last
/// bracket on.
bool read_stat(const char* name, Entry& entry) {
    std::array<char, 64> path{};
    std::array<char, 512> text{};
    std::snprintf(path.data(), path.size(), "/proc/%s/stat", name);
    const int file = ::open(path.data(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const auto length = ::read(file, text.data(), text.size() - 1);
    ::close(file);
    const char* after = length > 0 ? std::strrchr(text.data(), ')') : nullptr;
    if (after == nullptr || std::strlen(after) < 5) return false;
    entry.pid = static_cast<pid_t>(std::strtol(name, nullptr, 10));
    entry.zombie = after[2] == 'Z' || after[2] == 'X';
    entry.parent = static_cast<pid_t>(std::strtol(after + 4, nullptr, 10));
    entry.ours = false;
    return true;
}

void read_table() {
    table_size = 0;
    DIR* folder = ::opendir("/proc");
    if (folder == nullptr) return;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    while (const dirent* item = ::readdir(folder)) {
        if (item->d_name[0] < '1' || item->d_name[0] > '9' || std::strlen(item->d_name) > 10)
            continue;
        if (table_size < table.size() && read_stat(item->d_name, table[table_size])) ++table_size;
    }
    ::closedir(folder);
}

Entry* find(pid_t pid) {
    auto* const end = table.begin() + table_size;
    auto* const found = std::lower_bound(table.begin(), end, pid, [](const Entry& e, pid_t p) {
        return e.pid < p;
    });
    return found != end && found->pid == pid ? found : nullptr;
}

/// Marks what descends from the caller. Parents mostly have lower pids, so one pass finds nearly
/// all.
void mark_descendants() {
    const pid_t self = ::getpid();
    std::sort(table.begin(), table.begin() + table_size, [](const Entry& a, const Entry& b) {
        return a.pid < b.pid;
    });
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 0; i < table_size; ++i) {
            if (table[i].ours || table[i].pid == self) continue;
            const auto* parent = find(table[i].parent);
            if (table[i].parent != self && (parent == nullptr || !parent->ours)) continue;
            table[i].ours = true;
            changed = true;
        }
    }
}

/// Sends `signal` to the living descendants that the table knows, but not to `last`; how many got
/// it.
std::size_t signal_known(int signal, pid_t last) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < table_size; ++i) {
        if (!table[i].ours || table[i].zombie || table[i].pid == last) continue;
        if (::kill(table[i].pid, signal) == 0) ++count;
    }
    return count;
}

std::size_t signal_all(int signal, pid_t last) {
    read_table();
    mark_descendants();
    return signal_known(signal, last);
}

/// Reaps what has ended; false when there is no child left.
bool reap(void (*on_end)(void* context, pid_t pid, int status), void* context) {
    while (true) {
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid == 0) return true;
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) return false;
        if (on_end != nullptr) on_end(context, pid, status);
    }
}

void wait_for_child(int children, int milliseconds) {
    pollfd item{children, POLLIN, 0};
    ::poll(&item, 1, milliseconds);
    std::array<signalfd_siginfo, 16> ignored{};
    while (::read(children, ignored.data(), sizeof(ignored)) > 0) {
    }
}

}  // namespace

void signal_descendants(int signal) {
    signal_all(signal, 0);
}

void kill_descendants(
    int children, pid_t last, void (*on_end)(void* context, pid_t pid, int status), void* context
) {
    // Stopped first, until a round finds no more than the one before: a stopped process cannot fork
    // away from the kill.
    std::size_t stopped = 0;
    for (int round = 0; round < 8; ++round) {
        const auto found = signal_all(SIGSTOP, last);
        if (found <= stopped) break;
        stopped = found;
    }
    int pause = 5;
    while (true) {
        if (signal_all(SIGKILL, last) == 0 && last > 0) ::kill(last, SIGKILL);
        if (!reap(on_end, context)) return;
        wait_for_child(children, pause);
        if (!reap(on_end, context)) return;
        pause = std::min(
            pause * 2, 1000
        );  // in uninterruptible sleep, or another user's: it ends when it ends
    }
}

}  // namespace punie::process::guard
