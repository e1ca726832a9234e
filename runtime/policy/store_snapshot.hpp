// The store at one moment, as the sentinel keeps it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/policy/id_ranges.hpp"

namespace quell {

struct HeldSnapshot {
  int pid = 0;  // 0: a prepared transaction, which has none
  std::string application;
  std::int64_t seconds = 0;
};

struct StoreSnapshot {
  struct Count {
    std::string queue;
    JobState state = JobState::queued;
    std::int64_t jobs = 0;
  };
  struct Waiting {
    std::string queue;
    std::int64_t seconds = 0;
  };
  struct Worst {
    std::string table;
    std::int64_t rows = 0;
  };

  Instant due, at;  // of its slot, which is its name; when it was made
  std::string node;
  std::vector<Count> counts;
  RangeChanges changes;
  std::int64_t ranges = 0;
  std::int64_t store_bytes = 0, memory_bytes = 0;
  std::optional<std::int64_t> wal_bytes = {};
  std::optional<Worst> dead = {};
  std::optional<HeldSnapshot> held = {};
  std::optional<Waiting> waiting = {};
  std::int64_t deleted_off_hours = 0;   // since the last one
  std::string deleted_by = {};          // the last of these
  std::vector<std::string> above = {};  // the rules that it is above the line of

  std::int64_t jobs() const {
    std::int64_t sum = 0;
    for (const Count& count : counts) sum += count.jobs;
    return sum;
  }
};

// Its name: the time at which it was due. Sorts as it reads.
std::string snapshot_name(Instant due);

// Until when one is kept: all of a day, each hour's first of a week, each day's first for `keep`.
Instant snapshot_until(Instant due, std::optional<Instant> last, Millis keep);

}  // namespace quell
