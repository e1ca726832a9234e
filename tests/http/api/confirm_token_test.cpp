#include "http/api/confirm_token.hpp"

#include <gtest/gtest.h>

namespace quell::http {
namespace {

const std::string key(32, 'k');
const Preview asked{"delete", "queue=default", "shop", "token-1"};

TEST(ConfirmToken, IsGoodForHalfAnHourByWhicheverClock) {
  const Instant at{Millis{1'800'000'000'000}};
  const std::string token = make_confirm_token(key, asked, {at, 7});
  for (const Millis passed : {Millis{-1}, -preview_keep, Millis{0}, preview_keep}) {
    const auto seen = read_confirm_token(key, asked, token, at + passed);
    ASSERT_TRUE(seen) << passed.count() << ": a node may count with a clock that is ahead";
    EXPECT_EQ(seen->count, 7);
  }
  for (const Millis passed : {preview_keep + Millis{1}, -preview_keep - Millis{1}}) {
    const auto seen = read_confirm_token(key, asked, token, at + passed);
    ASSERT_FALSE(seen) << passed.count();
    EXPECT_EQ(seen.error().code, ErrorCode::preview_stale);
  }
}

}  // namespace
}  // namespace quell::http
