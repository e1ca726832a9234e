// From any store into any other: nothing is lost, nothing runs, and what was deleted stays so.
#include "tests/storage/backup/backup_place.hpp"

namespace quell::storage {
namespace {

struct Between {
  const char *from, *to;
};

class BackupWays : public BackupPlace, public testing::WithParamInterface<Between> {};

std::vector<std::string> orphans_of(const std::string& url) {
  auto store = open_store(url, {});
  QUELL_ASSERT(store.ok());
  auto reader = (*store)->open_reader();
  QUELL_ASSERT(reader.ok());
  return (*reader)->orphans().value();
}

TEST_P(BackupWays, WhateverAStoreHoldsComesBackInAnother) {
  for (const std::uint64_t seed : {11U, 12U, 13U}) {
    const std::string from = fresh(GetParam().from), beside = fresh(GetParam().to),
                      to = fresh(GetParam().to), name = "seed" + std::to_string(seed);
    fill(from, seed, 1'500);
    const auto made = backup(from, name);
    ASSERT_TRUE(made.ok()) << to_string(made.error());
    ASSERT_GT(made->sums[static_cast<std::size_t>(BackupTableId::job)].rows, 20U);
    auto live = open_backup_source(from, "");
    ASSERT_TRUE(live.ok());
    const auto drill = drill_backup(into(beside, name), live->get());
    ASSERT_TRUE(drill.ok()) << to_string(drill.error());
    EXPECT_EQ(told(*drill), "") << "seed " << seed;
    EXPECT_GT(drill->rows, 100U);
    const auto restored = restore_backup(into(to, name));
    ASSERT_TRUE(restored.ok()) << to_string(restored.error());
    EXPECT_EQ(orphans_of(to), std::vector<std::string>()) << "seed " << seed;
  }
}

TEST_P(BackupWays, ADeleteAfterTheBackupStaysDeleted) {
  const std::string from = fresh(GetParam().from), to = fresh(GetParam().to);
  auto store = opened(from);
  auto writer = std::move(store->open_writer().value());
  Batch births;
  for (int n = 0; n < 20; ++n) {
    EnqueueOp& op = births.enqueues.emplace_back();
    op.job.id = ids_.next();
    op.job.kind = "noop";
    op.job.queue = "default";
    op.job.args = "{\"n\":" + std::to_string(n) + "}";
    op.now = clock_.now();
  }
  ASSERT_TRUE(writer->apply(births).ok());
  ASSERT_TRUE(backup(from, "before").ok());
  clock_.ms += std::chrono::seconds(5);
  Batch marks;
  MarkOp& mark = marks.marks.emplace_back();
  mark.delete_id = ids_.next();
  mark.who = "tester";
  mark.now = clock_.now();
  mark.tomb_until = clock_.now() + std::chrono::hours(24);
  for (int n = 0; n < 7; ++n) mark.jobs.push_back(births.enqueues[n].job.id);
  ASSERT_TRUE(writer->apply(marks).ok());
  ASSERT_TRUE(backup(from, "deletions", true).ok());
  RestoreRequest request = into(to, "before");
  request.deletions = {path("deletions")};
  const auto restored = restore_backup(request);
  ASSERT_TRUE(restored.ok()) << to_string(restored.error());
  EXPECT_EQ(restored->counts.stay_deleted, 7U);
  EXPECT_EQ(restored->counts.jobs, 13U);
  auto target = opened(to);
  auto reader = std::move(target->open_reader().value());
  std::vector<JobId> all;
  for (const EnqueueOp& op : births.enqueues) all.push_back(op.job.id);
  const auto found = reader->get(all, true);
  ASSERT_TRUE(found.ok());
  for (int n = 0; n < 20; ++n) {
    const Found& one = found->at(static_cast<std::size_t>(n));
    EXPECT_EQ(one.job.has_value(), n >= 7) << n;
    EXPECT_EQ(one.tomb.has_value(), n < 7) << n;
  }
  EXPECT_EQ(reader->orphans().value(), std::vector<std::string>());
}

// The order to delete a job that runs: a backup from before it brings the job back as deleted, with
// the verdict that nobody has seen it end; one that is newer knows better.
TEST_P(BackupWays, ADeleteThatWasAcceptedIsDoneByTheRestoreOfAnOlderBackup) {
  const std::string from = fresh(GetParam().from), to = fresh(GetParam().to),
                    again = fresh(GetParam().from), newer = fresh(GetParam().to);
  auto store = opened(from);
  auto writer = std::move(store->open_writer().value());
  Batch births;
  births.starts.push_back({ids_.next(), "{}", clock_.now()});
  EnqueueOp& birth = births.enqueues.emplace_back();
  birth.job.id = ids_.next();
  birth.job.kind = "noop";
  birth.job.queue = "work";
  birth.job.unique_key = "only one";
  birth.now = clock_.now();
  const JobId job = birth.job.id;
  const auto born = writer->apply(births);
  ASSERT_TRUE(born.ok());
  ASSERT_TRUE(backup(from, "before").ok());
  clock_.ms += std::chrono::seconds(5);
  Batch claims, marks;
  ClaimOp& claim = claims.claims.emplace_back();
  claim.owner = born->starts.at(0);
  claim.queue = "work";
  claim.limit = 1;
  claim.now = clock_.now();
  ASSERT_EQ(writer->apply(claims)->claims.at(0).size(), 1U);
  MarkOp& mark = marks.marks.emplace_back();
  mark.delete_id = ids_.next();
  mark.now = clock_.now();
  mark.tomb_until = clock_.now() + std::chrono::hours(24);
  mark.jobs = {job};
  ASSERT_EQ(writer->apply(marks)->marks.at(0).at(0).answer, MarkAnswer::held);
  ASSERT_TRUE(backup(from, "deletions", true).ok());
  RestoreRequest request = into(to, "before");
  request.deletions = {path("deletions")};
  const auto restored = restore_backup(request);
  ASSERT_TRUE(restored.ok()) << to_string(restored.error());
  EXPECT_EQ(restored->counts.stay_deleted, 1U);
  EXPECT_EQ(restored->counts.jobs, 0U);
  auto target = opened(to);
  auto reader = std::move(target->open_reader().value());
  const Found gone = reader->get({job}, false)->at(0);
  EXPECT_FALSE(gone.job.has_value());
  ASSERT_TRUE(gone.tomb.has_value());
  EXPECT_EQ(gone.tomb->delete_id, mark.delete_id);
  EXPECT_EQ(gone.tomb->verdict, Verdict::lease_expired);
  EXPECT_EQ(gone.tomb->was, JobState::running);
  EXPECT_EQ(reader->orphans().value(), std::vector<std::string>());

  clock_.ms += std::chrono::seconds(5);
  birth.now = clock_.now();
  births.starts.clear();
  {
    auto later = opened(again);
    ASSERT_TRUE(later->open_writer().value()->apply(births).ok());
  }
  ASSERT_TRUE(backup(again, "after").ok());
  request = into(newer, "after");
  request.deletions = {path("deletions")};
  ASSERT_TRUE(restore_backup(request).ok());
  auto back = opened(newer);
  EXPECT_TRUE(back->open_reader().value()->get({job}, false)->at(0).job.has_value());
}

TEST_P(BackupWays, NothingRunsThatRanAndNoOldRunCanWrite) {
  const std::string from = fresh(GetParam().from), to = fresh(GetParam().to);
  auto store = opened(from);
  auto writer = std::move(store->open_writer().value());
  Batch batch;
  batch.starts.push_back({ids_.next(), "{}", clock_.now()});
  EnqueueOp& op = batch.enqueues.emplace_back();
  op.job.id = ids_.next();
  op.job.kind = "noop";
  op.job.queue = "work";
  op.job.unique_key = "only one";
  op.now = clock_.now();
  const auto begun = writer->apply(batch);
  ASSERT_TRUE(begun.ok());
  const NodeLife node = begun->starts.at(0);
  Batch claims;
  ClaimOp& claim = claims.claims.emplace_back();
  claim.owner = node;
  claim.queue = "work";
  claim.limit = 1;
  claim.now = clock_.now();
  const auto claimed = writer->apply(claims);
  ASSERT_TRUE(claimed.ok());
  ASSERT_EQ(claimed->claims.at(0).size(), 1U);
  const int epoch = claimed->claims.at(0).at(0).epoch;
  ASSERT_TRUE(backup(from, "running").ok());
  const auto restored = restore_backup(into(to, "running"));
  ASSERT_TRUE(restored.ok()) << to_string(restored.error());
  EXPECT_EQ(restored->counts.cancelled, 1U);
  auto target = opened(to);
  auto reader = std::move(target->open_reader().value());
  const auto found = reader->get({op.job.id}, false);
  ASSERT_TRUE(found.ok());
  ASSERT_TRUE(found->at(0).job.has_value());
  EXPECT_EQ(found->at(0).job->state, JobState::cancelled);
  EXPECT_GT(found->at(0).job->epoch, epoch);
  EXPECT_TRUE(found->at(0).job->expires.has_value());
  const auto queue = reader->doc("queue", "work");
  ASSERT_TRUE(queue.ok() && *queue);
  EXPECT_NE((*queue)->body.find("\"paused\":true"), std::string::npos);
  EXPECT_EQ(reader->orphans().value(), std::vector<std::string>());
}

TEST_P(BackupWays, AStoreThatIsNotEmptyIsLeftAsItIs) {
  const std::string from = fresh(GetParam().from), to = fresh(GetParam().to);
  fill(from, 21, 200);
  fill(to, 22, 200);
  ASSERT_TRUE(backup(from, "one").ok());
  const auto before = backup(to, "before");
  const auto refused = restore_backup(into(to, "one"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::state_conflict) << refused.error().detail;
  const auto after = backup(to, "after");
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_TRUE(before->sums == after->sums);
}

TEST_P(BackupWays, ARestoreThatEndsInTheMiddleLeavesTheStoreEmptyAndIsBegunAgain) {
  const std::string from = fresh(GetParam().from), to = fresh(GetParam().to);
  fill(from, 31, 3'000);
  ASSERT_TRUE(backup(from, "one").ok());
  RestoreRequest request = into(to, "one");
  int cuts = 0;
  for (int cut = 1; cut < 200; ++cut) {
    int calls = 0;
    request.progress = [&](const BackupProgress&) { return ++calls < cut; };
    const auto restored = restore_backup(request);
    if (restored.ok()) break;
    ASSERT_EQ(restored.error().code, ErrorCode::store_unavailable) << to_string(restored.error());
    ++cuts;
    if (!std::filesystem::exists(path("one.verifying"))) {
      const auto left = backup(to, "left" + std::to_string(cut));
      ASSERT_TRUE(left.ok()) << to_string(left.error());
      for (const TableSum& sum : left->sums) EXPECT_EQ(sum.rows, 0U);
    }
  }
  EXPECT_GT(cuts, 3);
  EXPECT_EQ(orphans_of(to), std::vector<std::string>());
  const auto again = restore_backup(into(to, "one"));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::state_conflict);
}

INSTANTIATE_TEST_SUITE_P(Stores, BackupWays,
                         testing::Values(Between{"sqlite", "postgres"},
                                         Between{"postgres", "sqlite"}, Between{"sqlite", "sqlite"},
                                         Between{"postgres", "postgres"}),
                         [](const auto& info) {
                           return std::string(info.param.from) + "_to_" + info.param.to;
                         });

}  // namespace
}  // namespace quell::storage
