#include "runtime/base/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "runtime/base/assert.hpp"
#include "runtime/base/base64.hpp"

namespace quell {

Digest sha256(std::span<const std::uint8_t> bytes) {
  Digest digest;
  unsigned size = 0;
  QUELL_ASSERT(
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  QUELL_ASSERT(size == digest.size());
  return digest;
}

Digest sha256(std::string_view text) {
  return sha256(bytes_of(text));
}

Digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view text) {
  Digest digest;
  unsigned size = 0;
  const auto bytes = bytes_of(text);
  QUELL_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(),
                    bytes.size(), digest.data(), &size) != nullptr);
  QUELL_ASSERT(size == digest.size());
  return digest;
}

bool equal_in_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void fill_random(std::span<std::uint8_t> bytes) {
  QUELL_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
}

}  // namespace quell
