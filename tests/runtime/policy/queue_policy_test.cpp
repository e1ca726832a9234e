#include "runtime/policy/queue_policy.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/runtime/base/dice.hpp"

namespace quell {
namespace {

constexpr std::uint64_t many = 1'000'000'000;

QueueSpec queue(std::string name, std::uint32_t weight = 1, std::string pool = "default") {
  QueueSpec spec;
  spec.name = std::move(name);
  spec.pool = std::move(pool);
  spec.weight = weight;
  return spec;
}

TEST(QueuePolicy, OneQueueGetsEveryPermitItCanUse) {
  QueuePolicy policy;
  policy.set(queue("a"));
  EXPECT_EQ(policy.offer("default", 10, {{"a", 4}}), (std::vector<QueueOffer>{{"a", 4}}));
  EXPECT_EQ(policy.offer("default", 3, {{"a", 4}}), (std::vector<QueueOffer>{{"a", 3}}));
  EXPECT_TRUE(policy.offer("default", 3, {}).empty());
  EXPECT_TRUE(policy.offer("default", 0, {{"a", 4}}).empty());
  EXPECT_TRUE(policy.offer("other", 3, {{"a", 4}}).empty());
}

TEST(QueuePolicy, SharesByWeight) {
  QueuePolicy policy;
  policy.set(queue("a", 3));
  policy.set(queue("b", 1));
  EXPECT_EQ(policy.offer("default", 400, {{"a", many}, {"b", many}}),
            (std::vector<QueueOffer>{{"a", 300}, {"b", 100}}));
}

TEST(QueuePolicy, SharesByWeightAlsoOnePermitAtATime) {
  QueuePolicy policy;
  policy.set(queue("a", 3));
  policy.set(queue("b", 1));
  std::map<std::string, std::uint32_t> got;
  for (int round = 0; round < 400; ++round)
    for (const QueueOffer& offer : policy.offer("default", 1, {{"a", many}, {"b", many}}))
      got[offer.queue] += offer.permits;
  EXPECT_NEAR(got["a"], 300, 2);
  EXPECT_NEAR(got["b"], 100, 2);
}

TEST(QueuePolicy, WhatOneQueueCannotUseGoesToTheOthers) {
  QueuePolicy policy;
  policy.set(queue("a", 100));
  policy.set(queue("b", 1));
  EXPECT_EQ(policy.offer("default", 50, {{"a", 2}, {"b", many}}),
            (std::vector<QueueOffer>{{"a", 2}, {"b", 48}}));
}

TEST(QueuePolicy, APausedQueueGetsNothingAndAClosedOneIsDrained) {
  QueuePolicy policy;
  QueueSpec paused = queue("a");
  paused.paused = true;
  QueueSpec closed = queue("b");
  closed.closed = true;
  policy.set(paused);
  policy.set(closed);
  EXPECT_EQ(policy.offer("default", 4, {{"a", 9}, {"b", 9}}), (std::vector<QueueOffer>{{"b", 4}}));
  EXPECT_TRUE(policy.takes_new("a"));
  EXPECT_FALSE(policy.takes_new("b"));
  EXPECT_FALSE(policy.takes_new("c"));
}

TEST(QueuePolicy, IdlenessEarnsNoCredit) {
  QueuePolicy policy;
  policy.set(queue("a"));
  policy.set(queue("b"));
  policy.offer("default", 10'000, {{"a", many}});
  const auto offers = policy.offer("default", 100, {{"a", many}, {"b", many}});
  EXPECT_EQ(offers, (std::vector<QueueOffer>{{"a", 50}, {"b", 50}}));
}

TEST(QueuePolicy, AQueueThatWantsLittleEarnsNoCreditEither) {
  QueuePolicy policy;
  policy.set(queue("a"));
  policy.set(queue("b"));
  for (int round = 0; round < 100; ++round) policy.offer("default", 100, {{"a", many}, {"b", 1}});
  const auto offers = policy.offer("default", 100, {{"a", many}, {"b", many}});
  ASSERT_EQ(offers.size(), 2u);
  EXPECT_NEAR(offers[1].permits, 50, 1);
}

TEST(QueuePolicy, AResumedQueueDoesNotCatchUp) {
  QueuePolicy policy;
  policy.set(queue("a"));
  QueueSpec b = queue("b");
  policy.set(b);
  b.paused = true;
  policy.set(b);
  policy.offer("default", 10'000, {{"a", many}, {"b", many}});
  b.paused = false;
  policy.set(b);
  const auto offers = policy.offer("default", 100, {{"a", many}, {"b", many}});
  ASSERT_EQ(offers.size(), 2u);
  EXPECT_NEAR(offers[1].permits, 50, 1);
}

TEST(QueuePolicy, PoolsDoNotDisturbEachOther) {
  QueuePolicy policy;
  policy.set(queue("a", 1, "x"));
  policy.set(queue("b", 1, "y"));
  policy.offer("x", 10'000, {{"a", many}, {"b", many}});
  EXPECT_EQ(policy.offer("y", 5, {{"a", many}, {"b", many}}), (std::vector<QueueOffer>{{"b", 5}}));
}

TEST(QueuePolicy, ARemovedQueueIsForgotten) {
  QueuePolicy policy;
  policy.set(queue("a"));
  ASSERT_NE(policy.find("a"), nullptr);
  policy.remove("a");
  policy.remove("a");
  EXPECT_EQ(policy.find("a"), nullptr);
  EXPECT_TRUE(policy.all().empty());
  EXPECT_TRUE(policy.offer("default", 5, {{"a", 5}}).empty());
}

TEST(QueuePolicyDeathTest, AWeightOfZeroIsOurFault) {
  QueuePolicy policy;
  EXPECT_DEATH(policy.set(queue("a", 0)), "weight");
}

// For random queues and random rounds: every permit that can be used is used, nobody gets more than
// it wants, and over any stretch in which all have work each has its share to within one permit of
// every queue's weight.
TEST(QueuePolicy, IsFairWorkConservingAndStarvesNobody) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    QueuePolicy policy;
    const std::uint32_t count = 1 + dice.below(6);
    std::map<std::string, std::uint32_t> weights;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      weights[name] = 1 + dice.below(10);
      policy.set(queue(name, weights[name]));
    }
    for (int round = 0; round < 100; ++round) {  // a noisy past
      QueuePolicy::Waiting waiting;
      std::uint64_t usable = 0;
      for (const auto& [name, weight] : weights) usable += waiting[name] = dice.below(20);
      const std::uint32_t free = dice.below(40);
      std::uint64_t given = 0;
      for (const QueueOffer& offer : policy.offer("default", free, waiting)) {
        ASSERT_LE(offer.permits, waiting[offer.queue]);
        given += offer.permits;
      }
      ASSERT_EQ(given, std::min<std::uint64_t>(free, usable));
    }
    QueuePolicy::Waiting all_busy;
    double weight_sum = 0;
    for (const auto& [name, weight] : weights) all_busy[name] = many, weight_sum += weight;
    std::map<std::string, double> got;
    double total = 0;
    for (int round = 0; round < 300; ++round)
      for (const QueueOffer& offer : policy.offer("default", 1 + dice.below(7), all_busy))
        got[offer.queue] += offer.permits, total += offer.permits;
    for (const auto& [name, weight] : weights)
      EXPECT_NEAR(got[name], total * weight / weight_sum, 20.0 + weight) << name;
  }
}

TEST(QueuePolicy, TheSameHistoryGivesTheSameAnswer) {
  const auto play = [] {
    QueuePolicy policy;
    Dice dice(7);
    for (const char* name : {"c", "a", "b"}) policy.set(queue(name, 1 + dice.below(5)));
    std::string story;
    for (int round = 0; round < 200; ++round)
      for (const auto& offer :
           policy.offer("default", dice.below(9), {{"a", dice.below(9)}, {"b", 3}, {"c", many}}))
        story += offer.queue + std::to_string(offer.permits);
    return story;
  };
  EXPECT_EQ(play(), play());
}

}  // namespace
}  // namespace quell
