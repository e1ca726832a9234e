// What is told of erasures, cancels and jobs given up: in the transaction that makes it true.
#include <nlohmann/json.hpp>

#include "storage/outbox_rows.hpp"
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

using nlohmann::json;

class Outbox : public StoreTest {
 protected:
  Outcome tell(Batch batch) {
    batch.listeners = listeners_;
    batch.outbox_id = new_id();
    return apply(batch);
  }
  template <class Op>
  Outcome tell(std::vector<Op> Batch::*field, Op op) {
    Batch batch;
    (batch.*field).push_back(std::move(op));
    return tell(std::move(batch));
  }
  MarkedJob erase(JobId job) { return tell(&Batch::marks, mark_op({job})).marks.at(0).at(0); }
  MarkOp many(std::vector<JobId> jobs) {
    MarkOp op = mark_op(jobs);
    op.in_summary = true;
    return op;
  }
  std::vector<json> said(const std::string& endpoint = "each") {
    std::vector<json> bodies;
    auto all = std::move(reader().deliveries_of(endpoint, {}, 1'000)).value();
    for (auto one = all.rbegin(); one != all.rend(); ++one)
      bodies.push_back(json::parse(one->body));
    return bodies;
  }
  std::vector<std::string> events(const std::string& endpoint = "each") {
    std::vector<std::string> names;
    for (const json& body : said(endpoint)) names.push_back(body.at("type"));
    return names;
  }
  std::vector<std::string> own_events(JobId job) {
    std::vector<std::string> names;
    const auto all = reader().deliveries(job);
    for (const DeliveryView& one : *all)
      if (one.endpoint.empty()) names.push_back(one.event);
    return names;
  }
  NewJob job_with_url() {
    NewJob one = job();
    one.options.webhook = "http://own.example/";
    return one;
  }
  using Names = std::vector<std::string>;

  std::shared_ptr<const SubscriptionSet> listeners_ = std::make_shared<const SubscriptionSet>(
      std::vector<WebhookSubscription>{{"each", "default", {}},
                                       {"sums", "default", {"jobs.deleted"}},
                                       {"theirs", "another", {}}},
      1);
};
INSTANTIATE_TEST_SUITE_P(Conformance, Outbox, testing::ValuesIn(store_factories()), name_of_store);

TEST_P(Outbox, AnErasureByItsMark) {
  const JobId gone = submit();
  EXPECT_EQ(erase(gone).answer, MarkAnswer::erased);
  ASSERT_EQ(events(), Names{"job.deleted"});
  const json data = said().at(0).at("data");
  EXPECT_EQ(data.at("job_id"), gone.text());
  EXPECT_EQ(data.at("was"), "queued");
  EXPECT_EQ(data.at("proven"), true);
  EXPECT_TRUE(said("theirs").empty());
  EXPECT_TRUE(said("sums").empty());
  EXPECT_EQ(erase(gone).answer, MarkAnswer::already_gone);
  EXPECT_EQ(events().size(), 1u) << "told once";
}

TEST_P(Outbox, NothingWhereNobodyListens) {
  listeners_ = {};
  const JobId gone = submit(job_with_url());
  EXPECT_FALSE(tell(&Batch::marks, mark_op({gone})).has_deliveries);
  EXPECT_TRUE(said().empty());
}

TEST_P(Outbox, AnErasureByTheLastVerdictAndNotItsMark) {
  const ClaimedJob run = start();
  const MarkedJob marked = erase(run.job);
  ASSERT_EQ(marked.answer, MarkAnswer::held);
  EXPECT_TRUE(said().empty());
  const auto out = tell(&Batch::verdicts, verdict_op(run.job, marked.open.at(0), Verdict::stopped));
  EXPECT_EQ(out.verdicts.at(0).answer, VerdictAnswer::erased);
  EXPECT_TRUE(out.has_deliveries);
  ASSERT_EQ(events(), Names{"job.deleted"});
  EXPECT_EQ(said().at(0).at("data").at("verdict"), "stopped");
}

TEST_P(Outbox, AnErasureThatARecoveryFinishes) {
  const ClaimedJob run = start();
  erase(run.job);
  EXPECT_EQ(tell(&Batch::recoveries, recover_op()).recoveries.at(0).erased.size(), 1u);
  ASSERT_EQ(events(), Names{"job.deleted"});
  EXPECT_EQ(said().at(0).at("data").at("verdict"), "process_died");
  EXPECT_EQ(said().at(0).at("data").at("was"), "running");
}

TEST_P(Outbox, AForcedErasureOnceThoughItsOwnerConfirmsLater) {
  const ClaimedJob run = start();
  const MarkedJob marked = erase(run.job);
  EXPECT_TRUE(tell(&Batch::forces, ForceOp{run.job, "ann", "at last", now()}).forces.at(0).erased);
  tell(&Batch::verdicts, verdict_op(run.job, marked.open.at(0), Verdict::stopped));
  ASSERT_EQ(events(), Names{"job.deleted"});
  EXPECT_EQ(said().at(0).at("data").at("proven"), false);
}

TEST_P(Outbox, ACallOfManyJobsInOneMessageOverAllItsParts) {
  MarkOp first = many(submit_many(3));
  first.reason = "old";
  MarkOp second = many(submit_many(2));
  second.delete_id = first.delete_id;
  tell(&Batch::marks, first);
  tell(&Batch::marks, second);
  for (const std::string endpoint : {"each", "sums"}) {
    ASSERT_EQ(events(endpoint), Names{"jobs.deleted"});
    const json data = said(endpoint).at(0).at("data");
    EXPECT_EQ(data.at("deleted"), 5);
    EXPECT_EQ(data.at("reason"), "old");
    EXPECT_EQ(data.at("delete_id"), first.delete_id.text());
  }
}

TEST_P(Outbox, ASummaryWaitsForItsCallAndGoesOutWhenThatIsOver) {
  const MarkOp call = many(submit_many(3));
  tell(&Batch::marks, call);
  EXPECT_TRUE(claim_deliveries(10).empty());
  CallOp over{call.delete_id, "{}", "{}"};
  over.over = now();
  EXPECT_TRUE(tell(&Batch::calls, over).has_deliveries);
  EXPECT_EQ(claim_deliveries(10).size(), 2u);
}

TEST_P(Outbox, ASummaryGoesOutByItselfWhenNobodySaysThatItsCallIsOver) {
  tell(&Batch::marks, many(submit_many(3)));
  clock_.ms += summary_patience;
  EXPECT_EQ(claim_deliveries(10).size(), 2u);
}

TEST_P(Outbox, ASummaryTakesInWhatWasHeldAtItsMark) {
  const ClaimedJob run = start();
  const MarkOp call = many({run.job});
  const auto marked = tell(&Batch::marks, call);
  EXPECT_FALSE(marked.has_deliveries) << "nothing is deleted yet";
  clock_.ms += summary_patience;
  EXPECT_TRUE(claim_deliveries(10).empty());
  tell(&Batch::verdicts,
       verdict_op(run.job, marked.marks.at(0).at(0).open.at(0), Verdict::stopped));
  ASSERT_EQ(events(), Names{"jobs.deleted"});
  EXPECT_EQ(said().at(0).at("data").at("deleted"), 1);
}

TEST_P(Outbox, WhatComesAfterTheSummaryIsOutGetsAMessageOfItsOwn) {
  const ClaimedJob run = start();
  MarkOp call = many(submit_many(2));
  call.jobs.push_back(run.job);
  const auto marked = tell(&Batch::marks, call);
  pass(60);
  EXPECT_EQ(claim_deliveries(10).size(), 2u);
  tell(&Batch::verdicts,
       verdict_op(run.job, marked.marks.at(0).at(2).open.at(0), Verdict::lease_expired));
  std::size_t deleted = 0, unproven = 0;
  ASSERT_EQ(events(), (Names{"jobs.deleted", "jobs.deleted"}));
  for (const json& body : said()) {
    deleted += body.at("data").at("deleted").get<std::size_t>();
    unproven += body.at("data").at("unproven").get<std::size_t>();
  }
  EXPECT_EQ(deleted, 3u);
  EXPECT_EQ(unproven, 1u);
  EXPECT_EQ(claim_deliveries(10).size(), 2u);
}

TEST_P(Outbox, ACancelOfAJobThatWaitsAlsoToItsOwnUrl) {
  const JobId waiting = submit(job_with_url());
  SteerOp op{waiting, JobEvent::cancel, "ann", now()};
  EXPECT_TRUE(tell(&Batch::steers, op).has_deliveries);
  EXPECT_EQ(events(), Names{"job.cancelled"});
  EXPECT_EQ(own_events(waiting), Names{"job.cancelled"});
  EXPECT_FALSE(tell(&Batch::steers, op).has_deliveries) << "it is at rest";
  EXPECT_EQ(events().size(), 1u);
  EXPECT_EQ(mark(waiting).deliveries_removed, 2) << "they are the job's, and go with it";
}

TEST_P(Outbox, EachCancelOfAJobThatWasRevived) {
  const JobId waiting = submit();
  SteerOp revive{waiting, JobEvent::revive, "ann", now()};
  SteerOp cancel{waiting, JobEvent::cancel, "ann", now()};
  Batch batch;
  batch.steers = {cancel, revive, cancel};
  tell(batch);
  EXPECT_EQ(events(), (Names{"job.cancelled", "job.cancelled"}));
  EXPECT_EQ(mark(waiting).deliveries_removed, 2);
}

TEST_P(Outbox, ARetryThatARequestMakesACancelAsThatAndNothingElse) {
  const ClaimedJob run = start(job_with_url());
  steer(run.job, JobEvent::cancel);
  FinishOp op = finish_op(run, JobEvent::retry);
  op.due = in(1);
  op.deliveries = {delivery()};
  EXPECT_EQ(tell(&Batch::finishes, op).finishes.at(0).state, JobState::cancelled);
  EXPECT_EQ(events(), Names{"job.cancelled"});
  EXPECT_EQ(own_events(run.job), Names{"job.cancelled"});
  EXPECT_TRUE(said("endpoint-1").empty());
}

TEST_P(Outbox, AJobThatWasLostTooOftenAsFailedWithTheReason) {
  const ClaimedJob run = start(job_with_url());
  RecoverOp op = recover_op();
  op.max_lost = 1;
  const RecoverResult declared_dead = tell(&Batch::recoveries, op).recoveries.at(0);
  ASSERT_EQ(declared_dead.ended.size(), 1u);
  EXPECT_EQ(declared_dead.ended.at(0), (std::pair{run.job, JobState::failed}));
  ASSERT_EQ(events(), Names{"job.failed"});
  EXPECT_EQ(said().at(0).at("data").at("reason"), "lost_too_often");
  EXPECT_EQ(own_events(run.job), Names{"job.failed"});
  EXPECT_EQ(mark(run.job).deliveries_removed, 2);
}

TEST_P(Outbox, ARequestedCancelThatARecoveryGrants) {
  const ClaimedJob run = start();
  steer(run.job, JobEvent::cancel);
  tell(&Batch::recoveries, recover_op());
  EXPECT_EQ(events(), Names{"job.cancelled"});
}

}  // namespace
}  // namespace quell::storage
