#pragma once
// The lines that python/training_callback.py writes. They come from another process: nothing in
// them is trusted.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace punie::training {

enum class EventKind {
    hello,    ///< the first line of the trainer runs
    imports,  ///< mlx_lm is imported
    model,    ///< the model is loaded
    data,     ///< the data are loaded
    begin,    ///< the first batch is next
    validation,
    iteration,
    checkpoint,
    trained,  ///< the last adapter file is written
    end,
    error,
};

/// Seconds; what an event does not say is 0 or empty.
struct TrainerEvent {
    EventKind kind = EventKind::hello;
    double t = 0;  ///< since the trainer's first line, by its clock
    int iteration = 0;
    std::optional<double> seconds;  ///< of the iteration, validation or checkpoint
    std::optional<double> trainer_seconds;
    std::optional<double> loss;  ///< nothing when it is not a number any more
    double tokens_per_second = 0;
    double trained_tokens = 0;
    double peak_memory_gb = 0;
    std::string error_type;
    std::string message;
};

/// One line, with or without its end; nothing when it is no event: not JSON, an unknown name, a
/// negative or absurd number.
std::optional<TrainerEvent> parse_event(std::string_view line);

/// Cuts a stream of bytes into lines and parses them. Lines over 64 kB are bad as a whole.
class EventReader {
public:
    /// Calls `on_event(const TrainerEvent&)` for each whole line that is an event.
    template <typename OnEvent>
    void feed(std::string_view bytes, OnEvent&& on_event) {
        for (const char byte : bytes) {
            if (byte != '\n') {
                take(byte);
            } else if (auto event = finish_line()) {
                on_event(*event);
            }
        }
    }

    /// Lines that were no events; empty ones are not counted.
    std::uint64_t bad_lines() const { return bad_; }

private:
    void take(char byte);
    std::optional<TrainerEvent> finish_line();

    std::string line_;
    bool too_long_ = false;
    std::uint64_t bad_ = 0;
};

}  // namespace punie::training
