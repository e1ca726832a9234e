#include "runtime/base/name.hpp"

#include <gtest/gtest.h>

#include <string>

#include "runtime/base/utf8.hpp"

namespace quell {
namespace {

TEST(Name, IsWhatTheCommandLineAndTheApiBothTake) {
  for (const char* good : {"a", "A.b_c-9", "-"}) EXPECT_TRUE(is_name(good)) << good;
  for (const char* bad : {"", "a:b", "a=b", "a b", "a/b", "\xc3\xa4", "a\n"})
    EXPECT_FALSE(is_name(bad)) << bad;
  EXPECT_TRUE(is_name(std::string(128, 'x')));
  EXPECT_FALSE(is_name(std::string(129, 'x')));
}

TEST(Utf8, KnowsAWholeCharacterFromHalfOfOne) {
  for (const char* good : {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf0\x82\x82\xac", "\xff", "\x80"})
    EXPECT_FALSE(is_utf8(bad));
  EXPECT_EQ(as_utf8("a\xff\xc3\xa4"), "a\xef\xbf\xbd\xc3\xa4");
}

}  // namespace
}  // namespace quell
