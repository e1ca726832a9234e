// The sentinel on the stage: an hour in which nothing is wrong says nothing, and each snapshot
// comes at its due time, whatever the node goes through.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/safeguards/alert.hpp"
#include "actors/sentinel/snapshot_doc.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using namespace std::chrono_literals;

class Watch : public testing::Test {
 protected:
  void let_pass(Millis time, Millis step = 1s) {
    for (Millis left = time; left > 0ms; left -= step) {
      stage.turn(step);
      stage.run();
    }
  }
  std::vector<StoreSnapshot> snapshots() {
    std::vector<StoreSnapshot> all;
    const auto docs = stage.reader().docs(snapshot_kind, "");
    for (const storage::Doc& doc : *docs) all.push_back(*snapshot_of(doc));
    return all;
  }
  std::vector<Alert> alerts() {
    std::vector<Alert> all;
    const auto docs = stage.reader().docs(alert_kind, "");
    for (const storage::Doc& doc : *docs) all.push_back(*alert_of(doc));
    return all;
  }

  Stage stage{{{"default", 20}}};
};

TEST_F(Watch, AQuietHourMakesTwelveSnapshotsAndNoAlert) {
  std::vector<JobId> jobs;
  for (int minute = 0; minute < 60; ++minute) {
    jobs.push_back(stage.submit("one"));
    stage.run();
    EXPECT_TRUE(stage.life().effects.end(jobs.back()));
    if (minute % 7 == 6) stage.erase({jobs[jobs.size() - 3]});
    let_pass(1min);
  }
  const auto seen = snapshots();
  EXPECT_THAT(seen.size(), testing::AllOf(testing::Ge(11u), testing::Le(12u)));
  EXPECT_TRUE(alerts().empty());
  std::int64_t added = 0, removed = 0, lost = 0;
  for (const StoreSnapshot& one : seen) {
    EXPECT_EQ(one.due.time_since_epoch() % 300s, 0ms);
    added += one.changes.added;
    removed += one.changes.removed;
    lost += std::ssize(one.changes.lost);
  }
  EXPECT_EQ(lost, 0);
  EXPECT_GE(added, 45);
  EXPECT_GE(removed, 5);
}

TEST_F(Watch, AWaitingJobIsToldOnceAndAgainOnlyAfterItHadEnded) {
  stage.restart_with([](NodeSettings& settings) { settings.sentinel_waiting = 600s; });
  stage.pause("default", true);
  const JobId first = stage.submit("one");
  stage.run();
  let_pass(40min);
  ASSERT_EQ(alerts().size(), 1u);
  EXPECT_EQ(cause_of(alerts()[0]), "waiting");
  EXPECT_THAT(sentence_of(alerts()[0]), testing::HasSubstr("queue default"));
  stage.erase({first});
  let_pass(10min);
  stage.submit("one");
  let_pass(20min);
  EXPECT_EQ(alerts().size(), 2u);
}

TEST_F(Watch, ASnapshotThatTheStoreRefusesIsMadeAtTheNextDueTime) {
  stage.fate = [](const storage::Batch& batch) {
    const bool is_one = !batch.docs.empty() && batch.docs[0].kind == snapshot_kind;
    return is_one ? storage::CommitFate{storage::CommitFate::Kind::refuse,
                                        Error{ErrorCode::store_unavailable, "away"}}
                  : storage::CommitFate{};
  };
  let_pass(6min);
  EXPECT_TRUE(snapshots().empty());
  stage.fate = {};
  let_pass(5min);
  EXPECT_EQ(snapshots().size(), 1u);
}

TEST_F(Watch, ACrashBehindTheCommitMakesNoSecondOneAndNoSecondAlert) {
  stage.restart_with([](NodeSettings& settings) { settings.sentinel_memory_mb = 1; });
  stage.fate = [](const storage::Batch& batch) {
    const bool is_one = !batch.docs.empty() && batch.docs[0].kind == snapshot_kind;
    return is_one ? storage::CommitFate{.kind = storage::CommitFate::Kind::commit_and_lose_answer,
                                        .error = Error{ErrorCode::store_unavailable, "away"}}
                  : storage::CommitFate{};
  };
  let_pass(5min + 5s);
  stage.fate = {};
  stage.crash();
  let_pass(20min);
  EXPECT_EQ(alerts().size(), 1u);
  const auto seen = snapshots();
  EXPECT_GE(seen.size(), 4u);
  for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_LT(seen[i - 1].due, seen[i].due);
}

TEST_F(Watch, OldSnapshotsGoByThemselves) {
  stage.restart_with([](NodeSettings& settings) { settings.sentinel_every = 3600s; });
  let_pass(26h, 5min);
  const auto upkeep = [this] {
    auto writer = std::move(stage.store().open_writer()).value();
    return writer->upkeep(stage.clock.now() + 8 * 24h).ok();
  };
  EXPECT_GE(snapshots().size(), 25u);
  EXPECT_TRUE(upkeep());
  EXPECT_LE(snapshots().size(), 2u) << "one of each day";
  EXPECT_GE(snapshots().size(), 1u);
}

}  // namespace
}  // namespace quell
