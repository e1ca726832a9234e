#include "runtime/signing/receipt_signer.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/base/base64.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/base/hex.hpp"
#include "runtime/signing/key_file.hpp"
#include "tests/runtime/base/temporary_directory.hpp"

namespace quell {
namespace {

ReceiptSigner from_hex_seed(std::string_view text) {
  const Bytes seed = from_hex(text).value();
  return ReceiptSigner::from_seed(std::span<const std::uint8_t, 32>(seed.data(), 32));
}

TEST(Digest, MatchesPublishedVectors) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // RFC 4231, test case 2.
  EXPECT_EQ(hex(hmac_sha256(bytes_of("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digest, ComparesWholeLengths) {
  EXPECT_TRUE(equal_in_constant_time(bytes_of("abc"), bytes_of("abc")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("abd")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("ab")));
}

// RFC 8032, section 7.1, tests 1 and 2.
TEST(ReceiptSigner, MatchesTheVectorsOfRfc8032) {
  EXPECT_EQ(
      hex(bytes_of(from_hex_seed("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
                       .signature(""))),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
      "b46b"
      "d25bf5f0595bbe24655141438e7a100b");
  EXPECT_EQ(
      hex(bytes_of(from_hex_seed("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
                       .signature("r"))),
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
      "1d8c"
      "387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(ReceiptSigner, WhatItSignsIsVerifiedWithThePublicKeyAlone) {
  const ReceiptSigner signer = ReceiptSigner::make();
  const std::string payload = "{\"deleted\": 100}\n";
  const nlohmann::json envelope = signer.sign(payload);
  EXPECT_EQ(envelope["signatures"][0]["alg"], "Ed25519");
  EXPECT_EQ(envelope["signatures"][0]["keyid"], signer.key_id());
  EXPECT_EQ(signer.key_id().size(), 16u);
  const Result<std::string> verified = verify_receipt(envelope, signer.public_key_pem());
  ASSERT_TRUE(verified) << verified.error().detail;
  EXPECT_EQ(*verified, payload);
  EXPECT_EQ(*key_id_of(signer.public_key_pem()), signer.key_id());
  EXPECT_TRUE(verify_signature(payload, signer.signature(payload), signer.public_key_pem()));
}

TEST(ReceiptSigner, AChangedByteAnywhereIsFound) {
  const ReceiptSigner signer = ReceiptSigner::make();
  const std::string pem = signer.public_key_pem();
  const std::string payload = "deleted: 100";
  for (std::size_t at = 0; at < payload.size(); ++at) {
    std::string forged = payload;
    forged[at] = static_cast<char>(forged[at] ^ 1);
    nlohmann::json envelope = signer.sign(payload);
    envelope["payload"] = base64(forged);
    EXPECT_FALSE(verify_receipt(envelope, pem));
  }
  const std::string good = signer.signature(payload);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string forged = good;
    forged[at] = static_cast<char>(forged[at] ^ 4);
    EXPECT_FALSE(verify_signature(payload, forged, pem));
  }
  EXPECT_FALSE(verify_signature(payload, good.substr(1), pem));
  EXPECT_FALSE(verify_receipt(signer.sign(payload), ReceiptSigner::make().public_key_pem()));
}

TEST(ReceiptSigner, AStrangeEnvelopeIsRefusedAndNeverThrows) {
  const ReceiptSigner signer = ReceiptSigner::make();
  const std::string pem = signer.public_key_pem();
  for (const char* text :
       {"null", "[]", "3", "{}", R"({"payload":1,"signatures":[]})",
        R"({"payload":"","signatures":{}})", R"({"payload":"!","signatures":[]})",
        R"({"payload":"","signatures":[1,{"alg":1},{"alg":"Ed25519"}]})",
        R"({"payload":"","signatures":[{"alg":"Ed25519","sig":1},{"alg":"Ed25519","sig":"!"}]})"})
    EXPECT_FALSE(verify_receipt(nlohmann::json::parse(text), pem)) << text;
  nlohmann::json none = signer.sign("x");
  none["signatures"][0]["alg"] = "none";
  EXPECT_FALSE(verify_receipt(none, pem));
  EXPECT_FALSE(verify_receipt(signer.sign("x"), "no key"));
  EXPECT_FALSE(key_id_of("no key"));
}

TEST(ReceiptSigner, OneGoodSignatureAmongSeveralIsEnough) {
  const ReceiptSigner old_key = ReceiptSigner::make(), new_key = ReceiptSigner::make();
  nlohmann::json envelope = old_key.sign("x");
  envelope["signatures"].push_back(new_key.sign("x")["signatures"][0]);
  EXPECT_TRUE(verify_receipt(envelope, old_key.public_key_pem()));
  EXPECT_TRUE(verify_receipt(envelope, new_key.public_key_pem()));
}

TEST(ReceiptSigner, TheKeyFileIsMadeOnceForItsOwnerAlone) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("receipt.key");
  const Result<ReceiptSigner> first = ReceiptSigner::open(path);
  ASSERT_TRUE(first) << first.error().detail;
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const Result<ReceiptSigner> second = ReceiptSigner::open(path);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->key_id(), second->key_id());
  EXPECT_EQ(first->public_key_pem(), second->public_key_pem());
}

TEST(ReceiptSigner, AnOpenOrBrokenKeyFileIsRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("receipt.key");
  ASSERT_TRUE(ReceiptSigner::open(path));
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_NE(ReceiptSigner::open(path).error().detail.find("chmod 600"), std::string::npos);
  const std::string broken = directory.file("broken.key");
  std::ofstream(broken) << "not a key";
  ASSERT_EQ(::chmod(broken.c_str(), 0600), 0);
  EXPECT_FALSE(ReceiptSigner::open(broken));
  EXPECT_FALSE(ReceiptSigner::open(directory.file("missing/receipt.key")));
}

TEST(KeyFile, AnEmptyOneADirectoryAndAHugeOneAreRefused) {
  const TemporaryDirectory directory;
  const auto make = [] { return std::string("key"); };
  std::ofstream(directory.file("empty")).close();
  std::ofstream(directory.file("huge")) << std::string(100'000, 'x');
  for (const char* name : {"empty", "huge"}) {
    ASSERT_EQ(::chmod(directory.file(name).c_str(), 0600), 0);
    EXPECT_FALSE(load_or_create_key_file(directory.file(name), make)) << name;
  }
  EXPECT_FALSE(load_or_create_key_file(directory.file(""), make));
  EXPECT_EQ(*load_or_create_key_file(directory.file("new"), make), "key");
}

}  // namespace
}  // namespace quell
