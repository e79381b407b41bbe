#pragma once
// From a model's name to the server that is asked, and what of the client's request it is sent.

#include "gateway/visit.hpp"

namespace punie::gateway {

/// What the fleet is asked for this visitor, with its key's rights. Not longer than the visit.
fleet::Ask ask_of(const Visit& visit, std::string model, std::uint64_t body_bytes);

/// Where the lease's server is asked: `target` is the client's ("/v1/chat/completions?x").
relay::Origin origin_of(Services& services, const fleet::Lease& lease);
std::string_view target_for(const fleet::Lease& lease, std::string_view target);

/// The client's headers, without what is none of the server's business: keys, cookies, origins;
/// with the upstream's own key, if any. Not longer than what they are views of.
relay::HeaderViews headers_for(const relay::Headers& from_client, std::string_view authorization);

}  // namespace punie::gateway
