#pragma once
// web/dist/dashboard.html, put into the binary by cmake/EmbedWeb.cmake.

#include <string_view>

namespace punie::gateway {

std::string_view embedded_dashboard();

}  // namespace punie::gateway
