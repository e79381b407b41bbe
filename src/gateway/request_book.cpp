// gateway/request_book.cpp: what runs and what has ended.

#include <algorithm>

#include "gateway/control.hpp"

namespace punie::gateway {

RequestBook::RequestBook(const asio::any_io_executor& executor, std::size_t kept)
    : kept_(std::max<std::size_t>(kept, 1)), changed_(executor) {}

std::shared_ptr<LiveRequest> RequestBook::begin() {
    // Ended ones are swept out when the list has doubled: a few nanoseconds a request.
    if (live_.size() >= prune_at_) {
        std::erase_if(live_, [](const auto& one) { return one.expired(); });
        prune_at_ = std::max<std::size_t>(64, live_.size() * 2);
    }
    auto request = std::make_shared<LiveRequest>();
    request->number = next_live_++;
    request->phase = "waiting";
    request->begun = std::chrono::steady_clock::now();
    live_.push_back(request);
    return request;
}

void RequestBook::end(RequestRecord record) {
    if (finished_.size() >= kept_) finished_.pop_front();
    finished_.emplace_back(next_++, std::move(record));
    changed_.notify();
}

std::vector<std::pair<std::uint64_t, RequestRecord>> RequestBook::since(std::uint64_t number
) const {
    const auto first = std::ranges::upper_bound(finished_, number, {}, [](const auto& entry) {
        return entry.first;
    });
    return {first, finished_.end()};
}

std::vector<LiveRequest> RequestBook::live() const {
    std::vector<LiveRequest> requests;
    requests.reserve(live_.size());
    for (const auto& one : live_) {
        if (const auto request = one.lock()) requests.push_back(*request);
    }
    return requests;
}

Task<void> RequestBook::wait_after(std::uint64_t number) {
    while (next_ - 1 <= number) {
        if (!co_await changed_.wait()) co_return;
    }
}

}  // namespace punie::gateway
