// Copies, restores, ends: what a delete keeps for a while, how it comes back, and that nothing of
// it is left behind its end.
#include <algorithm>
#include <chrono>

#include "runtime/policy/retention_policy.hpp"
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

using std::chrono::hours;

class Archive : public StoreTest {
 protected:
  DeleteId erase_keeping(JobId job, int seconds = 1'000) {
    MarkOp op = mark_op({job});
    op.copy_until = in(seconds);
    EXPECT_EQ(mark(op).at(0).answer, MarkAnswer::erased);
    return op.delete_id;
  }
  RestoreOp restore_op(JobId job) {
    RestoreOp op;
    op.job = job;
    op.who = "restorer";
    op.now = now();
    op.cancelled_expires = in(7 * 86'400);
    return op;
  }
  RestoreResult restore(const RestoreOp& op) {
    return apply_one(&Batch::restores, op).restores.at(0);
  }
  RestoreResult restore(JobId job) { return restore(restore_op(job)); }
  ExpireResult expire(ExpireOp::What what, int limit = 100) {
    ExpireOp op;
    op.what = what;
    op.now = now();
    op.who = "retention";
    op.sweep = new_id();
    op.limit = limit;
    return apply_one(&Batch::expiries, op).expiries.at(0);
  }
  // A job that ran once and has a row in every table that a job at rest may have rows in.
  JobId rich(JobEvent end = JobEvent::succeed) {
    NewJob wanted = job();
    wanted.args = R"({"a":1})";
    wanted.priority = 7;
    wanted.options.tags = {"x", "y"};
    wanted.options.limit_key = "k";
    const ClaimedJob run = start(wanted);
    FlushOp flushed = flush_op(run);
    flushed.progress = 0.5;
    flushed.phase = "half";
    flushed.partials = {"one", std::string("\xff\0two", 5)};
    flushed.logs = {{now(), "info", "said \xc3"}};
    flushed.steps = {{"first", "1"}};
    flush(flushed);
    FinishOp op = finish_op(run, end);
    op.result = R"({"r":2})";
    op.error = R"({"code":"e"})";
    op.usage = R"({"tokens":3})";
    op.attempt = AttemptRecord{1, now(), now(), "failed", "{}", "n"};
    op.expires = in(100);
    finish(op);
    return run.job;
  }
  std::vector<std::string> audited() {
    std::vector<std::string> words;
    const auto rows = reader().audit(0, 1'000);
    for (const AuditRow& row : *rows) words.push_back(row.what);
    return words;
  }
  std::vector<std::string> tables_of(JobId job) {
    std::vector<std::string> tables;
    const auto left = reader().remnants({job});
    for (const Remnant& one : *left) tables.push_back(one.table);
    return tables;
  }
};
INSTANTIATE_TEST_SUITE_P(Conformance, Archive, testing::ValuesIn(store_factories()), name_of_store);

void expect_same(const JobView& now, const JobView& before) {
  EXPECT_EQ(now.project, before.project);
  EXPECT_EQ(now.queue, before.queue);
  EXPECT_EQ(now.kind, before.kind);
  EXPECT_EQ(now.priority, before.priority);
  EXPECT_EQ(now.attempt, before.attempt);
  EXPECT_EQ(now.lost, before.lost);
  EXPECT_EQ(now.due, before.due);
  EXPECT_EQ(now.started, before.started);
  EXPECT_EQ(now.progress, before.progress);
  EXPECT_EQ(now.phase, before.phase);
  EXPECT_EQ(now.args, before.args);
  EXPECT_EQ(now.result, before.result);
  EXPECT_EQ(now.error, before.error);
  EXPECT_EQ(now.usage, before.usage);
  EXPECT_EQ(now.options, before.options);
  EXPECT_EQ(now.unique_key, before.unique_key);
}

TEST_P(Archive, BringsBackEveryPartOfAJobThatHadEnded) {
  for (const JobEvent end : {JobEvent::succeed, JobEvent::exhaust, JobEvent::stopped}) {
    const JobId id = rich(end);
    const JobView before = view(id);
    const auto attempts = *reader().attempts(id);
    const auto partials = *reader().partials(id, 0, 10);
    const auto logs = *reader().logs(id, 0, 10);
    const auto steps = *reader().steps(id);
    const DeleteId call = erase_keeping(id);
    const RestoreResult result = restore(id);
    ASSERT_EQ(result.answer, RestoreAnswer::restored);
    EXPECT_EQ(result.was, before.state);
    EXPECT_EQ(result.state, before.state);
    EXPECT_EQ(result.delete_id, call);
    EXPECT_EQ(result.epoch, before.epoch + 2) << "mark, restore";
    const JobView back = view(id);
    expect_same(back, before);
    EXPECT_EQ(back.state, before.state);
    EXPECT_EQ(back.epoch, result.epoch);
    EXPECT_EQ(back.finished, before.finished);
    ASSERT_EQ(reader().attempts(id)->size(), attempts.size());
    EXPECT_EQ(reader().attempts(id)->at(0).outcome, attempts.at(0).outcome);
    EXPECT_EQ(*reader().partials(id, 0, 10), partials);
    ASSERT_EQ(reader().logs(id, 0, 10)->size(), logs.size());
    EXPECT_EQ(reader().logs(id, 0, 10)->at(0).second.text, logs.at(0).second.text);
    ASSERT_EQ(reader().steps(id)->size(), steps.size());
    EXPECT_EQ(reader().steps(id)->at(0).result, steps.at(0).result);
  }
}

TEST_P(Archive, ShowsWhatIsInACopy) {
  const JobId id = rich();
  const JobView before = view(id);
  const DeleteId call = erase_keeping(id);
  const auto copy = *reader().copy(id, now());
  ASSERT_TRUE(copy);
  expect_same(copy->job, before);
  EXPECT_EQ(copy->job.state, before.state);
  EXPECT_EQ(copy->head.delete_id, call);
  EXPECT_EQ(copy->head.until, in(1'000));
  EXPECT_EQ(copy->partials.size(), 2u);
  EXPECT_EQ(copy->logs.size(), 1u);
  EXPECT_FALSE(reader().copy(id, in(1'000))->has_value()) << "its time is over";
}

TEST_P(Archive, EachStateComesBackAsTheLawSays) {
  const JobId waits = submit_later(500), soon = submit_later(5), queued = submit();
  for (const JobId id : {waits, soon, queued}) erase_keeping(id);
  pass(10);
  EXPECT_EQ(restore(waits).state, JobState::scheduled);
  EXPECT_EQ(view(waits).due, in(490));
  EXPECT_EQ(restore(soon).state, JobState::queued) << "its time has come meanwhile";
  EXPECT_EQ(restore(queued).state, JobState::queued);
  EXPECT_EQ(claim(10).size(), 2u);
}

TEST_P(Archive, WhatRanComesBackCancelledUnlessItIsToRunAgain) {
  std::vector<JobId> ran;
  for (int i = 0; i < 2; ++i) {
    const ClaimedJob run = start();
    MarkOp op = mark_op({run.job});
    op.copy_until = in(1'000);
    verdict(run.job, mark(op).at(0).open.at(0), Verdict::stopped);
    ran.push_back(run.job);
  }
  pass(5);
  const RestoreResult result = restore(ran[0]);
  EXPECT_EQ(result.was, JobState::running);
  EXPECT_EQ(result.state, JobState::cancelled);
  EXPECT_EQ(view(ran[0]).finished, now());
  EXPECT_EQ(view(ran[0]).expires, in(7 * 86'400));
  RestoreOp again = restore_op(ran[1]);
  again.rerun = true;
  EXPECT_EQ(restore(again).state, JobState::queued);
  EXPECT_TRUE(claim(10, view(ran[0]).queue).empty());
  const auto claimed = claim(10, view(ran[1]).queue);
  ASSERT_EQ(claimed.size(), 1u) << "nothing runs that was not asked for";
  EXPECT_EQ(claimed[0].job, ran[1]);
  EXPECT_EQ(claimed[0].epoch, 4) << "claim, mark, restore, claim";
}

TEST_P(Archive, AScheduledJobThatWasHeldKeepsItsTime) {
  NewJob wanted = job();
  wanted.run_at = in(900);
  EnqueueOp op = submit_op(wanted);
  op.deliveries = {delivery()};
  apply_one(&Batch::enqueues, op);
  ASSERT_EQ(claim_deliveries(1).size(), 1u);
  MarkOp erase = mark_op({wanted.id});
  erase.copy_until = in(1'000);
  const MarkedJob marked = mark(erase).at(0);
  ASSERT_EQ(marked.answer, MarkAnswer::held);
  verdict(wanted.id, marked.open.at(0), Verdict::stopped);
  EXPECT_EQ(restore(wanted.id).state, JobState::scheduled);
  EXPECT_EQ(view(wanted.id).due, wanted.run_at);
}

TEST_P(Archive, ACopyGoesWithItsRestore) {
  const JobId id = submit();
  erase_keeping(id);
  EXPECT_EQ(restore(id).answer, RestoreAnswer::restored);
  EXPECT_FALSE(reader().copy(id, now())->has_value());
  EXPECT_EQ(restore(id).answer, RestoreAnswer::no_copy);
  const auto words = audited();
  EXPECT_EQ(std::count(words.begin(), words.end(), "restore"), 1);
}

TEST_P(Archive, OneBatchRestoresAJobOnce) {
  const JobId id = submit();
  erase_keeping(id);
  Batch batch;
  batch.restores = {restore_op(id), restore_op(id)};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.restores.at(0).answer, RestoreAnswer::restored);
  EXPECT_EQ(out.restores.at(1).answer, RestoreAnswer::no_copy);
}

TEST_P(Archive, NothingComesBackThatNobodyKept) {
  const JobId plain = submit(), other = submit();
  mark(plain);
  EXPECT_EQ(restore(plain).answer, RestoreAnswer::no_copy);
  EXPECT_EQ(restore(new_id()).answer, RestoreAnswer::no_copy);
  const DeleteId call = erase_keeping(other);
  RestoreOp op = restore_op(other);
  op.delete_id = new_id();
  EXPECT_EQ(restore(op).answer, RestoreAnswer::no_copy) << "another delete's copy";
  op.delete_id = call;
  op.project = "theirs";
  EXPECT_EQ(restore(op).answer, RestoreAnswer::no_copy) << "another project's copy";
  op.project = "default";
  EXPECT_EQ(restore(op).answer, RestoreAnswer::restored);
}

TEST_P(Archive, ASecondDeleteLeavesASecondCopyUnderItsOwnId) {
  const JobId id = submit();
  const DeleteId first = erase_keeping(id);
  restore(id);
  const DeleteId second = erase_keeping(id);
  EXPECT_EQ(tomb(id)->delete_id, second);
  EXPECT_FALSE(tomb(id)->restored);
  RestoreOp op = restore_op(id);
  op.delete_id = first;
  EXPECT_EQ(restore(op).answer, RestoreAnswer::no_copy);
  op.delete_id = second;
  EXPECT_EQ(restore(op).epoch, 4) << "mark, restore, mark, restore";
  EXPECT_TRUE(reader().tombstones(second, {}, 10)->at(0).restored);
}

TEST_P(Archive, AKeyThatIsTakenKeepsAJobOutUnlessItIsDropped) {
  NewJob first = job();
  first.unique_key = "k";
  submit(first);
  erase_keeping(first.id);
  NewJob second = job();
  second.unique_key = "k";
  submit(second);
  const RestoreResult result = restore(first.id);
  EXPECT_EQ(result.answer, RestoreAnswer::unique_conflict);
  EXPECT_EQ(result.existing, second.id);
  EXPECT_EQ(state(first.id), JobState::gone);
  RestoreOp op = restore_op(first.id);
  op.drop_key = true;
  EXPECT_EQ(restore(op).answer, RestoreAnswer::restored);
  EXPECT_EQ(view(first.id).unique_key, std::nullopt);
}

TEST_P(Archive, TwoOfOneKeyInOneBatchDoNotBothComeBack) {
  std::vector<JobId> ids;
  for (int i = 0; i < 2; ++i) {
    NewJob one = job();
    one.unique_key = "k";
    ids.push_back(submit(one));
    erase_keeping(one.id);
  }
  Batch batch;
  batch.restores = {restore_op(ids[0]), restore_op(ids[1])};
  const Outcome out = apply(batch);
  EXPECT_EQ(out.restores.at(0).answer, RestoreAnswer::restored);
  EXPECT_EQ(out.restores.at(1).answer, RestoreAnswer::unique_conflict);
  EXPECT_EQ(out.restores.at(1).existing, ids[0]);
}

TEST_P(Archive, WhatTheCallerMayNotRunComesBackOnlyAtRest) {
  NewJob program = job();
  program.kind = "workflow";
  program.args = R"({"steps":"a program"})";
  submit(program);
  erase_keeping(program.id);
  RestoreOp op = restore_op(program.id);
  op.refuses = [](const std::string& kind, const std::string& args) {
    return kind == "workflow" && args.find("program") != std::string::npos;
  };
  EXPECT_EQ(restore(op).answer, RestoreAnswer::refused);
  op.refuses = {};
  EXPECT_EQ(restore(op).answer, RestoreAnswer::restored);
}

TEST_P(Archive, ARestoredRecordLivesAsLongAsItHadAndAtLeastADay) {
  const JobId soon = finished(JobEvent::succeed), late = start().job;
  FinishOp op;
  op.job = late;
  op.epoch = 1;
  op.event = JobEvent::succeed;
  op.now = now();
  op.expires = in(10 * 86'400);
  finish(op);
  const JobId brief = rich();
  for (const JobId id : {late, brief}) erase_keeping(id, 1'000'000);
  pass(500);
  restore(late);
  restore(brief);
  EXPECT_EQ(view(late).expires, in(10 * 86'400));
  EXPECT_EQ(view(brief).expires, now() + restored_life);
  EXPECT_EQ(state(soon), JobState::succeeded);
}

// ---- the end of a copy ----
TEST_P(Archive, NothingOfACopyIsLeftAfterItsEnd) {
  const JobId id = rich();
  erase_keeping(id, 50);
  EXPECT_EQ(tables_of(id), (std::vector<std::string>{"archive", "tomb"}));
  pass(50);
  EXPECT_EQ(restore(id).answer, RestoreAnswer::no_copy) << "an end is an end before any sweep";
  const ExpireResult ended = expire(ExpireOp::What::copies);
  EXPECT_EQ(ended.ended, 1);
  EXPECT_FALSE(ended.more);
  EXPECT_EQ(tables_of(id), (std::vector<std::string>{"tomb"}));
  EXPECT_EQ(tomb(id)->copy_until, std::nullopt);
  EXPECT_EQ(audited(), (std::vector<std::string>{"delete", "copy_end"}));
  EXPECT_EQ(expire(ExpireOp::What::copies).ended, 0);
}

TEST_P(Archive, UpkeepLeavesCopiesToTheirEnd) {
  const JobId id = submit();
  erase_keeping(id, 50);
  pass(60);
  ASSERT_TRUE(writer().upkeep(now()).ok());
  EXPECT_EQ(expire(ExpireOp::What::copies).ended, 1) << "the audit is to say that it ended";
}

TEST_P(Archive, TheOldestEndComesFirstAndNoMoreThanTheLimit) {
  std::vector<JobId> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(submit());
    erase_keeping(ids.back(), 50 - i);
  }
  pass(50);
  const ExpireResult first = expire(ExpireOp::What::copies, 2);
  EXPECT_EQ(first.ended, 2);
  EXPECT_TRUE(first.more);
  EXPECT_EQ(tables_of(ids[4]), (std::vector<std::string>{"tomb"}));
  EXPECT_EQ(tables_of(ids[3]), (std::vector<std::string>{"tomb"}));
  EXPECT_EQ(tables_of(ids[2]), (std::vector<std::string>{"archive", "tomb"}));
  EXPECT_EQ(expire(ExpireOp::What::copies, 100).ended, 3);
}

// ---- the end of a result ----
TEST_P(Archive, AResultGoesBeforeItsRecordWithAllThatItConsistsOf) {
  NewJob wanted = job();
  const ClaimedJob run = start(wanted);
  FlushOp flushed = flush_op(run);
  flushed.partials = {"piece"};
  flushed.steps = {{"s", "1"}};
  flushed.logs = {{now(), "info", "kept"}};
  flush(flushed);
  FinishOp op = finish_op(run, JobEvent::exhaust);
  op.result = "{}";
  op.error = R"({"code":"e"})";
  op.expires = in(100);
  op.result_expires = in(40);
  finish(op);
  EXPECT_EQ(view(run.job).result_expires, in(40));
  pass(39);
  EXPECT_EQ(expire(ExpireOp::What::results).ended, 0);
  pass(1);
  EXPECT_EQ(expire(ExpireOp::What::results).ended, 1);
  const JobView left = view(run.job);
  EXPECT_EQ(left.result, "");
  EXPECT_EQ(left.error, R"({"code":"e"})");
  EXPECT_EQ(left.result_expires, now());
  EXPECT_TRUE(reader().partials(run.job, 0, 10)->empty());
  EXPECT_TRUE(reader().steps(run.job)->empty());
  EXPECT_EQ(reader().logs(run.job, 0, 10)->size(), 1u);
  EXPECT_EQ(audited(), (std::vector<std::string>{"result_end"}));
  steer(run.job, JobEvent::revive);
  EXPECT_EQ(view(run.job).result_expires, std::nullopt);
  EXPECT_FALSE(claim(1, view(run.job).queue).at(0).has_steps);
}

TEST_P(Archive, WhatIsProtectedNeitherExpiresNorLosesItsResult) {
  NewJob wanted = job();
  wanted.options.is_protected = true;
  FinishOp op = finish_op(start(wanted), JobEvent::succeed);
  op.result = "{}";
  op.expires = op.result_expires = in(1);
  finish(op);
  pass(10);
  EXPECT_EQ(expire(ExpireOp::What::results).ended, 0);
  EXPECT_TRUE(reader().expired(now(), 10)->empty());
  EXPECT_TRUE(reader().expiries(now(), 10)->records.empty());
}

TEST_P(Archive, TheReportSaysWhatWouldGoWhen) {
  const auto ends = [&](int seconds) {
    submit();
    FinishOp op = finish_op(claim(1).at(0), JobEvent::succeed);
    op.result = "{}";
    op.expires = in(seconds);
    op.result_expires = in(seconds);
    finish(op);
  };
  for (const int seconds : {1, 2, 3'600, 3 * 86'400, 30 * 86'400}) ends(seconds);
  erase_keeping(submit(), 1);
  erase_keeping(submit(), 86'400 * 2);
  pass(2);
  const ExpiryReport report = *reader().expiries(now(), 100);
  ASSERT_EQ(report.records.size(), 1u);
  const ExpiryRow& row = report.records[0];
  EXPECT_EQ(row.queue, "default");
  EXPECT_EQ(row.state, JobState::succeeded);
  for (const ExpiryFigures* figures : {&row.n, &report.results}) {
    EXPECT_EQ(figures->due, 2);
    EXPECT_EQ(figures->day, 1);
    EXPECT_EQ(figures->week, 1);
    EXPECT_EQ(figures->later, 1);
  }
  EXPECT_EQ(report.copies.due, 1);
  EXPECT_EQ(report.copies.week, 1);
  EXPECT_FALSE(report.is_partial);
  EXPECT_TRUE(reader().expiries(now(), 2)->is_partial);
  EXPECT_EQ(reader().expiries(now(), 2)->records.at(0).n.due, 2) << "the soonest are counted";
}

TEST_P(Archive, CopiesAreListedByWhatTheySayOfThemselves) {
  std::vector<JobId> ids;
  DeleteId call;
  for (const char* queue : {"a", "b", "a"}) {
    ids.push_back(submit(job(queue)));
    call = erase_keeping(ids.back());
  }
  const auto listed = [&](const CopyQuery& query) {
    std::vector<JobId> found;
    const auto copies = reader().copies(query);
    for (const CopyHead& head : *copies) found.push_back(head.job);
    return found;
  };
  CopyQuery all;
  all.now = now();
  EXPECT_EQ(listed(all), (std::vector<JobId>{ids[2], ids[1], ids[0]}));
  CopyQuery query = all;
  query.queue = "a";
  EXPECT_EQ(listed(query), (std::vector<JobId>{ids[2], ids[0]}));
  query.after = ids[2];
  EXPECT_EQ(listed(query), (std::vector<JobId>{ids[0]}));
  query = all;
  query.delete_id = call;
  EXPECT_EQ(listed(query), (std::vector<JobId>{ids[2]}));
  query = all;
  query.was = {JobState::failed};
  EXPECT_TRUE(listed(query).empty());
  query.was = {JobState::queued, JobState::failed};
  EXPECT_EQ(listed(query).size(), 3u);
  query = all;
  query.project = "theirs";
  EXPECT_TRUE(listed(query).empty());
  query = all;
  query.now = in(1'000);
  EXPECT_TRUE(listed(query).empty()) << "what has ended is not shown";
}

TEST_P(Archive, AQueueOfItsOwnHasItsOwnDaysOfACopy) {
  MarkOp op = mark_op({submit(job("plain")), submit(job("kept"))});
  op.copy_until.set("kept", in(70));
  const auto marked = mark(op);
  EXPECT_EQ(marked.at(0).copy_until, std::nullopt);
  EXPECT_EQ(marked.at(1).copy_until, in(70));
}

}  // namespace
}  // namespace quell::storage
