// What a node does for a hundred thousand sleepers while nothing happens: next to nothing.
#include <gtest/gtest.h>

#include <caf/all.hpp>

#include "actors/runs/run_table.hpp"
#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"
#include "tests/actors/stage/stage_kinds.hpp"

namespace quell {
namespace {

SlotKey key(std::uint8_t n) {
  SlotKey key{};
  key.job.bytes[0] = n;
  key.epoch = 1;
  return key;
}

TEST(RunTable, KnowsHowManyRunsNoDeleteWaitsFor) {
  RunTable runs;
  for (std::uint8_t n = 0; n < 3; ++n) runs.add({.key = key(n)});
  runs.mark(*runs.find(key(1)));
  runs.mark(*runs.find(key(1)));
  EXPECT_EQ(runs.unmarked(), 2u);
  runs.remove(key(0));
  EXPECT_EQ(runs.unmarked(), 1u);
  runs.remove(key(1));
  EXPECT_EQ(runs.unmarked(), 1u);
  runs.remove(key(1));
  runs.remove(key(2));
  EXPECT_EQ(runs.unmarked(), 0u);
}

// The whole node alone on its store, asleep but for its clock.
class IdleTest : public testing::Test {
 protected:
  IdleTest() : registry(stage_kinds()), ids(clock) {
    storage::OpenOptions options;
    options.unsafe = true;
    store = std::move(storage::open_memory(options)).value();
    NodeSettings settings;
    settings.pools = {{"default", 2}};
    life = std::make_unique<StageLife>(*store, settings, registry, clock, ids, ids.next());
    run();
  }

  // A job that waits for hours; what its birth brought is sealed and looked at.
  JobId sleeper() {
    auto ops = std::make_shared<storage::Batch>();
    storage::EnqueueOp& op = ops->enqueues.emplace_back();
    const JobId id = op.job.id = ids.next();
    op.job.kind = "one";
    op.job.options.timeout = Millis{7'200'000};
    op.now = clock.now();
    tell(life->context().clerk, WriteOps{std::move(ops), {}});
    run();
    EXPECT_EQ(life->metrics.runs, 1u);
    pass(Millis{2'000});
    return id;
  }

  void run() {
    while (life->scheduler().has_job()) life->scheduler().run_once();
  }

  void pass(Millis time) {
    for (Millis gone{0}; gone < time; gone += Millis{250}) {
      clock.ms += Millis{250};
      life->timers.advance(Millis{250});
      run();
    }
  }

  StageClock clock;
  Registry registry;
  IdSource ids;
  std::unique_ptr<storage::MemoryStore> store;
  std::unique_ptr<StageLife> life;
};

// A beat counts the runs in the store, which is long work for many.
TEST_F(IdleTest, AloneANodeWritesOnlyItsBeatOnceAMinuteAndItsSnapshotEveryFive) {
  sleeper();
  int beats = 0, snapshots = 0, others = 0;
  store->on_commit([&](const storage::Batch& batch) {
    ++(!batch.beats.empty() ? beats : !batch.docs.empty() ? snapshots : others);
    return storage::CommitFate{};
  });
  pass(Millis{600'000});
  EXPECT_EQ(beats, 10);
  EXPECT_EQ(snapshots, 2);
  EXPECT_EQ(others, 0);
}

// The wish is stored, and neither who asked nor this node was told so.
TEST_F(IdleTest, AloneANodeSoonHearsWhatACommitOfUnknownOutcomeOrdered) {
  const JobId job = sleeper();
  store->on_commit([](const storage::Batch& batch) {
    storage::CommitFate fate;
    if (batch.steers.empty()) return fate;
    fate.kind = storage::CommitFate::Kind::commit_and_lose_answer;
    fate.error = Error{ErrorCode::store_unavailable};
    return fate;
  });
  auto ops = std::make_shared<storage::Batch>();
  storage::SteerOp& cancel = ops->steers.emplace_back();
  cancel.job = job;
  cancel.event = JobEvent::cancel;
  cancel.now = clock.now();
  cancel.expires = clock.now() + Millis{3'600'000};
  tell(life->context().clerk, WriteOps{std::move(ops), {}});
  run();
  ASSERT_EQ(life->metrics.runs, 1u);
  pass(Millis{1'000});
  EXPECT_EQ(life->metrics.runs, 0u);
}

}  // namespace
}  // namespace quell
