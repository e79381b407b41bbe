#pragma once
// PUNIE_ASSERT(condition, "what it means"): our own mistakes only, on in release builds too. Bad
// input is an Error.

#include <cstdio>
#include <cstdlib>

namespace punie {

[[noreturn]] inline void assertion_failed(
    const char* condition, const char* meaning, const char* file, int line
) {
    std::fprintf(
        stderr, "punie: internal error at %s:%d: %s (%s)\n", file, line, meaning, condition
    );
    std::abort();
}

}  // namespace punie

#define PUNIE_ASSERT(condition, meaning) \
    ((condition) ? void(0) : ::punie::assertion_failed(#condition, meaning, __FILE__, __LINE__))
