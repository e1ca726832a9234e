// The store shows that a job is gone before the node's own Clerk has told what its run had in hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <caf/all.hpp>

#include "actors/deletes/awaited_jobs.hpp"
#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using storage::CommitFate;
using testing::IsEmpty;
using testing::SizeIs;

class OwnWord : public testing::Test {
 protected:
  JobId running() {
    const JobId id = stage.submit("one");
    stage.run();
    EXPECT_EQ(stage.life().effects.open(), 1u);
    return id;
  }

  Stage stage;
};

// As behind a slow commit: the look at the store is answered first, then the Clerk speaks.
TEST_F(OwnWord, SlotsAreCountedThoughTheStoreIsSeenBeforeTheClerkTells) {
  const JobId id = running();
  stage.fate = [&](const storage::Batch& batch) {
    CommitFate fate;
    if (batch.verdicts.empty()) return fate;
    fate.committed = [&] {
      tell(stage.context().deleter, StatesRead{0, stage.reader().get({id}, false)});
    };
    return fate;
  };
  const auto call = stage.erase({id});
  stage.run();
  ASSERT_THAT(call->reports, SizeIs(1));
  EXPECT_EQ(call->reports[0].counts.slots_freed, 1u);
  EXPECT_EQ(call->reports[0].outcomes[0].slots_freed, 1);
  EXPECT_THAT(stage.wrong, IsEmpty());
}

TEST_F(OwnWord, SlotsAreCountedThoughTheAnswerToTheirCommitWasLost) {
  const JobId id = running();
  bool is_lost = false;
  stage.fate = [&](const storage::Batch& batch) {
    CommitFate fate;
    if (!batch.verdicts.empty() && !std::exchange(is_lost, true))
      fate.kind = CommitFate::Kind::commit_and_lose_answer;
    return fate;
  };
  const auto call = stage.erase({id});
  ASSERT_TRUE(stage.settle({call}));
  ASSERT_TRUE(is_lost);
  ASSERT_THAT(call->reports, SizeIs(1));
  EXPECT_EQ(call->reports[0].outcomes[0].slots_freed, 1);
  EXPECT_THAT(stage.wrong, IsEmpty());
}

// Another process may have declared dead this node, and its Clerk then has nothing to tell.
TEST_F(OwnWord, IsNotWaitedForForEver) {
  const JobId id = running();
  bool is_ours = true;
  stage.fate = [&](const storage::Batch& batch) {
    CommitFate fate;
    if (!is_ours || batch.verdicts.empty()) return fate;
    fate.kind = CommitFate::Kind::refuse;
    fate.error = Error{ErrorCode::store_unavailable, "away"};
    return fate;
  };
  const auto call = stage.erase({id});
  stage.run();
  auto writer = std::move(stage.store().open_writer()).value();
  storage::Batch batch;
  for (const auto& ticket : stage.tickets())
    for (const storage::Holder& holder : ticket.open)
      batch.verdicts.push_back({.job = id,
                                .what = holder.what,
                                .ref = holder.ref,
                                .owner = holder.owner,
                                .epoch = holder.epoch,
                                .verdict = Verdict::lease_expired,
                                .now = stage.clock.now()});
  ASSERT_THAT(batch.verdicts, SizeIs(1));
  is_ours = false;
  ASSERT_EQ(writer->apply(batch)->verdicts[0].answer, storage::VerdictAnswer::erased);
  is_ours = true;
  Millis waited{0};
  for (; waited < Millis{5'000} && call->reports.empty(); waited += Millis{100}) {
    stage.turn(Millis{100});
    stage.run();
  }
  ASSERT_THAT(call->reports, SizeIs(1));
  EXPECT_GT(waited, Millis{2'000}) << "the own word had its time";
  EXPECT_EQ(call->reports[0].outcomes[0].verdict, Verdict::lease_expired);
  EXPECT_FALSE(call->reports[0].outcomes[0].slots_freed.has_value()) << "nobody knows";
}

TEST(AwaitedJobs, EachHasItsTurnInARoundOfLooks) {
  AwaitedJobs awaited(storage::NodeLife{});
  IdSource ids(system_clock());
  std::set<JobId> all;
  for (int i = 0; i < 7; ++i) all.insert(ids.next());
  for (const JobId& job : all) awaited.add(job, 1);
  std::set<JobId> seen;
  for (int looks = 0; looks < 3; ++looks)
    for (const JobId& job : awaited.next_slice(3)) EXPECT_TRUE(seen.insert(job).second);
  EXPECT_EQ(seen, all);
  EXPECT_TRUE(awaited.is_round_over());
}

TEST(AwaitedJobs, BelievesTheStoreOnlyOnceAllOwnHoldersWereTold) {
  IdSource ids(system_clock());
  const storage::NodeLife self{ids.next(), 3}, other{ids.next(), 1};
  const JobId job = ids.next();
  const storage::Holder run{storage::HolderKind::run, job, self, 1};
  const storage::Holder delivery{storage::HolderKind::delivery, ids.next(), self, 0};
  const storage::Holder far{storage::HolderKind::delivery, ids.next(), other, 0};
  const auto word_of = [&](const storage::Holder& holder) {
    return storage::VerdictOp{.job = job,
                              .what = holder.what,
                              .ref = holder.ref,
                              .owner = holder.owner,
                              .epoch = holder.epoch,
                              .verdict = Verdict::stopped,
                              .now = {}};
  };
  AwaitedJobs awaited(self);
  EXPECT_TRUE(awaited.believes_gone(job, Millis{0})) << "nobody waits";
  awaited.add(job, 1);
  awaited.held_by(job, {far});
  EXPECT_TRUE(awaited.believes_gone(job, Millis{0})) << "another node's word is the store's";
  awaited.held_by(job, {run, delivery, far});
  EXPECT_FALSE(awaited.believes_gone(job, Millis{0}));
  awaited.note_verdict(job, word_of(run));
  EXPECT_FALSE(awaited.believes_gone(job, Millis{1}));
  awaited.note_verdict(job, word_of(delivery));
  EXPECT_TRUE(awaited.believes_gone(job, Millis{2}));
}

}  // namespace
}  // namespace quell
