#pragma once
// From SpawnOptions to a running guard: descriptors, environment, and the words for what can go
// wrong.

#include <punie/error.hpp>

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "process/child.hpp"
#include "process/guard_protocol.hpp"

namespace punie::process {

/// Owns a descriptor.
class Descriptor {
public:
    Descriptor() = default;

    explicit Descriptor(int number) : number_(number) {}

    Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}

    Descriptor& operator=(Descriptor&& other) noexcept;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();

    int get() const { return number_; }

    explicit operator bool() const { return number_ >= 0; }

    int release() { return std::exchange(number_, -1); }

private:
    int number_ = -1;
};

/// A running guard and our ends of its pipes, all non-blocking and closed on exec.
struct Launched {
    pid_t guard = 0;
    Descriptor socket;
    Descriptor output;
    Descriptor events;  ///< empty without events
};

/// What is to be run, made complete: an absolute program path and the child's whole environment.
struct Program {
    std::filesystem::path path;
    std::vector<std::string> argv;
    std::vector<std::string> environment;  ///< NAME=value
    std::filesystem::path folder;
};

/// Finds the program. Errors: invalid_argument (no argv, a NUL in an argument), program_missing.
Result<Program> resolve(const SpawnOptions& options);

/// Starts the guard. Returns before the program runs: the guard's first report says how that went.
/// Errors: io (descriptors or processes exhausted, guard missing).
Result<Launched> launch(const Program& program, bool events, Containment containment);

/// The guard's `failed` report in words.
Error start_error(const Program& program, guard::Stage stage, int error_number);

/// Reaps what was left behind by children that were dropped before their guard ended. Cheap; called
/// at each launch.
void reap_leftovers();

/// Reaps the guard, at the latest with a later call of reap_leftovers.
void reap_guard(pid_t guard, bool ended);

}  // namespace punie::process
