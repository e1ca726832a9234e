#include "actors/node/node.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>

namespace quell {
namespace {

using testing::IsEmpty;
using testing::Not;

// Bounds for a hang; a machine that is slow for half a minute is no fault of the node.
constexpr Millis patience{60'000};

// A node on the memory store, asked as a program would ask it.
class NodeTest : public testing::Test {
 protected:
  void start(int slots, Registry registry = {}, Millis stop_deadline = patience) {
    NodeSettings settings;
    settings.unsafe = true;
    settings.pools = {{"default", slots}};
    settings.stop_deadline = stop_deadline;
    settings.end = [this] { told_to_end_.set_value(); };
    add_standard_kinds(registry);
    auto node = start_node(settings, std::move(registry), nullptr);
    ASSERT_TRUE(node.ok()) << to_string(node.error());
    node_ = std::move(node).value();
  }

  // Calls with a callback, and waits for what it is called with. The promise outlives both sides.
  template <class T, class F>
  static T ask(F call) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    call([promise](T result) { promise->set_value(std::move(result)); });
    return future.get();
  }

  std::vector<JobId> submit(int count, const std::string& kind, const std::string& args) {
    std::vector<NewJob> jobs;
    std::vector<JobId> ids;
    for (int i = 0; i < count; ++i) {
      NewJob job{.id = node_->ids().next(), .kind = kind, .args = args};
      ids.push_back(job.id);
      jobs.push_back(std::move(job));
    }
    auto result = ask<Result<std::vector<storage::EnqueueResult>>>(
        [&](auto answer) { node_->submit(std::move(jobs), answer); });
    EXPECT_TRUE(result.ok());
    return ids;
  }

  DeleteReport erase(std::vector<JobId> jobs, Millis wait = patience) {
    DeleteRequest request;
    request.jobs = std::move(jobs);
    request.who = "test";
    request.wait = wait;
    auto report = ask<Result<DeleteReport>>([&](auto answer) { node_->erase(request, answer); });
    EXPECT_TRUE(report.ok());
    return std::move(report).value();
  }

  template <class F>
  auto read(F work) {
    using T = decltype(work(std::declval<storage::Reader&>()));
    return ask<T>([&](auto answer) {
      node_->read([work, answer](storage::Reader& reader) { answer(work(reader)); });
    });
  }

  std::promise<void> told_to_end_;

  JobState state_of(JobId job) {
    auto found = read([&](storage::Reader& reader) { return reader.get({job}, false); });
    EXPECT_TRUE(found.ok());
    return found->front().job ? found->front().job->state : JobState::gone;
  }

  // Waits for an event of the node instead of hoping for time to pass.
  void await(const std::function<bool()>& holds) {
    std::mutex mutex;
    std::condition_variable changed;
    const auto id = node_->subscribe([&](const NodeEvent&) { changed.notify_all(); });
    std::unique_lock lock(mutex);
    // Some states change without an event, so it looks again now and then; the bound is for a hang.
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!holds() && std::chrono::steady_clock::now() < end)
      changed.wait_for(lock, std::chrono::milliseconds(5));
    EXPECT_TRUE(holds());
    node_->unsubscribe(id);
  }

  // Until it is released the Clerk writes nothing more.
  void hold_the_clerk(std::shared_future<void> released) {
    auto entered = std::make_shared<std::promise<void>>();
    storage::Batch note;
    note.audits.push_back({system_clock().now(), "test", "noted", "", "{}"});
    node_->write(std::move(note), [entered, released](const Result<storage::Outcome>& outcome) {
      EXPECT_TRUE(outcome.ok());
      entered->set_value();
      released.wait();
    });
    entered->get_future().wait();
  }

  PoolView pool() { return node_->pools().front(); }

  std::unique_ptr<Node> node_;
};

TEST_F(NodeTest, RunsAJobToItsEnd) {
  start(4);
  const auto ids = submit(1, "noop", "");
  await([&] { return state_of(ids[0]) == JobState::succeeded; });
  EXPECT_EQ(pool().used, 0);
}

TEST_F(NodeTest, DeletesAFullPoolAndItsQueueInOneCall) {
  start(20);
  const auto ids = submit(100, "sleep", R"({"seconds":60})");
  await([&] { return pool().used == 20; });
  const DeleteReport report = erase(ids);
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.counts.deleted, 100u);
  EXPECT_EQ(report.counts.killed, 20u);
  EXPECT_EQ(report.counts.dequeued, 80u);
  EXPECT_EQ(report.counts.slots_freed, 20u);
  EXPECT_THAT(report.receipt, Not(IsEmpty()));
  EXPECT_EQ(pool().used, 0);
  EXPECT_EQ(pool().free, 20);
  for (const JobId& id : ids) EXPECT_EQ(state_of(id), JobState::gone);
  const auto probe = submit(1, "noop", "");
  await([&] { return state_of(probe[0]) == JobState::succeeded; });
}

TEST_F(NodeTest, APoolIsShownAsItWasSetBehindTheAnswer) {
  start(20);
  const auto ids = submit(3, "sleep", R"({"seconds":60})");
  await([&] { return pool().used == 3; });
  for (std::int64_t version = 0; version < 100; ++version) {
    const int capacity = version % 2 == 0 ? 2 : 20;
    std::promise<PoolView> seen;
    const auto look = [&](const Result<storage::DocResult>& stored) {
      EXPECT_TRUE(stored.ok() && stored->written);
      seen.set_value(pool());
    };
    node_->set_pool("default", capacity, version % 3 == 0 ? std::optional(version) : std::nullopt,
                    look);
    const PoolView view = seen.get_future().get();
    ASSERT_EQ(view.capacity, capacity) << version;
    ASSERT_EQ(view.used, 3) << version;
    ASSERT_EQ(view.free, capacity == 20 ? 17 : 0) << version;
  }
}

TEST_F(NodeTest, SaysAlreadyGoneTheSecondTimeAndNotFoundForAnUnknownId) {
  start(1);
  const auto ids = submit(1, "sleep", R"({"seconds":60})");
  EXPECT_EQ(erase(ids).counts.deleted, 1u);
  const DeleteReport again = erase({ids[0], ids[0], node_->ids().next()});
  EXPECT_EQ(again.counts.requested, 3u);
  EXPECT_EQ(again.counts.distinct, 2u);
  EXPECT_EQ(again.counts.already_gone, 2u);
  EXPECT_EQ(again.outcomes[0].fate, JobFate::already_gone);
  EXPECT_EQ(again.outcomes[1].fate, JobFate::not_found);
}

TEST_F(NodeTest, GivesTwoCallersOfOneDeleteTheSameAnswer) {
  start(1);
  for (int round = 0; round < 50; ++round) {
    const auto ids = submit(1, "sleep", R"({"seconds":60})");
    await([&] { return pool().used == 1; });
    auto first = std::async(std::launch::async, [&] { return erase(ids); });
    const DeleteReport a = erase(ids), b = first.get();
    const auto gone = a.counts.already_gone + b.counts.already_gone;
    EXPECT_EQ(a.counts.deleted + b.counts.deleted + gone, 2u);
    EXPECT_EQ(a.counts.slots_freed + b.counts.slots_freed, 1u);
    EXPECT_EQ(pool().free, 1);
  }
}

TEST_F(NodeTest, FailsAJobWhoseHandlerThrowsAndGoesOn) {
  Registry registry;
  registry.add("throws", [](JobContext) -> Task {
    throw JobError("semantic", "as asked", false);
    co_return std::string();
  });
  start(1, std::move(registry));
  const auto ids = submit(1, "throws", "");
  await([&] { return state_of(ids[0]) == JobState::failed; });
  const auto next = submit(1, "noop", "");
  await([&] { return state_of(next[0]) == JobState::succeeded; });
}

TEST_F(NodeTest, CancelsARunningJobAndKeepsItsRecord) {
  start(1);
  const auto ids = submit(1, "sleep", R"({"seconds":60})");
  await([&] { return pool().used == 1; });
  const storage::SteerOp op{
      .job = ids[0], .event = JobEvent::cancel, .who = "test", .now = system_clock().now()};
  const auto steered =
      ask<Result<storage::SteerResult>>([&](auto answer) { node_->steer(op, answer); });
  EXPECT_EQ(steered->answer, storage::SteerAnswer::requested);
  await([&] { return state_of(ids[0]) == JobState::cancelled; });
  EXPECT_EQ(pool().used, 0);
}

// Two threads, three handlers that never return until they are let go: control code must not share
// threads with them.
TEST_F(NodeTest, AnswersWhileEverySchedulerThreadIsHeldByABusyJob) {
  static std::atomic<bool> spin;
  static std::atomic<int> spinning;
  spin = true;
  spinning = 0;
  Registry registry;
  registry.add("busy", [](JobContext) -> Task {
    ++spinning;
    while (spin) {
    }
    co_return std::string();
  });
  start(3, std::move(registry), Millis{300});
  const auto busy = submit(3, "busy", "");
  const auto queued = submit(1, "noop", "");
  await([&] { return pool().used == 3 && spinning == 2; });
  EXPECT_EQ(erase(queued).counts.dequeued, 1u);
  const DeleteReport report = erase({busy[0]});
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.counts.pending, 1u);
  EXPECT_EQ(report.outcomes[0].verdict, Verdict::stuck);
  EXPECT_EQ(pool().stuck, 1);
  EXPECT_EQ(pool().used + pool().stuck + pool().free, 3);
  spin = false;
  await([&] { return state_of(busy[0]) == JobState::gone; });
  await([&] { return pool().free == 3; });
}

TEST_F(NodeTest, HandsOverWhatRunsWhenItStops) {
  start(1);
  submit(1, "sleep", R"({"seconds":60})");
  await([&] { return pool().used == 1; });
  EXPECT_TRUE(node_->stop(Millis{50}));
}

// On a store that nobody shares there is no look that would find the order later.
TEST_F(NodeTest, AloneItHearsTheOrderToStopThatItStoredItself) {
  start(1);
  const auto ordered = ask<Result<void>>(
      [&](auto answer) { node_->order_node(node_->self(), true, std::move(answer)); });
  ASSERT_TRUE(ordered.ok());
  EXPECT_EQ(told_to_end_.get_future().wait_for(patience), std::future_status::ready);
}

// A program may end its node from whichever thread it likes.
TEST_F(NodeTest, MayBeDestroyedByAnotherThreadThanTheOneThatStartedIt) {
  start(1);
  auto gone = std::async(std::launch::async, [this] { node_.reset(); });
  EXPECT_EQ(gone.wait_for(patience), std::future_status::ready);
}

// The store's answer holds the Clerk for longer than the goodbye is waited for.
TEST_F(NodeTest, WaitsAtItsEndForTheStoreItCannotLeaveInTheMiddle) {
  start(1, {}, Millis{50});
  std::promise<void> release;
  hold_the_clerk(release.get_future().share());
  auto gone = std::async(std::launch::async, [this] { node_.reset(); });
  EXPECT_EQ(gone.wait_for(Millis{2'500}), std::future_status::timeout);
  release.set_value();
  EXPECT_EQ(gone.wait_for(patience), std::future_status::ready);
}

// The run is down, and only the store does not know it yet.
TEST_F(NodeTest, IsNotHeldByARunWhoseEndIsNotYetWritten) {
  start(1, {}, Millis{1'000});
  submit(1, "sleep", R"({"seconds":60})");
  await([&] { return pool().used == 1; });
  std::promise<void> release;
  hold_the_clerk(release.get_future().share());
  auto stopped = std::async(std::launch::async, [this] { return node_->stop(Millis{1}); });
  EXPECT_EQ(stopped.wait_for(Millis{3'000}), std::future_status::timeout);
  release.set_value();
  EXPECT_TRUE(stopped.get());
}

}  // namespace
}  // namespace quell
