// Timers, the snapshot of busy threads, and the pool for blocking work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "actors/effects/offload_pool.hpp"
#include "actors/node/busy_snapshot.hpp"
#include "actors/node/time_histogram.hpp"
#include "actors/timers.hpp"
#include "tests/actors/node/no_fault.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ManualTimers, FireInOrderAndOnlyWhenTheirTimeHasCome) {
  ManualTimers timers;
  std::vector<int> fired;
  timers.after(Millis{20}, [&] { fired.push_back(2); });
  timers.after(Millis{10}, [&] {
    fired.push_back(1);
    timers.after(Millis{5}, [&] { fired.push_back(15); });
  });
  timers.after(Millis{-5}, [&] { fired.push_back(0); });
  timers.advance(Millis{19});
  EXPECT_THAT(fired, ElementsAre(0, 1, 15));
  timers.advance(Millis{1});
  EXPECT_THAT(fired, ElementsAre(0, 1, 15, 2));
  EXPECT_EQ(timers.waiting(), 0u);
  EXPECT_EQ(timers.now(), Millis{20});
}

TEST(ManualTimers, NeverFireWhatWasCancelled) {
  ManualTimers timers;
  bool fired = false;
  const auto id = timers.after(Millis{1}, [&] { fired = true; });
  EXPECT_TRUE(timers.cancel(id));
  EXPECT_FALSE(timers.cancel(id));
  timers.advance(Millis{10});
  EXPECT_FALSE(fired);
}

TEST(ThreadTimers, FireAndReleaseWhatACancelledOneHeld) {
  ThreadTimers timers(no_fault());
  std::promise<void> first;
  timers.after(Millis{1}, [&] { first.set_value(); });
  auto held = std::make_shared<int>(1);
  const auto id = timers.after(Millis{3'600'000}, [held] { (void)held; });
  EXPECT_EQ(held.use_count(), 2);
  first.get_future().wait();
  EXPECT_TRUE(timers.cancel(id));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ThreadTimers, TakeAnEarlierTimerWhileTheySleepForALaterOne) {
  ThreadTimers timers(no_fault());
  std::promise<void> soon;
  timers.after(Millis{3'600'000}, [] {});
  timers.after(Millis{1}, [&] { soon.set_value(); });
  soon.get_future().wait();
}

TEST(BusySnapshot, NamesTheJobThatHoldsAThread) {
  BusySnapshot snapshot;
  JobId job;
  job.bytes[0] = 7;
  {
    const BusySnapshot::Turn turn(snapshot, job, "kind", Millis{100});
    EXPECT_THAT(snapshot.busy_since(Millis{100}), IsEmpty());
    ASSERT_THAT(snapshot.busy_since(Millis{101}), SizeIs(1));
    EXPECT_EQ(snapshot.busy_since(Millis{101}).front().job, job);
  }
  EXPECT_THAT(snapshot.busy_since(Millis{101}), IsEmpty());
  EXPECT_EQ(snapshot.threads(), 1u);
}

TEST(BusySnapshot, KnowsItselfFromAnEarlierOneAtTheSameAddress) {
  alignas(BusySnapshot) std::byte place[sizeof(BusySnapshot)];
  for (int i = 0; i < 2; ++i) {
    auto* snapshot = new (place) BusySnapshot;
    { const BusySnapshot::Turn turn(*snapshot, {}, "kind", Millis{0}); }
    EXPECT_EQ(snapshot->threads(), 1u) << "round " << i;
    snapshot->~BusySnapshot();
  }
}

TEST(OffloadPool, RunsWorkAndTellsHowItEnded) {
  OffloadPool pool(2, no_fault());
  std::promise<std::pair<bool, std::string>> fine, failed;
  pool.start([](std::stop_token) {},
             [&](bool ran, std::string why) {
               fine.set_value({ran, std::move(why)});
             });
  pool.start([](std::stop_token) { throw std::runtime_error("as asked"); },
             [&](bool ran, std::string why) {
               failed.set_value({ran, std::move(why)});
             });
  EXPECT_EQ(fine.get_future().get(), std::pair(true, std::string()));
  EXPECT_EQ(failed.get_future().get(), std::pair(true, std::string("as asked")));
}

TEST(OffloadPool, StopsRunningWorkByItsTokenAndWaitingWorkAtOnce) {
  OffloadPool pool(1, no_fault());
  std::promise<void> begun, over;
  std::promise<bool> waiting_ran;
  const auto running = pool.start(
      [&](std::stop_token stop) {
        begun.set_value();
        std::promise<void> asked;
        const std::stop_callback wake(stop, [&] { asked.set_value(); });
        asked.get_future().wait();
      },
      [&](bool, std::string) { over.set_value(); });
  begun.get_future().wait();
  const auto waiting = pool.start([](std::stop_token) {},
                                  [&](bool ran, std::string) { waiting_ran.set_value(ran); });
  pool.stop(waiting);
  EXPECT_FALSE(waiting_ran.get_future().get());
  pool.stop(running);
  over.get_future().wait();
}

TEST(OffloadPool, StopsWhatRunsWhenItEnds) {
  std::promise<void> begun;
  bool ended = false;
  {
    OffloadPool pool(1, no_fault());
    pool.start(
        [&](std::stop_token stop) {
          begun.set_value();
          std::promise<void> asked;
          const std::stop_callback wake(stop, [&] { asked.set_value(); });
          asked.get_future().wait();
        },
        [&](bool, std::string) { ended = true; });
    begun.get_future().wait();
  }
  EXPECT_TRUE(ended);
}

TEST(TimeHistogram, CountsEachTimeBelowItsBoundsAndFoldsTooManyLabels) {
  TimeHistogram times("t_seconds", "How long.", "queue");
  times.note("a", Millis{1});
  times.note("a", Millis{2'000});
  times.note("a", Millis{-5});
  const std::string text = times.text();
  EXPECT_NE(text.find("# HELP t_seconds How long.\n# TYPE t_seconds histogram\n"),
            std::string::npos);
  EXPECT_NE(text.find("t_seconds_bucket{queue=\"a\",le=\"0.001\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("t_seconds_bucket{queue=\"a\",le=\"1\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("t_seconds_bucket{queue=\"a\",le=\"5\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("t_seconds_sum{queue=\"a\"} 2.001\n"), std::string::npos);
  for (std::size_t i = 0; i < TimeHistogram::most_values + 7; ++i)
    times.note("q" + std::to_string(i), Millis{1});
  EXPECT_NE(times.text().find("t_seconds_count{queue=\"other\"} 8\n"), std::string::npos);
}

TEST(LastGate, LetsNothingOutForAJobWhoseDeleteIsProvenAndCountsIt) {
  Stage stage;
  const JobId job = stage.submit("one");
  stage.run();
  stage.erase({job});
  stage.run();
  ASSERT_TRUE(stage.has_tomb(job));
  EXPECT_EQ(stage.life().metrics.effects_after_delete, 0u);
  const auto late =
      stage.context().effects->start(nullptr, 1, SleepRequest{Millis{1}}, {job, 1, ""});
  EXPECT_NE(late, nullptr);
  EXPECT_EQ(stage.life().effects.open(), 0u);
  EXPECT_EQ(stage.life().metrics.effects_after_delete, 1u);
  EXPECT_TRUE(stage.wrong.empty());
}

}  // namespace
}  // namespace quell
