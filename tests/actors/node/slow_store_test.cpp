// Runs that end while the store owes them an answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <caf/all.hpp>

#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class SlowStoreTest : public testing::Test {
 protected:
  // Its step is done and the result is on its way to the store, which takes its time.
  JobId saving() {
    const JobId id = stage.submit("steps");
    stage.run();
    EXPECT_TRUE(stage.life().effects.end(id));
    stage.run_without(stage.context().clerk);
    EXPECT_EQ(stage.life().metrics.effects_open, 1u);
    EXPECT_FALSE(stage.life().effects.has(id));
    return id;
  }

  Stage stage;
};

// What waits for nothing but the store does nothing outside: a node whose lease is over must not
// end its process for it.
TEST_F(SlowStoreTest, AStoppedRunIsDownBeforeItsStepIsStored) {
  const JobId id = saving();
  tell_first(stage.context().foreman, StopRuns{StopCause::drain});
  stage.run_without(stage.context().clerk);
  EXPECT_EQ(stage.life().metrics.runs, 0u);
  EXPECT_EQ(stage.life().metrics.effects_open, 0u);
  stage.run();
  EXPECT_THAT(stage.reader().steps(id).value(), SizeIs(1)) << "it was sent before the run's end";
  EXPECT_TRUE(stage.heal());
  EXPECT_EQ(stage.state(id), JobState::succeeded);
  EXPECT_THAT(stage.wrong, IsEmpty());
}

TEST_F(SlowStoreTest, AStepOnItsWayWhenTheDeleteComesLeavesNothing) {
  const JobId id = saving();
  const auto call = stage.erase({id});
  stage.run();
  EXPECT_TRUE(stage.heal());
  ASSERT_THAT(call->reports, SizeIs(1));
  EXPECT_EQ(call->reports[0].counts.deleted, 1u);
  EXPECT_THAT(stage.reader().steps(id).value(), IsEmpty());
  EXPECT_THAT(stage.wrong, IsEmpty());
}

}  // namespace
}  // namespace quell
