// Deliveries beside a move: notices, which belong to no job, and what is sent once more.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

class Notice : public StoreTest {
 protected:
  bool notice(JobId job, JobState state, std::vector<NewDelivery> deliveries) {
    return apply_one(&Batch::notices, NoticeOp{job, state, std::move(deliveries)}).notices.at(0);
  }
  bool redeliver(Uuid id) {
    return apply_one(&Batch::redeliveries, RedeliverOp{id, now()}).redeliveries.at(0);
  }
  std::vector<DeliveryView> of_endpoint() {
    return std::move(reader().deliveries_of("endpoint-1", {}, 100)).value();
  }
};
INSTANTIATE_TEST_SUITE_P(Conformance, Notice, testing::ValuesIn(store_factories()), name_of_store);

TEST_P(Notice, BelongsToNoJobAndGoesOutLikeAnyDelivery) {
  const NewDelivery one = delivery();
  EXPECT_TRUE(notice({}, JobState::cancelled, {one}));
  const auto claimed = claim_deliveries(5);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_TRUE(claimed[0].job.is_nil());
  EXPECT_EQ(claimed[0].body, one.body);
  EXPECT_TRUE(end_delivery(one.id, in(5)));
  EXPECT_EQ(std::move(reader().delivery(one.id)).value()->tries, 1);
  EXPECT_TRUE(std::move(reader().orphans()).value().empty());
}

TEST_P(Notice, IsWrittenOnceHoweverOftenItIsSaid) {
  const NewDelivery one = delivery();
  EXPECT_TRUE(notice({}, JobState::cancelled, {one}));
  EXPECT_TRUE(notice({}, JobState::cancelled, {one}));
  EXPECT_EQ(of_endpoint().size(), 1u);
}

TEST_P(Notice, WaitsAgainWhenItsSenderDied) {
  notice({}, JobState::cancelled, {delivery()});
  ASSERT_EQ(claim_deliveries(1).size(), 1u);
  EXPECT_EQ(std::move(reader().flying(node_)).value().size(), 1u);
  EXPECT_EQ(
      apply_one(&Batch::recoveries, recover_op(Verdict::lease_expired)).recoveries.at(0).deliveries,
      1);
  EXPECT_TRUE(of_endpoint().at(0).due.has_value());
  EXPECT_TRUE(std::move(reader().flying(node_)).value().empty());
}

TEST_P(Notice, OfAJobIsTakenOnlyWhileTheJobIsAsSaid) {
  const ClaimedJob run = start();
  EXPECT_FALSE(notice(run.job, JobState::cancelled, {delivery()}));
  ASSERT_TRUE(finish(finish_op(run, JobEvent::stopped)).written);
  EXPECT_FALSE(notice(run.job, JobState::failed, {delivery()}));
  EXPECT_TRUE(notice(run.job, JobState::cancelled, {delivery()}));
  EXPECT_EQ(mark(run.job).deliveries_removed, 1);
  EXPECT_TRUE(of_endpoint().empty());
  EXPECT_FALSE(notice(run.job, JobState::cancelled, {delivery()}));
}

TEST_P(Notice, IsForgottenAWeekAfterItsTime) {
  const NewDelivery one = delivery();
  notice({}, JobState::cancelled, {one});
  claim_deliveries(1);
  end_delivery(one.id, std::nullopt);
  ASSERT_TRUE(writer().upkeep(one.id.time() + notice_keep).ok());
  EXPECT_EQ(of_endpoint().size(), 1u);
  ASSERT_TRUE(writer().upkeep(one.id.time() + notice_keep + Millis{1'000}).ok());
  EXPECT_TRUE(of_endpoint().empty());
}

class Redeliver : public Notice {};
INSTANTIATE_TEST_SUITE_P(Conformance, Redeliver, testing::ValuesIn(store_factories()),
                         name_of_store);

TEST_P(Redeliver, WhatHasEndedWaitsAgainWithAllItsTries) {
  const auto [job, id] = delivering();
  EXPECT_FALSE(redeliver(id)) << "it is in flight";
  ASSERT_TRUE(end_delivery(id, std::nullopt));
  EXPECT_TRUE(redeliver(id));
  EXPECT_FALSE(redeliver(id)) << "it waits";
  const auto claimed = claim_deliveries(1);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].id, id);
  EXPECT_EQ(claimed[0].tries, 0);
  EXPECT_FALSE(redeliver(new_id()));
}

TEST_P(Redeliver, IsRefusedWhileItsJobIsLeaving) {
  const ClaimedJob run = start();
  FinishOp op = finish_op(run, JobEvent::succeed);
  op.deliveries = {delivery(), delivery()};
  ASSERT_TRUE(finish(op).written);
  const auto claimed = claim_deliveries(2);
  ASSERT_EQ(claimed.size(), 2u);
  ASSERT_TRUE(end_delivery(claimed[0].id, std::nullopt));
  EXPECT_EQ(mark(run.job).answer, MarkAnswer::held);
  EXPECT_FALSE(redeliver(claimed[0].id));
}

class DeliveryLists : public Notice {};
INSTANTIATE_TEST_SUITE_P(Conformance, DeliveryLists, testing::ValuesIn(store_factories()),
                         name_of_store);

TEST_P(DeliveryLists, AnEndpointsDeliveriesComeNewestFirstAndInPages) {
  std::vector<NewDelivery> all{delivery(), delivery(), delivery()};
  notice({}, JobState::cancelled, all);
  const auto page = std::move(reader().deliveries_of("endpoint-1", {}, 2)).value();
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].id, all[2].id);
  EXPECT_EQ(page[0].body, all[2].body);
  const auto rest = std::move(reader().deliveries_of("endpoint-1", page[1].id, 2)).value();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].id, all[0].id);
  EXPECT_TRUE(std::move(reader().deliveries_of("another", {}, 2)).value().empty());
  EXPECT_FALSE(std::move(reader().delivery(new_id())).value().has_value());
}

class AuditHeadTest : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Conformance, AuditHeadTest, testing::ValuesIn(store_factories()),
                         name_of_store);

TEST_P(AuditHeadTest, TheHeadIsTheLastSealedRow) {
  EXPECT_FALSE(std::move(reader().audit_head()).value().has_value());
  Batch batch;
  for (int i = 0; i < 3; ++i) batch.audits.push_back({now(), "ann", "looked", "x", "{}"});
  apply(batch);
  const auto rows = std::move(reader().audit(0, 10)).value();
  SealOp seal;
  seal.hashes = {{rows.at(0).no, "aa"}, {rows.at(1).no, "bb"}};
  EXPECT_TRUE(apply_one(&Batch::seals, seal).seals.at(0));
  EXPECT_EQ(std::move(reader().audit_head()).value()->no, rows.at(1).no);
  EXPECT_EQ(std::move(reader().audit_head()).value()->hash, "bb");
}

}  // namespace
}  // namespace quell::storage
