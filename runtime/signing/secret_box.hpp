// Named secrets rest encrypted, so that a copy of the database gives nobody a provider's key:
// AES-256-GCM under a key that lies beside the database, never in it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/base64.hpp"
#include "runtime/base/result.hpp"

namespace quell {

// Sealed form: one version byte, 12 random nonce bytes, the ciphertext, 16 tag bytes.
class SecretBox {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit SecretBox(const Key& key) : key_(key) {}
  SecretBox(const SecretBox&) = default;
  SecretBox& operator=(const SecretBox&) = default;
  ~SecretBox();  // leaves no key behind in memory
  static Result<SecretBox> open_file(
      const std::string& path);  // base64 text; made when missing, for its owner alone
  static Result<SecretBox> from_base64_key(std::string_view text);

  // `name` is bound in: a sealed value moved under another name does not open.
  Bytes seal(std::string_view text, std::string_view name) const;
  Result<std::string> open(std::span<const std::uint8_t> sealed, std::string_view name) const;
  // 32 bytes that only who has the key can know, always the same for a name.
  std::array<std::uint8_t, 32> derive(std::string_view name) const;

 private:
  Key key_;
};

}  // namespace quell
