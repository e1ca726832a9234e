#include "actors/writes/pending_batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quell {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Contribution of(std::vector<int> dues, std::vector<int> docs = {}) {
  auto ops = std::make_shared<storage::Batch>();
  for (const int limit : dues) ops->dues.push_back({.now = {}, .limit = limit});
  for (const int id : docs) {
    ops->docs.emplace_back();
    ops->docs.back().id = std::to_string(id);
  }
  return {std::move(ops), {}, 0, false};
}

std::vector<int> limits(const storage::Batch& ops) {
  std::vector<int> all;
  for (const auto& due : ops.dues) all.push_back(due.limit);
  return all;
}

TEST(PendingBatch, TakesSteeringWorkFirstAndBulkWorkUpToTheLimit) {
  PendingBatch pending;
  pending.add(of({1, 2, 3}), false);
  pending.add(of({4, 5}), false);
  pending.add(of({6}), true);
  EXPECT_EQ(pending.weight(), 6u);
  const auto first = pending.take(10, 4);
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_THAT(limits(*first[0].ops), ElementsAre(6));
  EXPECT_THAT(limits(*first[1].ops), ElementsAre(1, 2, 3));
  EXPECT_EQ(pending.weight(), 2u);
  EXPECT_THAT(pending.take(10, 4), SizeIs(1));
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(pending.weight(), 0u);
}

TEST(PendingBatch, TakesOneContributionHoweverLargeItIs) {
  PendingBatch pending;
  pending.add(of({1, 2, 3, 4, 5}), false);
  EXPECT_THAT(pending.take(1, 1), SizeIs(1));
}

TEST(PendingBatch, PutsBackWhatFailedBeforeWhatCameLater) {
  PendingBatch pending;
  pending.add(of({1}), true);
  pending.add(of({2}), true);
  pending.add(of({3}), true);
  auto taken = pending.take(2, 0);
  ASSERT_THAT(taken, SizeIs(2));
  pending.put_back(std::move(taken[1]));
  pending.put_back(std::move(taken[0]));
  EXPECT_EQ(pending.weight(), 3u);
  const auto again = pending.take(10, 0);
  ASSERT_THAT(again, SizeIs(3));
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(limits(*again[static_cast<std::size_t>(i)].ops), ElementsAre(i + 1));
}

TEST(PendingBatch, KnowsWhetherAnythingInItMustGoAlone) {
  const auto births = [] {
    auto ops = std::make_shared<storage::Batch>();
    ops->enqueues.emplace_back();
    return Contribution{std::move(ops), {}, 0, false};
  };
  PendingBatch pending;
  pending.add(births(), false);
  EXPECT_FALSE(pending.anything_alone());
  pending.add(of({1}), false);
  EXPECT_TRUE(pending.anything_alone());
  EXPECT_FALSE(pending.steering()) << "what is due may be passed by a claim";
  pending.add(of({}, {1}), true);
  EXPECT_TRUE(pending.steering());
  auto taken = pending.take(10, 10);
  ASSERT_THAT(taken, SizeIs(3));
  EXPECT_FALSE(pending.anything_alone());
  pending.put_back(std::move(taken[0]));
  EXPECT_TRUE(pending.steering());
}

TEST(PendingBatch, WeighsTheJobsOfAMark) {
  storage::Batch ops;
  ops.marks.push_back({});
  ops.marks.back().jobs.resize(500);
  EXPECT_EQ(weight_of(ops), 501u);
  EXPECT_FALSE(is_empty(ops));
  EXPECT_TRUE(is_empty(storage::Batch{}));
}

TEST(JoinedBatch, GivesEachAskerHisOwnSliceBack) {
  std::vector<Contribution> parts;
  parts.push_back(of({1}, {10, 11}));
  parts.push_back(of({}, {12}));
  parts.push_back(of({2, 3}));
  JoinedBatch joined(parts);
  EXPECT_THAT(limits(joined.ops()), ElementsAre(1, 2, 3));
  storage::Outcome outcome;
  for (const int moved : {1, 2, 3}) outcome.dues.push_back({.moved = moved, .queues = {}});
  for (const int version : {10, 11, 12}) outcome.docs.push_back({true, version});
  const auto cut = joined.cut(outcome);
  ASSERT_THAT(cut, SizeIs(3));
  ASSERT_THAT(cut[0].dues, SizeIs(1));
  EXPECT_EQ(cut[0].dues[0].moved, 1);
  ASSERT_THAT(cut[0].docs, SizeIs(2));
  EXPECT_EQ(cut[0].docs[1].version, 11);
  ASSERT_THAT(cut[1].docs, SizeIs(1));
  EXPECT_EQ(cut[1].docs[0].version, 12);
  EXPECT_THAT(cut[1].dues, SizeIs(0));
  ASSERT_THAT(cut[2].dues, SizeIs(2));
  EXPECT_EQ(cut[2].dues[1].moved, 3);
}

TEST(JoinedBatch, GivesTheOperationsOfOnePartAgainAfterAFailure) {
  std::vector<Contribution> parts;
  parts.push_back(of({1}, {10}));
  parts.push_back(of({2, 3}, {11}));
  const JoinedBatch joined(parts);
  const auto again = joined.again(1);
  EXPECT_THAT(limits(*again), ElementsAre(2, 3));
  ASSERT_THAT(again->docs, SizeIs(1));
  EXPECT_EQ(again->docs[0].id, "11");
}

}  // namespace
}  // namespace quell
