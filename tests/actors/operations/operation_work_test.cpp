// When an operation may note its next slice ahead.
#include "actors/operations/operation_work.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

OperationWork work_with_next_slice_known() {
  OperationWork work;
  work.operation.slice = {Uuid{}};
  work.in_hand = 1;
  work.ahead.emplace().jobs.emplace_back();
  return work;
}

TEST(OperationWork, TheNextSliceIsNotedWhileOneIsInHand) {
  OperationWork work = work_with_next_slice_known();
  EXPECT_TRUE(may_go_ahead(work));
  work.operation.slice.push_back(Uuid{});
  EXPECT_FALSE(may_go_ahead(work)) << "one is noted already";
  work.operation.slice = {};
  work.in_hand = 0;
  EXPECT_FALSE(may_go_ahead(work)) << "none is in hand";
}

TEST(OperationWork, AnOperationThatStopsNotesNoFurtherSlice) {
  OperationWork work = work_with_next_slice_known();
  work.operation.is_stopping = true;
  EXPECT_FALSE(may_go_ahead(work));
}

TEST(OperationWork, AnOperationWithARateNotesNoSliceAhead) {
  OperationWork work = work_with_next_slice_known();
  work.operation.per_second_max = 100;
  EXPECT_FALSE(may_go_ahead(work));
}

TEST(OperationWork, OneNoteIsOnItsWayAtATime) {
  OperationWork work = work_with_next_slice_known();
  work.is_noting = true;
  EXPECT_FALSE(may_go_ahead(work));
}

}  // namespace
}  // namespace quell
