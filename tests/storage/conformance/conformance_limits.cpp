// Limits of a queue: what runs at once, what starts over time, whose turn it is.
#include <map>

#include "storage/limited_claim.hpp"
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

class Limits : public StoreTest {
 protected:
  static QueueLimits concurrency(int n) {
    QueueLimits limits;
    limits.concurrency = n;
    return limits;
  }
  static QueueLimits per_key(int n) {
    QueueLimits limits;
    limits.per_key = n;
    return limits;
  }
  JobId submit_keyed(const std::string& key, int n = 1) {
    JobId last;
    for (int i = 0; i < n; ++i) {
      NewJob one = job();
      one.options.limit_key = key;
      last = submit(one);
    }
    return last;
  }
  std::vector<ClaimedJob> claim_with(const QueueLimits& limits, int n) {
    ClaimOp op = claim_op(n);
    op.limits = limits;
    return apply_one(&Batch::claims, op).claims.at(0);
  }
  // The keys of what was claimed, one letter each; "-" without one.
  static std::string keys_of(const std::vector<ClaimedJob>& claimed) {
    std::string keys;
    for (const ClaimedJob& one : claimed) {
      const std::string key = options_from_json(one.options).limit_key;
      keys += key.empty() ? "-" : key;
    }
    return keys;
  }
};
INSTANTIATE_TEST_SUITE_P(Conformance, Limits, testing::ValuesIn(store_factories()), name_of_store);

TEST_P(Limits, NoMoreOfAQueueRunAtOnce) {
  const auto jobs = submit_many(5);
  const auto first = claim_with(concurrency(3), 10);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].job, jobs[0]);
  EXPECT_TRUE(claim_with(concurrency(3), 10).empty());
  finish(first[1], JobEvent::succeed);
  EXPECT_EQ(claim_with(concurrency(3), 10).size(), 1u);
}

TEST_P(Limits, AFinishInTheSameBatchMakesRoom) {
  submit_many(2);
  const auto first = claim_with(concurrency(1), 10);
  Batch batch;
  batch.finishes = {finish_op(first.at(0), JobEvent::succeed)};
  batch.claims = {claim_op(10)};
  batch.claims[0].limits = concurrency(1);
  EXPECT_EQ(apply(batch).claims.at(0).size(), 1u);
}

TEST_P(Limits, WhatRunsCountsWhoeverStartedIt) {
  submit_many(4);
  ASSERT_EQ(claim(2).size(), 2u);  // knows of no limit
  EXPECT_EQ(claim_with(concurrency(3), 10).size(), 1u);
  EXPECT_TRUE(claim_with(concurrency(1), 10).empty());  // lowered below what runs
}

TEST_P(Limits, OtherQueuesDoNotCount) {
  submit(job("other"));
  ASSERT_EQ(claim(1, "other").size(), 1u);
  submit_many(2);
  EXPECT_EQ(claim_with(concurrency(1), 10).size(), 1u);
}

TEST_P(Limits, ALostOwnersRunsGiveTheirPlacesBack) {
  submit_many(2);
  ASSERT_EQ(claim_with(concurrency(2), 10).size(), 2u);
  EXPECT_EQ(recover().requeued, 2);
  ClaimOp op = claim_op(10);
  op.owner = other_;
  op.limits = concurrency(2);
  EXPECT_EQ(apply_one(&Batch::claims, op).claims.at(0).size(), 2u);
}

TEST_P(Limits, ADeletedRunGivesItsPlaceBack) {
  submit_keyed("a", 2);
  const auto first = claim_with(per_key(1), 10);
  ASSERT_EQ(first.size(), 1u);
  const MarkedJob marked = mark(first[0].job);
  verdict(first[0].job, marked.open.at(0), Verdict::stopped);
  EXPECT_EQ(claim_with(per_key(1), 10).size(), 1u);
}

TEST_P(Limits, NoMoreOfAKeyRunAtOnce) {
  submit_keyed("a", 5);
  submit_keyed("b", 1);
  const auto first = claim_with(per_key(2), 10);
  EXPECT_EQ(keys_of(first), "aab");
  EXPECT_TRUE(claim_with(per_key(2), 10).empty());
  finish(first[0], JobEvent::succeed);
  EXPECT_EQ(keys_of(claim_with(per_key(2), 10)), "a");
}

TEST_P(Limits, JobsWithoutAKeyAreLimitedByNone) {
  submit_many(3);
  submit_keyed("a", 3);
  EXPECT_EQ(keys_of(claim_with(per_key(1), 10)), "a---");
}

TEST_P(Limits, KeysTakeTurns) {
  submit_keyed("a", 50);
  submit_keyed("b", 2);
  submit_keyed("c", 1);
  EXPECT_EQ(keys_of(claim_with(per_key(100), 4)), "aabc");
  EXPECT_EQ(keys_of(claim_with(per_key(100), 3)), "baa");
}

TEST_P(Limits, ALongRowOfOneKeyKeepsNobodyWaiting) {
  submit_keyed("a", 300);
  submit_keyed("b", 1);
  submit_many(1);
  std::string order;
  for (int i = 0; i < 4; ++i) order += keys_of(claim_with(per_key(100), 1));
  EXPECT_EQ(order, "ab-a");
}

TEST_P(Limits, EveryKeyComesInItsTurnHoweverManyAreFull) {
  constexpr int keys = 150;  // more than one claim looks at
  ASSERT_GT(keys, keys_to_look_at(1));
  for (int i = 0; i < keys; ++i) submit_keyed("k" + std::to_string(1'000 + i), 2);
  submit_many(2);
  std::map<std::string, int> starts;
  for (int i = 0; i < 3 * keys; ++i)
    for (const ClaimedJob& one : claim_with(per_key(1), 1))
      ++starts[options_from_json(one.options).limit_key];
  EXPECT_EQ(starts.size(), keys + 1u);
  for (const auto& [key, n] : starts) EXPECT_EQ(n, key.empty() ? 2 : 1) << key;
}

TEST_P(Limits, PriorityAndAgeHoldWithinAKey) {
  const JobId old = submit_keyed("a");
  NewJob urgent = job();
  urgent.priority = 9;
  urgent.options.limit_key = "a";
  submit(urgent);
  const auto claimed = claim_with(per_key(5), 5);
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_EQ(claimed[0].job, urgent.id);
  EXPECT_EQ(claimed[1].job, old);
}

TEST_P(Limits, BothLimitsHoldTogether) {
  for (const char* key : {"a", "b", "c"}) submit_keyed(key, 3);
  QueueLimits limits = per_key(2);
  limits.concurrency = 4;
  EXPECT_EQ(keys_of(claim_with(limits, 10)), "aabc");
  EXPECT_TRUE(claim_with(limits, 10).empty());
}

TEST_P(Limits, AQueueStartsNoMoreThanItsRate) {
  submit_many(10);
  QueueLimits limits;
  limits.rate = {4, 2};
  EXPECT_EQ(claim_with(limits, 10).size(), 4u);
  EXPECT_TRUE(claim_with(limits, 10).empty());
  pass(1);
  EXPECT_EQ(claim_with(limits, 10).size(), 2u);
  pass(100);
  EXPECT_EQ(claim_with(limits, 10).size(), 4u);  // no more than it holds
}

TEST_P(Limits, EachKeyHasABucketOfItsOwn) {
  submit_keyed("a", 5);
  submit_keyed("b", 5);
  QueueLimits limits;
  limits.key_rate = {2, 1};
  EXPECT_EQ(keys_of(claim_with(limits, 3)), "aab");
  EXPECT_EQ(keys_of(claim_with(limits, 10)), "b");
  pass(1);
  ASSERT_TRUE(writer().upkeep(now()).ok());  // forgets only what is full again
  EXPECT_EQ(claim_with(limits, 10).size(), 4u);
}

TEST_P(Limits, AReopenedStoreKeepsWhatWasSpent) {
  submit_many(5);
  QueueLimits limits;
  limits.rate = {2, 60};
  ASSERT_EQ(claim_with(limits, 10).size(), 2u);
  reopen();
  EXPECT_TRUE(claim_with(limits, 10).empty());
}

TEST_P(Limits, AJobKeepsItsKeyThroughRetryAndRevival) {
  const JobId id = submit_keyed("a");
  EXPECT_EQ(view(id).options.limit_key, "a");
  auto run = claim_with(per_key(1), 1);
  FinishOp again = finish_op(run.at(0), JobEvent::retry);
  again.due = now();
  finish(again);
  due();
  run = claim_with(per_key(1), 1);
  EXPECT_EQ(keys_of(run), "a");
  finish(run.at(0), JobEvent::exhaust);
  ASSERT_EQ(steer(id, JobEvent::revive).answer, SteerAnswer::moved);
  submit_keyed("a");
  EXPECT_EQ(keys_of(claim_with(per_key(1), 5)), "a");
}

}  // namespace
}  // namespace quell::storage
