// punie-guard: see guard.hpp. Not for use by hand.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "process/guard/guard.hpp"

namespace {

using punie::process::guard::Level;
using punie::process::guard::Order;

bool parse_level(const char* text, Level& level) {
    if (std::strcmp(text, "subreaper") == 0 || std::strcmp(text, "kqueue_guard") == 0) {
        level = Level::subreaper;
        return true;
    }
    level = Level::pid_namespace;
    return std::strcmp(text, "pid_namespace") == 0;
}

int usage() {
    std::fputs(
        "punie-guard is started by punie to hold its child processes; there is nothing to run by "
        "hand.\n",
        stderr
    );
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    Order order;
    if (argc == 3 && std::strcmp(argv[1], "probe") == 0 && parse_level(argv[2], order.level)) {
        return punie::process::guard::probe(order.level);
    }
    if (argc < 8 || std::strcmp(argv[1], "run") != 0 || !parse_level(argv[2], order.level))
        return usage();
    order.punie = static_cast<pid_t>(std::strtol(argv[3], nullptr, 10));
    order.events = argv[4][0] == '1';
    order.folder = argv[5];
    order.program = argv[6];
    order.argv = argv + 7;
    return punie::process::guard::run_outer(order);
}
