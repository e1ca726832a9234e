// What a run shows while it runs, and what its job tells the world by webhook.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Flush);

TEST_P(Flush, ProgressPhaseAndUsageAreShown) {
  const ClaimedJob run = start();
  FlushOp op = flush_op(run);
  op.progress = 0.25;
  op.phase = "fetching";
  op.usage = R"({"tokens":3})";
  EXPECT_TRUE(flush(op));
  JobView seen = view(run.job);
  EXPECT_EQ(seen.progress, 0.25);
  EXPECT_EQ(seen.phase, "fetching");
  EXPECT_EQ(seen.usage, R"({"tokens":3})");
  op = flush_op(run);
  op.progress = 0.5;
  EXPECT_TRUE(flush(op));
  seen = view(run.job);
  EXPECT_EQ(seen.progress, 0.5);
  EXPECT_EQ(seen.phase, "fetching") << "what a flush does not name stays";
  EXPECT_EQ(seen.usage, R"({"tokens":3})");
}

TEST_P(Flush, AnEmptyFlushOfARunIsAccepted) {
  EXPECT_TRUE(flush(flush_op(start())));
}

TEST_P(Flush, PartialsAreNumberedAndPaged) {
  const ClaimedJob run = start();
  for (int i = 0; i < 3; ++i) {
    FlushOp op = flush_op(run);
    op.partials = {"a" + std::to_string(i), "b" + std::to_string(i)};
    EXPECT_TRUE(flush(op));
  }
  const auto all = reader().partials(run.job, 0, 100);
  ASSERT_EQ(all->size(), 6u);
  EXPECT_EQ(all->at(0), (std::pair<std::int64_t, std::string>{1, "a0"}));
  EXPECT_EQ(all->at(5), (std::pair<std::int64_t, std::string>{6, "b2"}));
  const auto page = reader().partials(run.job, 2, 3);
  ASSERT_EQ(page->size(), 3u);
  EXPECT_EQ(page->at(0).first, 3);
  EXPECT_TRUE(reader().partials(run.job, 6, 3)->empty());
}

TEST_P(Flush, LogsAreNumberedAndPaged) {
  const ClaimedJob run = start();
  FlushOp op = flush_op(run);
  for (int i = 0; i < 5; ++i)
    op.logs.push_back({in(i), i % 2 ? "warn" : "info", std::to_string(i)});
  EXPECT_TRUE(flush(op));
  const auto page = reader().logs(run.job, 1, 2);
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ(page->at(0).first, 2);
  EXPECT_EQ(page->at(0).second.at, in(1));
  EXPECT_EQ(page->at(0).second.level, "warn");
  EXPECT_EQ(page->at(0).second.text, "1");
  EXPECT_EQ(page->at(1).second.text, "2");
}

TEST_P(Flush, StepsAreRememberedAcrossAttempts) {
  const ClaimedJob first = start();
  FlushOp op = flush_op(first);
  op.steps = {{"one", "1"}, {"two", "2"}};
  EXPECT_TRUE(flush(op));
  finish(first, JobEvent::hand_over);
  const ClaimedJob second = claim(1, view(first.job).queue).at(0);
  EXPECT_TRUE(second.has_steps);
  op = flush_op(second);
  op.steps = {{"three", "3"}, {"one", "again"}};
  EXPECT_TRUE(flush(op));
  const auto steps = reader().steps(first.job);
  ASSERT_EQ(steps->size(), 3u);
  EXPECT_EQ(steps->at(0).name, "one");
  EXPECT_EQ(steps->at(0).result, "again");
  EXPECT_EQ(steps->at(1).name, "two");
  EXPECT_EQ(steps->at(2).name, "three");
}

TEST_P(Flush, OutputStaysWithTheFinishedJob) {
  const ClaimedJob run = start();
  FlushOp op = flush_op(run);
  op.progress = 1.0;
  op.partials = {"p"};
  flush(op);
  finish(run, JobEvent::succeed);
  EXPECT_EQ(reader().partials(run.job, 0, 10)->size(), 1u);
  EXPECT_EQ(view(run.job).progress, 1.0);
}

TEST_P(Flush, AMarkedJobStillShowsItsOutputUntilItIsErased) {
  const ClaimedJob run = start();
  FlushOp op = flush_op(run);
  op.partials = {"p"};
  flush(op);
  const MarkedJob marked = mark(run.job);
  EXPECT_EQ(reader().partials(run.job, 0, 10)->size(), 1u);
  verdict(run.job, marked.open[0], Verdict::stopped);
  EXPECT_TRUE(reader().partials(run.job, 0, 10)->empty());
}

TEST_P(Flush, ManyRunsInOneBatchAreKeptApart) {
  submit_many(50);
  const auto runs = claim(50);
  Batch batch;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    batch.flushes.push_back(flush_op(runs[i]));
    batch.flushes.back().partials = {std::to_string(i)};
    batch.flushes.back().progress = static_cast<double>(i) / 64;
    if (i % 10 == 0) batch.flushes.back().epoch = 99;
  }
  const Outcome out = apply(batch);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(out.flushes.at(i), i % 10 != 0);
    const auto partials = reader().partials(runs[i].job, 0, 10);
    ASSERT_EQ(partials->size(), i % 10 != 0 ? 1u : 0u);
    if (i % 10 == 0) continue;
    EXPECT_EQ(partials->at(0).second, std::to_string(i));
    EXPECT_EQ(view(runs[i].job).progress, static_cast<double>(i) / 64);
  }
}

TEST_P(Flush, NothingIsReadOfAnUnknownJob) {
  const JobId id = new_id();
  EXPECT_TRUE(reader().partials(id, 0, 10)->empty());
  EXPECT_TRUE(reader().logs(id, 0, 10)->empty());
  EXPECT_TRUE(reader().steps(id)->empty());
  EXPECT_TRUE(reader().attempts(id)->empty());
  EXPECT_TRUE(reader().deliveries(id)->empty());
}

QUELL_STORE_GROUP(Delivery);

TEST_P(Delivery, TheOldestDueAreClaimedFirst) {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.deliveries = {delivery(3), delivery(1), delivery(2), delivery(50)};
  finish(op);
  EXPECT_TRUE(claim_deliveries(10).empty());
  EXPECT_EQ(*reader().next_delivery(), in(1));
  pass(10);
  const auto first = claim_deliveries(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].id, op.deliveries[1].id);
  EXPECT_EQ(first[1].id, op.deliveries[2].id);
  const auto rest = claim_deliveries(10);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].id, op.deliveries[0].id);
  EXPECT_EQ(*reader().next_delivery(), in(40));
}

TEST_P(Delivery, ItCarriesWhatIsToBeSent) {
  NewJob wanted = job();
  wanted.options.webhook = "http://example.org/own";
  FinishOp op = finish_op(start(wanted), JobEvent::succeed);
  op.deliveries = {delivery(), delivery()};
  op.deliveries[1].endpoint = "";
  finish(op);
  const auto claimed = claim_deliveries(10);
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_EQ(claimed[0].job, op.job);
  EXPECT_EQ(claimed[0].endpoint, "endpoint-1");
  EXPECT_EQ(claimed[0].event, "job.succeeded");
  EXPECT_EQ(claimed[0].body, R"({"a":1})");
  EXPECT_EQ(claimed[0].tries, 0);
  EXPECT_EQ(claimed[0].url, "");
  EXPECT_EQ(claimed[1].url, "http://example.org/own");
}

TEST_P(Delivery, ARetryWaitsAndCounts) {
  const auto [id, delivery_id] = delivering();
  EXPECT_TRUE(reader().deliveries(id)->at(0).in_flight);
  EXPECT_TRUE(end_delivery(delivery_id, in(30)));
  const auto views = reader().deliveries(id);
  EXPECT_FALSE(views->at(0).in_flight);
  EXPECT_EQ(views->at(0).tries, 1);
  EXPECT_EQ(views->at(0).due, in(30));
  EXPECT_EQ(views->at(0).log, R"({"status":200})");
  EXPECT_TRUE(claim_deliveries(1).empty());
  pass(30);
  EXPECT_EQ(claim_deliveries(1).at(0).tries, 1);
}

TEST_P(Delivery, WhatIsDoneStaysForItsLog) {
  const auto [id, delivery_id] = delivering();
  EXPECT_TRUE(end_delivery(delivery_id, {}));
  EXPECT_FALSE(end_delivery(delivery_id, {})) << "ended twice";
  const auto views = reader().deliveries(id);
  ASSERT_EQ(views->size(), 1u);
  EXPECT_EQ(views->at(0).id, delivery_id);
  EXPECT_EQ(views->at(0).job, id);
  EXPECT_EQ(views->at(0).endpoint, "endpoint-1");
  EXPECT_EQ(views->at(0).event, "job.succeeded");
  EXPECT_EQ(views->at(0).tries, 1);
  EXPECT_FALSE(views->at(0).in_flight || views->at(0).due);
  EXPECT_FALSE(reader().next_delivery()->has_value());
  EXPECT_EQ(mark(id).answer, MarkAnswer::erased) << "what is done holds nothing";
}

TEST_P(Delivery, OnlyItsOwnerEndsIt) {
  const auto [id, delivery_id] = delivering();
  DeliveryEndOp op;
  op.id = delivery_id;
  op.owner = other_;
  op.now = now();
  EXPECT_FALSE(apply_one(&Batch::delivery_ends, op).delivery_ends.at(0));
  op.owner = {node_.node, node_.life + 1};
  EXPECT_FALSE(apply_one(&Batch::delivery_ends, op).delivery_ends.at(0));
  EXPECT_TRUE(reader().deliveries(id)->at(0).in_flight);
}

TEST_P(Delivery, WhatWaitsIsNotEnded) {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.deliveries = {delivery()};
  finish(op);
  EXPECT_FALSE(end_delivery(op.deliveries[0].id, {}));
}

TEST_P(Delivery, ItMayBeBornWithItsJob) {
  EnqueueOp op = submit_op(job());
  op.deliveries = {delivery()};
  apply_one(&Batch::enqueues, op);
  EXPECT_EQ(reader().deliveries(op.job.id)->size(), 1u);
  EnqueueOp again = submit_op(op.job);
  again.deliveries = {delivery()};
  EXPECT_EQ(apply_one(&Batch::enqueues, again).enqueues[0].answer, EnqueueAnswer::id_taken);
  EXPECT_EQ(reader().deliveries(op.job.id)->size(), 1u);
  EXPECT_EQ(mark(op.job.id).deliveries_removed, 1);
}

TEST_P(Delivery, ADeadOwnersDeliveryWaitsAgain) {
  const auto [id, delivery_id] = delivering();
  pass(7);
  EXPECT_EQ(recover().deliveries, 1);
  const auto views = reader().deliveries(id);
  EXPECT_FALSE(views->at(0).in_flight);
  EXPECT_EQ(views->at(0).due, now());
  EXPECT_EQ(views->at(0).tries, 0);
  EXPECT_FALSE(end_delivery(delivery_id, {}));
  const auto out = apply_one(&Batch::delivery_claims, DeliveryClaimOp{other_, now(), 5});
  EXPECT_EQ(out.delivery_claims.at(0).size(), 1u);
}

TEST_P(Delivery, ADeadLifeClaimsNone) {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.deliveries = {delivery()};
  finish(op);
  recover();
  EXPECT_TRUE(claim_deliveries(5).empty());
}

}  // namespace
}  // namespace quell::storage
