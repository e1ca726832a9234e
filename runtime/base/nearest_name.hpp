// A misspelt name should be answered with the right one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace quell {

// The candidate fewest edits away, if it is near enough to be what was meant; else empty.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

// " (did you mean 'x'?)" or nothing, to be put behind an error.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace quell
