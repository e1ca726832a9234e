// Two commits on their way at once, their words coming back in any order. Small stories, each told
// in hundreds of orders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int orders = 2'000;
constexpr int writers = 2;

void some_steps(Stage& stage, std::mt19937& random, std::size_t fewer_than) {
  for (std::size_t steps = random() % fewer_than; steps > 0; --steps) stage.step(random());
}

// Until nobody has mail.
void in_some_order(Stage& stage, std::mt19937& random) {
  while (stage.step(random())) {
  }
}

void for_many_orders(const std::function<void(std::mt19937&)>& story) {
  for (unsigned seed = 1; seed <= orders; ++seed) {
    SCOPED_TRACE("order " + std::to_string(seed));
    std::mt19937 random(seed);
    story(random);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(WriterPool, AJobThatComesInBesideAnEmptyClaimIsFoundWithoutATimer) {
  for_many_orders([](std::mt19937& random) {
    Stage stage({{"default", 1}}, writers);
    const JobId first = stage.submit("one");
    stage.run();
    ASSERT_TRUE(stage.life().effects.has(first));
    const JobId second = stage.submit("one");
    stage.life().effects.end(first);  // its slot is claimed for while the second one is stored
    in_some_order(stage, random);
    EXPECT_TRUE(stage.life().effects.has(second));
    EXPECT_THAT(stage.wrong, IsEmpty());
  });
}

TEST(WriterPool, ADeleteHearsOfEveryClaimThatWasBegunBeforeIt) {
  for_many_orders([](std::mt19937& random) {
    Stage stage({{"default", 2}}, writers);
    const JobId first = stage.submit("one"), second = stage.submit("one");
    const JobId third = stage.submit("one"), fourth = stage.submit("one");
    stage.run();
    stage.life().effects.end(first);
    stage.life().effects.end(second);
    some_steps(stage, random, 24);
    const auto call = stage.erase({third, fourth});
    stage.run_without(random());
    in_some_order(stage, random);
    ASSERT_TRUE(stage.settle({call}));
    ASSERT_THAT(call->reports, SizeIs(1));
    EXPECT_EQ(call->reports[0].counts.deleted, 2u);
    EXPECT_EQ(stage.life().effects.open(), 0u);
    EXPECT_THAT(stage.wrong, IsEmpty());
  });
}

TEST(WriterPool, PermitsThatAreRecalledWhileAClaimIsOnItsWayAreNotClaimedForAgain) {
  for_many_orders([](std::mt19937& random) {
    Stage stage({{"default", 2}}, writers);
    stage.submit("one");  // claimed for with both permits; one comes back
    some_steps(stage, random, 8);
    stage.set_pool("default", 1);
    in_some_order(stage, random);
    stage.submit("one");
    in_some_order(stage, random);
    EXPECT_EQ(stage.life().effects.open(), 1u) << "the pool has one slot";
    EXPECT_THAT(stage.wrong, IsEmpty());
  });
}

TEST(WriterPool, OrdersThatWaitForACommitAreObeyedInTheOrderOfTheirComing) {
  for_many_orders([](std::mt19937& random) {
    Stage stage({{"default", 2}}, writers);
    stage.submit("one");
    some_steps(stage, random, 8);
    stage.pause("default", true);
    some_steps(stage, random, 8);
    stage.pause("default", false);
    in_some_order(stage, random);
    const JobId last = stage.submit("one");
    in_some_order(stage, random);
    EXPECT_TRUE(stage.life().effects.has(last)) << "the queue was left paused";
  });
}

TEST(WriterPool, WhatARunThatEndsBesideALimitedClaimMakesRoomForIsFoundWithoutATimer) {
  for_many_orders([](std::mt19937& random) {
    Stage stage({{"default", 3}}, writers);
    tell_first(stage.context().clerk, SetQueue{"default", "default", 1, false, {.concurrency = 1}});
    stage.run();
    stage.submit("one");
    stage.submit("one");
    in_some_order(stage, random);
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(stage.life().effects.open(), 1u);
      if (i < 4) stage.submit("one");  // and is claimed for while another one ends
      stage.life().effects.end_nth(0);
      in_some_order(stage, random);
    }
    EXPECT_EQ(stage.life().effects.open(), 0u);
    EXPECT_THAT(stage.wrong, IsEmpty());
  });
}

TEST(WriterPool, AFailedCommitOfOneWriterLosesNothingOfTheOther) {
  for_many_orders([](std::mt19937& random) {
    Stage stage({{"default", 2}}, writers);
    int left = 1 + static_cast<int>(random() % 3);
    stage.fate = [&left, lost = random() % 2 == 0](const storage::Batch&) {
      using Kind = storage::CommitFate::Kind;
      if (left-- != 1) return storage::CommitFate{};
      return storage::CommitFate{lost ? Kind::commit_and_lose_answer : Kind::refuse,
                                 Error{ErrorCode::store_unavailable, "as the test has it"}};
    };
    for (int i = 0; i < 5; ++i) stage.submit("one");
    in_some_order(stage, random);
    EXPECT_TRUE(stage.heal());
    stage.check_at_rest();
    EXPECT_THAT(stage.wrong, IsEmpty());
  });
}

}  // namespace
}  // namespace quell
