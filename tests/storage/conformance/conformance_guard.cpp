// What a store refuses because somebody said so: jobs of protected queues and tags, and documents
// that are written only with another.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

class Guard : public StoreTest {
 protected:
  // start() has a queue for each run; here its name decides. Nothing else may wait in it.
  ClaimedJob start_in_its_queue(const NewJob& job) {
    submit(job);
    return claim(1, job.queue).at(0);
  }
};
INSTANTIATE_TEST_SUITE_P(Conformance, Guard, testing::ValuesIn(store_factories()), name_of_store);

ProtectionPtr protecting(std::vector<std::string> queues, std::vector<std::string> tags) {
  return std::make_shared<Protection>(Protection{std::move(queues), std::move(tags)});
}

NewJob tagged(NewJob job, std::vector<std::string> tags) {
  job.options.tags = std::move(tags);
  return job;
}

TEST_P(Guard, ProtectedQueuesAndTagsAreRefusedWithTheReasonAndNothingChanges) {
  const JobId runs = start_in_its_queue(job("money")).job;
  const JobId by_queue = submit(job("money")), by_tag = submit(tagged(job(), {"x", "audit"}));
  const JobId other = submit(tagged(job(), {"x"})), bare = submit();
  MarkOp op = mark_op({by_queue, by_tag, other, bare, runs});
  op.protection = protecting({"money"}, {"audit", "legal"});
  const auto marked = mark(op);
  using enum MarkAnswer;
  const std::vector<MarkAnswer> wanted{protected_job, protected_job, erased, erased, protected_job};
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(marked[i].answer, wanted[i]) << i;
  EXPECT_EQ(marked[0].refusal, "its queue 'money' is protected");
  EXPECT_EQ(marked[1].refusal, "its tag 'audit' is protected");
  EXPECT_EQ(state(by_queue), JobState::queued);
  EXPECT_EQ(state(by_tag), JobState::queued);
  EXPECT_EQ(state(runs), JobState::running);
  op.protection = protecting({"money"}, {});
  EXPECT_EQ(mark(op)[1].answer, erased);
  EXPECT_EQ(mark(by_queue).answer, erased);
}

TEST_P(Guard, WhatIsMarkedAlreadyGoesOnAlthoughItIsProtectedSince) {
  const ClaimedJob run = start_in_its_queue(job("money"));
  MarkOp op = mark_op({run.job});
  EXPECT_EQ(mark(op)[0].answer, MarkAnswer::held);
  MarkOp again = mark_op({run.job});
  again.protection = protecting({"money"}, {});
  const auto marked = mark(again);
  EXPECT_EQ(marked[0].answer, MarkAnswer::joined);
  EXPECT_EQ(verdict(run.job, marked[0].open[0], Verdict::stopped).answer, VerdictAnswer::erased);
}

TEST_P(Guard, WhatExpiresGoesPastWhatIsProtected) {
  std::vector<JobId> jobs;
  for (const NewJob& one : {job("money"), tagged(job(), {"audit"}), job(), tagged(job(), {"x"})}) {
    FinishOp op = finish_op(start_in_its_queue(one), JobEvent::succeed);
    op.result = "{}";
    op.expires = op.result_expires = in(1);
    finish(op);
    jobs.push_back(op.job);
  }
  const ProtectionPtr both = protecting({"money"}, {"audit"});
  pass(5);
  const std::vector<JobId> free{jobs[2], jobs[3]}, first{jobs[2]};
  EXPECT_EQ(*reader().expired(now(), 10, both), free);
  EXPECT_EQ(*reader().expired(now(), 1, both), first);
  EXPECT_EQ(reader().expired(now(), 10, protecting({"money"}, {}))->size(), 3u);
  EXPECT_EQ(reader().expired(now(), 10)->size(), 4u);
  ExpireOp op;
  op.what = ExpireOp::What::results;
  op.now = now();
  op.sweep = new_id();
  op.limit = 10;
  op.protection = both;
  EXPECT_EQ(apply_one(&Batch::expiries, op).expiries.at(0).ended, 2);
  op.protection = {};
  EXPECT_EQ(apply_one(&Batch::expiries, op).expiries.at(0).ended, 2);
}

TEST_P(Guard, TheReportOfWhatWouldGoLeavesOutWhatTheSettingsProtect) {
  for (const NewJob& one :
       {job("money"), tagged(job(), {"x", "audit"}), job(), tagged(job(), {})}) {
    FinishOp op = finish_op(start_in_its_queue(one), JobEvent::succeed);
    op.result = "{}";
    op.expires = op.result_expires = in(1);
    finish(op);
  }
  pass(5);
  const auto due = [&](const ProtectionPtr& protection) {
    const ExpiryReport report = *reader().expiries(now(), 10, protection);
    std::int64_t records = 0;
    for (const ExpiryRow& row : report.records) records += row.n.due;
    return std::pair(records, report.results.due);
  };
  using Due = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(due(protecting({"money"}, {"audit"})), (Due{2, 2}));
  EXPECT_EQ(due(protecting({"money"}, {})), (Due{3, 3}));
  EXPECT_EQ(due(protecting({}, {"audit"})), (Due{3, 3}));
  EXPECT_EQ(due({}), (Due{4, 4}));
}

TEST_P(Guard, ADocumentThatIsOnlyWrittenWithAnotherIsNotWhenThatOneIsRefused) {
  Batch batch;
  const auto add = [&](const std::string& id, std::int64_t version, const std::string& with) {
    DocOp& op = batch.docs.emplace_back();
    op.kind = "k";
    op.id = id;
    op.body = "1";
    if (version >= 0) op.if_version = version;
    op.only_with = with;
  };
  add("lead", 0, "");
  add("a", -1, "lead");
  add("lead", 0, "");  // another caller's, in the same commit
  add("b", -1, "lead");
  add("c", -1, "nobody");
  add("d", 0, "");
  const Outcome out = apply(batch);
  std::vector<bool> written;
  for (const DocResult& one : out.docs) written.push_back(one.written);
  EXPECT_EQ(written, (std::vector<bool>{true, true, false, false, false, true}));
  EXPECT_EQ(reader().docs("k", "")->size(), 3u);
}

TEST_P(Guard, WhatAJobCallsIsReadAsItIsStored) {
  NewJob wanted = job();
  wanted.args = R"({"url":"http://a.example/)" + std::string(5'000, 'x') + "\"}";
  const ClaimedJob run = start(wanted);
  FlushOp op = flush_op(run);
  op.usage = R"({"input_tokens":3})";
  flush(op);
  const JobId ended = finished(JobEvent::succeed), gone = submit();
  mark(gone);
  auto found = reader().outbound({run.job, ended, gone, new_id()});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 2u);
  if (found->front().job != run.job) std::swap(found->front(), found->back());
  EXPECT_EQ(found->front().args, wanted.args);
  EXPECT_EQ(found->front().usage, *op.usage);
  EXPECT_EQ(found->back().job, ended);
}

}  // namespace
}  // namespace quell::storage
