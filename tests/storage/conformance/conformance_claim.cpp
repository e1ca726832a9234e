// Claims: who gets what, in which order, and never more than asked for.
#include <set>

#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Claim);

std::vector<JobId> ids_of(const std::vector<ClaimedJob>& claimed) {
  std::vector<JobId> ids;
  for (const ClaimedJob& one : claimed) ids.push_back(one.job);
  return ids;
}

TEST_P(Claim, HighPriorityComesFirstThenAge) {
  std::vector<std::pair<int, JobId>> made;
  for (const int priority : {5, 0, 9, 5, 7, 9, 0, 1}) {
    NewJob one = job();
    one.priority = priority;
    made.emplace_back(-priority, submit(one));
  }
  std::sort(made.begin(), made.end());
  std::vector<JobId> expected;
  for (const auto& [priority, id] : made) expected.push_back(id);
  EXPECT_EQ(ids_of(claim(100)), expected);
}

TEST_P(Claim, AgeIsTheIdsNotTheInsertions) {
  const NewJob older = job();
  const NewJob younger = job();
  submit(younger);
  submit(older);
  EXPECT_EQ(ids_of(claim(2)), (std::vector<JobId>{older.id, younger.id}));
}

TEST_P(Claim, TheLimitHolds) {
  const auto jobs = submit_many(5);
  EXPECT_EQ(ids_of(claim(2)), (std::vector<JobId>{jobs[0], jobs[1]}));
  EXPECT_EQ(claim(0).size(), 0u);
  EXPECT_EQ(ids_of(claim(100)), (std::vector<JobId>{jobs[2], jobs[3], jobs[4]}));
  EXPECT_EQ(claim(100).size(), 0u);
}

TEST_P(Claim, OtherQueuesAreLeftAlone) {
  const JobId here = submit(job("a"));
  const JobId there = submit(job("ab"));
  EXPECT_EQ(ids_of(claim(10, "a")), std::vector<JobId>{here});
  EXPECT_EQ(state(there), JobState::queued);
  EXPECT_TRUE(claim(10, "").empty());
}

TEST_P(Claim, ItCarriesAllThatARunNeeds) {
  NewJob wanted = job("q");
  wanted.kind = "llm";
  wanted.args = R"({"model":"m"})";
  wanted.project = "red";
  wanted.options.max_attempts = 3;
  wanted.options.tags = {"x"};
  submit(wanted);
  const auto claimed = claim(1, "q");
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].job, wanted.id);
  EXPECT_EQ(claimed[0].epoch, 1);
  EXPECT_EQ(claimed[0].attempt, 1);
  EXPECT_EQ(claimed[0].lost, 0);
  EXPECT_EQ(claimed[0].kind, "llm");
  EXPECT_EQ(claimed[0].args, wanted.args);
  EXPECT_EQ(claimed[0].project, "red");
  EXPECT_EQ(options_from_json(claimed[0].options), wanted.options);
  EXPECT_FALSE(claimed[0].has_steps);
}

TEST_P(Claim, PlainJobsCarryNoOptionsAndNoArgs) {
  submit();
  const auto claimed = claim(1);
  EXPECT_EQ(claimed.at(0).options, "");
  EXPECT_EQ(claimed.at(0).args, "");
}

TEST_P(Claim, ItRaisesTheEpochAndNamesTheOwner) {
  const ClaimedJob run = start();
  const JobView seen = view(run.job);
  EXPECT_EQ(seen.state, JobState::running);
  EXPECT_EQ(seen.epoch, 1);
  EXPECT_EQ(seen.attempt, 1);
  EXPECT_EQ(seen.node, node_.node);
  EXPECT_EQ(seen.started, now());
  const auto mine = reader().running(node_);
  ASSERT_TRUE(mine.ok());
  EXPECT_EQ(*mine, (std::vector<std::pair<JobId, int>>{{run.job, 1}}));
  EXPECT_TRUE(reader().running(other_)->empty());
  EXPECT_TRUE(reader().running(NodeLife{node_.node, node_.life + 1})->empty());
}

TEST_P(Claim, NobodyGetsAJobTwice) {
  submit_many(60);
  std::set<JobId> seen;
  for (int round = 0; round < 20; ++round) {
    Batch batch;
    batch.claims = {{"default", 2, node_, now()}, {"default", 2, other_, now()}};
    const Outcome out = apply(batch);
    for (const auto& one : out.claims)
      for (const ClaimedJob& claimed : one) EXPECT_TRUE(seen.insert(claimed.job).second);
  }
  EXPECT_EQ(seen.size(), 60u);
}

TEST_P(Claim, TwoWritersNeverGetTheSameJob) {
  submit_many(20);
  auto second = test_store().store().open_writer();
  if (!second) {
    EXPECT_EQ(test_store().store().writers_wanted(), 1) << to_string(second.error());
    return;
  }
  std::set<JobId> seen;
  for (int round = 0; round < 5; ++round) {
    Batch batch;
    batch.claims = {{"default", 2, other_, now()}};
    for (const ClaimedJob& one : claim(2)) EXPECT_TRUE(seen.insert(one.job).second);
    const auto out = (*second)->apply(batch);
    ASSERT_TRUE(out.ok()) << to_string(out.error());
    for (const ClaimedJob& one : out->claims.at(0)) EXPECT_TRUE(seen.insert(one.job).second);
  }
  EXPECT_EQ(seen.size(), 20u);
}

TEST_P(Claim, ALateJobOfHighPriorityOvertakesAtTheNextClaim) {
  submit_many(10);
  EXPECT_EQ(claim(3).size(), 3u);
  NewJob urgent = job();
  urgent.priority = 9;
  submit(urgent);
  EXPECT_EQ(claim(1).at(0).job, urgent.id);
}

TEST_P(Claim, AJobThatComesBackKeepsItsAge) {
  const JobId first = submit();
  const ClaimedJob run = claim(1).at(0);
  submit_many(3);
  EXPECT_TRUE(finish(run, JobEvent::hand_over).written);
  EXPECT_EQ(claim(1).at(0).job, first);
}

TEST_P(Claim, FiveHundredAtOnceComeInOrder) {
  const auto jobs = submit_many(500);
  EXPECT_EQ(ids_of(claim(500)), jobs);
}

TEST_P(Claim, ADeadLifeClaimsNothing) {
  submit();
  recover();
  EXPECT_TRUE(claim(1).empty());
}

TEST_P(Claim, AnEarlierLifeClaimsNothing) {
  submit();
  const NodeLife later = apply_one(&Batch::starts, StartNodeOp{node_.node, "{}", now()}).starts[0];
  EXPECT_TRUE(claim(1).empty());
  EXPECT_EQ(apply_one(&Batch::claims, ClaimOp{"default", 1, later, now()}).claims[0].size(), 1u);
}

TEST_P(Claim, ANodeThatSaidGoodbyeClaimsNothing) {
  submit();
  BeatOp beat{node_};
  beat.goodbye = true;
  apply_one(&Batch::beats, beat);
  EXPECT_TRUE(claim(1).empty());
}

TEST_P(Claim, ANodeWithoutARowIsNotRefused) {
  submit();
  const NodeLife unknown{new_id(), 4};
  EXPECT_EQ(apply_one(&Batch::claims, ClaimOp{"default", 1, unknown, now()}).claims[0].size(), 1u);
}

QUELL_STORE_GROUP(Due);

TEST_P(Due, TheEarliestComeFirstAndTheLimitHolds) {
  const JobId late = submit_later(30);
  const JobId early = submit_later(10);
  const JobId middle = submit_later(20);
  pass(100);
  EXPECT_EQ(due(2).moved, 2);
  EXPECT_EQ(state(early), JobState::queued);
  EXPECT_EQ(state(middle), JobState::queued);
  EXPECT_EQ(state(late), JobState::scheduled);
  EXPECT_EQ(due(2).moved, 1);
  EXPECT_EQ(due(2).moved, 0);
}

TEST_P(Due, OnlyWhatHasComeMoves) {
  const JobId past = submit_later(10);
  const JobId future = submit_later(11);
  pass(10);
  EXPECT_EQ(due().moved, 1);
  EXPECT_EQ(state(past), JobState::queued);
  EXPECT_FALSE(view(past).due.has_value());
  EXPECT_EQ(state(future), JobState::scheduled);
}

TEST_P(Due, TheQueuesAreNamedOnceAndSorted) {
  for (const char* queue : {"b", "a", "b", "c"}) {
    NewJob one = job(queue);
    one.run_at = in(1);
    submit(one);
  }
  pass(2);
  EXPECT_EQ(due().queues, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(due().queues.empty());
}

TEST_P(Due, TheNextDueIsTheEarliest) {
  EXPECT_FALSE(reader().next_due()->has_value());
  submit_later(30);
  const JobId early = submit_later(10);
  EXPECT_EQ(*reader().next_due(), in(10));
  mark(early);
  EXPECT_EQ(*reader().next_due(), in(30));
  pass(30);
  due();
  EXPECT_FALSE(reader().next_due()->has_value());
}

TEST_P(Due, ARetryWaitsForItsTime) {
  const ClaimedJob run = start();
  EXPECT_TRUE(finish(run, JobEvent::retry).written);
  EXPECT_EQ(view(run.job).due, in(60));
  EXPECT_EQ(*reader().next_due(), in(60));
  pass(59);
  EXPECT_EQ(due().moved, 0);
  pass(1);
  EXPECT_EQ(due().moved, 1);
  EXPECT_EQ(claim(1, view(run.job).queue).at(0).attempt, 2);
}

}  // namespace
}  // namespace quell::storage
