// Limits as pure decisions: the bucket's arithmetic, and who gets the permits.
#include "runtime/policy/limit_policy.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/runtime/base/dice.hpp"

namespace quell {
namespace {

Instant at(std::int64_t ms) {
  return Instant{Millis{1'700'000'000'000 + ms}};
}

TEST(TokenBucket, IsFullWhenNeverWritten) {
  const Rate rate{5, 10};
  EXPECT_EQ(tokens_in(rate, refilled(rate, {}, at(0))), 5);
}

TEST(TokenBucket, FillsByTheMillisecondAndNoFurther) {
  const Rate rate{3, 2};  // one each 666.67 ms
  const TokenBucket empty{0, at(0)};
  EXPECT_EQ(tokens_in(rate, refilled(rate, empty, at(666))), 0);
  EXPECT_EQ(tokens_in(rate, refilled(rate, empty, at(667))), 1);
  EXPECT_EQ(tokens_in(rate, refilled(rate, empty, at(2'000))), 3);
  EXPECT_EQ(tokens_in(rate, refilled(rate, empty, at(1'000'000'000'000))), 3);
  EXPECT_EQ(full_at(rate, empty), at(2'000));
}

TEST(TokenBucket, AClockThatIsBehindChangesNothing) {
  const Rate rate{3, 2};
  const TokenBucket bucket{drops_of(rate, 2), at(1'000)};
  EXPECT_EQ(refilled(rate, bucket, at(0)), bucket);
}

TEST(TokenBucket, ASmallerRateKeepsNoMoreThanItHolds) {
  const TokenBucket bucket{drops_of(Rate{100, 1}, 100), at(0)};
  EXPECT_EQ(tokens_in(Rate{2, 1}, refilled(Rate{2, 1}, bucket, at(0))), 2);
}

// Over any span, not more than the bucket holds plus what the span brings.
TEST(TokenBucket, NeverGivesMoreThanTheRateOverAnySpan) {
  Dice dice(7);
  for (int round = 0; round < 200; ++round) {
    const Rate rate{1 + dice.below(50), 1 + dice.below(20)};
    std::optional<TokenBucket> bucket;
    std::vector<std::pair<std::int64_t, std::int64_t>> spent;  // when, how many
    std::int64_t ms = 0;
    for (int step = 0; step < 60; ++step) {
      ms += dice.below(1'500);
      const TokenBucket now = refilled(rate, bucket, at(ms));
      const std::int64_t n = std::min<std::int64_t>(tokens_in(rate, now), dice.below(20));
      bucket = after(rate, now, n);
      spent.emplace_back(ms, n);
    }
    for (std::size_t from = 0; from < spent.size(); ++from) {
      std::int64_t total = 0;
      for (std::size_t to = from; to < spent.size(); ++to) {
        total += spent[to].second;
        const std::int64_t span = spent[to].first - spent[from].first;
        ASSERT_LE(total * rate.per_s * 1'000,
                  (rate.count * rate.per_s * 1'000) + span * rate.count);
      }
    }
  }
}

TEST(LimitPolicy, NoLimitLeavesAll) {
  EXPECT_EQ(permits_left({}, 7, 1'000, {}, at(0)), 7);
  EXPECT_EQ(room_of({}, {"a", 9, 1'000, {}}, at(0)), 9);
}

TEST(LimitPolicy, TheTightestLimitCounts) {
  QueueLimits limits;
  limits.concurrency = 10;
  limits.rate = {4, 1};
  EXPECT_EQ(permits_left(limits, 100, 3, {}, at(0)), 4);
  EXPECT_EQ(permits_left(limits, 100, 8, {}, at(0)), 2);
  EXPECT_EQ(permits_left(limits, 1, 8, {}, at(0)), 1);
  EXPECT_EQ(permits_left(limits, 100, 12, {}, at(0)), 0);  // it was lowered meanwhile
  EXPECT_EQ(permits_left(limits, 100, 0, TokenBucket{0, at(0)}, at(250)), 1);
}

TEST(LimitPolicy, AKeysLimitsAreItsOwnAndNotOfThoseWithout) {
  QueueLimits limits;
  limits.per_key = 2;
  limits.key_rate = {3, 1};
  EXPECT_EQ(room_of(limits, {"a", 9, 0, {}}, at(0)), 2);
  EXPECT_EQ(room_of(limits, {"a", 9, 2, {}}, at(0)), 0);
  EXPECT_EQ(room_of(limits, {"a", 1, 0, {}}, at(0)), 1);
  EXPECT_EQ(room_of(limits, {"a", 9, 0, TokenBucket{0, at(0)}}, at(400)), 1);
  EXPECT_EQ(room_of(limits, {"", 9, 5, {}}, at(0)), 9);
}

// Every room up to 3 of up to 4 keys, every number of permits.
TEST(LimitPolicy, SharesAreByTurnsAndWasteNothing) {
  for (int code = 0; code < 256; ++code) {
    const std::vector<int> room{code & 3, (code >> 2) & 3, (code >> 4) & 3, (code >> 6) & 3};
    const int all = std::accumulate(room.begin(), room.end(), 0);
    for (int permits = 0; permits <= 13; ++permits) {
      const std::vector<int> shares = share_out(permits, room);
      ASSERT_EQ(std::accumulate(shares.begin(), shares.end(), 0), std::min(permits, all));
      for (std::size_t i = 0; i < room.size(); ++i) {
        ASSERT_LE(shares[i], room[i]);
        // Nobody is two rounds behind another while it still has room.
        for (std::size_t j = 0; j < room.size(); ++j)
          if (shares[i] < room[i]) {
            ASSERT_LE(shares[j], shares[i] + (j < i ? 1 : 0));
          }
      }
    }
  }
}

TEST(LimitPolicy, TheNextRoundBeginsBehindTheLastServed) {
  EXPECT_EQ(last_served({1, 1, 0}), 1u);
  EXPECT_EQ(last_served({2, 1, 1}), 0u);
  EXPECT_EQ(last_served({3, 3, 1}), 1u);
  EXPECT_EQ(last_served({0, 0, 0}), 2u);
}

TEST(QueueLimits, SurviveTheirText) {
  for (int code = 0; code < 16; ++code) {
    QueueLimits limits;
    if (code & 1) limits.concurrency = 7;
    if (code & 2) limits.per_key = 3;
    if (code & 4) limits.rate = {100, 60};
    if (code & 8) limits.key_rate = {5, 1};
    EXPECT_EQ(limits_from_json(to_json(limits)), limits);
    EXPECT_EQ(limits.any(), code != 0);
    EXPECT_EQ(limits.by_key(), (code & 10) != 0);
  }
  EXPECT_EQ(limits_from_json(""), QueueLimits{});
}

}  // namespace
}  // namespace quell
