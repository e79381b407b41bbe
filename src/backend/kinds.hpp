#pragma once
// The backends that there are: one file and one line here each.

#include "backend/backend.hpp"

namespace punie::backend {

const Backend& mlx_backend();
const Backend& llama_backend();
const Backend& vllm_backend();
const Backend& openai_backend();

}  // namespace punie::backend
