// SHA-256, HMAC and comparison without a clue in its duration: what tokens, audit, webhooks and
// receipts are made of.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace quell {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::span<const std::uint8_t> bytes);
Digest sha256(std::string_view text);
Digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view text);

// Takes the same time wherever the first difference is. The lengths are no secret.
bool equal_in_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

void fill_random(std::span<std::uint8_t> bytes);  // fit for keys

}  // namespace quell
