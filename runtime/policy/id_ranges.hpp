// Which rows are there, range of ids by range of ids, so that two looks at a store can be compared
// and a row that went without a tombstone is named with its neighbours. A look reads no more rows
// than its budget: what is new and what was looked at longest ago; the rest keeps its figures.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "runtime/law/job_machine.hpp"

namespace quell {

// A job, or the tombstone of one that was not brought back since.
struct IdRow {
  Uuid id;
  bool is_tomb = false;
  JobState state = JobState::queued;  // of a job
  int epoch = 0;
  Instant until = {};  // of a tombstone
};

// From this id to the next range's. What tombstones that end soon say is not counted, so that the
// next look, which comes before `horizon`, finds each of these still there.
struct IdRange {
  Uuid from;
  std::int64_t rows = 0, done = 0, tombs = 0;
  std::uint64_t sum = 0;  // over id, state and epoch of each job
  std::int64_t lost = 0;  // went without a tombstone, since the first look
  Instant seen = {};      // nothing of it was read yet: the beginning of time
  Instant horizon = {};
  bool is_unseen() const { return seen == Instant{}; }
  bool operator==(const IdRange&) const = default;
};

struct LostRows {
  Uuid from, to;  // the range that misses them
  std::int64_t rows = 0;
};

struct RangeChanges {
  std::int64_t added = 0, removed = 0, changed = 0;  // jobs: born, deleted, ended
  std::int64_t ranges_changed = 0, ranges_read = 0, rows_read = 0;
  std::vector<LostRows> lost;
  bool is_partial = false;  // not all ranges were looked at
};

struct RangeBounds {
  std::int64_t rows_most = 100'000;  // of one look
  std::int64_t range_rows = 500;     // of one range, about
};

// One look. Ask `next` what to read, `take` what was read, until there is nothing more to ask for.
class RangeWalk {
 public:
  struct Read {
    Uuid from, below;
    int limit = 0;
  };

  // `frontier`: no id that is born from now on is below it, but for those that are not by time. So
  // what is below is compared without births that could hide a loss.
  RangeWalk(std::vector<IdRange> before, Uuid frontier, Instant now, RangeBounds bounds);

  std::optional<Read> next();
  // Rising by id; fewer than the limit: there are no more below.
  void take(std::span<const IdRow> rows);

  // When next() has nothing more.
  std::vector<IdRange> ranges() const;
  const RangeChanges& changes() const { return changes_; }

 private:
  void begin(std::size_t which);
  void add(const IdRow& row);
  void cut(Uuid at);
  void cut_at_frontier(Uuid before);
  void finish();

  RangeBounds bounds_;
  Uuid frontier_;
  Instant now_;
  std::vector<IdRange> before_;
  std::vector<std::size_t> order_;  // of before_, to be read; the next one last
  std::vector<IdRange> made_;
  // The one at hand.
  std::optional<std::size_t> at_;
  Uuid cursor_, below_;
  Uuid old_frontier_;
  IdRange piece_;
  IdRange whole_;  // all pieces of it; tombs by the old horizon
  std::vector<IdRange> pieces_;
  std::vector<bool> is_done_;
  int asked_ = 0;
  RangeChanges changes_;
};

// Two looks side by side, by the ids at which both have a boundary; only where they differ.
struct RangeDifference {
  Uuid from, to;  // `to` of the last range: the highest id there can be
  std::int64_t rows_before = 0, rows_after = 0, tombs_before = 0, tombs_after = 0;
  std::int64_t lost = 0;
};
std::vector<RangeDifference> differences(std::span<const IdRange> a, std::span<const IdRange> b);

Uuid first_id_of(Instant at);  // below every id by time that is made from then on
inline constexpr Uuid id_end{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                              0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace quell
