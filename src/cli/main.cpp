#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.hpp"

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 &&
        arguments[0] == "--version") {  // before anything is built up: scripts ask often
        std::puts("punie " PUNIE_VERSION);
        return 0;
    }
    return punie::cli::run_punie(arguments);
}
