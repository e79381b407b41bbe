#include "server/readiness.hpp"

#include <algorithm>

namespace punie::server {

namespace {

constexpr Milliseconds fast_look{10};  // while a start of a second or two is likely
constexpr Milliseconds slow_look{30
};  // afterwards; with the look itself stays under the promised 50 ms
constexpr int fast_looks = 300;          // about 3 s
constexpr Milliseconds busy_look{20};    // between two completions answered with 503
constexpr Milliseconds error_look{200};  // an error status will hardly change by itself
constexpr int key_patience = 3;
constexpr int foreign_patience =
    5;  // looks: a listener may be seen before its owner's descriptor table is
constexpr Milliseconds first_probe{10'000};
constexpr Milliseconds longest_probe{120'000};

}  // namespace

Look Readiness::step(Seen seen) {
    ++looks_;
    if (seen != Seen::foreign_listener) foreign_ = 0;
    const auto probe_limit = std::min(first_probe * (1 << std::min(silent_, 4)), longest_probe);
    Look look{
        .next = Next::look_again,
        .wait = looks_ <= fast_looks ? fast_look : slow_look,
        .probe_limit = probe_limit
    };
    switch (seen) {
        case Seen::answered:
            look.next = Next::ready;
            break;
        case Seen::foreign_listener:
            if (++foreign_ >= foreign_patience) look.next = Next::fail_foreign;
            break;
        case Seen::busy:
            look.wait = busy_look;
            break;
        case Seen::error_status:
            ++error_statuses_;
            look.wait = error_statuses_ == 1 ? Milliseconds{0} : error_look;
            break;
        case Seen::unauthorised:
            if (++unauthorised_ >= key_patience) look.next = Next::fail_key;
            look.wait = error_look;
            break;
        case Seen::silent:
            ++silent_;
            look.wait = Milliseconds{0};
            break;
        case Seen::nothing_listens:
        case Seen::refused:
            break;
    }
    return look;
}

}  // namespace punie::server
