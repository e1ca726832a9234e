// The one way from a text to a JSON value. What strangers send may be nested without end or hold a
// value in every second byte; a value is copied, written and destroyed by recursion, so a text is
// measured before one is made of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace quell {

inline constexpr int json_depth_limit = 64;                     // of what comes from outside
inline constexpr int own_json_depth_limit = 128;                // of what we wrote around that
inline constexpr std::size_t json_bytes_limit = 16 << 20;       // as much as the largest reply
inline constexpr std::size_t own_json_bytes_limit = 256 << 20;  // an answer of ours holds many
inline constexpr std::size_t json_values_limit = 1'000'000;

// What an outsider sent: a client, a provider, a program, whoever answers a call. Discarded when it
// is no JSON or beyond the bounds.
nlohmann::json json_from_outside(std::string_view text);

// What this house wrote: rows of the store, answers of its API. They may hold what came from
// outside a few levels down, so the bounds are wider; whoever reads them still meets a store that
// an older version filled.
nlohmann::json json_of_ours(std::string_view text);

// The depth and the number of values at most; what stands in strings does not count.
bool is_within(std::string_view text, int depth, std::size_t values);

}  // namespace quell
