#include "cli/ticker.hpp"

#include <utility>

namespace punie::cli {

Ticker::Ticker(Terminal& terminal, std::function<std::string(std::chrono::duration<double>)> line)
    : terminal_(terminal), line_(std::move(line)) {
    if (terminal_.interactive()) thread_ = std::thread([this] { tick(); });
}

Ticker::~Ticker() {
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock(mutex_);
        end_ = true;
    }
    ended_.notify_all();
    thread_.join();
    terminal_.clear_progress();
}

void Ticker::tick() {
    const auto begin = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, std::chrono::milliseconds(500), [this] { return end_; })) {
        terminal_.progress(line_(std::chrono::steady_clock::now() - begin));
    }
}

}  // namespace punie::cli
