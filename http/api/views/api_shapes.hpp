// The files of http/api, as text in the program: made by http/CMakeLists.txt.
#pragma once

#include <span>
#include <string_view>

namespace quell::http {

std::span<const std::string_view> api_shapes();

}  // namespace quell::http
