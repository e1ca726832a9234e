// A box whose key is made of a passphrase (scrypt), for what leaves the house: who has the file and
// guesses must spend 64 MiB of memory on each guess.
#pragma once

#include <span>
#include <string_view>

#include "runtime/signing/secret_box.hpp"

namespace quell {

inline constexpr std::size_t passphrase_least = 12;  // characters

Result<SecretBox> box_of_passphrase(std::string_view passphrase,
                                    std::span<const std::uint8_t> salt);
// The first line of a file that only its owner may read.
Result<std::string> read_passphrase(const std::string& path);

}  // namespace quell
