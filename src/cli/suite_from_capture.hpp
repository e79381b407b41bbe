#pragma once
// Captured requests (src/gateway/capture.hpp) as a suite: what people really ask, asked again.
// Pure.

#include <punie/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace punie::cli {

struct FromCaptureOptions {
    std::string name = "from-capture";
    std::string model;      ///< only requests for this one; "": all
    std::size_t limit = 0;  ///< prompts at most; 0: no limit
    bool yaml = true;       ///< else JSONL
};

struct CaptureSuite {
    std::string text;
    std::size_t prompts = 0;
    std::size_t repeated = 0;  ///< the same conversation and tools again
    std::size_t no_chat = 0;   ///< embeddings, completions, other protocols
    std::size_t broken = 0;    ///< lines that are no capture (a torn last one)
    std::size_t unjudged = 0;  ///< prompts that only ask for an answer that is not empty
};

/// Expectations are what was answered then: a tool call as it was made, a short text as contained.
/// Longer texts only have to be answered; what was said stands in the prompt's metadata. Errors:
/// invalid_argument (no request could be used, with the numbers).
Result<CaptureSuite> suite_from_capture(std::string_view lines, const FromCaptureOptions& options);

}  // namespace punie::cli
