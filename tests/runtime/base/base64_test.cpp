#include "runtime/base/base64.hpp"
#include "runtime/base/hex.hpp"

#include <gtest/gtest.h>

#include "tests/runtime/base/dice.hpp"

namespace quell {
namespace {

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(base64(plain), coded);
    ASSERT_TRUE(from_base64(coded));
    EXPECT_EQ(text_of(*from_base64(coded)), plain);
  }
}

TEST(Base64, OneValueHasOneSpelling) {
  for (const char* text : {"Zg", "Zg=", "Zh==", " Zg==", "Zg==\n", "Zm9v ", "Z===", "====", "Zm9*",
                           "Zg==Zg==", "-_=="})
    EXPECT_FALSE(from_base64(text)) << text;
  for (const char* text : {"Z", "Zg==", "Zh", "a+", "a/"})
    EXPECT_FALSE(from_base64url(text)) << text;
}

TEST(Base64, SurvivesTheRoundTrip) {
  Dice dice(1);
  for (std::size_t size = 0; size < 200; ++size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(dice.below(256));
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
    EXPECT_EQ(from_base64url(base64url(bytes)), bytes);
    EXPECT_EQ(from_hex(hex(bytes)), bytes);
  }
}

TEST(Hex, RefusesOddLengthsUpperCaseAndOtherLetters) {
  for (const char* text : {"a", "0G", "AB", "0x"}) EXPECT_FALSE(from_hex(text)) << text;
  EXPECT_EQ(hex(Bytes{0, 255, 16}), "00ff10");
}

}  // namespace
}  // namespace quell
