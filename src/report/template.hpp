#pragma once
// web/dist/report.html, put into the binary by cmake/EmbedWeb.cmake.

#include <string_view>

namespace punie::report {

std::string_view page_template();

}  // namespace punie::report
