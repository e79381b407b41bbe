#pragma once
#include <punie/server_config.hpp>

#include <map>
#include <string>

namespace punie::backend {

/// All sampling defaults as fields of a request (JSON text), under the names that vLLM and most
/// endpoints use. Pure.
std::map<std::string, std::string> sampling_fields(const SamplingDefaults& sampling);

}  // namespace punie::backend
