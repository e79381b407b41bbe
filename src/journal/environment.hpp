#pragma once
// The machine that a run was made on, as far as it explains its figures.

#include <cstdint>
#include <string>

namespace punie::journal {

/// {"os":"Debian GNU/Linux 12 (bookworm)","kernel":"6.1.0","architecture":"x86_64","cpu":"...",
/// "cores":8,"memory_bytes":...}. Neither the host's nor the user's name is in it; what the system
/// does not tell is left out.
std::string environment_json();

/// What differs between platforms; empty or 0 where the system does not tell.
struct Machine {
    std::string os;
    std::string cpu;
    std::uint64_t memory_bytes = 0;
};

Machine this_machine();

}  // namespace punie::journal
