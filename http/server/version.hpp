// The version as replies and `quell version` tell it.
#pragma once

namespace quell::http {
inline constexpr const char* version = "0.1.0";
}  // namespace quell::http
