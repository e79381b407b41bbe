#pragma once
// A progress line that moves although nothing else happens: a person should see within two seconds
// that work goes on.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "cli/terminal.hpp"

namespace punie::cli {

/// Shows `line()` on the progress line every half second until it is destroyed. Does nothing
/// without a terminal.
class Ticker {
public:
    Ticker(Terminal& terminal, std::function<std::string(std::chrono::duration<double>)> line);
    Ticker(const Ticker&) = delete;
    Ticker& operator=(const Ticker&) = delete;
    ~Ticker();

private:
    void tick();

    Terminal& terminal_;
    std::function<std::string(std::chrono::duration<double>)> line_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool end_ = false;
    std::thread thread_;
};

}  // namespace punie::cli
