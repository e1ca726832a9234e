// A delete's receipt is worth what it can be checked against, without us: the exact bytes are
// signed with Ed25519, and `openssl pkeyutl -verify` with the public key shown at /system is enough
// to check them.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

struct evp_pkey_st;

namespace quell {

// {"payload": base64 of the exact bytes, "signatures": [{"keyid", "alg": "Ed25519", "sig":
// base64}]}. Copies share one key; signing is thread-safe.
class ReceiptSigner {
 public:
  // Loads the key (PKCS#8, PEM) or makes one, readable by its owner alone.
  static Result<ReceiptSigner> open(const std::string& path);
  static Result<ReceiptSigner> from_pem(std::string_view pem);
  static ReceiptSigner from_seed(std::span<const std::uint8_t, 32> seed);
  static ReceiptSigner make();

  const std::string& key_id() const { return key_id_; }
  std::string public_key_pem() const;
  std::string private_key_pem() const;

  std::string signature(std::string_view bytes) const;  // 64 raw bytes
  nlohmann::json sign(std::string_view payload) const;

 private:
  explicit ReceiptSigner(std::shared_ptr<evp_pkey_st> key);
  std::shared_ptr<evp_pkey_st> key_;
  std::string key_id_;
};

// What anybody with the public key can do. Returns the payload's exact bytes when one of the
// signatures is good.
Result<std::string> verify_receipt(const nlohmann::json& envelope, std::string_view public_key_pem);

bool verify_signature(std::string_view bytes, std::string_view signature,
                      std::string_view public_key_pem);

// The first 16 hex digits of the SHA-256 of the raw public key.
Result<std::string> key_id_of(std::string_view public_key_pem);

}  // namespace quell
