#include "runtime/outbound/secret_place.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

bool covers(const char* place, const char* host, std::uint16_t port, bool tls) {
  const auto read = SecretPlace::parse(place);
  EXPECT_TRUE(read.ok()) << place;
  return read.ok() && read->covers(host, port, tls);
}

TEST(SecretPlace, AHostAloneIsHttpsAtItsOwnPort) {
  EXPECT_TRUE(covers("api.example.com", "api.example.com", 443, true));
  EXPECT_FALSE(covers("api.example.com", "api.example.com", 80, false));
  EXPECT_FALSE(covers("api.example.com", "api.example.com", 443, false));
  EXPECT_FALSE(covers("api.example.com", "api.example.com", 8443, true));
  EXPECT_FALSE(covers("api.example.com", "example.com", 443, true));
}

TEST(SecretPlace, AnotherPortAndPlainHttpAreSaid) {
  EXPECT_TRUE(covers("api.example.com:8443", "api.example.com", 8443, true));
  EXPECT_FALSE(covers("api.example.com:8443", "api.example.com", 443, true));
  EXPECT_TRUE(covers("http://127.0.0.1:9000", "127.0.0.1", 9000, false));
  EXPECT_FALSE(covers("http://127.0.0.1:9000", "127.0.0.1", 9001, false));
  EXPECT_TRUE(covers("http://127.0.0.1:*", "127.0.0.1", 9001, false));
  EXPECT_TRUE(covers("http://a.example", "a.example", 80, false));
  EXPECT_TRUE(covers("[::1]:8443", "::1", 8443, true));
  EXPECT_TRUE(covers("::1", "::1", 443, true));
}

TEST(SecretPlace, AStarIsEveryNameBelow) {
  EXPECT_TRUE(covers("*.example.com", "a.b.example.com", 443, true));
  EXPECT_FALSE(covers("*.example.com", "example.com", 443, true));
  EXPECT_FALSE(covers("*.example.com", "badexample.com", 443, true));
}

TEST(SecretPlace, RefusesWhatNamesNoHost) {
  for (const char* text : {"", "http://", "a.example:", "a.example:0", "a.example:99999", "a b",
                           "ftp://a.example", "a.example/path", "u@a.example", "[::1", "[::1]x"})
    EXPECT_FALSE(SecretPlace::parse(text).ok()) << text;
}

}  // namespace
}  // namespace quell
