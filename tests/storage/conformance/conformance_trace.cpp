// What is still told of a job when it is gone, and what is read under an id. Requirement C7, C8.
#include "runtime/policy/tomb_story.hpp"
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Trace);

TEST_P(Trace, ATombstoneTellsOfTheJobThatWentAndOfItsAttemptsButNothingOfWhatItWasAbout) {
  NewJob told = job("mail");
  told.args = R"({"secret":"the-argument"})";
  told.options.submitted_by = "token:ci#1";
  told.options.max_attempts = 2;
  told.options.schedule = new_id().text();
  told.queue = "mail";
  submit(told);
  const ClaimedJob run = claim(1, "mail").at(0);
  FinishOp retry = finish_op(run, JobEvent::retry);
  retry.attempt = AttemptRecord{
      1, now(), in(1), "error", R"({"code":"timeout","detail":"the-detail"})", node_.node.text()};
  retry.usage = R"({"effects":[{"host":"a.example","calls":2,"bytes_in":7,"bytes_out":3,"ms":5}]})";
  ASSERT_TRUE(finish(retry).written);
  pass(100);
  due();
  const ClaimedJob second = claim(1, "mail").at(0);
  FinishOp end = finish_op(second, JobEvent::succeed);
  end.result = R"({"r":"the-result"})";
  end.deliveries = {delivery()};
  ASSERT_TRUE(finish(end).written);
  const Instant ended = now();
  const auto claimed = claim_deliveries(1);
  ASSERT_TRUE(end_delivery(claimed.at(0).id, {}));
  pass(3);
  const MarkedJob marked = mark(run.job);
  ASSERT_EQ(marked.answer, MarkAnswer::erased);

  const auto rows = reader().trace_rows(run.job, "", 10);
  ASSERT_TRUE(rows.ok());
  ASSERT_TRUE(rows->tomb.has_value());
  const JobLife& life = rows->tomb->life;
  EXPECT_EQ(life.project, "default");
  EXPECT_EQ(life.queue, "mail");
  EXPECT_EQ(life.kind, told.kind);
  EXPECT_EQ(life.attempt, 2);
  EXPECT_EQ(life.finished, ended);
  EXPECT_EQ(life.ran_on, node_.node);
  EXPECT_EQ(life.schedule, told.options.schedule);
  const TombStory story = read_story(life.story);
  EXPECT_EQ(story.submitted_by, "token:ci#1");
  ASSERT_EQ(story.attempts.size(), 1U);
  EXPECT_EQ(story.attempts[0].outcome, "error");
  EXPECT_EQ(story.attempts[0].code, "timeout");
  ASSERT_EQ(story.effects.size(), 1U);
  EXPECT_EQ(story.effects[0].host, "a.example");
  EXPECT_EQ(std::pair(story.deliveries, story.delivery_tries),
            std::pair(std::int64_t{1}, std::int64_t{1}));
  EXPECT_LE(life.story.size(), story_bytes);
  EXPECT_EQ(life.story.find("the-"), std::string::npos) << life.story;
  // One row of the audit, found by its delete.
  ASSERT_EQ(rows->audit.size(), 1U);
  EXPECT_EQ(rows->audit[0].what, "delete");
  EXPECT_EQ(rows->audit[0].ref, marked.delete_id.text());
  EXPECT_EQ(reader().tombstones(marked.delete_id, {}, 10)->at(0).life.story, life.story);
}

TEST_P(Trace, ManyThatAreAlikeTellTheirLivesToo) {
  std::vector<JobId> jobs;
  for (int i = 0; i < 20; ++i) jobs.push_back(finished(JobEvent::succeed));
  for (const JobId& waiting : submit_many(40)) jobs.push_back(waiting);
  const MarkOp op = mark_op(jobs);
  mark(op);
  int ran = 0;
  for (const Tombstone& tomb : *reader().tombstones(op.delete_id, {}, 100)) {
    EXPECT_EQ(tomb.life.queue == "default", tomb.was == JobState::queued) << tomb.life.queue;
    EXPECT_EQ(tomb.life.project, "default");
    ran += tomb.life.attempt;
    EXPECT_EQ(tomb.life.ran_on.has_value(), tomb.was == JobState::succeeded);
    EXPECT_EQ(tomb.life.finished.has_value(), tomb.was == JobState::succeeded);
  }
  EXPECT_EQ(ran, 20);
  const auto groups = reader().erased_groups(op.delete_id, new_id(), 100);
  EXPECT_EQ(groups->size(), 21U) << "a queue for each that ran, and one for all that waited";
  std::int64_t told = 0;
  for (const auto& group : *groups) told += group.jobs;
  EXPECT_EQ(told, 60);
  EXPECT_TRUE(reader().erased_groups(new_id(), new_id(), 10)->empty());
}

TEST_P(Trace, ARunThatWasStoppedTellsWhereItRan) {
  const MarkedJob marked = held();
  const auto leaving = reader().trace_rows(marked.job, "", 10);
  ASSERT_TRUE(leaving->ticket.has_value());
  EXPECT_EQ(leaving->ticket->open.size(), 1U);
  EXPECT_FALSE(leaving->tomb.has_value());
  EXPECT_EQ(view(marked.job).ran_on, node_.node);
  verdict(marked.job, marked.open[0], Verdict::stopped);
  const auto gone = reader().trace_rows(marked.job, "", 10);
  EXPECT_FALSE(gone->ticket.has_value());
  EXPECT_EQ(gone->tomb->life.ran_on, node_.node);
  EXPECT_EQ(gone->tomb->life.attempt, 1) << "the one that was stopped";
}

TEST_P(Trace, WhoRanAJobIsKnownAtItsEndAndNoLongerWhenItRunsAgain) {
  const JobId id = finished(JobEvent::exhaust);
  EXPECT_EQ(view(id).ran_on, node_.node);
  steer(id, JobEvent::revive);
  EXPECT_FALSE(view(id).ran_on.has_value());
  steer(id, JobEvent::cancel);
  EXPECT_FALSE(view(id).ran_on.has_value()) << "it was not running when it came to rest";
  const MarkedJob marked = mark(id);
  EXPECT_FALSE(tomb(id)->life.ran_on.has_value());
  EXPECT_EQ(tomb(id)->life.attempt, 1);
  EXPECT_EQ(marked.was, JobState::cancelled);
}

TEST_P(Trace, AJobThatWasRestoredIsFoundWithTheTombstoneThatItLeft) {
  const JobId id = in_state(JobState::gone);
  NewJob again = job();
  again.id = id;
  enqueue(again, JobEvent::restore);
  const auto rows = reader().trace_rows(id, "", 10);
  ASSERT_TRUE(rows->tomb.has_value());
  EXPECT_TRUE(rows->tomb->restored);
}

TEST_P(Trace, WhatIsForgottenLeavesTheTimeUpToWhichNobodyCanTell) {
  EXPECT_FALSE(reader().trace_rows(new_id(), "", 10)->forgotten.has_value());
  MarkOp first = mark_op({submit()});
  first.tomb_until = in(10);
  mark(first);
  pass(5);
  const Instant second_at = now();
  MarkOp second = mark_op({submit()});
  second.tomb_until = in(10);
  mark(second);
  pass(6);
  ASSERT_TRUE(writer().upkeep(now()).ok());
  EXPECT_EQ(reader().trace_rows(new_id(), "", 10)->forgotten, first.now);
  pass(10);
  ASSERT_TRUE(writer().upkeep(now()).ok());
  EXPECT_EQ(reader().trace_rows(new_id(), "", 10)->forgotten, second_at);
  ASSERT_TRUE(writer().upkeep(now()).ok());
  EXPECT_EQ(reader().trace_rows(new_id(), "", 10)->forgotten, second_at);
}

TEST_P(Trace, TheAuditOfAnIdIsThatOfItsRefsAndNoMoreThanAskedFor) {
  const Uuid id = new_id(), schedule = new_id();
  for (int i = 0; i < 5; ++i) {
    apply_one(&Batch::audits, AuditOp{now(), "a", "of.id", id.text(), "{}"});
    apply_one(&Batch::audits, AuditOp{now(), "a", "of.schedule", schedule.text(), "{}"});
    apply_one(&Batch::audits, AuditOp{now(), "a", "of.others", new_id().text(), "{}"});
  }
  const auto rows = reader().trace_rows(id, schedule.text(), 3);
  ASSERT_EQ(rows->audit.size(), 6U);
  for (std::size_t i = 1; i < rows->audit.size(); ++i)
    EXPECT_LT(rows->audit[i - 1].no, rows->audit[i].no);
}

}  // namespace
}  // namespace quell::storage
