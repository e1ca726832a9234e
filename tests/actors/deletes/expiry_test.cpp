// How long each record is kept, as the store has it in the end: whoever ended the job, the one rule
// decided, and 0 keeps for ever.
#include <gtest/gtest.h>

#include <caf/all.hpp>

#include "actors/node/node_life.hpp"
#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using namespace std::chrono_literals;

class ExpiryTest : public ::testing::TestWithParam<bool> {
 protected:
  ExpiryTest() : stage({{"default", 4}}, 1, rules()) {}

  static RetentionRules rules() {
    return GetParam() ? RetentionRules{0ms, 0ms, 0ms, 0ms} : RetentionRules{7h, 30h, 3h, 0ms};
  }

  JobId running(const std::string& kind = "one") {
    const JobId id = stage.submit(kind);
    stage.run();
    EXPECT_EQ(stage.state(id), JobState::running);
    return id;
  }

  // The stored value is that of this state, from when the job ended.
  void expect_kept_as(JobState state, JobId id) {
    const auto view = stage.job(id);
    ASSERT_TRUE(view);
    ASSERT_EQ(view->state, state);
    ASSERT_TRUE(view->finished);
    EXPECT_EQ(view->expires, expires_at(rules(), state, *view->finished)) << to_string(state);
    EXPECT_EQ(view->expires.has_value(), !GetParam());
  }

  Stage stage;
};

TEST_P(ExpiryTest, OfASucceededJob) {
  const JobId id = running();
  ASSERT_TRUE(stage.life().effects.end(id));
  stage.run();
  expect_kept_as(JobState::succeeded, id);
}

TEST_P(ExpiryTest, OfAFailedJob) {
  const JobId id = running("fails");
  ASSERT_TRUE(stage.life().effects.end(id));
  stage.run();
  expect_kept_as(JobState::failed, id);
}

TEST_P(ExpiryTest, OfACancelledRun) {
  const JobId id = running();
  stage.steer(id, JobEvent::cancel);
  stage.run();
  expect_kept_as(JobState::cancelled, id);
}

// a requested cancel that comes while the run hands over turns it into a cancel in the store.
TEST_P(ExpiryTest, OfARunThatWasToComeBackAndIsCancelledInstead) {
  const JobId id = running();
  storage::Batch wish;
  wish.steers.push_back(
      {.job = id, .event = JobEvent::cancel, .who = "tester", .now = stage.clock.now()});
  auto writer = std::move(stage.store().open_writer()).value();
  ASSERT_TRUE(writer->apply(wish).ok());
  stage.drain(true);
  stage.run();
  expect_kept_as(JobState::cancelled, id);
}

TEST_P(ExpiryTest, OfARunLostWithItsProcess) {
  const JobId id = running();
  NodeSettings settings;
  settings.max_lost = 1;
  keep_by(rules(), settings);
  IdSource ids(stage.clock);
  auto writer = std::move(stage.store().open_writer()).value();
  ASSERT_TRUE(
      begin_life(*writer, stage.context().self.node, settings, {}, ids, stage.clock.now()).ok());
  expect_kept_as(JobState::failed, id);
}

INSTANTIATE_TEST_SUITE_P(Kept, ExpiryTest, testing::Bool(),
                         [](const auto& kept) { return kept.param ? "ForEver" : "ForItsTime"; });

}  // namespace
}  // namespace quell
