// What was there and is not any more, told from what was deleted, born, or not looked at.
#include "runtime/policy/id_ranges.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace quell {
namespace {

using namespace std::chrono_literals;

constexpr Instant first_look{Millis{1'800'000'000'000}};

// A store of ids, as one looks at it.
struct Ids {
  std::map<Uuid, IdRow> rows;
  Instant now = first_look;
  std::uint64_t last = 0;
  std::vector<IdRange> ranges;
  RangeBounds bounds{.rows_most = 1'000'000, .range_rows = 50};

  Uuid born(JobState state = JobState::queued) {
    Uuid id = first_id_of(now);
    ++last;
    for (std::size_t i = 0; i < 8; ++i)
      id.bytes[15 - i] = static_cast<std::uint8_t>(last >> (8 * i));
    rows[id] = {.id = id, .state = state};
    return id;
  }
  std::vector<Uuid> many(int n) {
    std::vector<Uuid> ids;
    for (int i = 0; i < n; ++i) ids.push_back(born());
    return ids;
  }
  void erase(const Uuid& id, Millis kept = 24h) {
    rows[id] = {.id = id, .is_tomb = true, .until = now + kept};
  }
  RangeChanges look(Millis later = 5min) {
    now += later;
    RangeWalk walk(ranges, first_id_of(now), now, bounds);
    while (const auto read = walk.next()) {
      std::vector<IdRow> slice;
      for (auto at = rows.lower_bound(read->from);
           at != rows.end() && at->first < read->below && std::ssize(slice) < read->limit; ++at)
        slice.push_back(at->second);
      walk.take(slice);
    }
    ranges = walk.ranges();
    return walk.changes();
  }
  std::int64_t lost(const RangeChanges& changes) {
    std::int64_t sum = 0;
    for (const LostRows& one : changes.lost) sum += one.rows;
    return sum;
  }
};

TEST(IdRanges, TheFirstLookCallsNothingNew) {
  Ids ids;
  ids.many(300);
  const RangeChanges first = ids.look();
  EXPECT_EQ(first.added, 0);
  EXPECT_EQ(ids.lost(first), 0);
  EXPECT_GE(ids.ranges.size(), 6u) << "300 rows in ranges of 50";
}

TEST(IdRanges, WhatIsBornIsAddedAndWhatIsDeletedIsRemoved) {
  Ids ids;
  const auto old = ids.many(100);
  ids.look();
  ids.many(70);
  for (int i = 0; i < 30; ++i) ids.erase(old[static_cast<std::size_t>(i)]);
  const RangeChanges second = ids.look();
  EXPECT_EQ(second.added, 70);
  EXPECT_EQ(second.removed, 30);
  EXPECT_EQ(ids.lost(second), 0);
  EXPECT_EQ(ids.look().ranges_changed, 0);
}

TEST(IdRanges, ARowThatWentWithoutATombstoneIsNamedWithItsRange) {
  Ids ids;
  const auto old = ids.many(1'000);
  ids.look();
  ids.look();
  ids.rows.erase(old[437]);
  ids.many(500);  // births do not hide it
  const RangeChanges found = ids.look();
  ASSERT_EQ(found.lost.size(), 1u);
  EXPECT_EQ(found.lost[0].rows, 1);
  EXPECT_LE(found.lost[0].from, old[437]);
  EXPECT_LT(old[437], found.lost[0].to);
  EXPECT_LE(found.lost[0].to, old[500]) << "a range is narrow";
  EXPECT_EQ(ids.lost(ids.look()), 0) << "told once";
}

TEST(IdRanges, DeletesBesideItDoNotHideALoss) {
  Ids ids;
  const auto old = ids.many(40);
  ids.look();
  for (int i = 0; i < 20; ++i) ids.erase(old[static_cast<std::size_t>(i)]);
  ids.rows.erase(old[30]);
  const RangeChanges found = ids.look();
  EXPECT_EQ(ids.lost(found), 1);
  EXPECT_EQ(found.removed, 20);
}

TEST(IdRanges, ATombstoneThatEndsIsNoLoss) {
  Ids ids;
  const auto old = ids.many(40);
  ids.erase(old[3], 25h);
  ids.look();
  for (int i = 0; i < 24 * 12 * 2; ++i) {
    EXPECT_EQ(ids.lost(ids.look()), 0);
    if (ids.rows.contains(old[3]) && ids.rows[old[3]].until <= ids.now) ids.rows.erase(old[3]);
  }
  EXPECT_FALSE(ids.rows.contains(old[3]));
}

TEST(IdRanges, AfterALongSleepNothingIsSaidOfWhatMayHaveEnded) {
  Ids ids;
  const auto old = ids.many(40);
  ids.erase(old[3], 24h);
  ids.look();
  ids.rows.erase(old[3]);
  EXPECT_EQ(ids.lost(ids.look(30h)), 0);
}

TEST(IdRanges, ABroughtBackJobIsNoLossAndItsSecondDeleteNone) {
  Ids ids;
  const auto old = ids.many(40);
  ids.look();
  ids.erase(old[5]);
  ids.look();
  ids.rows[old[5]] = {.id = old[5], .state = JobState::succeeded, .epoch = 3};
  EXPECT_EQ(ids.lost(ids.look()), 0);
  ids.erase(old[5]);
  EXPECT_EQ(ids.lost(ids.look()), 0);
}

TEST(IdRanges, ALookReadsNoMoreThanItsBudgetAndStillFindsEveryLossInTurn) {
  Ids ids;
  ids.bounds = {.rows_most = 5'000, .range_rows = 500};
  const auto old = ids.many(40'000);
  for (int i = 0; i < 12; ++i) EXPECT_LE(ids.look().rows_read, 5'000 + 5'000) << "one slice over";
  ids.rows.erase(old[12'345]);
  std::int64_t lost = 0;
  for (int i = 0; i < 12; ++i) {
    const RangeChanges found = ids.look();
    EXPECT_TRUE(found.is_partial);
    lost += ids.lost(found);
  }
  EXPECT_EQ(lost, 1);
}

TEST(IdRanges, IdsThatAreNotByTimeAreWatchedToo) {
  Ids ids;
  ids.many(10);
  Uuid random;
  random.bytes.fill(0xc3);
  ids.rows[random] = {.id = random};
  ids.look();
  ids.look();
  ids.rows.erase(random);
  EXPECT_EQ(ids.lost(ids.look()), 1);
}

TEST(IdRanges, ADifferenceNamesWhereAndHowMuchAlsoWhenTheBoundariesDiffer) {
  Ids ids;
  const auto old = ids.many(300);
  ids.look();
  const auto before = ids.ranges;
  EXPECT_TRUE(differences(before, before).empty());
  ids.rows.erase(old[10]);
  ids.erase(old[200]);
  ids.many(90);
  ids.look();
  std::int64_t lost = 0, fewer = 0, tombs = 0, more = 0;
  for (const RangeDifference& one : differences(before, ids.ranges)) {
    EXPECT_LT(one.from, one.to);
    if (one.lost > 0) {
      EXPECT_TRUE(one.from <= old[10] && old[10] < one.to);
    }
    lost += one.lost;
    tombs += one.tombs_after - one.tombs_before;
    (one.rows_after < one.rows_before ? fewer : more) += one.rows_after - one.rows_before;
  }
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(tombs, 1);
  EXPECT_EQ(fewer, -2);
  EXPECT_EQ(more, 90);
}

TEST(IdRanges, OverRandomHistoriesLossesAreCountedExactlyOrNotAtAllAndNeverInvented) {
  std::mt19937 dice{17};
  for (int story = 0; story < 60; ++story) {
    Ids ids;
    ids.bounds.range_rows = 1 + static_cast<std::int64_t>(dice() % 60);
    std::vector<Uuid> all;
    std::int64_t stolen = 0, told = 0;
    for (int step = 0; step < 40; ++step) {
      std::vector<Uuid> seen;
      for (const auto& [id, row] : ids.rows)
        if (!row.is_tomb) seen.push_back(id);
      for (unsigned i = 0; i < dice() % 80; ++i) ids.born();
      for (unsigned i = 0; i < dice() % 20 && !seen.empty(); ++i)
        ids.erase(seen[dice() % seen.size()]);
      if (step > 0 && dice() % 4 == 0 && !seen.empty()) {
        const Uuid victim = seen[dice() % seen.size()];
        if (!ids.rows[victim].is_tomb) {
          ids.rows.erase(victim);
          ++stolen;
        }
      }
      told += ids.lost(ids.look());
    }
    EXPECT_EQ(told, stolen) << "story " << story;
  }
}

}  // namespace
}  // namespace quell
