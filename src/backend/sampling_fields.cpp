#include "backend/sampling_fields.hpp"

#include <fmt/format.h>

#include <optional>

namespace punie::backend {

std::map<std::string, std::string> sampling_fields(const SamplingDefaults& sampling) {
    std::map<std::string, std::string> fields;
    const auto put = [&](const char* name, const auto& value) {
        if (value) fields[name] = fmt::format("{}", *value);
    };
    put("temperature", sampling.temperature);
    put("top_p", sampling.top_p);
    put("top_k", sampling.top_k);
    put("min_p", sampling.min_p);
    put("max_tokens", sampling.max_tokens);
    put("repetition_penalty", sampling.repetition_penalty);
    put("repetition_context_size", sampling.repetition_context_size);
    return fields;
}

}  // namespace punie::backend
