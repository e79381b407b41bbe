#pragma once
// eval's `Ask` over the chat endpoint of a server.

#include <punie/chat.hpp>

#include "eval/runner.hpp"

namespace punie::pipeline {

/// Sends bodies to `options.base_url`, one attempt each; failures come in words a person
/// understands, the same words for the same failure (attempts count by them).
eval::Ask ask_endpoint(const EndpointOptions& options);

}  // namespace punie::pipeline
