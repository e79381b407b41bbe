#pragma once
// A request's body, read and understood as far as routing needs it.

#include "gateway/body_scan.hpp"
#include "gateway/visit.hpp"

namespace punie::gateway {

struct Asked {
    relay::Body body;
    BodyTop top;
    std::string model{};
    bool stream = false;
};

/// Reads the body and looks at its top level; model and stream are left out. Nothing when the
/// client has been answered already (it left, sent too much, or sent no JSON object).
Task<std::optional<Asked>> read_scanned(Visit& visit);

/// The same, for a body that must name a model.
Task<std::optional<Asked>> read_asked(Visit& visit);

/// The values that this server's request must have: its name for the model, the adapter, sampling
/// defaults where the request may not or does not set them. As JSON texts.
std::vector<std::pair<std::string, std::string>> wanted_values(
    const fleet::Lease& lease, const BodyTop& top
);

/// The body as this server must get it; a large one stays in its file. Errors: invalid_argument: it
/// has a member that would make the server open files.
Result<relay::Body> body_for(
    const relay::Body& body, const BodyTop& top, const fleet::Lease& lease
);

/// A body in memory is scanned at once, one in a file in turns with others. Errors: as of BodyScan;
/// io.
Task<Result<BodyTop>> scan(const relay::Body& body);

/// The body's text, from memory or from its file. Errors: io.
Result<std::string> whole_text(const relay::Body& body);

}  // namespace punie::gateway
