#include "journal/environment.hpp"

#include <sys/utsname.h>

#include <boost/json/object.hpp>
#include <thread>

#include "base/json.hpp"

namespace punie::journal {

std::string environment_json() {
    const auto machine = this_machine();
    json::object object;
    utsname system{};
    const bool told = ::uname(&system) == 0;
    if (!machine.os.empty())
        object["os"] = machine.os;
    else if (told)
        object["os"] = system.sysname;
    if (told) {  // never nodename
        object["kernel"] = system.release;
        object["architecture"] = system.machine;
    }
    if (!machine.cpu.empty()) object["cpu"] = machine.cpu;
    if (const auto cores = std::thread::hardware_concurrency(); cores > 0) object["cores"] = cores;
    if (machine.memory_bytes > 0) object["memory_bytes"] = machine.memory_bytes;
    return to_text(object);
}

}  // namespace punie::journal
