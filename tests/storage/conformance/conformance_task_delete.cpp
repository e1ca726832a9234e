// The delete of a schedule: stored first, done once, and nothing fires behind it.
#include "runtime/policy/webhook_outbox.hpp"
#include "tests/storage/conformance/schedule_store.hpp"

namespace quell::storage {
namespace {

class TaskDeletes : public ScheduleStore {};
INSTANTIATE_TEST_SUITE_P(Conformance, TaskDeletes, testing::ValuesIn(store_factories()),
                         name_of_store);

TEST_P(TaskDeletes, ADeleteIsStoredFirstAndAskedTwiceIsOne) {
  const Uuid task = made();
  EXPECT_EQ(ask_delete(message(new_id())), TaskDeleteAnswer::gone);
  TaskMessage foreign = message(task);
  foreign.project = "another";
  EXPECT_EQ(ask_delete(foreign), TaskDeleteAnswer::gone);
  EXPECT_EQ(ask_delete(message(task)), TaskDeleteAnswer::scheduled);
  EXPECT_EQ(ask_delete(message(task, "r2")), TaskDeleteAnswer::joined);
  EXPECT_EQ(row(task).status, ScheduleStatus::pending_delete);
  EXPECT_EQ(row(task).next, std::nullopt);
  EXPECT_FALSE(put(put_op(task, row(task).version)).written);
  ASSERT_EQ(due_messages().size(), 1U);
  EXPECT_EQ(due_messages()[0].request_id, "r1");
  EXPECT_EQ(due_messages()[0].project, "default");
}

TEST_P(TaskDeletes, OfSeveralDeletesTheOneThatDoesMostToTheJobsStands) {
  const Uuid task = made();
  const auto ask = [&](JobsOfTask jobs, const std::string& request) {
    TaskDeleteOp op{message(task, request), now()};
    op.message.jobs = jobs;
    return apply_one(&Batch::task_deletes, op).task_deletes.at(0);
  };
  EXPECT_EQ(ask(JobsOfTask::cancel, "r0").jobs, JobsOfTask::cancel);
  const Instant first = now();
  pass(1);
  EXPECT_EQ(ask(JobsOfTask::keep, "r1").jobs, JobsOfTask::keep) << "it deletes what has not ended";
  TaskMessage taken = due_messages().at(0);
  taken.next_try = in(30);
  ASSERT_TRUE(say(TaskWord::lease, taken));
  taken.error = "not yet";
  ASSERT_TRUE(say(TaskWord::retry, taken));
  EXPECT_EQ(ask(JobsOfTask::remove, "r2").answer, TaskDeleteAnswer::joined);
  ASSERT_EQ(due_messages().size(), 1U) << "it is due at once";
  EXPECT_EQ(due_messages()[0].jobs, JobsOfTask::remove);
  EXPECT_EQ(due_messages()[0].request_id, "r2");
  EXPECT_EQ(due_messages()[0].tries, 0);
  EXPECT_EQ(due_messages()[0].requested_at, first);
  EXPECT_FALSE(erase(task, "r1")) << "the weaker one's consumer is fenced";
  EXPECT_FALSE(say(TaskWord::give_up, taken));
  for (const JobsOfTask weaker : {JobsOfTask::keep, JobsOfTask::cancel, JobsOfTask::remove})
    EXPECT_EQ(ask(weaker, "r3").jobs, JobsOfTask::remove);
  EXPECT_EQ(due_messages()[0].request_id, "r2");
  EXPECT_TRUE(erase(task, "r2"));
}

TEST_P(TaskDeletes, AMessageIsLeasedToOneAndComesBackUntilItIsAcknowledged) {
  const Uuid task = made();
  ASSERT_EQ(ask_delete(message(task)), TaskDeleteAnswer::scheduled);
  const TaskMessage read = due_messages().at(0);
  TaskMessage taken = read;
  taken.next_try = in(30);
  EXPECT_TRUE(say(TaskWord::lease, taken, read.next_try));
  EXPECT_FALSE(say(TaskWord::lease, taken, read.next_try));
  EXPECT_TRUE(due_messages().empty());
  pass(31);
  EXPECT_EQ(due_messages().size(), 1U);
  taken.error = "not yet";
  taken.next_try = in(5);
  EXPECT_TRUE(say(TaskWord::retry, taken));
  pass(6);
  EXPECT_EQ(due_messages().at(0).tries, 1);
  EXPECT_EQ(due_messages().at(0).error, "not yet");
  EXPECT_FALSE(erase(task, "another request"));
  EXPECT_TRUE(erase(task));
  EXPECT_FALSE(is_there(task));
  EXPECT_TRUE(due_messages().empty());
  EXPECT_FALSE(erase(task));
  EXPECT_EQ(ask_delete(message(task)), TaskDeleteAnswer::gone);
}

TEST_P(TaskDeletes, WhatCannotBeDeletedSaysSoAndIsTriedAgain) {
  const Uuid task = made();
  ASSERT_EQ(ask_delete(message(task)), TaskDeleteAnswer::scheduled);
  TaskMessage one = message(task);
  one.error = "a job is protected";
  EXPECT_TRUE(say(TaskWord::give_up, one));
  EXPECT_EQ(row(task).status, ScheduleStatus::delete_failed);
  EXPECT_EQ(row(task).error, "a job is protected");
  EXPECT_TRUE(due_messages().empty());
  EXPECT_FALSE(erase(task));
  pass(700);
  ScheduleQuery stuck;
  stuck.leaving_since = in(-600);
  EXPECT_EQ(std::move(reader().schedules(stuck)).value().size(), 1U);
  EXPECT_TRUE(say(TaskWord::again, message(task, "r2")));
  EXPECT_TRUE(std::move(reader().schedules(stuck)).value().empty());
  EXPECT_EQ(row(task).status, ScheduleStatus::pending_delete);
  EXPECT_TRUE(erase(task, "r1"));  // the first request, and what it said of the jobs
}

// Else its tries would begin anew each time, and it would never fail.
TEST_P(TaskDeletes, ADeleteThatIsTriedAgainIsNotStuck) {
  const Uuid task = made();
  ASSERT_EQ(ask_delete(message(task)), TaskDeleteAnswer::scheduled);
  pass(700);
  ScheduleQuery stuck;
  stuck.leaving_since = in(-600);
  EXPECT_EQ(std::move(reader().schedules(stuck)).value().size(), 1U) << "nobody has taken it";
  TaskMessage one = message(task);
  one.error = "not yet";
  one.next_try = in(5);
  ASSERT_TRUE(say(TaskWord::retry, one));
  EXPECT_TRUE(std::move(reader().schedules(stuck)).value().empty());
  pass(500);
  stuck.leaving_since = in(-600);
  EXPECT_TRUE(std::move(reader().schedules(stuck)).value().empty());
  pass(200);
  stuck.leaving_since = in(-600);
  EXPECT_EQ(std::move(reader().schedules(stuck)).value().size(), 1U);
}

TEST_P(TaskDeletes, ItsEndIsToldInTheTransactionThatMakesItTrue) {
  const Uuid task = made();
  ASSERT_EQ(ask_delete(message(task)), TaskDeleteAnswer::scheduled);
  Batch batch;
  batch.listeners = std::make_shared<const SubscriptionSet>(
      std::vector<WebhookSubscription>{{"e1", "default", {"task.deleted"}}, {"e2", "another", {}}},
      1);
  batch.outbox_id = new_id();
  batch.task_erases.push_back({task, "r1", now(), "{\"jobs\":3}"});
  const Outcome out = apply(batch);
  EXPECT_TRUE(out.task_erases.at(0));
  EXPECT_TRUE(out.has_deliveries);
  const auto told = std::move(reader().deliveries_of("e1", {}, 10)).value();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].body.find(task.text()), std::string::npos);
  EXPECT_TRUE(std::move(reader().deliveries_of("e2", {}, 10)).value().empty());
  const auto audit = std::move(reader().audit(0, 10)).value();
  ASSERT_EQ(audit.size(), 1U);
  EXPECT_EQ(audit[0].what, "task.deleted");
  EXPECT_EQ(audit[0].who, "somebody");
  EXPECT_EQ(audit[0].detail, "{\"jobs\":3}");
}

}  // namespace
}  // namespace quell::storage
