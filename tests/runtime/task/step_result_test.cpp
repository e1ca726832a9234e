// A step's result is kept for ever beside its job: how large one may be is the node's to say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/task/test_job.hpp"

namespace quell {
namespace {

Async<std::string> five_bytes() {
  co_return std::string("12345");
}

Task remembers(JobContext job) {
  auto work = [] { return five_bytes(); };
  std::string kept = co_await job.step("five", work);
  co_return kept;
}

TEST(StepResult, IsRefusedBeyondTheNodesLimitAndNotTriedAgain) {
  for (const std::size_t most : {5u, 4u}) {
    SettingValues settings;
    settings.step_result_max = most;
    TestJob job(remembers);
    job.settings(settings);
    if (most == 5) {
      EXPECT_EQ(job.result(), "12345");
      ASSERT_EQ(job.steps().size(), 1u);
      EXPECT_EQ(job.steps().front().second, "12345");
      continue;
    }
    try {
      job.result();
      ADD_FAILURE() << "it was taken";
    } catch (const JobError& error) {
      EXPECT_FALSE(error.retryable());
      EXPECT_THAT(error.detail(), testing::HasSubstr("'five' has 5 bytes and this node keeps 4"));
    }
  }
}

}  // namespace
}  // namespace quell
