// Schedules on the stage: what is due fires once, whatever the commits and the clock do; and
// nothing fires behind the answer of a delete.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <caf/all.hpp>
#include <cstdlib>
#include <random>
#include <set>

#include "actors/schedules/fires.hpp"
#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using namespace std::chrono_literals;

class SchedulesTest : public testing::Test {
 protected:
  Uuid make(const std::function<void(ScheduleTerms&)>& change = {}) {
    ScheduleTerms terms;
    terms.times.every = 1s;
    terms.times.misfire = Misfire::all;
    terms.times.misfire_limit = 1'000;
    terms.job.kind = "one";
    if (change) change(terms);
    storage::SchedulePutOp op;
    op.row.id = stage.context().ids->next();
    op.row.name = "test";
    op.row.terms = to_json(terms);
    op.now = stage.clock.now();
    op.if_version = 0;
    op.row.created = op.now;
    const auto times = ScheduleTimes::make(terms.times, op.now);
    op.row.next = op.row.wake = times.value().next(op.now);
    auto ops = std::make_shared<storage::Batch>();
    ops->schedule_puts.push_back(op);
    stage.write(std::move(ops));
    stage.run();
    return op.row.id;
  }
  std::vector<JobView> runs(const Uuid& task) {
    storage::ListQuery query;
    query.filter.schedule = task.text();
    query.limit = 10'000;
    return std::move(stage.reader().list(query)).value().jobs;
  }
  std::optional<storage::ScheduleRow> row(const Uuid& task) {
    return std::move(stage.reader().schedule(task)).value();
  }
  void pass(Millis time, Millis step = 250ms) {
    for (Millis passed{0}; passed < time; passed += step) {
      stage.turn(step);
      stage.run();
      stage.life().effects.end_all();
      stage.run();
    }
  }
  void ask_delete(const Uuid& task, JobsOfTask jobs, const std::function<void()>& stored) {
    storage::TaskMessage message;
    message.task = task;
    message.requested_at = message.next_try = stage.clock.now();
    message.request_id = "r" + std::to_string(++requests_);
    message.who = "tester";
    message.jobs = jobs;
    auto ops = std::make_shared<storage::Batch>();
    ops->task_deletes.push_back({message, stage.clock.now()});
    stage.write(std::move(ops), [stored](const Result<storage::Outcome>& outcome) {
      if (outcome) stored();
    });
  }
  // Due times of the runs, each once, without a gap.
  void expect_each_second(const Uuid& task, std::size_t at_least) {
    std::vector<JobView> all = runs(task);
    ASSERT_GE(all.size(), at_least);
    std::vector<Instant> dues;
    for (const JobView& one : all) dues.push_back(one.id.time());
    std::sort(dues.begin(), dues.end());
    for (std::size_t i = 1; i < dues.size(); ++i) ASSERT_EQ(dues[i] - dues[i - 1], 1s) << i;
  }

  Stage stage;
  int requests_ = 0;
};

TEST_F(SchedulesTest, FireEachDueTimeOnce) {
  const Uuid task = make();
  pass(30s);
  expect_each_second(task, 29);
  EXPECT_EQ(row(task)->missed, 0);
}

TEST_F(SchedulesTest, FireOnceAlthoughCommitsAreLostOrTheirAnswersAre) {
  const Uuid task = make();
  std::mt19937 random(7);
  stage.fate = [&random](const storage::Batch& batch) {
    storage::CommitFate fate;
    if (batch.fires.empty()) return fate;
    fate.kind = static_cast<storage::CommitFate::Kind>(random() % 3);
    fate.error = {ErrorCode::store_unavailable, "the test's wish"};
    return fate;
  };
  pass(40s);
  stage.fate = {};
  pass(3s);
  expect_each_second(task, 40);
}

TEST_F(SchedulesTest, FireOnceWithTwoWhoBelieveToBeTimekeeper) {
  const Uuid task = make();
  std::mt19937 random(11);
  KnownSchedules known;
  std::shared_ptr<storage::Batch> held;  // what the other one read a while ago
  for (int i = 0; i < 400; ++i) {
    if (const auto is = row(task); is && random() % 3 == 0) {
      const FireRules rules{stage.clock.now() + Millis{random() % 2'000}, 60s, 1s};
      if (auto op = fire_of(*is, known.find(*is), rules)) {
        held = std::make_shared<storage::Batch>();
        held->fires.push_back(std::move(*op));
      }
    }
    if (held && random() % 2 == 0) stage.write(std::exchange(held, nullptr));
    for (auto steps = random() % 6; steps > 0; --steps) stage.step(random());
    stage.turn(Millis{random() % 200});
    stage.life().effects.end_all();
  }
  stage.run();
  expect_each_second(task, 20);
}

TEST_F(SchedulesTest, FireOnceInEachLifeThatACrashCutsShort) {
  const Uuid task = make();
  for (int life = 0; life < 10; ++life) {
    pass(2s + Millis{137} * life);
    stage.turn(1s);
    for (int steps = 0; steps < life; ++steps) stage.step(0);
    stage.crash();
  }
  pass(2s);
  expect_each_second(task, 25);
}

TEST_F(SchedulesTest, NothingFiresBehindTheAnswerOfADelete) {
  const char* told = std::getenv("QUELL_FIRES_AGAINST_DELETES");
  const int rounds = told ? std::atoi(told) : 1'000;
  std::mt19937 random(3);
  for (int round = 0; round < rounds; ++round) {
    const Uuid task = make();
    stage.turn(1s);  // due in the very millisecond of the delete
    for (unsigned steps = random() % 8; steps > 0; --steps) stage.step(random());
    bool answered = false;
    std::set<JobId> then;
    ask_delete(task, JobsOfTask::remove, [&] {
      answered = true;
      for (const JobView& one : runs(task)) then.insert(one.id);
    });
    for (int steps = 0; steps < 12 || !answered; ++steps) {
      stage.step(random());
      if (steps > 1'000) break;
    }
    ASSERT_TRUE(answered);
    stage.turn(1s);
    for (int steps = 0; steps < 5; ++steps) stage.step(random());
    for (const JobView& one : runs(task)) ASSERT_TRUE(then.contains(one.id)) << "round " << round;
    for (int i = 0; i < 50 && row(task); ++i) pass(250ms);
    ASSERT_FALSE(row(task)) << "round " << round;
    ASSERT_TRUE(runs(task).empty());
  }
  EXPECT_THAT(stage.wrong, testing::IsEmpty());
}

TEST_F(SchedulesTest, AClockThatIsPutBackAnHourFiresNothingTwice) {
  const Uuid task = make([](ScheduleTerms& terms) {
    terms.times.every = 0ms;
    terms.times.cron = "* * * * *";
    terms.times.misfire = Misfire::once;
  });
  pass(600s, 5s);
  const std::size_t before = runs(task).size();
  EXPECT_GE(before, 9U);
  stage.clock.put_forth -= 1h;
  pass(300s, 5s);
  const std::size_t early = runs(task).size();  // due times that had not been there yet
  EXPECT_GE(early, before + 4);
  pass(3600s, 10s);
  std::set<Instant> dues;
  for (const JobView& one : runs(task)) EXPECT_TRUE(dues.insert(one.id.time()).second);
  EXPECT_GE(runs(task).size(), early + 49);  // of an hour, ten minutes had been there before
}

TEST_F(SchedulesTest, AClockThatWasTenYearsAheadLeavesNoScheduleBehind) {
  for (const Misfire misfire : {Misfire::skip, Misfire::once, Misfire::all}) {
    const Uuid task = make([misfire](ScheduleTerms& terms) {
      terms.times.misfire = misfire;
      terms.times.misfire_limit = 5;
    });
    pass(5s);
    stage.clock.put_forth += 24h * 3652;
    pass(3s);
    stage.clock.put_forth -= 24h * 3652;
    const std::size_t before = runs(task).size();
    pass(10s);
    EXPECT_GE(runs(task).size(), before + 9) << to_string(misfire);
    ask_delete(task, JobsOfTask::remove, [] {});
    pass(5s);
  }
}

TEST_F(SchedulesTest, ATaskThatCannotGoIsReissuedAndNeverPilesUp) {
  stage.restart_with([](NodeSettings& settings) {
    settings.task_delete_tries = 2;
    settings.task_reconcile_batch = 2;
    settings.task_reconcile_after = 500s;
    settings.task_reconcile_jitter = Millis{0};
  });
  std::vector<Uuid> tasks;
  for (int i = 0; i < 5; ++i)
    tasks.push_back(make([](ScheduleTerms& terms) { terms.job.options.is_protected = true; }));
  pass(2s);
  for (const Uuid& task : tasks) ask_delete(task, JobsOfTask::remove, [] {});
  pass(30s);
  for (const Uuid& task : tasks) EXPECT_EQ(row(task)->status, ScheduleStatus::delete_failed);
  EXPECT_NE(row(tasks[0])->error.find("protected"), std::string::npos);
  EXPECT_EQ(stage.life().metrics.tasks_issued_again, 0U);
  pass(300s, 1s);  // looked at, and not old enough
  EXPECT_EQ(stage.life().metrics.tasks_issued_again, 0U);
  pass(310s, 1s);
  EXPECT_EQ(stage.life().metrics.tasks_issued_again, 2U);
  pass(310s, 1s);
  EXPECT_EQ(stage.life().metrics.tasks_issued_again, 4U);
}

TEST_F(SchedulesTest, ADeleteThatTakesTheJobsTooIsDoneThoughOneThatKeepsThemWasFirst) {
  const Uuid task = make();
  pass(5s);
  ASSERT_FALSE(runs(task).empty());
  ask_delete(task, JobsOfTask::keep, [] {});
  for (int i = 0; i < 3; ++i) stage.step(0);
  ask_delete(task, JobsOfTask::remove, [] {});
  pass(30s);
  EXPECT_FALSE(row(task));
  EXPECT_TRUE(runs(task).empty());
}

TEST_F(SchedulesTest, ADeleteThatIsTriedLongerThanTheReconcilerWaitsFailsAllTheSame) {
  stage.restart_with([](NodeSettings& settings) {
    settings.task_delete_tries = 6;
    settings.task_reconcile = 10s;
    settings.task_reconcile_after = 10s;
    settings.task_reconcile_jitter = Millis{0};
    settings.delete_retry = 1s;
  });
  const Uuid task = make([](ScheduleTerms& terms) { terms.job.options.is_protected = true; });
  pass(2s);
  ask_delete(task, JobsOfTask::remove, [] {});
  pass(31s, 1s);  // 1 + 2 + 4 + 8 + 16
  for (int i = 0; i < 60 && row(task)->status != ScheduleStatus::delete_failed; ++i) pass(1s);
  EXPECT_EQ(row(task)->status, ScheduleStatus::delete_failed);
}

TEST_F(SchedulesTest, ADeleteThatCancelsWaitsForADeadNodesRunsBeforeItFails) {
  stage.restart_with([](NodeSettings& settings) { settings.task_delete_tries = 4; });
  const Uuid task = make();
  const auto still_runs = [&] {
    const std::vector<JobView> all = runs(task);
    return std::any_of(all.begin(), all.end(),
                       [](const JobView& one) { return one.state == JobState::running; });
  };
  // What starts now is never seen to end, whoever tells it to.
  stage.life().effects.manner = StageEffects::Manner::late;
  const auto stand = [&](Millis time) {
    for (Millis passed{0}; passed < time; passed += 250ms) {
      stage.turn(250ms);
      stage.run();
    }
  };
  for (int i = 0; i < 200 && !still_runs(); ++i) stand(250ms);
  ASSERT_TRUE(still_runs());
  ask_delete(task, JobsOfTask::cancel, [] {});
  const NodeSettings& settings = *stage.context().settings;
  stand(settings.lease + settings.stop_deadline);
  const auto tries = [&] {
    return std::move(stage.reader().task_messages(task, {}, 1)).value().at(0).tries;
  };
  ASSERT_TRUE(still_runs());
  EXPECT_EQ(tries(), 0) << "a node may be dead for so long";
  // From here on each try waits twice as long as the one before: one, two and four seconds.
  stand(settings.stop_deadline + settings.delete_retry * 5);
  EXPECT_GT(tries(), 0);
  EXPECT_EQ(row(task)->status, ScheduleStatus::pending_delete);
  stand(settings.delete_retry * 10);
  EXPECT_EQ(row(task)->status, ScheduleStatus::delete_failed);
}

TEST_F(SchedulesTest, DeletesStandStillWhileDeletionsAreFrozenAndGoOnByThemselves) {
  const Uuid task = make();
  pass(2s);
  bool frozen = true;
  stage.context().deletion_rules = [&frozen] {
    DeletionRules rules;
    rules.frozen = frozen;
    return rules;
  };
  ask_delete(task, JobsOfTask::remove, [] {});
  pass(20s);
  EXPECT_EQ(row(task)->status, ScheduleStatus::pending_delete);
  EXPECT_EQ(std::move(stage.reader().task_messages(task, {}, 1)).value().at(0).tries, 0);
  frozen = false;
  pass(5s);
  EXPECT_FALSE(row(task));
}

TEST_F(SchedulesTest, ADeleteIsFinishedWhereverACrashCutsIt) {
  for (int steps = 0; steps < 40; ++steps) {
    const Uuid task = make([](ScheduleTerms& terms) { terms.job.kind = "two"; });
    stage.turn(1s);
    stage.run();
    ask_delete(task, JobsOfTask::remove, [] {});
    for (int i = 0; i < steps; ++i) stage.step(0);
    stage.crash();
    const auto is = row(task);
    if (is && is->status == ScheduleStatus::active) ask_delete(task, JobsOfTask::remove, [] {});
    for (int i = 0; i < 200 && row(task); ++i) pass(500ms);
    ASSERT_FALSE(row(task)) << steps;
    ASSERT_TRUE(runs(task).empty()) << steps;
  }
  EXPECT_THAT(stage.wrong, testing::IsEmpty());
}

}  // namespace
}  // namespace quell
