#include "process/guard/tree_macos.hpp"

#include <libproc.h>
#include <poll.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace punie::process::guard {

namespace {

constexpr const char* mark_prefix = "PUNIE_TREE=";  // mark.hpp

// Static, and so not resident before they are used.
std::array<pid_t, 32768> pids;
std::array<proc_bsdinfo, 32768> infos;
std::array<char, 1 << 20> arguments;

std::uint64_t start_of(const proc_bsdinfo& info) {
    return info.pbi_start_tvsec * 1'000'000 + info.pbi_start_tvusec;
}

/// The living processes of this user.
std::size_t list_processes() {
    const int filled =
        ::proc_listallpids(pids.data(), static_cast<int>(pids.size() * sizeof(pid_t)));
    std::size_t count = 0;
    for (int i = 0; i < filled; ++i) {
        auto& info = infos[count];
        const int size = ::proc_pidinfo(
            pids[static_cast<std::size_t>(i)], PROC_PIDTBSDINFO, 0, &info, sizeof(info)
        );
        if (size == static_cast<int>(sizeof(info)) && info.pbi_status != SZOMB) ++count;
    }
    return count;
}

bool known(const Tree& tree, pid_t pid) {
    return std::any_of(
        tree.members.begin(),
        tree.members.begin() + tree.size,
        [&](const Member& m) { return m.pid == pid; }
    );
}

/// Whether the arguments or the environment of a process hold our own mark. Costly: asked for few.
bool has_mark(pid_t pid) {
    const char* mark = std::getenv("PUNIE_TREE");
    if (mark == nullptr) return false;
    std::array<int, 3> name = {CTL_KERN, KERN_PROCARGS2, pid};
    std::size_t size = arguments.size();
    if (::sysctl(name.data(), name.size(), arguments.data(), &size, nullptr, 0) != 0) return false;
    const char* at = arguments.data();
    const char* const end = at + size;
    while (at < end) {
        const auto length = ::strnlen(at, static_cast<std::size_t>(end - at));
        const auto prefix = std::strlen(mark_prefix);
        const bool named = length > prefix && std::memcmp(at, mark_prefix, prefix) == 0;
        if (named && length - prefix == std::strlen(mark) &&
            std::memcmp(at + prefix, mark, length - prefix) == 0) {
            return true;
        }
        at += length + 1;
    }
    return false;
}

void forget_dead(Tree& tree, std::size_t count) {
    const auto alive = [&](const Member& member) {
        return std::any_of(infos.begin(), infos.begin() + count, [&](const proc_bsdinfo& info) {
            return static_cast<pid_t>(info.pbi_pid) == member.pid &&
                   start_of(info) == member.started;
        });
    };
    auto* const end = std::remove_if(
        tree.members.begin(),
        tree.members.begin() + tree.size,
        [&](const Member& m) { return !alive(m); }
    );
    tree.size = static_cast<std::size_t>(end - tree.members.begin());
}

}  // namespace

void refresh(Tree& tree) {
    const auto count = list_processes();
    forget_dead(tree, count);
    const pid_t self = ::getpid();
    for (bool grew = true; grew;) {
        grew = false;
        for (std::size_t i = 0; i < count && tree.size < tree.members.size(); ++i) {
            const auto& info = infos[i];
            const auto pid = static_cast<pid_t>(info.pbi_pid);
            if (pid <= 1 || pid == self || pid == tree.not_a_member || info.pbi_uid != ::getuid() ||
                known(tree, pid))
                continue;
            const auto parent = static_cast<pid_t>(info.pbi_ppid);
            const bool kin = pid == tree.program ||
                             static_cast<pid_t>(info.pbi_pgid) == tree.program ||
                             known(tree, parent) || (parent == 1 && has_mark(pid));
            if (!kin) continue;
            tree.members[tree.size++] = {pid, start_of(info)};
            grew = true;
        }
    }
}

void signal_members(const Tree& tree, int signal) {
    for (std::size_t i = 0; i < tree.size; ++i) ::kill(tree.members[i].pid, signal);
}

void kill_members(Tree& tree) {
    // Stopped first, until a round finds no more than the one before: a stopped process cannot fork
    // away from the kill.
    std::size_t stopped = 0;
    for (int round = 0; round < 8; ++round) {
        refresh(tree);
        signal_members(tree, SIGSTOP);
        if (tree.size <= stopped) break;
        stopped = tree.size;
    }
    int pause = 2;
    while (tree.size > 0) {
        signal_members(tree, SIGKILL);
        ::poll(nullptr, 0, pause);
        pause = std::min(pause * 2, 1000);
        refresh(tree);
    }
}

}  // namespace punie::process::guard
