// What the sentinel reads: which ids are there, and how the database is.
#include <algorithm>

#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Ids);

TEST_P(Ids, EveryJobInWhateverStateAndEveryTombstoneIsListedOnceById) {
  std::map<JobId, JobState> expected;
  for (const JobState state : all_states()) expected[in_state(state)] = state;
  const JobId gone = in_state(JobState::gone);
  const auto rows = reader().ids(Uuid{}, id_end, 1'000);
  ASSERT_TRUE(rows.ok());
  EXPECT_TRUE(std::is_sorted(rows->begin(), rows->end(),
                             [](const IdRow& a, const IdRow& b) { return a.id < b.id; }));
  std::map<JobId, JobState> found;
  std::size_t tombs = 0;
  for (const IdRow& row : *rows) {
    if (row.is_tomb) {
      ++tombs;
      EXPECT_GT(row.until, now());
      continue;
    }
    found[row.id] = row.state;
    EXPECT_EQ(row.epoch, view(row.id).epoch);
  }
  for (const auto& [id, state] : expected) EXPECT_EQ(found[id], state) << to_string(state);
  EXPECT_FALSE(found.contains(gone));
  EXPECT_GE(tombs, 1u);
}

TEST_P(Ids, ASliceBeginsAndEndsWhereItIsToldAndIsNoLongerThanTold) {
  std::vector<JobId> ids = submit_many(30);
  mark(mark_op({ids[4], ids[11]}));
  std::sort(ids.begin(), ids.end());
  const auto slice = reader().ids(ids[3], ids[20], 100);
  ASSERT_TRUE(slice.ok());
  ASSERT_EQ(slice->size(), 17u);
  EXPECT_EQ(slice->front().id, ids[3]);
  EXPECT_EQ(slice->back().id, ids[19]);
  const auto few = reader().ids(ids[3], ids[20], 5);
  ASSERT_EQ(few->size(), 5u);
  EXPECT_EQ(few->back().id, ids[7]);
}

TEST_P(Ids, AJobThatWasBroughtBackIsAJobAndNoTombstone) {
  const JobId id = in_state(JobState::gone);
  NewJob again = job();
  again.id = id;
  ASSERT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::stored);
  const auto rows = reader().ids(id, id_end, 1);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_FALSE(rows->front().is_tomb);
}

TEST_P(Ids, TheStoreSaysHowLargeItIs) {
  submit_many(10);
  const auto health = reader().health();
  ASSERT_TRUE(health.ok());
  EXPECT_GT(health->bytes, 0);
}

}  // namespace
}  // namespace quell::storage
