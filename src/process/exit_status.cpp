#include <fmt/format.h>

#include <cstring>

#include "process/child.hpp"

namespace punie::process {

std::string ExitStatus::describe() const {
    if (code) return fmt::format("exit code {}", *code);
    if (!signal) return "unknown exit status";
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the text is constant for signals that exist
    const char* name = ::strsignal(*signal);
    return fmt::format("signal {} ({})", *signal, name != nullptr ? name : "unknown");
}

std::string_view name_of(Containment containment) {
    switch (containment) {
        case Containment::pid_namespace:
            return "pid_namespace";
        case Containment::subreaper:
            return "subreaper";
        case Containment::kqueue_guard:
            return "kqueue_guard";
    }
    return "unknown";
}

}  // namespace punie::process
