#include "runtime/signing/receipt_signer.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <nlohmann/json.hpp>

#include "runtime/base/assert.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/base/hex.hpp"
#include "runtime/signing/key_file.hpp"
#include "runtime/signing/wipe.hpp"

namespace quell {

namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Memory = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Key own(EVP_PKEY* key) {
  return Key(key, EVP_PKEY_free);
}

Memory reading(std::string_view text) {
  return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
}

std::string bytes_in(const Memory& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

bool is_ed25519(const Key& key) {
  return key && EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519;
}

std::string id_of(const Key& key) {
  std::array<std::uint8_t, 32> raw;
  std::size_t size = raw.size();
  QUELL_ASSERT(EVP_PKEY_get_raw_public_key(key.get(), raw.data(), &size) == 1 &&
               size == raw.size());
  const Digest digest = sha256(raw);
  return hex(std::span(digest).first(8));
}

Key public_key(std::string_view pem) {
  const Memory memory = reading(pem);
  Key key = own(PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr));
  return is_ed25519(key) ? key : nullptr;
}

bool verified(const Key& key, std::string_view bytes, std::span<const std::uint8_t> signature) {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto message = bytes_of(bytes);
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

Error bad(std::string detail) {
  return Error{ErrorCode::invalid_field, std::move(detail)};
}

}  // namespace

ReceiptSigner::ReceiptSigner(Key key) : key_(std::move(key)), key_id_(id_of(key_)) {}

Result<ReceiptSigner> ReceiptSigner::open(const std::string& path) {
  Result<std::string> pem = load_or_create_key_file(path, [] { return make().private_key_pem(); });
  if (!pem) return pem.error();
  const WipedAtEnd wiped(*pem);
  Result<ReceiptSigner> signer = from_pem(*pem);
  if (!signer)
    return Error{ErrorCode::internal, "the key file " + path + " holds no Ed25519 private key"};
  return signer;
}

Result<ReceiptSigner> ReceiptSigner::from_pem(std::string_view pem) {
  const Memory memory = reading(pem);
  // An encrypted key must fail here, not ask at the terminal for a password.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const Key key = own(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_password, nullptr));
  if (!is_ed25519(key)) return bad("this is no Ed25519 private key in PEM");
  return ReceiptSigner(key);
}

ReceiptSigner ReceiptSigner::from_seed(std::span<const std::uint8_t, 32> seed) {
  const Key key =
      own(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  QUELL_ASSERT(key != nullptr);
  return ReceiptSigner(key);
}

ReceiptSigner ReceiptSigner::make() {
  std::array<std::uint8_t, 32> seed;
  const WipedAtEnd wiped(seed);
  fill_random(seed);
  return from_seed(seed);
}

std::string ReceiptSigner::public_key_pem() const {
  const Memory memory(BIO_new(BIO_s_mem()), BIO_free);
  QUELL_ASSERT(PEM_write_bio_PUBKEY(memory.get(), key_.get()) == 1);
  return bytes_in(memory);
}

std::string ReceiptSigner::private_key_pem() const {
  const Memory memory(BIO_new(BIO_s_mem()), BIO_free);
  QUELL_ASSERT(PEM_write_bio_PrivateKey(memory.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1);
  return bytes_in(memory);
}

std::string ReceiptSigner::signature(std::string_view bytes) const {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto message = bytes_of(bytes);
  std::array<std::uint8_t, 64> signature;
  std::size_t size = signature.size();
  QUELL_ASSERT(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  QUELL_ASSERT(
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  QUELL_ASSERT(size == signature.size());
  return text_of(signature);
}

nlohmann::json ReceiptSigner::sign(std::string_view payload) const {
  nlohmann::json line;
  line["keyid"] = key_id_;
  line["alg"] = "Ed25519";
  line["sig"] = base64(signature(payload));
  nlohmann::json envelope;
  envelope["payload"] = base64(payload);
  envelope["signatures"] = nlohmann::json::array({line});
  return envelope;
}

Result<std::string> verify_receipt(const nlohmann::json& envelope,
                                   std::string_view public_key_pem) {
  const Key key = public_key(public_key_pem);
  if (!key) return bad("the public key is no Ed25519 key in PEM");
  const auto payload_text = envelope.find("payload");
  const auto signatures = envelope.find("signatures");
  if (!envelope.is_object() || payload_text == envelope.end() || !payload_text->is_string() ||
      signatures == envelope.end() || !signatures->is_array())
    return bad("this is no signed receipt: payload or signatures are missing");
  const auto payload = from_base64(payload_text->get_ref<const std::string&>());
  if (!payload) return bad("the receipt's payload is not base64");
  const std::string bytes = text_of(*payload);
  for (const nlohmann::json& line : *signatures) {
    if (!line.is_object() || line.value("alg", nlohmann::json{}) != "Ed25519") continue;
    const auto sig = line.find("sig");
    if (sig == line.end() || !sig->is_string()) continue;
    const auto raw = from_base64(sig->get_ref<const std::string&>());
    if (raw && verified(key, bytes, *raw)) return bytes;
  }
  return bad("no signature of the receipt is good under this key");
}

bool verify_signature(std::string_view bytes, std::string_view signature,
                      std::string_view public_key_pem) {
  const Key key = public_key(public_key_pem);
  return key && verified(key, bytes, bytes_of(signature));
}

Result<std::string> key_id_of(std::string_view public_key_pem) {
  const Key key = public_key(public_key_pem);
  if (!key) return bad("the public key is no Ed25519 key in PEM");
  return id_of(key);
}

}  // namespace quell
