#include "runtime/signing/secret_box.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/runtime/base/temporary_directory.hpp"

namespace quell {
namespace {

SecretBox box_of(std::uint8_t byte) {
  SecretBox::Key key;
  key.fill(byte);
  return SecretBox(key);
}

TEST(SecretBox, OpensWhatItSealed) {
  for (const std::string& text :
       {std::string(), std::string("sk-123"), std::string(100'000, 'x'), std::string("\0a", 2)}) {
    const Bytes sealed = box_of(1).seal(text, "openai");
    EXPECT_EQ(*box_of(1).open(sealed, "openai"), text);
    if (text.size() > 2) {
      EXPECT_EQ(text_of(sealed).find(text), std::string::npos);
    }
  }
}

TEST(SecretBox, SealsTheSameTextDifferentlyEachTime) {
  EXPECT_NE(box_of(1).seal("a", "n"), box_of(1).seal("a", "n"));
}

TEST(SecretBox, AnotherKeyOrNameDoesNotOpen) {
  const Bytes sealed = box_of(1).seal("sk-123", "openai");
  EXPECT_FALSE(box_of(2).open(sealed, "openai"));
  EXPECT_FALSE(box_of(1).open(sealed, "openai2"));
  EXPECT_FALSE(box_of(1).open(sealed, ""));
}

TEST(SecretBox, AChangedOrMissingByteAnywhereIsFound) {
  const Bytes sealed = box_of(1).seal("sk-123", "openai");
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes forged = sealed;
    forged[at] ^= 1;
    EXPECT_FALSE(box_of(1).open(forged, "openai")) << at;
    EXPECT_FALSE(box_of(1).open(std::span(sealed).first(at), "openai")) << at;
  }
}

TEST(SecretBox, TheKeyFileIsMadeOnce) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("secret.key");
  const auto first = SecretBox::open_file(path);
  ASSERT_TRUE(first) << first.error().detail;
  const auto second = SecretBox::open_file(path);
  ASSERT_TRUE(second);
  EXPECT_EQ(*second->open(first->seal("x", "n"), "n"), "x");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(SecretBox, AKeyHasExactly32Bytes) {
  EXPECT_TRUE(SecretBox::from_base64_key(base64(Bytes(32)) + "\n"));
  for (const std::size_t size : {0u, 31u, 33u})
    EXPECT_FALSE(SecretBox::from_base64_key(base64(Bytes(size))));
  EXPECT_FALSE(SecretBox::from_base64_key("!"));
}

}  // namespace
}  // namespace quell
