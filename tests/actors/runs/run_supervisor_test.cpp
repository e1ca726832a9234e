// The supervisor of runs with a list in the place of every actor.
#include "actors/runs/run_supervisor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/fleet/lease.hpp"
#include "actors/node/pool_snapshot.hpp"
#include "tests/storage/conformance/manual_clock.hpp"

namespace quell {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Orders final : RunPorts {
  RunNumber begin(storage::ClaimedJob job, const Kind&) override {
    begun.push_back(job.job);
    return begun.size();
  }
  void stop(RunNumber run, StopCause cause) override { stopped.emplace_back(run, cause); }
  void let_go(RunNumber run) override { gone.push_back(run); }
  void write(WriteEnds ends) override {
    for (auto& finish : ends.finishes) finishes.push_back(finish.event);
    for (auto& [verdict, down] : ends.verdicts) verdicts.push_back(verdict.verdict);
    for (const auto& [pool, count] : ends.permits) permits += count;
  }
  void recall(const std::string&, int count) override { recalled += count; }
  void take_census() override { ++censuses; }
  void say_stuck(const JobId& job) override { stuck.push_back(job); }
  void wake_in(Millis time) override { wake = time; }
  void flush_later() override { wants_flush = true; }

  std::vector<JobId> begun, stuck;
  std::vector<std::pair<RunNumber, StopCause>> stopped;
  std::vector<RunNumber> gone;
  std::vector<JobEvent> finishes;
  std::vector<Verdict> verdicts;
  int permits = 0, recalled = 0, censuses = 0;
  Millis wake{0};
  bool wants_flush = false;
};

class RunSupervisorTest : public testing::Test {
 protected:
  RunSupervisorTest() {
    EXPECT_TRUE(traces::open("").ok());  // steps of a part are not a trace of the whole
    add_standard_kinds(registry);
    settings.pools = {{"default", 2}};
    context->settings = &settings;
    context->registry = &registry;
    context->clock = &clock;
    context->timers = &timers;
    context->metrics = &metrics;
    context->pools = &pools;
    context->lease = &lease;
    supervisor.emplace(context, orders);
  }

  static JobId id(std::uint8_t n) {
    JobId job;
    job.bytes[0] = n;
    return job;
  }
  // What the Clerk's commits do to it.
  void claim(std::uint8_t n, int epoch = 1, const std::string& kind = "noop") {
    supervisor->offer_all();
    settle();
    ClaimedJobs claimed{"default", "default", {}};
    storage::ClaimedJob& job = claimed.jobs.emplace_back();
    job.job = id(n);
    job.epoch = epoch;
    job.kind = kind;
    supervisor->start(claimed);
  }
  void mark(std::uint8_t n, int epoch = 1) {
    supervisor->stop_marked({.runs = {{id(n), epoch, DeleteId{}}}});
    settle();
  }
  // Its actor says its last word and goes.
  void down(RunPorts::RunNumber run, std::uint8_t n, AttemptOutcome outcome) {
    supervisor->run_ended({.job = id(n), .epoch = 1, .outcome = outcome});
    supervisor->run_down(run);
    settle();
  }
  void settle() {
    if (std::exchange(orders.wants_flush, false)) supervisor->flush();
  }
  PoolView pool() const { return pools.read().at(0); }

  storage::ManualClock clock;
  ManualTimers timers;
  Lease lease{clock};
  Metrics metrics;
  PoolSnapshot pools;
  Registry registry;
  NodeSettings settings;
  std::shared_ptr<NodeContext> context = std::make_shared<NodeContext>();
  Orders orders;
  std::optional<RunSupervisor> supervisor;
};

TEST_F(RunSupervisorTest, OffersEachFreeSlotOnce) {
  supervisor->offer_all();
  supervisor->offer_all();
  settle();
  EXPECT_EQ(orders.permits, 2);
  EXPECT_EQ(pool().free, 2);
}

TEST_F(RunSupervisorTest, AMarkStopsARunAndSaysSoOnlyWhenItIsDown) {
  claim(1);
  mark(1);
  EXPECT_THAT(orders.stopped, ElementsAre(std::pair(1u, StopCause::deleted)));
  EXPECT_THAT(orders.verdicts, IsEmpty());
  EXPECT_EQ(pool().used, 1);
  down(1, 1, AttemptOutcome::stopped);
  EXPECT_THAT(orders.gone, ElementsAre(1u));
  EXPECT_THAT(orders.verdicts, ElementsAre(Verdict::stopped));
  EXPECT_EQ(pool().used, 0);
  EXPECT_EQ(orders.permits, 3) << "its slot is offered again, once";
}

TEST_F(RunSupervisorTest, ARunThatGoesWithoutAWordHasFailedAndItsSlotComesBack) {
  claim(1);
  supervisor->run_down(1);
  settle();
  EXPECT_THAT(orders.finishes, ElementsAre(JobEvent::exhaust));
  EXPECT_EQ(pool().used, 0);
}

TEST_F(RunSupervisorTest, AMarkBesideAnEndThatIsSaidAlreadyAnswersThatTheRunWasFirst) {
  claim(1);
  down(1, 1, AttemptOutcome::succeeded);
  mark(1);
  EXPECT_THAT(orders.finishes, ElementsAre(JobEvent::succeed));
  EXPECT_THAT(orders.verdicts, ElementsAre(Verdict::finished_first));
}

TEST_F(RunSupervisorTest, AClaimThatComesAfterItsMarkIsNotStarted) {
  mark(1, 4);
  claim(1, 4);
  settle();
  EXPECT_THAT(orders.begun, IsEmpty());
  EXPECT_THAT(orders.verdicts, ElementsAre(Verdict::not_running, Verdict::not_started));
  EXPECT_EQ(pool().used, 0);
}

TEST_F(RunSupervisorTest, AFenceStandsUntilNobodyWaitsAndLetsALaterEpochPass) {
  mark(1, 4);
  claim(1, 5);
  EXPECT_THAT(orders.begun, ElementsAre(id(1)));
  supervisor->verdicts_written({.over = {{id(1), 4}}, .own = {id(1)}});
  claim(2, 4);
  EXPECT_EQ(orders.begun.size(), 2u);
}

TEST_F(RunSupervisorTest, ARunThatDoesNotEndIsStuckAndKeepsItsSlotUntilItIsDown) {
  claim(1);
  mark(1);
  timers.advance(settings.stop_deadline + Millis{1});
  supervisor->check_deadlines();
  EXPECT_THAT(orders.stuck, ElementsAre(id(1)));
  EXPECT_EQ(pool().stuck, 1);
  EXPECT_EQ(pool().free, 1);
  down(1, 1, AttemptOutcome::stopped);
  EXPECT_EQ(pool().stuck, 0);
  EXPECT_THAT(orders.verdicts, ElementsAre(Verdict::stopped));
}

TEST_F(RunSupervisorTest, ADeleteHurriesARunThatACancelIsEnding) {
  claim(1);
  supervisor->cancel({id(1), 1});
  mark(1);
  EXPECT_THAT(orders.stopped,
              ElementsAre(std::pair(1u, StopCause::cancelled), std::pair(1u, StopCause::deleted)));
}

TEST_F(RunSupervisorTest, ARunWhoseEndLostAgainstAMarkIsToldAsFinishedWhenTheOrderComes) {
  claim(1);
  down(1, 1, AttemptOutcome::succeeded);
  supervisor->finishes_written({.runs = {{id(1), 1, false}}});
  mark(1);
  EXPECT_THAT(orders.verdicts, ElementsAre(Verdict::finished_first));
}

TEST_F(RunSupervisorTest, WithoutALeaseAClaimIsHandedBackUnbegun) {
  lease.end();
  claim(1);
  settle();
  EXPECT_THAT(orders.begun, IsEmpty());
  EXPECT_THAT(orders.finishes, ElementsAre(JobEvent::hand_over));
}

TEST_F(RunSupervisorTest, AJobOfAnUnknownKindIsRefusedAndItsSlotComesBack) {
  claim(1, 1, "nothing");
  settle();
  EXPECT_THAT(orders.begun, IsEmpty());
  EXPECT_EQ(orders.finishes.size(), 1u);
  EXPECT_EQ(pool().used, 0);
}

TEST_F(RunSupervisorTest, AShrunkenPoolCallsItsPermitsBack) {
  supervisor->offer_all();
  settle();
  supervisor->resize("default", 1);
  EXPECT_EQ(orders.recalled, 2);
  supervisor->permits_back({"default", 2});
  settle();
  EXPECT_EQ(orders.permits, 3) << "one of one is offered";
}

TEST_F(RunSupervisorTest, ADrainIsOverWhenNothingRunsAndAllThatWasSaidIsWritten) {
  claim(1);
  bool is_drained = false;
  supervisor->drain({.done = [&] { is_drained = true; }, .at_once = true});
  EXPECT_THAT(orders.stopped, ElementsAre(std::pair(1u, StopCause::drain)));
  mark(1);
  down(1, 1, AttemptOutcome::stopped);
  supervisor->permits_back({"default", orders.permits - 1});
  EXPECT_FALSE(is_drained) << "a verdict is on its way";
  supervisor->verdicts_written({.over = {}, .own = {id(1)}});
  EXPECT_TRUE(is_drained);
}

TEST_F(RunSupervisorTest, ACensusStopsWhatTheStoreDoesNotListAndGivesBackWhatIsNotHere) {
  claim(1);
  supervisor->compare(RunsCounted{2});
  EXPECT_EQ(orders.censuses, 1);
  supervisor->compare(CensusTaken{{{id(9), 3}}});
  settle();
  EXPECT_THAT(orders.stopped, ElementsAre(std::pair(1u, StopCause::deleted)));
  EXPECT_THAT(orders.finishes, ElementsAre(JobEvent::hand_over));
}

TEST_F(RunSupervisorTest, AJobGivenTwiceIsAHistoryToDoubt) {
  std::string why;
  context->doubt_history = [&](const std::string& said) { why = said; };
  claim(1);
  claim(1);
  EXPECT_NE(why.find("given to this node twice"), std::string::npos);
  EXPECT_EQ(orders.begun.size(), 1u);
}

}  // namespace
}  // namespace quell
