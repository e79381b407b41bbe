#pragma once
// Checks of an endpoint's options. Pure.

#include <punie/chat.hpp>

#include <string>

namespace punie::openai {

/// The options with a base URL without trailing slash. Errors: invalid_argument naming the field: a
/// URL that is not http(s), lacks a host or carries credentials, a query or a fragment; a key with
/// control characters (never shown); request defaults that are not JSON; fewer attempts than one.
Result<EndpointOptions> checked_endpoint(EndpointOptions options);

}  // namespace punie::openai
