#include "runtime/signing/secret_box.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "runtime/base/assert.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/signing/key_file.hpp"
#include "runtime/signing/wipe.hpp"

namespace quell {

namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t text_bytes_max = 1 << 20;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

int size_of(std::span<const std::uint8_t> bytes) {
  return static_cast<int>(bytes.size());
}

Error bad_box(std::string detail) {
  return Error{ErrorCode::invalid_field, std::move(detail)};
}

}  // namespace

SecretBox::~SecretBox() {
  const WipedAtEnd wiped(key_);
}

Result<SecretBox> SecretBox::open_file(const std::string& path) {
  Result<std::string> text = load_or_create_key_file(path, [] {
    Key key;
    const WipedAtEnd wiped(key);
    fill_random(key);
    return base64(key) + "\n";
  });
  if (!text) return text.error();
  const WipedAtEnd wiped(*text);
  Result<SecretBox> box = from_base64_key(*text);
  if (!box)
    return Error{ErrorCode::internal, "the key file " + path + " does not hold base64 of 32 bytes"};
  return box;
}

Result<SecretBox> SecretBox::from_base64_key(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  auto bytes = from_base64(text);
  Key key{};
  const WipedAtEnd wiped(key);
  if (!bytes || bytes->size() != key.size()) return bad_box("the key is not base64 of 32 bytes");
  const WipedAtEnd bytes_wiped(*bytes);
  std::ranges::copy(*bytes, key.begin());
  return SecretBox(key);
}

Bytes SecretBox::seal(std::string_view text, std::string_view name) const {
  QUELL_ASSERT(text.size() <= text_bytes_max);
  Bytes sealed(1 + nonce_bytes + text.size() + tag_bytes);
  sealed[0] = version;
  const auto nonce = std::span(sealed).subspan(1, nonce_bytes);
  fill_random(nonce);
  std::uint8_t* const body = sealed.data() + 1 + nonce_bytes;
  const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0;
  QUELL_ASSERT(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(),
                                  nonce.data()) == 1);
  QUELL_ASSERT(EVP_EncryptUpdate(context.get(), nullptr, &size, bytes_of(name).data(),
                                 size_of(bytes_of(name))) == 1);
  QUELL_ASSERT(EVP_EncryptUpdate(context.get(), body, &size, bytes_of(text).data(),
                                 size_of(bytes_of(text))) == 1);
  QUELL_ASSERT(static_cast<std::size_t>(size) == text.size());
  QUELL_ASSERT(EVP_EncryptFinal_ex(context.get(), body + size, &size) == 1 && size == 0);
  QUELL_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes),
                                   body + text.size()) == 1);
  return sealed;
}

Result<std::string> SecretBox::open(std::span<const std::uint8_t> sealed,
                                    std::string_view name) const {
  if (sealed.size() < 1 + nonce_bytes + tag_bytes ||
      sealed.size() > 1 + nonce_bytes + tag_bytes + text_bytes_max)
    return bad_box("the sealed secret has a wrong size");
  if (sealed[0] != version) return bad_box("the sealed secret is of an unknown version");
  const auto nonce = sealed.subspan(1, nonce_bytes);
  const auto body = sealed.subspan(1 + nonce_bytes, sealed.size() - 1 - nonce_bytes - tag_bytes);
  Bytes tag(sealed.end() - static_cast<std::ptrdiff_t>(tag_bytes), sealed.end());
  Bytes text(body.size() + 1);  // one more, so that data() of an empty text is valid
  const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0, rest = 0;
  const auto label = bytes_of(name);
  const bool good =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) ==
          1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, label.data(), size_of(label)) == 1 &&
      EVP_DecryptUpdate(context.get(), text.data(), &size, body.data(), size_of(body)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_bytes),
                          tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), text.data() + size, &rest) == 1;
  if (!good) return bad_box("the sealed secret does not open under this key and name");
  return text_of(std::span(text).first(static_cast<std::size_t>(size)));
}

std::array<std::uint8_t, 32> SecretBox::derive(std::string_view name) const {
  return hmac_sha256(key_, "derive\n" + std::string(name));
}

}  // namespace quell
