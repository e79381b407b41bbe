#include "gateway/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>

namespace punie::gateway {

namespace {

std::string_view variable(const char* name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only, nothing in Punie changes the environment
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view(value);
}

}  // namespace

bool notify_service(std::string_view state) {
    const auto place = variable("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const bool usable = place.size() > 1 && place.size() < sizeof address.sun_path &&
                        (place.front() == '/' || place.front() == '@');
    if (!usable) return false;
    std::ranges::copy(place, address.sun_path);
    if (place.front() == '@') address.sun_path[0] = '\0';  // Linux's abstract names
    const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    if (descriptor < 0) return false;
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + place.size());
    const auto sent = ::sendto(
        descriptor,
        state.data(),
        state.size(),
        MSG_DONTWAIT,
        reinterpret_cast<const sockaddr*>(&address),
        length
    );
    ::close(descriptor);
    return sent >= 0;
}

std::optional<std::chrono::milliseconds> watchdog_interval() {
    const auto text = variable("WATCHDOG_USEC");
    std::uint64_t microseconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), microseconds);
    if (text.empty() || parsed.ec != std::errc{} || microseconds < 2'000) return std::nullopt;
    return std::chrono::milliseconds(microseconds / 2'000);
}

}  // namespace punie::gateway
