#include "http/api/page_token.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <array>

#include "runtime/base/assert.hpp"

namespace quell::http {

namespace {

constexpr std::size_t seal_bytes = 12;

std::string seal(const std::string& key, std::string_view list, std::string_view after) {
  std::string text{list};
  text.append(1, '\0').append(after);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  QUELL_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
                    &size) != nullptr);
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < seal_bytes; ++i) {
    out += digits[digest[i] >> 4];
    out += digits[digest[i] & 15];
  }
  return out;
}

}  // namespace

std::string make_page_token(const std::string& key, std::string_view list, std::string_view after) {
  return std::string{after}.append(".").append(seal(key, list, after));
}

Result<std::string> read_page_token(const std::string& key, std::string_view list,
                                    std::string_view token) {
  const std::size_t dot = token.rfind('.');
  if (dot == std::string_view::npos) return Error{ErrorCode::invalid_page_token};
  const std::string right = seal(key, list, token.substr(0, dot));
  const std::string_view given = token.substr(dot + 1);
  if (given.size() != right.size() || CRYPTO_memcmp(given.data(), right.data(), right.size()) != 0)
    return Error{ErrorCode::invalid_page_token};
  return std::string{token.substr(0, dot)};
}

}  // namespace quell::http
