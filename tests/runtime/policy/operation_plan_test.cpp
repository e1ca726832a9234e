#include "runtime/policy/operation_plan.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace quell {
namespace {

std::vector<OperationView> all_views() {
  std::vector<OperationView> all;
  for (int state = 0; state <= static_cast<int>(OperationState::stopped); ++state)
    for (int wish = 0; wish <= static_cast<int>(OperationWish::stop); ++wish)
      for (int bits = 0; bits < 32; ++bits)
        all.push_back({static_cast<OperationState>(state), static_cast<OperationWish>(wish),
                       (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0,
                       (bits & 16) != 0});
  return all;
}

TEST(OperationPlan, NothingIsBegunWhileItIsBarred) {
  for (const OperationView& view : all_views()) {
    if (!view.is_barred) continue;
    const OperationStep step = next_of(view).step;
    EXPECT_TRUE(step != OperationStep::list && step != OperationStep::act);
  }
}

TEST(OperationPlan, WhatIsOverStaysOver) {
  for (const OperationView& view : all_views()) {
    if (!is_over(view.state)) continue;
    EXPECT_EQ(next_of(view).state, view.state);
    EXPECT_EQ(next_of(view).step, OperationStep::rest);
  }
}

TEST(OperationPlan, ItEndsOnlyWhenNothingIsHeld) {
  for (const OperationView& view : all_views())
    if (next_of(view).step == OperationStep::end) {
      EXPECT_FALSE(view.has_open);
    }
}

TEST(OperationPlan, ItIsDoneOnlyWhenEverySliceIs) {
  for (const OperationView& view : all_views()) {
    if (is_over(view.state) || view.state == OperationState::settling) continue;
    if (next_of(view).state == OperationState::done) {
      EXPECT_TRUE(view.is_listed && !view.has_slice && !view.is_stopping);
    }
  }
}

TEST(OperationPlan, ANotedSliceIsDoneBeforeANewOneIsListed) {
  for (const OperationView& view : all_views())
    if (view.has_slice) {
      EXPECT_NE(next_of(view).step, OperationStep::list);
    }
}

TEST(OperationPlan, StopBeginsNothingNewAndIsNotForgotten) {
  for (OperationView view : all_views()) {
    if (is_over(view.state)) continue;
    view.wish = OperationWish::stop;
    const OperationMove move = next_of(view);
    EXPECT_TRUE(move.is_stopping);
    EXPECT_NE(move.step, OperationStep::list);
    EXPECT_NE(move.state, OperationState::done);
    EXPECT_NE(move.state, OperationState::paused);
  }
}

TEST(OperationPlan, PausedGoesOnOnlyWhenSomebodyWishesIt) {
  OperationView view{.state = OperationState::paused};
  EXPECT_EQ(next_of(view), (OperationMove{OperationState::paused, OperationStep::rest}));
  view.wish = OperationWish::resume;
  EXPECT_EQ(next_of(view), (OperationMove{OperationState::running, OperationStep::list}));
  view.is_barred = true;
  EXPECT_EQ(next_of(view).state, OperationState::paused);
}

TEST(OperationPlan, AFreezeIsSaidToBeTheReason) {
  EXPECT_TRUE(next_of({.is_barred = true}).by_freeze);
  EXPECT_FALSE(next_of({.wish = OperationWish::pause}).by_freeze);
  EXPECT_FALSE(next_of({.state = OperationState::paused, .is_barred = true}).by_freeze);
}

TEST(OperationPlan, WordsAreReadAsTheyAreSaid) {
  for (const auto verb : {OperationVerb::erase, OperationVerb::cancel, OperationVerb::retry})
    EXPECT_EQ(parse_operation_verb(to_string(verb)), verb);
  for (int state = 0; state <= static_cast<int>(OperationState::stopped); ++state)
    EXPECT_EQ(parse_operation_state(to_string(static_cast<OperationState>(state))),
              static_cast<OperationState>(state));
  for (int wish = 0; wish <= static_cast<int>(OperationWish::stop); ++wish)
    EXPECT_EQ(parse_operation_wish(to_string(static_cast<OperationWish>(wish))),
              static_cast<OperationWish>(wish));
  EXPECT_FALSE(parse_operation_verb("burn"));
}

TEST(OperationPlan, WhatHasEndedHearsNoWish) {
  EXPECT_FALSE(may_wish(OperationState::done, OperationWish::stop));
  EXPECT_FALSE(may_wish(OperationState::settling, OperationWish::pause));
  EXPECT_TRUE(may_wish(OperationState::settling, OperationWish::stop));
  EXPECT_TRUE(may_wish(OperationState::paused, OperationWish::resume));
}

}  // namespace
}  // namespace quell
