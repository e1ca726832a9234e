// What watchers of a node hear of its jobs.
#include <gtest/gtest.h>

#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

std::shared_ptr<storage::Batch> progress_of(JobId job, int epoch) {
  auto ops = std::make_shared<storage::Batch>();
  ops->flushes.push_back({.job = job, .epoch = epoch, .now = {}, .progress = 0.5});
  return ops;
}

TEST(Events, TellNothingOfAJobAfterItsDeletion) {
  Stage stage;
  const JobId id = stage.submit("one");
  stage.run();
  ASSERT_EQ(stage.state(id), JobState::running);
  const int epoch = std::move(stage.reader().running(stage.context().self)).value().at(0).second;
  std::vector<std::string> heard;
  stage.life().events.subscribe([&](const NodeEvent& event) {
    if (event.job == id) heard.push_back(event.type);
  });
  stage.write(progress_of(id, epoch));
  stage.run();
  const auto call = stage.erase({id});
  stage.write(progress_of(id, epoch));  // its last words, beside the mark
  stage.run();
  ASSERT_TRUE(call->answered());
  stage.write(progress_of(id, epoch));
  stage.run();
  EXPECT_EQ(heard,
            (std::vector<std::string>{"job.progress", "job.delete_requested", "job.deleted"}));
}

}  // namespace
}  // namespace quell
