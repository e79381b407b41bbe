#include "openai/retry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/text.hpp"

namespace punie::openai {

namespace {

using std::chrono::milliseconds;

struct DateParts {
    int day = 0;
    char month[4] = "";
    int year = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

/// The three forms of RFC 9110, 5.6.7: IMF-fixdate, RFC 850 and asctime.
std::optional<DateParts> date_parts(const std::string& text) {
    DateParts p;
    int end = 0;
    const auto whole = [&] { return end > 0 && static_cast<std::size_t>(end) == text.size(); };
    std::sscanf(
        text.c_str(),
        "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n",
        &p.day,
        p.month,
        &p.year,
        &p.hour,
        &p.minute,
        &p.second,
        &end
    );
    if (whole()) return p;
    end = 0;
    std::sscanf(
        text.c_str(),
        "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n",
        &p.day,
        p.month,
        &p.year,
        &p.hour,
        &p.minute,
        &p.second,
        &end
    );
    if (whole()) {
        p.year += p.year < 70 ? 2000 : 1900;
        return p;
    }
    end = 0;
    std::sscanf(
        text.c_str(),
        "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n",
        p.month,
        &p.day,
        &p.hour,
        &p.minute,
        &p.second,
        &p.year,
        &end
    );
    return whole() ? std::optional(p) : std::nullopt;
}

std::optional<std::chrono::sys_seconds> http_date(const std::string& text) {
    static constexpr std::array<std::string_view, 12> months = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };
    const auto p = date_parts(text);
    if (!p) return std::nullopt;
    const auto month = std::ranges::find(months, std::string_view(p->month));
    if (month == months.end() || p->hour > 23 || p->minute > 59 || p->second > 60)
        return std::nullopt;
    if (p->hour < 0 || p->minute < 0 || p->second < 0 || p->day < 0) return std::nullopt;
    const std::chrono::year_month_day date(
        std::chrono::year(p->year),
        std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(p->day))
    );
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(p->hour) +
           std::chrono::minutes(p->minute) + std::chrono::seconds(p->second);
}

milliseconds backoff(const RetryPolicy& policy, int attempts, double jitter) {
    auto step = policy.first_wait;
    for (int i = 1; i < attempts && step < policy.longest_wait; ++i) step *= 2;
    step = std::min(step, policy.longest_wait);
    const auto half = static_cast<double>(step.count()) / 2;
    return milliseconds(static_cast<milliseconds::rep>(half + half * jitter));
}

bool repeat_is_safe(const AttemptFailed& event) {
    if (event.answer_begun) return false;
    return event.refused || event.status == 429 || event.status == 503;
}

}  // namespace

std::optional<milliseconds> retry_after(
    std::string_view header, std::chrono::system_clock::time_point now
) {
    const auto text = std::string(trim(header));
    long long seconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) {
        if (seconds < 0) return std::nullopt;
        return milliseconds(std::min(seconds, 86'400LL) * 1000);  // a day is as good as for ever
    }
    const auto date = http_date(text);
    if (!date) return std::nullopt;
    const auto wait = std::chrono::ceil<milliseconds>(*date - now);
    return std::clamp(wait, milliseconds(0), milliseconds(86'400'000));
}

RetryAction next_attempt(
    RetryState& state,
    const AttemptFailed& event,
    std::chrono::system_clock::time_point now,
    double jitter,
    const RetryPolicy& policy
) {
    ++state.attempts;
    if (!repeat_is_safe(event) || state.attempts >= policy.max_attempts) return {};
    auto wait = backoff(policy, state.attempts, jitter);
    if (const auto asked = retry_after(event.retry_after, now)) {
        wait = std::max(wait, std::min(*asked, policy.longest_retry_after));
    }
    // Waiting beyond the caller's own limit would only turn the server's reason into a timeout.
    if (event.time_left && wait >= *event.time_left) return {};
    return {.again = true, .wait = wait};
}

}  // namespace punie::openai
