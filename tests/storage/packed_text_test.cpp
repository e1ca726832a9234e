// Long texts are packed for the database, short ones are left readable.
#include <gtest/gtest.h>

#include "storage/fault.hpp"
#include "storage/packed_text.hpp"

namespace quell::storage {
namespace {

std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 100'000; ++i) text += "job " + std::to_string(i) + " is gone\n";
  return text;
}

TEST(PackedText, ALongTextGetsSmallAndComesBackAsItWas) {
  const std::string packed = packed_if_long(long_text());
  EXPECT_LT(packed.size(), long_text().size() / 4);
  EXPECT_EQ(unpacked(packed), long_text());
}

TEST(PackedText, AShortTextStaysAsItIs) {
  for (const std::string text : {"", "{}", R"({"deleted":1})"}) {
    EXPECT_EQ(packed_if_long(text), text);
    EXPECT_EQ(unpacked(text), text);
  }
}

TEST(PackedText, ADamagedFrameIsAFaultOfTheStore) {
  const std::string packed = packed_if_long(long_text());
  EXPECT_THROW(unpacked(packed.substr(0, packed.size() / 2)), Fault);
  EXPECT_THROW(unpacked(packed.substr(0, 5)), Fault);
  std::string changed = packed;
  changed[packed.size() / 2] = static_cast<char>(changed[packed.size() / 2] ^ 0x55);
  EXPECT_NE(changed, packed);
  try {
    EXPECT_NE(unpacked(changed), long_text());
  } catch (const Fault& fault) {
    EXPECT_EQ(fault.error().code, ErrorCode::store_corrupt);
  }
}

// A frame says itself how long its text is; whoever believes it gives what a damaged byte asks for.
TEST(PackedText, AFrameThatClaimsMoreThanATextOfOursMayHaveIsDamaged) {
  const std::string two_exabytes("\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\0\0\x1f", 13);
  const std::string two_gigabytes("\x28\xb5\x2f\xfd\xe0\0\0\0\x80\0\0\0\0", 13);
  EXPECT_THROW(unpacked(two_exabytes), Fault);
  EXPECT_THROW(unpacked(two_gigabytes), Fault);
}

}  // namespace
}  // namespace quell::storage
