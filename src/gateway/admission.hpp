#pragma once
// From a model's name to the right to ask it; a client that waits is given signs of life.

#include <functional>

#include "gateway/visit.hpp"

namespace punie::gateway {

/// Said to a client whose model loads; false: it has left.
using SignOfLife = std::function<Task<bool>(fleet::Waiting)>;

/// Fleet::admit for this visitor, with its key's rights. `deaths`: servers that this request has
/// killed. Cancellable.
Task<std::expected<fleet::Lease, Refused>> admit(
    Visit& visit, std::string model, std::uint64_t body_bytes, SignOfLife sign, int deaths
);

/// Where the lease's server is asked: `target` is the client's ("/v1/chat/completions?x").
relay::Origin origin_of(Services& services, const fleet::Lease& lease);
std::string target_for(const fleet::Lease& lease, std::string_view target);

/// The client's headers, without what is none of the server's business: keys, cookies, origins;
/// with the upstream's own key.
relay::Headers headers_for(const fleet::Lease& lease, const relay::Headers& from_client);

}  // namespace punie::gateway
